"""Who is in which call (RFC 4235): busy lamps, and what picks a ringing call up by INVITE with Replaces.

Every document is full. A dialog that has ended since the last one is named once more, as terminated: some phones put
their lamp out only by that word.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pbx.domain.devices import Device
from pbx.events import (
    BusyLampSent,
    CallHeld,
    CallInvited,
    CallParked,
    CallResumed,
    CallRinging,
    CallTransferred,
    CallUnparked,
    CallUp,
    Event,
    LegEnded,
    LegFailed,
)
from pbx.sip.dialog import Phase
from pbx.sip.message import Request
from pbx.sip.uri import parse_uri
from pbx.switch.event_package import Document, EventPackage, Writing, attribute, element, extension_asked, xml
from pbx.switch.parking import is_slot

if TYPE_CHECKING:
    from pbx.switch.legs import Leg
    from pbx.switch.switch import Switch

BODY = "application/dialog-info+xml"
_CALLS = (CallInvited, CallRinging, CallUp, CallHeld, CallResumed, CallTransferred, LegFailed, LegEnded)


@dataclass(frozen=True, slots=True)
class Shown:
    """A dialog of a device with the switch, seen from the device."""

    id: str
    call_id: str
    local_tag: str
    remote_tag: str
    direction: str
    state: str
    remote_uri: str
    remote_name: str
    held: bool


Dialogs = tuple[Shown, ...]


class DialogPackage(EventPackage[Dialogs]):
    name = "dialog"
    content_types = (BODY,)
    changed_by = (*_CALLS, CallParked, CallUnparked)

    def resource(self, switch: Switch, device: Device, request: Request) -> str:
        user = parse_uri(request.uri).user
        return user if is_slot(user) else extension_asked(switch, user)

    def state(self, switch: Switch, resource: str) -> Dialogs | None:
        if is_slot(resource):
            return _parked(switch, resource)
        if resource not in switch.directory.users_by_extension:
            return None
        return tuple(shown for leg in switch.parties.of_extension(resource) if (shown := _shown(leg)) is not None)

    def document(self, state: Dialogs, before: Dialogs | None, writing: Writing) -> Document:
        now = {shown.id for shown in state}
        ended = [replace(shown, state="terminated") for shown in before or () if shown.id not in now]
        entity = f"sip:{writing.resource}@{writing.domain}"
        return Document(
            BODY,
            xml(
                f'<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="{writing.version}" state="full"'
                f" entity={attribute(entity)}>",
                *(line for shown in (*state, *ended) for line in _lines(shown, entity)),
                "</dialog-info>",
            ),
        )

    def changes(self, switch: Switch, event: Event) -> Iterable[str]:
        """Everybody in the call: who the other party is may have changed for all of them."""
        if isinstance(event, CallParked | CallUnparked):
            return (event.slot,)
        found = switch.call(getattr(event, "call", ""))
        extensions = {leg.extension for leg in found.legs.values()} if found is not None else set()
        return (extensions | {getattr(event, "extension", "")}) - {""}

    def told(self, device: str, resource: str, state: Dialogs) -> Event:
        states = {shown.state for shown in state}
        word = "in-use" if "confirmed" in states else "ringing" if _rings(state) else "calling" if states else "idle"
        return BusyLampSent(device, resource, word)


def _rings(state: Dialogs) -> bool:
    return any(shown.direction == "recipient" for shown in state)


def _parked(switch: Switch, slot: str) -> Dialogs:
    """Whoever waits in a slot, as the slot would tell it: the dialog is nobody's, so nothing can take its place."""
    call = switch.parking.call_in(slot)
    if call is None:
        return ()
    name = f"park-{slot}-{call.id}"
    party = call.caller
    uri = f"sip:{party.extension or party.number or 'anonymous'}@{switch.realm}"
    return (Shown(name, name, slot, call.id, "recipient", "confirmed", uri, call.shown.name, False),)


def _shown(leg: Leg) -> Shown | None:
    """Return a leg as its device sees it; None for one that does not ring yet."""
    session = leg.session
    if session is None or leg.gone:
        return None
    caller = session.role == "uas"
    if not (caller or leg.rang or leg.answered):
        return None
    state = "confirmed" if leg.answered else "trying" if session.phase is Phase.NEW else "early"
    return Shown(
        leg.name,
        session.call_id,
        session.remote.tag,
        session.local.tag,
        "initiator" if caller else "recipient",
        state,
        session.local.uri,
        session.local.display,
        leg.held,
    )


def _lines(shown: Shown, entity: str) -> Iterable[str]:
    identity = f" display={attribute(shown.remote_name)}" if shown.remote_name else ""
    yield (
        f"<dialog id={attribute(shown.id)} call-id={attribute(shown.call_id)}"
        f" local-tag={attribute(shown.local_tag)} remote-tag={attribute(shown.remote_tag)}"
        f' direction="{shown.direction}">'
    )
    yield f"<state>{shown.state}</state>"
    if shown.held:  # RFC 4235 §4.1.6.2: what it hears is not rendered
        rendering = '<param pname="+sip.rendering" pvalue="no"/>'
        target = f"<target uri={attribute(entity)}>{rendering}</target>"
    else:
        target = f"<target uri={attribute(entity)}/>"
    yield f"<local>{element('identity', entity)}{target}</local>"
    remote = element("identity", shown.remote_uri, identity)
    yield f"<remote>{remote}<target uri={attribute(shown.remote_uri)}/></remote>"
    yield "</dialog>"


PACKAGE = DialogPackage()
