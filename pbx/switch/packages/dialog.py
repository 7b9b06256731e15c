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
    AgentStatusChanged,
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
    QueueJoined,
    QueueLeft,
)
from pbx.sip.dialog import Phase
from pbx.sip.message import Request
from pbx.sip.uri import parse_uri
from pbx.switch.event_package import Document, EventPackage, Writing, attribute, element, extension_asked, xml
from pbx.switch.watched import AGENT, is_watched, seen

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
    changed_by = (*_CALLS, CallParked, CallUnparked, QueueJoined, QueueLeft, AgentStatusChanged)

    def resource(self, switch: Switch, device: Device, request: Request) -> str:
        user = parse_uri(request.uri).user
        return user if is_watched(switch, user) else extension_asked(switch, user)

    def state(self, switch: Switch, resource: str) -> Dialogs | None:
        if resource not in switch.directory.users_by_extension:
            return _watched(switch, resource)
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
        match event:
            case CallParked(slot=slot) | CallUnparked(slot=slot):
                return (slot,)
            case QueueJoined(queue=queue) | QueueLeft(queue=queue):
                return (queue,)
            case AgentStatusChanged(agent=agent):
                return (f"{AGENT}{agent}",)
        found = switch.call(getattr(event, "call", ""))
        extensions = {leg.extension for leg in found.legs.values()} if found is not None else set()
        return (extensions | {getattr(event, "extension", "")}) - {""}

    def told(self, device: str, resource: str, state: Dialogs) -> Event:
        states = {shown.state for shown in state}
        word = "in-use" if "confirmed" in states else "ringing" if _rings(state) else "calling" if states else "idle"
        return BusyLampSent(device, resource, word)


def _rings(state: Dialogs) -> bool:
    return any(shown.direction == "recipient" for shown in state)


def _watched(switch: Switch, resource: str) -> Dialogs | None:
    dialogs = seen(switch, resource)
    if dialogs is None:
        return None
    return tuple(
        Shown(it.id, it.id, resource, it.id, "recipient", it.state, _uri(switch, it.party or resource), it.name, False)
        for it in dialogs
    )


def _uri(switch: Switch, user: str) -> str:
    return f"sip:{user}@{switch.realm}"


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
