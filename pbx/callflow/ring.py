"""Ring a user, and talk: own devices and others, with delays; busy, no answer, answered (domain-features 1.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pbx.callflow.question import Ringing, RingPlan
from pbx.callflow.script import TIMED_OUT, Script, until
from pbx.callflow.vocabulary import (
    CALLER,
    Control,
    LegAnswered,
    LegEarlyMedia,
    LegGone,
    LegRang,
    LegRefused,
    TransferAsked,
)
from pbx.domain.destinations import Destination, ToDevice, ToExternal

BUSY = frozenset({486, 600, 603})
_NEWS = (LegRang, LegEarlyMedia, LegAnswered, LegRefused)


def ring_user(call: Control, plan: RingPlan) -> Script[Destination | None]:
    """Ring by plan; return where the call goes next, None when it was answered and is over."""
    leg, refused = yield from ring(call, plan.targets, plan.ring_s)
    if leg is None:
        return plan.on_busy if refused in BUSY else plan.on_no_answer
    return (yield from talk(call, leg))


def ring(
    call: Control, targets: Sequence[Ringing], ring_s: float, *, quiet: bool = False
) -> Script[tuple[str | None, int]]:
    """Ring `targets` until one answers; return (its leg, 0), or (None, the last refusal's status, 0 for no answer).

    Whoever is left ringing is cancelled. `quiet` leaves the caller hearing what it hears (queue music).
    """
    started = call.now
    waiting = sorted(targets, key=lambda target: target.delay_s)
    ringing: list[str] = []
    refused = 0
    if not quiet:
        call.progress()
    try:
        while True:
            while waiting and call.now >= started + waiting[0].delay_s - 1e-9:
                target = waiting.pop(0)
                leg = _dial(call, target)
                if leg is not None:
                    ringing.append(leg)
            if not ringing and not waiting:
                return None, refused
            end = started + ring_s
            pause = min(end, started + waiting[0].delay_s) if waiting else end
            news = yield until(*_NEWS, within_s=max(0.0, pause - call.now))
            match news:
                case LegAnswered(leg=leg) if leg in ringing:
                    ringing.remove(leg)
                    return leg, 0
                case LegRefused(leg=leg, status=status) if leg in ringing:
                    ringing.remove(leg)
                    refused = status
                case LegEarlyMedia(leg=leg) if leg in ringing and not quiet and len(targets) == 1:
                    call.early(leg)
                case _ if news is TIMED_OUT and call.now >= end - 1e-9:
                    return None, 0
    finally:
        for leg in ringing:
            call.drop(leg)


def _dial(call: Control, ringing: Ringing) -> str | None:
    match ringing.target:
        case ToDevice(device=device):
            return call.dial_device(device)
        case ToExternal(number=number):
            return call.dial_number(number)


def talk(call: Control, leg: str) -> Script[Destination | None]:
    """Join caller and leg until one leaves; a blind transfer returns where the remaining party goes."""
    call.connect(leg)
    news = yield until(LegGone, TransferAsked, where=lambda event: event.leg in (leg, CALLER))
    if isinstance(news, TransferAsked):
        if news.leg == CALLER:
            call.swap(leg)
        call.transferred(news.leg if news.leg != CALLER else "", done=True)
        return news.destination
    return None


def dial_and_talk(
    call: Control, dial: Callable[[], str | None], ring_s: float
) -> Script[tuple[Destination | None, int]]:
    """Ring one far end the script dials itself (carrier, desk); return (next destination, refusal's status)."""
    call.progress()
    leg = dial()
    if leg is None:
        return None, 503
    ringing = True
    try:
        while True:
            news = yield until(*_NEWS, within_s=ring_s)
            match news:
                case LegAnswered(leg=name) if name == leg:
                    ringing = False
                    return (yield from talk(call, leg)), 0
                case LegRefused(leg=name, status=status) if name == leg:
                    ringing = False
                    return None, status
                case LegEarlyMedia(leg=name) if name == leg:
                    call.early(leg)
                case _ if news is TIMED_OUT:
                    return None, 408
    finally:
        if ringing:
            call.drop(leg)
