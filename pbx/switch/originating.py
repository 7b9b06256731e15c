"""Calls the house makes itself: somebody is rung, and whoever answers is the caller from then on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from pbx.callflow.itinerary import travel
from pbx.callflow.ports import CallbackRemoved
from pbx.callflow.question import Asked
from pbx.callflow.queue import wait_again
from pbx.callflow.script import Script, until
from pbx.callflow.studio import ring_and_record
from pbx.callflow.vocabulary import LegAnswered, LegGone, LegRefused
from pbx.domain.destinations import Cause
from pbx.domain.queues import Queue
from pbx.events import CallInvited
from pbx.switch.calls import Call
from pbx.switch.legs import Leg

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

_SHOWN = "Recording"
ANSWERS_ITSELF_S = 8.0
"""A phone that has not answered by itself by then does not."""


def keep_promises(switch: Switch) -> None:
    """Let those wait again who were promised a call back before the house was started anew."""
    for kept in switch.history.callbacks():
        queue = switch.directory.queues_by_extension.get(kept.queue)
        left_s = kept.until - switch.now.wall.timestamp()
        if queue is None or left_s <= 0:
            switch.submit(CallbackRemoved(kept.queue, kept.number))
            continue
        number = switch.next_call_id()
        nobody = Leg(f"{number}.0", "", "", "", switch.engine, switch.negotiation(""))
        call = Call(switch, number, nobody, Asked(kept.queue, kept.number))
        switch.begin_alone(call)
        call.publish(CallInvited(number, nobody.name, kept.number, "", "", kept.queue, ""))
        switch.guarded(call, partial(call.run, _keep_promise(call, queue, kept.number, left_s)))


def call_for_prompt(switch: Switch, extension: str, owner: str, name: str) -> str:
    """Ring an extension to record a prompt; return the call, empty when none of its phones is registered."""
    if not switch.reachable(extension):
        return ""
    number = switch.next_call_id()
    nobody = Leg(f"{number}.0", "", "", "", switch.engine, switch.negotiation(""))
    call = Call(switch, number, nobody, Asked(f"record {name}", caller_name=_SHOWN))
    switch.begin_alone(call)
    call.publish(CallInvited(number, nobody.name, "", _SHOWN, "", f"record {name}", ""))
    switch.guarded(call, partial(call.run, ring_and_record(call, extension, owner, name)))
    return number


def call_in_the_name_of(switch: Switch, device: str, number: str, then: Callable[[int], None]) -> bool:
    """Call a device, which is to answer by itself, and then `number` as if it had been dialled there.

    `then` is told the status it answers with, 480 when it does not by itself. False when it cannot be called.
    """
    known = switch.directory.devices_by_id.get(device)
    if known is None or switch.binding(device) is None:
        return False
    user = switch.directory.users_by_extension.get(known.extension)
    name = user.name if user is not None else ""
    call_id = switch.next_call_id()
    nobody = Leg(f"{call_id}.0", device, known.extension, "", switch.engine, switch.negotiation(""))
    asked = Asked(number, known.extension, device, known.extension, name)
    call = Call(switch, call_id, nobody, asked)
    switch.begin_alone(call)
    call.publish(CallInvited(call_id, nobody.name, known.extension, name, device, number, ""))
    switch.guarded(call, partial(call.run, _dial_for(call, device, asked, then)))
    return True


def _dial_for(call: Call, device: str, asked: Asked, then: Callable[[int], None]) -> Script[None]:
    leg = call.dial_hands_free(device)
    its = lambda news: news.leg == leg  # noqa: E731 - one word for three questions
    news = yield until(LegAnswered, LegRefused, LegGone, within_s=ANSWERS_ITSELF_S, where=its)
    if leg is None or not isinstance(news, LegAnswered):
        if leg is not None:
            call.drop(leg)
        call.hang_up(Cause.UNAVAILABLE)
        then(news.status if isinstance(news, LegRefused) else 480)
        return
    then(200)
    call.seat(leg)
    call.asked = asked
    yield from travel(call, call.dial(asked.dialled))


def _keep_promise(call: Call, queue: Queue, number: str, within_s: float) -> Script[None]:
    destination = yield from wait_again(call, queue, number, within_s)
    if destination is not None:
        yield from travel(call, destination)
