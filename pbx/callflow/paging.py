"""A page: what the caller says comes out of the phones of a group, one way (domain-features 1.8)."""

from __future__ import annotations

from collections.abc import Callable

from pbx.callflow.script import TIMED_OUT, Script, until
from pbx.callflow.vocabulary import Control, LegAnswered, LegGone, LegRefused
from pbx.domain.destinations import Cause, Destination, HangUp
from pbx.domain.sounds import Tone
from pbx.events import PageBegan, PageEnded, PageJoined

ANSWER_S = 8.0
"""A phone that has not answered by itself by then is let be."""
_EPSILON_S = 1e-9


def page(call: Control, extension: str) -> Script[Destination | None]:
    """Call every idle phone of the group at once; speak from the first that answers, until the caller hangs up."""
    group = call.directory.page_groups_by_extension.get(extension)
    if group is None:
        return HangUp(cause=Cause.NOT_FOUND)
    own = call.asked.caller_extension
    phones = [phone for member in group.members if member != own for phone in call.idle_phones(member)]
    calling = {leg for phone in phones if (leg := call.dial_page(phone)) is not None}
    if not calling:
        return HangUp(cause=Cause.UNAVAILABLE)
    call.publish(PageBegan(call.id, extension, call.asked.caller_device, len(calling)))
    call.answer()
    call.progress()
    since, reached, speaking = call.now, 0, set[str]()
    end = since + ANSWER_S
    try:
        while calling or speaking:
            pause = max(0.0, end - call.now)
            news = yield until(LegAnswered, LegRefused, LegGone, within_s=pause, where=_of(calling | speaking))
            match news:
                case LegAnswered(leg=leg):
                    calling.discard(leg)
                    speaking.add(leg)
                    call.speak_to(leg)
                    if not reached:
                        call.play(Tone("beep"))
                    reached += 1
                    call.publish(PageJoined(call.id, leg, extension))
                case LegRefused(leg=leg) | LegGone(leg=leg):
                    calling.discard(leg)
                    speaking.discard(leg)
                case _ if news is TIMED_OUT and calling:
                    for leg in calling:
                        call.drop(leg)
                    calling.clear()
                case _ if call.now >= since + group.longest_s - _EPSILON_S:
                    break
            if not calling:
                end = since + group.longest_s
        return HangUp(cause=Cause.NORMAL if reached else Cause.NO_ANSWER)
    finally:
        for leg in calling | speaking:
            call.drop(leg)
        call.publish(PageEnded(call.id, extension, reached, round(call.now - since, 3)))


def _of(legs: set[str]) -> Callable[[LegAnswered | LegRefused | LegGone], bool]:
    return lambda event: event.leg in legs
