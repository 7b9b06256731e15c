"""Reliable provisional responses: a 180 or 183 that is repeated until its PRACK has come (RFC 3262).

One is on its way at a time; what is to be said meanwhile waits for its turn (§3).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from pbx.numerals import natural
from pbx.sip.message import Request, Response
from pbx.sip.timers import T1, TIMEOUT

if TYPE_CHECKING:
    from pbx.sip.timers import Timers

OPTION = "100rel"
_RACK = re.compile(r"(\d{1,10})\s+(\d{1,10})\s+(\S+)\s*\Z")


class RAck(NamedTuple):
    rseq: int
    cseq: int
    method: str


def rack_of(request: Request) -> RAck | None:
    """Read RAck, `1 1 INVITE`; None when it is missing or broken."""
    found = _RACK.match((request.get("RAck") or "").strip())
    return RAck(int(found[1]), int(found[2]), found[3]) if found else None


def rseq_of(response: Response) -> int:
    """Return the number of a reliable provisional response, 0 when it is none."""
    if not 100 < response.status < 200 or OPTION not in (option.lower() for option in response.tokens("Require")):
        return 0
    number = natural(response.get("RSeq") or "") or 0
    return number if number < 2**31 else 0


class Reliable:
    """The provisional responses of one called session, owned by it.

    `send(status, sdp, rseq)` sends one and returns what sends the same again; `never` is called when no PRACK came.
    """

    def __init__(
        self,
        timers: Timers,
        first: int,
        send: Callable[[int, bytes | None, int, float], Callable[[float], None]],
        never: Callable[[float], None],
    ) -> None:
        self._timers = timers
        self._rseq = first
        self._send = send
        self._never = never
        self._again: Callable[[float], None] | None = None
        self._waiting: deque[tuple[int, bytes | None]] = deque()
        self._interval = T1
        self.describes = False
        """The one on its way carries SDP: no 2xx may go out before its PRACK (§3)."""

    def provide(self, status: int, sdp: bytes | None, now: float) -> None:
        if self._again is not None:
            self._waiting.append((status, sdp))
            return
        self.describes = sdp is not None
        self._again = self._send(status, sdp, self._rseq, now)
        self._interval = T1
        self._timers.arm(self, "again", now + T1)
        self._timers.arm(self, "never", now + TIMEOUT)

    def acknowledged(self, rack: RAck | None, cseq: int, now: float) -> bool:
        """Take a PRACK; False when it is for nothing on its way."""
        if self._again is None or rack != RAck(self._rseq, cseq, "INVITE"):
            return False
        self.close()
        self._rseq += 1
        if self._waiting:
            self.provide(*self._waiting.popleft(), now)
        return True

    def close(self) -> None:
        self._again, self.describes = None, False
        self._timers.cancel(self, "again")
        self._timers.cancel(self, "never")

    def fired(self, name: str, now: float) -> None:
        if self._again is None:
            return
        if name == "never":
            self.close()
            self._never(now)
            return
        self._again(now)
        self._interval *= 2
        self._timers.arm(self, "again", now + self._interval)
