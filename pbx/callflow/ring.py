"""Ring a user, and talk: own devices and others, with delays; the four outcomes of ringing (domain-features 1.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import assert_never

from pbx.callflow.question import Ringing, RingPlan
from pbx.callflow.screening import ask_for_name
from pbx.callflow.script import TIMED_OUT, Script, until
from pbx.callflow.vocabulary import (
    CALLER,
    Control,
    KeyPressed,
    LegAnswered,
    LegEarlyMedia,
    LegGone,
    LegRefused,
    LegReplaced,
    TransferAsked,
)
from pbx.domain.destinations import Destination, ToDevice, ToExternal
from pbx.domain.sounds import Prompts
from pbx.events import AnswerConfirmed, ConfirmationAsked

BUSY = frozenset({486, 600, 603})
"""Busy, or refused by hand: one outcome for the answering rules (C05)."""
CONFIRM_KEY, REFUSE_KEY = "1", "2"
UNREACHABLE = frozenset({404, 408, 410, 430, 502, 503, 604})
_HUNG_UP_UNCONFIRMED = 480
_REFUSED_BY_HAND = 603
_EPSILON_S = 1e-9


class Outcome(Enum):
    ANSWERED = auto()
    BUSY = auto()
    NO_ANSWER = auto()
    OFFLINE = auto()
    """No target could be reached at all."""
    MOVED = auto()
    """Nobody answered, and a phone sends its callers elsewhere (3xx)."""


@dataclass(frozen=True, slots=True)
class Rung:
    """How ringing ended; `leg` is the one that answered."""

    outcome: Outcome
    leg: str = ""
    target: ToDevice | ToExternal | None = None
    """What was rung to reach that leg, or sends callers elsewhere; None when somebody picked the call up."""
    moved_to: str = ""
    """Where it sends them, as dialled there."""


def ring_user(call: Control, plan: RingPlan, extension: str = "") -> Script[Destination | None]:
    """Ring by plan; return where the call goes next, None when it was answered and is over.

    With the `extension` of a user what follows is a diversion by that user's rules.
    """
    if plan.screening:
        asking = yield from ask_for_name(call, extension)
        rung = yield from ring(call, [replace(each, confirm=True) for each in plan.targets], plan.ring_s, asking=asking)
    else:
        rung = yield from ring(call, plan.targets, plan.ring_s)
    match rung.outcome:
        case Outcome.ANSWERED:
            return (yield from talk(call, rung.leg))
        case Outcome.BUSY:
            why, following = "busy", plan.on_busy
        case Outcome.NO_ANSWER:
            why, following = "no answer", plan.on_no_answer
        case Outcome.OFFLINE:
            why, following = "offline", plan.on_offline
        case Outcome.MOVED:
            assert isinstance(rung.target, ToDevice)
            why, following = "deflected", call.look_up_for(rung.target.device, rung.moved_to) or plan.on_no_answer
        case _:
            assert_never(rung.outcome)
    if extension:
        call.diverted(extension, why)
    return following


def ring(
    call: Control,
    targets: Sequence[Ringing],
    ring_s: float,
    *,
    quiet: bool = False,
    asking: Prompts = Prompts(("confirm-call",), repeat=True),
) -> Script[Rung]:
    """Ring `targets`, each after its delay, until one answers or `ring_s` are over; who is left ringing is cancelled.

    A phone that sends its callers elsewhere (3xx) is followed when nobody else is left to answer: one's own forwarding
    takes no call from those it rings together with.

    The others ring on while one who answered is asked to confirm, by `asking`; key 2 refuses, as a button of the
    phone does. `quiet` leaves the caller hearing what it hears (queue music).
    """
    started = call.now
    end = started + ring_s
    waiting = sorted(targets, key=lambda target: target.delay_s)
    ringing: dict[str, Ringing] = {}
    confirming: set[str] = set()
    refused: list[int] = []
    moved: Rung | None = None
    taken = False
    if not quiet:
        call.progress()
    try:
        while True:
            while waiting and call.now >= started + waiting[0].delay_s - _EPSILON_S:
                target = waiting.pop(0)
                leg = _dial(call, target)
                if leg is not None:
                    ringing[leg] = target
            if not ringing and not waiting:
                return moved or Rung(_why_nobody(refused))
            pause = min(end, started + waiting[0].delay_s) if waiting else end
            news = yield until(
                LegAnswered, LegRefused, LegEarlyMedia, LegReplaced, LegGone, KeyPressed,
                within_s=max(0.0, pause - call.now), where=lambda event: event.leg in ringing,
            )  # fmt: skip
            match news:
                case LegAnswered(leg=leg) if ringing[leg].confirm:
                    confirming.add(leg)
                    call.publish(ConfirmationAsked(call.id, leg))
                    call.tell(leg, asking)
                case LegAnswered(leg=leg):
                    taken = True
                    return Rung(Outcome.ANSWERED, leg, ringing.pop(leg).target)
                case KeyPressed(leg=leg, digit=digit) if leg in confirming and digit == CONFIRM_KEY:
                    call.publish(AnswerConfirmed(call.id, leg))
                    taken = True
                    return Rung(Outcome.ANSWERED, leg, ringing.pop(leg).target)
                case KeyPressed(leg=leg, digit=digit) if leg in confirming and digit == REFUSE_KEY:
                    del ringing[leg]
                    refused.append(_REFUSED_BY_HAND)
                    call.drop(leg)
                case LegReplaced(leg=leg, by=by):  # somebody picked the call up
                    del ringing[leg]
                    taken = True
                    return Rung(Outcome.ANSWERED, by)
                case LegRefused(leg=leg, status=status, moved_to=to):
                    target = ringing.pop(leg)
                    refused.append(status)
                    if to and isinstance(target.target, ToDevice):
                        moved = moved or Rung(Outcome.MOVED, target=target.target, moved_to=to)
                case LegGone(leg=leg):
                    del ringing[leg]
                    refused.append(_HUNG_UP_UNCONFIRMED)
                case LegEarlyMedia(leg=leg) if not quiet and len(targets) == 1:
                    call.early(leg)
                case _ if news is TIMED_OUT and call.now >= end - _EPSILON_S:
                    return moved or Rung(Outcome.NO_ANSWER)
    finally:
        for leg in ringing:
            (call.answered_elsewhere if taken else call.drop)(leg)


def talk(call: Control, leg: str) -> Script[Destination | None]:
    """Join caller and leg until one leaves; a blind transfer returns where the remaining party goes."""
    call.connect(leg)
    while True:
        news = yield until(LegGone, TransferAsked, LegReplaced, where=_of((leg, CALLER)))
        match news:
            case LegReplaced(by=by):
                leg = by
            case TransferAsked():
                call.hand_over(news.leg, news.dialled)
                return news.destination
            case _:
                return None


def _of(legs: tuple[str, ...]) -> Callable[[LegGone | TransferAsked | LegReplaced], bool]:
    return lambda event: event.leg in legs


def _why_nobody(refused: Sequence[int]) -> Outcome:
    if any(status in BUSY for status in refused):
        return Outcome.BUSY
    return Outcome.OFFLINE if all(status in UNREACHABLE for status in refused) else Outcome.NO_ANSWER


def _dial(call: Control, ringing: Ringing) -> str | None:
    match ringing.target:
        case ToDevice(device=device):
            return call.dial_hands_free(device) if ringing.hands_free else call.dial_device(device)
        case ToExternal(number=number):
            return call.dial_number(number)
