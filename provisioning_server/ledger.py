"""Who may have a configuration: one-time tokens, steady tokens, and the window of an open LAN.

A device's first token opens its files until a while after a file with a password has gone out (a boot needs several
requests), then it is closed. The configuration carries a URL with the steady token; its first use closes the first
token and the window at once. The steady token is derived from a secret of this installation and the first token: it
survives a restart, stands nowhere, and a new first token revokes it - at once, or after the overlap of a rotation.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

GRACE_S = 120.0
"""How long a boot may go on after its first password: a phone that reboots within it is still the same boot."""


class Key(Enum):
    """What opened a file."""

    STEADY = "the steady token"
    FORMER = "the steady token before the rotation"
    CERTIFICATE = "the phone's certificate"
    FIRST = "the one-time token"
    WINDOW = "the open window"
    NONE = "nothing"


@dataclass(frozen=True, slots=True)
class Admission:
    key: Key
    reason: str = ""
    """Why not, for the operator."""


@dataclass(slots=True)
class _Use:
    first: str
    """Digest of the first token it belongs to: another token begins anew."""
    begun_at: float
    closed: bool = False


class Ledger:
    """Owns what was used when. `secret` is the installation's; `spent` is what a former life's `spent()` returned."""

    def __init__(self, secret: bytes, *, lan_window: bool = False, spent: Mapping[str, str] | None = None) -> None:
        """`lan_window`: without a token a device may boot once, until it is reopened. For a lab's own network."""
        self._secret = secret
        self.lan_window = lan_window
        self._uses = {mac: _Use(first, 0.0, closed=True) for mac, first in (spent or {}).items()}

    def steady_token(self, mac: str, first: str) -> str:
        return hmac.digest(self._secret, f"steady {mac} {first}".encode(), "sha256").hex()[:32]

    def file_key(self, mac: str, first: str) -> str:
        """Return the key of the files of a box: 32 characters, told to the phone in its first file."""
        return hmac.new(self._secret, f"file {mac} {first}".encode(), hashlib.sha256).hexdigest()[:32]

    def admit(
        self, mac: str, first: str, given: str, now: float, *, window: bool | None = None, former: str = ""
    ) -> Admission:
        """Say what opens the files of `mac`. `given` is the token of the request, `window` overrides the ledger's own,
        `former` is the first token before a rotation, while what it led to still counts.

        The work is the same for every MAC and token, known or not.
        """
        is_steady = hmac.compare_digest(given.encode(), self.steady_token(mac, first).encode())
        is_former = hmac.compare_digest(given.encode(), self.steady_token(mac, former).encode()) & bool(former)
        is_first = hmac.compare_digest(given.encode(), first.encode()) & bool(first)
        is_spent = self._is_spent(mac, first, now)
        if is_steady:
            return Admission(Key.STEADY)
        if is_former:
            return Admission(Key.FORMER)
        if is_first:
            return Admission(Key.NONE, "the one-time token has been used") if is_spent else Admission(Key.FIRST)
        if given:
            return Admission(Key.NONE, "wrong token")
        if not (self.lan_window if window is None else window):
            return Admission(Key.NONE, "no token")
        return (
            Admission(Key.NONE, "no token, and the window of this device is closed")
            if is_spent
            else Admission(Key.WINDOW)
        )

    def used(self, mac: str, first: str, admission: Admission, now: float) -> None:
        """A file with a password has gone out (or was confirmed unchanged)."""
        use = self._uses.get(mac)
        if use is None or use.first != _digest(first):
            use = self._uses[mac] = _Use(_digest(first), now)
        if admission.key is Key.STEADY:
            use.closed = True

    def opens(self, mac: str, first: str, now: float) -> bool:
        """Whether the first token of a box would still open its files."""
        return bool(first) and not self._is_spent(mac, first, now)

    def reopen(self, mac: str) -> None:
        """An operator lets the device in once more, by its first token or the window."""
        self._uses.pop(mac, None)

    def spent_by(self, mac: str) -> str:
        """Return the digest of the first token this box has used, empty when it has used none."""
        use = self._uses.get(mac)
        return use.first if use is not None else ""

    def spent(self) -> dict[str, str]:
        """Return what must survive a restart: MAC → digest of the first token that was used."""
        return {mac: use.first for mac, use in self._uses.items()}

    def _is_spent(self, mac: str, first: str, now: float) -> bool:
        use = self._uses.get(mac)
        if use is None or use.first != _digest(first):
            return False
        return use.closed or now - use.begun_at > GRACE_S


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
