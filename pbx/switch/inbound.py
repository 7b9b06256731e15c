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
from pbx.domain.dialplan import Means, read_dialled
from pbx.events import CallInvited
from pbx.sip.dialog import ALLOW, SUPPORTED
from pbx.sip.message import Request
from pbx.sip.replaces import parse_replaces
from pbx.sip.session import Session
from pbx.sip.sip_events import RequestReceived
from pbx.sip.uri import BadUri, parse_uri
from pbx.switch.calls import Call
from pbx.switch.legs import Leg
from pbx.switch.replacing import pick_up, replaced_leg
from pbx.switch.trunk_identity import asserted_caller

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

RETRY_AFTER_S = 5
_ALWAYS_TAKEN = frozenset({Means.EMERGENCY, Means.SUPPORT})


def is_always_taken(request: Request) -> bool:
    """Whether nothing may stand in the way of this call: emergency and 611 (K08)."""
    if request.method != "INVITE":
        return False
    try:
        dialled = parse_uri(request.uri).user
    except BadUri:
        return False
    return read_dialled(dialled, "").means in _ALWAYS_TAKEN


def take_invite(switch: Switch, session: Session) -> None:
    """Begin a call, or refuse it: challenge, 403, 503 over the limit. Emergency and 611 know no limit (K08)."""
    now = switch.now.mono
    device: Device | None = None
    if session.peer != switch.settings.carrier:
        device, verdict = switch.registration.prove(session.request, session.peer)
        if device is None:
            status, headers = switch.registration.refusal(session.request, session.peer, verdict)
            session.reject(status, "", now, headers)
            return
    dialled = parse_uri(session.request.uri).user
    full = switch.refuses_calls or (device is not None and switch.has_all_calls(device.extension))
    if full and (switch.draining or not is_always_taken(session.request)):
        session.reject(503, "", now, [("Retry-After", str(RETRY_AFTER_S))])
        return
    if session.request.get("Replaces") is not None:
        _take_over(switch, session, device)
        return
    asked = _asked(switch, session, device, dialled)
    call_id = switch.next_call_id()
    number = "" if device else asked.caller_number
    own = switch.negotiation(asked.caller_device)
    leg = Leg(f"{call_id}.0", asked.caller_device, asked.caller_extension, number, switch.engine, own, session)
    route = routing.route(switch.directory, asked, switch.presence(None), switch.now)
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
        case "OPTIONS":
            headers = [("Allow", ALLOW), ("Accept", "application/sdp"), ("Supported", SUPPORTED)]
            switch.stack.respond(transaction, 200, headers=headers, now=now)
        case "NOTIFY" | "PUBLISH" | "MESSAGE" | "REFER":
            switch.stack.respond(transaction, 405, headers=[("Allow", ALLOW)], now=now)
        case _:
            switch.stack.respond(transaction, 501, headers=[("Allow", ALLOW)], now=now)


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
    return Asked(dialled, device.extension, device.id, device.extension, user.name if user else "")
