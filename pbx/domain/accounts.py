"""What is kept of people who log in: password, passes shown instead of it, and what each has changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

SUBSCRIPTION = "subscription"
"""Kind of the documents that say whom to tell of what; one of a user goes with the user."""
PassKind = Literal["session", "welcome", "reset", "token", "refresh", "key"]
"""A browser's session; a link of a mail; a token of the API, what renews it, and an API key."""


@dataclass(frozen=True, slots=True)
class Credential:
    """The password of one account, as argon2 has it."""

    domain: str
    extension: str
    hash: str = field(repr=False)
    changed_at: float
    """POSIX seconds."""


@dataclass(frozen=True, slots=True)
class Pass:
    """A secret that stands for somebody for a while; what is kept of it opens nothing."""

    digest: str
    """SHA-256 of the secret, in hex."""
    kind: PassKind
    domain: str
    """Of the account it stands for; empty for one that stands for no user."""
    extension: str
    made_at: float
    """POSIX seconds, as all moments here."""
    expires_at: float
    """0 for never."""
    used_at: float = 0.0
    """When it was last shown, to the minute; 0 for not yet."""
    first: str = ""
    """First characters of the secret, by which lists name it; empty for what nobody lists."""
    scope: str = ""
    """Narrower than the account's own; empty for that."""
    read_only: bool = False
    addresses: str = ""
    """Addresses and networks it may come from, separated by commas; empty for any."""
    by: str = ""
    """Who made it; of a session that looks with another's eyes, whose session that is."""
    description: str = ""
    """Of a session: the browser that has it."""
    more: str = ""
    """JSON of the interface that made it."""

    def lives_at(self, at: float) -> bool:
        return not self.expires_at or at < self.expires_at


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One write: who, as whom, what it was before and after."""

    id: str
    at: float
    """POSIX seconds."""
    actor: str
    """Login of the person or name of the key."""
    scope: str
    as_whom: str
    """Through whose eyes; empty for the own."""
    origin: str
    """`console`, `api` and the address it came from."""
    domain: str
    kind: str
    """Of thing, as `pbx.access` has it."""
    name: str
    action: str
    before: str
    """JSON of the values that changed, secrets masked; empty for nothing."""
    after: str
