"""A call on its way: from destination to destination until it is over; hop limit and records live in this one loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from pbx.callflow.attendant import attend
from pbx.callflow.question import MAX_HOPS, Forward, Ringing
from pbx.callflow.queue import wait_in_queue
from pbx.callflow.ring import BUSY, dial_and_talk, ring, ring_user, talk
from pbx.callflow.script import Script, until
from pbx.callflow.vocabulary import CALLER, Control, Played
from pbx.callflow.voicemail import leave_message, log_in
from pbx.domain.destinations import (
    Cause,
    Destination,
    HangUp,
    ToAttendant,
    ToDevice,
    ToEmergency,
    ToExternal,
    ToMailbox,
    ToMailboxLogin,
    ToQueue,
    ToSupport,
    ToUser,
)
from pbx.media.engine import Prompts

RING_DEVICE_S = 25.0
RING_OUTSIDE_S = 60.0
_SAID = {Cause.NOT_FOUND: "not-in-service", Cause.FORBIDDEN: "barred", Cause.LOOP: "not-in-service"}


def travel(call: Control, destination: Destination) -> Script[None]:
    """Carry the call until nobody is left to go on; a chain of more than MAX_HOPS stops is a loop (J09)."""
    for _ in range(MAX_HOPS):
        following = yield from _visit(call, destination)
        if following is None:
            return
        if isinstance(following, HangUp):
            yield from _end(call, following.cause)
            return
        destination = following
    yield from _end(call, Cause.LOOP)


def _visit(call: Control, destination: Destination) -> Script[Destination | None]:
    match destination:
        case ToUser(extension=extension):
            result = call.route_user(extension).result
            if isinstance(result, Forward):
                return result.destination
            return (yield from ring_user(call, result))
        case ToDevice():
            return (yield from _ring_device(call, destination))
        case ToAttendant(extension=extension, menu=menu):
            entry = call.route_attendant(extension, menu)
            if entry is None:
                return HangUp(cause=Cause.NOT_FOUND)
            return (yield from attend(call, entry.attendant, entry.menu.name, entry.time_frame))
        case ToQueue(extension=extension):
            queue = call.route_queue(extension)
            if queue is None:
                return HangUp(cause=Cause.NOT_FOUND)
            if queue.refused is not None:
                return queue.refused
            return (yield from wait_in_queue(call, queue.queue))
        case ToMailbox(extension=extension):
            return (yield from leave_message(call, extension))
        case ToMailboxLogin(extension=extension):
            return (yield from log_in(call, extension))
        case ToExternal(number=number):
            return (yield from _outside(call, lambda: call.dial_number(number)))
        case ToSupport():
            return (yield from _outside(call, call.dial_support))
        case ToEmergency(code=code):
            return (yield from _outside(call, lambda: call.dial_emergency(code)))
        case HangUp():
            return destination
        case _:
            assert_never(destination)


def _ring_device(call: Control, device: ToDevice) -> Script[Destination | None]:
    leg, refused = yield from ring(call, (Ringing(device),), RING_DEVICE_S)
    if leg is None:
        return HangUp(cause=Cause.BUSY if refused in BUSY else Cause.NO_ANSWER)
    return (yield from talk(call, leg))


def _outside(call: Control, dial: Callable[[], str | None]) -> Script[Destination | None]:
    following, refused = yield from dial_and_talk(call, dial, RING_OUTSIDE_S)
    if not refused:
        return following
    if refused in BUSY:
        return HangUp(cause=Cause.BUSY)
    if refused in (404, 484, 604):
        return HangUp(cause=Cause.NOT_FOUND)
    if refused == 503:
        return HangUp(cause=Cause.CONGESTION)
    return HangUp(cause=Cause.NO_ANSWER)


def _end(call: Control, cause: Cause) -> Script[None]:
    """Hang up; a caller who was answered already is told why first."""
    said = _SAID.get(cause)
    if call.answered and said:
        call.play(Prompts((said,)), "said")
        yield until(Played, where=lambda event: event.leg == CALLER)
    call.hang_up(cause)
