"""Admission under overload: who is refused when more arrives than can be served, so that nobody meets silence.

The measure is how long datagrams waited in the socket before they were read. Once that stands above `STANDING_S` for
`PATIENCE_S`, new requests are answered 503 with Retry-After (RFC 3261 §21.5.4): first those that have not been
challenged yet, for what was begun has cost something already; beyond `DEEP_S` those too, and beyond `LAST_S`
registrations. What belongs to a call, a
dialog or a transaction is always served, and so is whom the owner spares (emergency calls).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from pbx.clock import FOREVER
from pbx.sip.message import Request

STANDING_S = 0.15
"""Well below T1, after which everything comes twice; above what a machine that is shared makes a datagram wait."""
DEEP_S = 0.3
LAST_S = 0.5
"""Registrations are refused last: they are cheap, and a phone without one cannot be called."""
PATIENCE_S = 0.1
LEAST_RETRY_S, MOST_RETRY_S = 2, 9
_CREDENTIALS = ("Authorization", "Proxy-Authorization")


class Admission:
    """One service's: `waited` feeds it, `admits` asks it. `changed` is told when refusing begins and when it ends."""

    def __init__(
        self, *, spares: Callable[[Request], bool], changed: Callable[[bool, float, int], None] = lambda *_: None
    ) -> None:
        """`changed(refusing, waited_s, refused)`: the wait that began it, how many were refused when it is over."""
        self._spares = spares
        self._changed = changed
        self._above_since = FOREVER
        self._waited = 0.0
        self._refused = 0
        self.refusing = False
        self.refused = 0
        """In all."""

    def waited(self, seconds: float, now: float) -> None:
        """What was just read had waited so long."""
        self._waited = seconds
        if seconds < STANDING_S:
            self._above_since = FOREVER
            if self.refusing and seconds < STANDING_S / 2:
                self.refusing = False
                refused, self._refused = self._refused, 0
                self._changed(False, seconds, refused)
            return
        self._above_since = min(self._above_since, now)
        if not self.refusing and now - self._above_since >= PATIENCE_S:
            self.refusing = True
            self._changed(True, seconds, 0)

    def admits(self, request: Request) -> bool:
        """Whether a request that begins something is served now."""
        if not self.refusing or self._spares(request):
            return True
        begun = any(name in _CREDENTIALS for name, _ in request.headers)
        limit_s = LAST_S if request.method == "REGISTER" else DEEP_S if begun else STANDING_S / 2
        if self._waited < limit_s:
            return True
        self._refused += 1
        self.refused += 1
        return False


def retry_after(request: Request) -> str:
    """Seconds after which a refused peer may come again, spread so that not all come at once."""
    spread = zlib.crc32(request.call_id.encode("utf-8", "surrogateescape")) % (MOST_RETRY_S - LEAST_RETRY_S + 1)
    return str(LEAST_RETRY_S + spread)
