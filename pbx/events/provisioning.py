"""Configuration asked for, served and refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pbx.events.base import Event


@dataclass(frozen=True, slots=True)
class ConfigRequested(Event):
    kind: ClassVar[str] = "provisioning.requested"
    protocol: str
    """`http`, `https` or `tftp`."""
    path: str
    """The requested name, token removed."""
    address: str
    user_agent: str
    mac: str
    """Twelve lower-case hex digits, or empty when the request does not tell."""


@dataclass(frozen=True, slots=True)
class ConfigServed(Event):
    kind: ClassVar[str] = "provisioning.served"
    protocol: str
    path: str
    address: str
    mac: str
    device: str
    family: str
    file: str
    """The manifest's name of the file, e.g. `{mac}.cfg`."""
    file_kind: str
    """`boot`, `common`, `device`, `directory`, `firmware`, …"""
    sha256: str
    size: int
    sensitive: bool
    reason: str
    """How it came to this: which file of which family, what opened it, and what does not fit together."""


@dataclass(frozen=True, slots=True)
class ConfigRefused(Event):
    kind: ClassVar[str] = "provisioning.refused"
    protocol: str
    path: str
    address: str
    mac: str
    device: str
    reason: str
    """Why, for the operator: the peer is told nothing of it."""
    status: int


@dataclass(frozen=True, slots=True)
class ConfigUploaded(Event):
    """A phone has sent a file, and it is kept."""

    kind: ClassVar[str] = "provisioning.uploaded"
    protocol: str
    path: str
    address: str
    mac: str
    device: str
    file_kind: str
    """`log`, `overrides`, `directory` or `calls`."""
    size: int


@dataclass(frozen=True, slots=True)
class PhoneSaid(Event):
    """What a phone itself reports by its action URLs: a second witness beside SIP."""

    kind: ClassVar[str] = "phone.said"
    mac: str
    device: str
    what: str
    """`ringing`, `connected`, `ended`, `registered`, `off_hook`, … or the vendor's own word; empty for none."""
    sip_call: str
    """As the phone names the call."""
    remote: str


@dataclass(frozen=True, slots=True)
class AddressBanned(Event):
    """Somebody has tried too many names or tokens: without a valid token nothing is served there for a while."""

    kind: ClassVar[str] = "provisioning.banned"
    protocol: str
    place: str
    """An address or a network."""
    guesses: int
    for_s: int


@dataclass(frozen=True, slots=True)
class CredentialsRotated(Event):
    """A box has new passwords and a new token."""

    kind: ClassVar[str] = "provisioning.rotated"
    mac: str
    until: str
    """Until when the former ones are taken beside them; ISO 8601."""


@dataclass(frozen=True, slots=True)
class OneShotGiven(Event):
    """Somebody has set values of a box for once; without names of settings they are lifted."""

    kind: ClassVar[str] = "provisioning.one-shot"
    mac: str
    by: str
    settings: str
    """Names, with commas; a value may be a secret of the vendor's."""
    until: str
    """ISO 8601; empty for one fetch."""


@dataclass(frozen=True, slots=True)
class OneShotTaken(Event):
    """A file has gone out with values that were set for one fetch."""

    kind: ClassVar[str] = "provisioning.one-shot-taken"
    mac: str
    file: str
    """The manifest's name of it."""
    ended: bool
    """It was the last file that carries them."""


@dataclass(frozen=True, slots=True)
class SecretsRevealed(Event):
    """Somebody has looked at the passwords and the URL of a box."""

    kind: ClassVar[str] = "provisioning.revealed"
    mac: str
    by: str
    """Who says so, and from where."""


@dataclass(frozen=True, slots=True)
class ResyncRequested(Event):
    kind: ClassVar[str] = "provisioning.resync"
    device: str
    mac: str


@dataclass(frozen=True, slots=True)
class ResyncAnswered(Event):
    kind: ClassVar[str] = "provisioning.resync-answered"
    device: str
    mac: str
    status: int
    """What the phone said to the NOTIFY, a challenge answered before; 408 when it said nothing."""


@dataclass(frozen=True, slots=True)
class DiscoveryAnswered(Event):
    """A phone that knew nothing was told where its server is."""

    kind: ClassVar[str] = "provisioning.discovered"
    how: str
    """`pnp` or `redirect`."""
    service: str
    """The maker's service; for `pnp` what the phone says it is."""
    address: str
    mac: str
    device: str
    """Empty where it was sent to somebody else's server."""
    reason: str
    """What the operator should know of the answer; mostly empty."""


@dataclass(frozen=True, slots=True)
class DiscoveryRefused(Event):
    kind: ClassVar[str] = "provisioning.not-discovered"
    how: str
    address: str
    mac: str
    device: str
    reason: str
