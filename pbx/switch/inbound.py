"""What comes from outside a call: a new INVITE, REGISTER, SUBSCRIBE, OPTIONS.

A device proves itself by digest and speaks for nobody else (From, and To of a REGISTER); the carrier is known by its
address.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pbx.callflow import routing
from pbx.callflow.question import Asked
from pbx.domain.devices import Device
from pbx.domain.dialplan import is_always_taken, may_withhold, withholds_number
from pbx.events import CallInvited
from pbx.sip.address import Peer
from pbx.sip.dialog import ALLOW_OUTSIDE, SUPPORTED
from pbx.sip.message import Malformed, Request
from pbx.sip.referral import Referral, parse_target_dialog
from pbx.sip.replaces import parse_replaces
from pbx.sip.session import Session
from pbx.sip.sip_events import RequestReceived
from pbx.sip.transaction import ServerTransaction
from pbx.sip.uri import BadUri, parse_uri
from pbx.switch.calls import Call
from pbx.switch.legs import Leg
from pbx.switch.replacing import pick_up, replaced_leg
from pbx.switch.transfer import referred
from pbx.switch.trunk_identity import asserted_caller
from pbx.switch.watchers import ALLOW_EVENTS

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

RETRY_AFTER_S = 5


def spares(request: Request) -> bool:
    """Whether nothing may stand in the way of this request: a call to emergency, 611 or 988 (K08)."""
    if request.method != "INVITE":
        return False
    try:
        return is_always_taken(parse_uri(request.uri).user)
    except BadUri:
        return False


def take_invite(switch: Switch, session: Session) -> None:
    """Begin a call, or refuse it: challenge, 403, 503 over the limit. Emergency and 611 know no limit (K08)."""
    now = switch.now.mono
    device: Device | None = None
    if session.peer not in switch.settings.trunks:
        device, verdict = switch.registration.prove(session.request, session.peer)
        if device is None:
            status, headers = switch.registration.refusal(session.request, session.peer, verdict)
            session.reject(status, "", now, headers)
            return
    dialled = parse_uri(session.request.uri).user
    full = switch.refuses_calls or (
        switch.has_all_outside_calls if device is None else switch.has_all_calls(device.extension)
    )
    if full and (switch.draining or not is_always_taken(dialled)):
        session.reject(503, "", now, [("Retry-After", str(RETRY_AFTER_S))])
        return
    if session.request.get("Replaces") is not None:
        _take_over(switch, session, device)
        return
    asked = _asked(switch, session, device, dialled)
    own = switch.negotiation(asked.caller_device)
    if session.remote_sdp is not None and own.has_nothing_for(session.remote_sdp):
        session.reject(488, "", now)  # before anybody rings for a call that could never be heard
        return
    call_id = switch.next_call_id()
    number = "" if device else asked.caller_number
    device_id = asked.caller_device
    leg = Leg(
        f"{call_id}.0", device_id, asked.caller_extension, number, switch.engine, own, session, switch.nat_of(device_id)
    )
    route = routing.route(switch.directory, asked, switch.presence(None), switch.hour)
    call = Call(switch, call_id, leg, asked)
    switch.begin(call, leg, session)
    switch.guarded(call, partial(_start, call, session, route))


def take_request(switch: Switch, event: RequestReceived) -> None:
    """Serve a request outside any call."""
    transaction, now = event.transaction, switch.now.mono
    match event.request.method:
        case "REGISTER":
            switch.registration.register(transaction, event.source)
        case "SUBSCRIBE":
            switch.watchers.subscribe(transaction, event.source)
        case "MESSAGE":
            switch.texts.take(transaction, event.source)
        case "PUBLISH":
            switch.reports.take(transaction, event.source)
        case "REFER":
            _refer(switch, transaction, event.source)
        case "OPTIONS":
            headers = [("Allow", ALLOW_OUTSIDE), ("Accept", "application/sdp"), ("Supported", SUPPORTED)]
            headers.append(("Allow-Events", ALLOW_EVENTS))
            switch.stack.respond(transaction, 200, headers=headers, now=now)
        case "NOTIFY" if switch.phones.has_referred(event.request):
            switch.stack.respond(transaction, 200, now=now)
        case "NOTIFY":
            switch.stack.respond(transaction, 405, headers=[("Allow", ALLOW_OUTSIDE)], now=now)
        case _:
            switch.stack.respond(transaction, 501, headers=[("Allow", ALLOW_OUTSIDE)], now=now)


def _refer(switch: Switch, transaction: ServerTransaction, source: Peer) -> None:
    """A REFER beside a call: only of a device that has that call, which it names (RFC 4538)."""
    now = switch.now.mono
    request = transaction.request
    device, verdict = switch.registration.prove(request, source)
    if device is None:
        switch.registration.refuse(transaction, source, verdict)
        return
    wanted = parse_target_dialog(request.get("Target-Dialog") or "")
    session = switch.stack.replaced_session(wanted) if wanted is not None else None
    found = switch.parties.of_session(session)
    if found is None or found[1].device != device.id or found[1].gone:
        switch.stack.respond(transaction, 403, now=now)
        return
    try:
        referral = Referral(switch.stack, transaction, source, switch.token(16))
    except Malformed as error:
        switch.stack.respond(transaction, error.status, error.reason, now=now)
        return
    switch.guarded(found[0], partial(referred, switch, *found, referral, referral.target))


def _take_over(switch: Switch, session: Session, device: Device | None) -> None:
    """An INVITE with Replaces: a device of ours takes a party's place, or picks its ringing call up (RFC 3891 §3)."""
    now = switch.now.mono
    values = session.request.tokens("Replaces")
    wanted = parse_replaces(values[0]) if len(values) == 1 else None
    found = 400 if wanted is None else 403 if device is None else replaced_leg(switch, wanted)
    if isinstance(found, int) or device is None:
        session.reject(found if isinstance(found, int) else 403, "", now)
        return
    switch.guarded(found[0], partial(pick_up, switch, *found, session, device))


def _start(call: Call, session: Session, route: routing.Route) -> None:
    asked = call.asked
    call.publish(
        CallInvited(
            call.id, call.caller.name, asked.caller_number, asked.caller_name, asked.caller_device,
            asked.dialled, session.call_id,
        )
    )  # fmt: skip
    call.start(route)


def _asked(switch: Switch, session: Session, device: Device | None, dialled: str) -> Asked:
    if device is None:
        caller = asserted_caller(session.request)
        if caller.private:
            return Asked(dialled, caller_name="Anonymous", private=True, asserted=caller.number)
        return Asked(dialled, caller.number, caller_name=caller.name)
    user = switch.directory.users_by_extension.get(device.extension)
    name = user.name if user else ""
    hidden = user is not None and user.caller_id_hidden and may_withhold(dialled)
    private = hidden or withholds_number(dialled)
    return Asked(dialled, device.extension, device.id, device.extension, name, private=private)
