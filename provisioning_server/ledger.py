"""Who may have a configuration: one-time tokens, steady tokens, and the window of an open LAN.

A device's first token opens its files until a while after its first use (a boot needs several requests), then it is
closed. The configuration carries a steady URL; its first use closes the first token at once. The steady token is
derived from a secret of this installation, so it survives a restart and stands nowhere.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

GRACE_S = 120.0


@dataclass(slots=True)
class _Entry:
    opened_at: float | None = None
    closed: bool = False


@dataclass(slots=True)
class Ledger:
    """Owns what was used when; `secret` is the installation's."""

    secret: bytes = field(repr=False)
    lan_window: bool = False
    """Without a token a device may boot once: for a lab's own network."""
    _entries: dict[str, _Entry] = field(default_factory=dict)

    def steady_token(self, mac: str) -> str:
        return hmac.new(self.secret, f"steady {mac}".encode(), hashlib.sha256).hexdigest()[:32]

    def refusal(self, mac: str, first: str, given: str, now: float) -> str:
        """Return why the secrets of `mac` stay closed to this token (empty: none was given), or an empty string."""
        entry = self._entries.get(mac, _Entry())
        if given:
            if hmac.compare_digest(given.encode(), self.steady_token(mac).encode()):
                return ""
            if not first or not hmac.compare_digest(given.encode(), first.encode()):
                return "wrong token"
            return self._spent(entry, now, "the one-time token has been used")
        if not self.lan_window:
            return "no token"
        return self._spent(entry, now, "no token, and the window of this device is closed")

    def served(self, mac: str, given: str, now: float) -> None:
        """A secret-bearing file has gone out."""
        entry = self._entries.setdefault(mac, _Entry())
        if given and hmac.compare_digest(given.encode(), self.steady_token(mac).encode()):
            entry.closed = True
            entry.opened_at = entry.opened_at if entry.opened_at is not None else now
        elif entry.opened_at is None:
            entry.opened_at = now

    def reopen(self, mac: str) -> None:
        """An operator lets the device in once more."""
        self._entries.pop(mac, None)

    @staticmethod
    def _spent(entry: _Entry, now: float, reason: str) -> str:
        if entry.closed or (entry.opened_at is not None and now - entry.opened_at > GRACE_S):
            return reason
        return ""
