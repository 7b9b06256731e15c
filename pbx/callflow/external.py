"""Out through the carrier: ring one far end, pass its early media on, and say why when it does not answer."""

from __future__ import annotations

from collections.abc import Callable

from pbx.callflow.ring import BUSY, talk
from pbx.callflow.script import TIMED_OUT, Script, until
from pbx.callflow.vocabulary import Control, LegAnswered, LegEarlyMedia, LegRefused
from pbx.clock import FOREVER
from pbx.domain.destinations import Cause, Destination, HangUp, ToExternal

RING_S = 60.0
_NO_SUCH_NUMBER = frozenset({404, 410, 484, 604})


def call_number(call: Control, to: ToExternal) -> Script[Destination | None]:
    """Call an outside number; return where the call goes next, None when it was answered and is over."""
    ring_s = FOREVER if to.way == "no timeout" else RING_S
    return (yield from dial_out(call, lambda: call.dial_number(to.number, to.way), ring_s))


def call_service(call: Control, code: str) -> Script[Destination | None]:
    """Call the desk of a public service (211, 988); return where the call goes next, None when it is over."""
    return (yield from dial_out(call, lambda: call.dial_service(code)))


def dial_out(call: Control, dial: Callable[[], str | None], ring_s: float = RING_S) -> Script[Destination | None]:
    """Ring the far end that `dial` dials (it returns the leg, None when there is no way out)."""
    call.progress()
    leg = dial()
    if leg is None:
        return HangUp(cause=Cause.CONGESTION)
    end = call.now + ring_s
    ringing = True
    try:
        while True:
            news = yield until(
                LegAnswered, LegRefused, LegEarlyMedia,
                within_s=max(0.0, end - call.now), where=lambda event: event.leg == leg,
            )  # fmt: skip
            match news:
                case LegAnswered():
                    ringing = False
                    return (yield from talk(call, leg))
                case LegRefused(status=status):
                    ringing = False
                    return HangUp(cause=_cause(status))
                case LegEarlyMedia():
                    call.early(leg)
                case _ if news is TIMED_OUT:
                    return HangUp(cause=Cause.NO_ANSWER)
    finally:
        if ringing:
            call.drop(leg)


def _cause(status: int) -> Cause:
    if status in BUSY:
        return Cause.BUSY
    if status in _NO_SUCH_NUMBER:
        return Cause.NOT_FOUND
    if status == 403:
        return Cause.FORBIDDEN
    return Cause.CONGESTION if status >= 500 else Cause.NO_ANSWER
