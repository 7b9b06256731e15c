"""The legs a call rings: devices at their contacts, and the carrier's side, which is also where the desks are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pbx.callflow import routing
from pbx.callflow.question import CallerId
from pbx.domain.destinations import Destination, ToExternal, ToService
from pbx.domain.dialplan import normal_number
from pbx.events import LegInvited
from pbx.media.engine import NoMediaPort
from pbx.sip.address import Peer
from pbx.sip.uri import NameAddr
from pbx.switch.attestation import attested
from pbx.switch.legs import Leg
from pbx.switch.trunk_identity import ANONYMOUS, trunk_headers

if TYPE_CHECKING:
    from pbx.switch.calls import Call
    from pbx.switch.switch import Switch
    from pbx.switch.trunks import Way

Headers = Sequence[tuple[str, str]]


def dial_hands_free(switch: Switch, call: Call, device: str) -> str | None:
    """As `dial_device`, and ask the phone to answer by itself, in the way of its family."""
    return dial_device(switch, call, device, _answers_itself(switch, device))


def dial_page(switch: Switch, call: Call, device: str) -> str | None:
    """As `dial_hands_free`, and the phone is to send nothing: what it hears is one way (RFC 3264 §5.1)."""
    return dial_device(switch, call, device, _answers_itself(switch, device), direction="sendonly")


def _answers_itself(switch: Switch, device: str) -> Headers:
    known = switch.directory.devices_by_id.get(device)
    headers = switch.settings.auto_answer(known.family if known is not None else "")
    return [(name, value.format(domain=switch.realm)) for name, value in headers.items()]


def dial_device(
    switch: Switch,
    call: Call,
    device: str,
    headers: Headers = (),
    *,
    shown: CallerId | None = None,
    direction: str = "sendrecv",
) -> str | None:
    """Ring a device at its newest contact, which is shown the caller unless somebody else is `shown`.

    Return the leg, None when it cannot be reached. `direction` is ours: `sendonly` for a phone that is to listen.
    """
    binding = switch.binding(device)
    if binding is None:
        return None
    domain = switch.realm
    shown = shown or call.shown
    number = shown.number or "anonymous"
    sender = NameAddr(f"sip:{number}@{domain}", shown.name or shown.number)
    known = switch.directory.devices_by_id.get(device)
    leg = call.new_leg(device, known.extension if known is not None else binding.extension, "")
    leg.direction = direction
    if known is not None and known.auto_answer and not headers:
        headers = _answers_itself(switch, device)
    called = NameAddr(f"sip:{device}@{domain}")
    return _invite(
        switch, call, leg, binding.contact, binding.peer, sender, called, [*binding.routes, *headers, *call.carried]
    )


def dial_number(switch: Switch, call: Call, number: str, way: str = "") -> str | None:
    """Call outside, in one of the ways of `ToExternal`; return the leg, None when there is no way out, or no more calls
    may go there."""
    if switch.has_all_outside_calls:
        return None
    forwarder = call.diversions[-1][0] if call.diversions else ""
    shown = routing.forwarder_shown(switch.directory, forwarder) or shown_to(switch, call, ToExternal(number=number))
    if way == "own number":
        shown = CallerId(normal_number(call.dialled), shown.name)
    elif way == "hidden number":
        call.asked = replace(call.asked, private=True, asserted=call.asked.asserted or shown.number)
    digits = number.lstrip("+")
    headers = trunk_headers(switch, call, shown, number)
    headers += attested(switch, call, shown.number or call.asked.asserted, digits)
    return dial_trunk(switch, call, f"+{digits}", number, shown, [*headers, *call.carried], once=way == "once")


def dial_service(switch: Switch, call: Call, code: str) -> str | None:
    """Ring the simulated desk of a public service: by a name, never by a number that could leave the lab."""
    shown = shown_to(switch, call, ToService.model_validate({"code": code}))
    name = f"service-{code}"
    return dial_trunk(switch, call, name, name, shown, trunk_headers(switch, call, shown, code))


def shown_to(switch: Switch, call: Call, destination: Destination) -> CallerId:
    return routing.caller_id_for(switch.directory, call.asked, destination)


def dial_trunk(
    switch: Switch,
    call: Call,
    user: str,
    number: str,
    shown: CallerId,
    headers: Headers = (),
    *,
    once: bool = False,
    codecs: tuple[str, ...] = (),
) -> str | None:
    """Call by the first trunk, and by the next where that one fails, unless only `once`; `codecs`: no others."""
    shown_user = f"+{shown.number}" if len(shown.number) == 11 else (shown.number or "anonymous")
    sender = ANONYMOUS if call.asked.private else NameAddr(f"sip:{shown_user}@{switch.realm}", shown.name)
    way = switch.trunks.way(user, sender, headers)
    if once and way is not None:
        way = replace(way, left=())
    if way is None:
        return None
    leg = call.new_leg("", "", number)
    if codecs:
        leg.negotiation.only(codecs)
    return take_way(switch, call, leg, way)


def take_way(switch: Switch, call: Call, leg: Leg, way: Way) -> str | None:
    """Call a leg's number by a trunk: at first, and again by another where that one has failed."""
    leg.way = way
    called = _invite(switch, call, leg, way.uri, way.trunk, way.sender, NameAddr(way.uri), way.headers)
    switch.trunks.watch(call)
    return called


def _invite(
    switch: Switch, call: Call, leg: Leg, uri: str, peer: Peer, sender: NameAddr, to: NameAddr, headers: Headers = ()
) -> str | None:
    try:
        sdp = leg.offer(call.caller)
    except NoMediaPort as error:
        del call.legs[leg.name]
        call.without_media(str(error))
        return None
    credentials = switch.settings.carrier_credentials if peer in switch.settings.trunks else None
    session = switch.stack.invite(
        uri, peer, from_=sender, to=to, sdp=sdp, now=switch.now.mono, headers=headers, credentials=credentials
    )
    former, leg.session = leg.session, session
    if former is None:
        switch.own(session, call, leg)
    else:
        switch.own_instead(former, call, leg)
    shown = sender.user.lstrip("+")
    call.publish(
        LegInvited(call.id, leg.name, leg.device, leg.extension, leg.number, shown, sender.display, session.call_id)
    )
    return leg.name
