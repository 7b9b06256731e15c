"""A call on its way: from destination to destination until it is over; hop limit and farewell live in this one loop."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from pbx.callflow.attendant import attend
from pbx.callflow.conference import confer
from pbx.callflow.emergency import call_emergency
from pbx.callflow.external import call_number, call_service
from pbx.callflow.fax import receive_fax
from pbx.callflow.feature_codes import use_feature
from pbx.callflow.night import switch_frame
from pbx.callflow.paging import page
from pbx.callflow.parking import wait_in_slot
from pbx.callflow.question import MAX_HOPS, Forward, Ringing, RingPlan
from pbx.callflow.queue import wait_in_queue
from pbx.callflow.recall import recall
from pbx.callflow.ring import ring_user
from pbx.callflow.script import Script
from pbx.callflow.speech import say
from pbx.callflow.support import call_support
from pbx.callflow.vocabulary import Control
from pbx.callflow.voicemail import leave_message, log_in
from pbx.domain.destinations import (
    Cause,
    Destination,
    HangUp,
    ToAttendant,
    ToConference,
    ToDevice,
    ToEmergency,
    ToExternal,
    ToFax,
    ToFeature,
    ToMailbox,
    ToMailboxLogin,
    ToPage,
    ToPark,
    ToQueue,
    ToService,
    ToSupport,
    ToToggle,
    ToUser,
)
from pbx.events import QueueLeft

RING_DEVICE_S = 25.0
_BUSY, _NO_ANSWER = HangUp(cause=Cause.BUSY), HangUp(cause=Cause.NO_ANSWER)
_UNAVAILABLE = HangUp(cause=Cause.UNAVAILABLE)
_SAID = {
    Cause.NOT_FOUND: "not-in-service",
    Cause.LOOP: "not-in-service",
    Cause.FORBIDDEN: "barred",
    Cause.ANONYMOUS: "anonymous-rejected",
    Cause.BUSY: "not-available",
    Cause.NO_ANSWER: "not-available",
    Cause.UNAVAILABLE: "not-available",
}
"""What a caller who has been answered already (by an attendant, a queue) is told before the end."""


def travel(call: Control, destination: Destination) -> Script[None]:
    """Carry the call until nobody is left to go on; more than MAX_HOPS stops, transfers included, are a loop (J09)."""
    for _ in range(MAX_HOPS):
        if isinstance(destination, HangUp):
            following: Destination | None = yield from recall(call, destination)
            if following is destination:
                break
        else:
            following = yield from _visit(call, destination)
        if following is None:
            return
        destination = following
    cause = destination.cause if isinstance(destination, HangUp) else Cause.LOOP
    said = _SAID.get(cause)
    if call.answered and said:
        yield from say(call, said)
    call.hang_up(cause)


def _visit(call: Control, destination: Destination) -> Script[Destination | None]:
    call.carry(destination.header if isinstance(destination, ToUser | ToDevice | ToExternal) else "")
    match destination:
        case ToUser(extension=extension):
            yield from _before_ringing(call, destination)
            result = call.route_user(extension).result
            if isinstance(result, Forward):
                call.diverted(extension, result.why)
                return _refused(result) if destination.before == "no failover" else result.destination
            if destination.before == "no failover":
                result = replace(result, on_busy=_BUSY, on_no_answer=_NO_ANSWER, on_offline=_UNAVAILABLE)
            return (yield from ring_user(call, result, extension))
        case ToDevice():
            return (yield from ring_user(call, _device_alone(call, destination)))
        case ToAttendant(extension=extension, menu=menu):
            entry = call.route_attendant(extension, menu)
            if entry is None:
                return HangUp(cause=Cause.NOT_FOUND)
            return (yield from attend(call, entry))
        case ToQueue(extension=extension):
            queue = call.route_queue(extension)
            if queue is None:
                return HangUp(cause=Cause.NOT_FOUND)
            if queue.refused is not None:
                call.publish(QueueLeft(call.id, extension, "refused", "", 0.0))
                return queue.refused
            announced = {"announce": destination.announce} if destination.announce else {}
            return (yield from wait_in_queue(call, queue.queue.model_copy(update=announced)))
        case ToConference(extension=extension):
            conference = call.route_conference(extension)
            if conference is None:
                return HangUp(cause=Cause.NOT_FOUND)
            return (yield from confer(call, conference))
        case ToMailbox(extension=extension):
            if extension not in call.directory.users_by_extension:  # deleted, and the platform keeps what named it
                return HangUp(cause=Cause.NOT_FOUND)
            return (yield from leave_message(call, extension))
        case ToMailboxLogin(extension=extension):
            return (yield from log_in(call, extension))
        case ToPage(extension=extension):
            return (yield from page(call, extension))
        case ToPark(slot=slot):
            return (yield from wait_in_slot(call, slot))
        case ToExternal():
            return (yield from call_number(call, destination))
        case ToSupport():
            return (yield from call_support(call))
        case ToToggle(time_frame=name):
            return (yield from switch_frame(call, name))
        case ToService(code=code):
            return (yield from call_service(call, code))
        case ToEmergency(code=code):
            return (yield from call_emergency(call, code))
        case ToFax(account=account):
            return (yield from receive_fax(call, account))
        case ToFeature():
            return (yield from use_feature(call, destination))
        case HangUp():
            return destination
        case _:
            assert_never(destination)


def _before_ringing(call: Control, destination: ToUser) -> Script[None]:
    if destination.before in ("recording notice", "answer") and not call.answered:
        call.answer()
    if destination.before == "recording notice":
        yield from say(call, "recording-notice")


def _refused(result: Forward) -> Destination:
    """Where nothing follows, what is refused stays so, and nobody is sent on."""
    return result.destination if isinstance(result.destination, HangUp) else _UNAVAILABLE


def _device_alone(call: Control, device: ToDevice) -> RingPlan:
    """A device without its user's rules: nothing follows but the end, or the user's voicemail."""
    known = call.directory.devices_by_id.get(device.device)
    if device.otherwise == "voicemail" and known is not None:
        box = ToMailbox(extension=known.extension)
        return RingPlan((Ringing(device),), RING_DEVICE_S, box, box, box)
    return RingPlan((Ringing(device),), RING_DEVICE_S, _BUSY, _NO_ANSWER, _UNAVAILABLE)
