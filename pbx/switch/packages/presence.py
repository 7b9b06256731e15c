"""Whether somebody can be reached (RFC 3856): PIDF (RFC 3863) with what they are doing (RFC 4480)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from pbx.domain.devices import Device
from pbx.domain.queues import AgentStatus, person
from pbx.events import (
    AgentStatusChanged,
    CallInvited,
    CallUp,
    DeviceRegistered,
    DeviceUnregistered,
    Event,
    LegEnded,
    LegFailed,
    LegInvited,
    OwnSettingChanged,
    RegistrationExpired,
)
from pbx.sip.message import Request
from pbx.sip.uri import parse_uri
from pbx.switch.event_package import Document, EventPackage, Writing, attribute, element, extension_asked, xml

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

BODY = "application/pidf+xml"
_NOTES = {
    "on-the-phone": "On the phone",
    "busy": "Do not disturb",
    "meal": "At lunch",
    "away": "On a break",
    "meeting": "In a meeting",
}
_AT = {AgentStatus.LUNCH: "meal", AgentStatus.BREAK: "away", AgentStatus.MEETING: "meeting"}
"""Why an agent takes no calls, in the words of RFC 4480 §3.2."""


class Presence(NamedTuple):
    reachable: bool
    activity: str
    """An element of RFC 4480 §3.2, or empty."""


class PresencePackage(EventPackage[Presence]):
    name = "presence"
    content_types = (BODY,)
    changed_by = (
        DeviceRegistered, DeviceUnregistered, RegistrationExpired, CallInvited, LegInvited, CallUp,
        LegFailed, LegEnded, OwnSettingChanged, AgentStatusChanged,
    )  # fmt: skip

    def resource(self, switch: Switch, device: Device, request: Request) -> str:
        return extension_asked(switch, parse_uri(request.uri).user)

    def state(self, switch: Switch, resource: str) -> Presence | None:
        user = switch.directory.users_by_extension.get(resource)
        if user is None:
            return None
        if user.do_not_disturb or switch.settings_of_users.of(resource).do_not_disturb:
            activity = "busy"
        else:
            activity = "on-the-phone" if resource in switch.parties.busy else _pause(switch, resource)
        registered, own = switch.registered(), switch.directory.devices_by_extension.get(resource, ())
        return Presence(any(one.id in registered and not one.ignored_for_presence for one in own), activity)

    def document(self, state: Presence, before: Presence | None, writing: Writing) -> Document:
        entity = f"sip:{writing.resource}@{writing.domain}"
        basic = "open" if state.reachable else "closed"
        activity = f"<rpid:activities><rpid:{state.activity}/></rpid:activities>" if state.activity else ""
        note = element("note", _NOTES[state.activity]) if state.activity else ""
        return Document(
            BODY,
            xml(
                '<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"'
                f' xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity={attribute(entity)}>',
                f'<tuple id="phone"><status><basic>{basic}</basic></status>{element("contact", entity)}{note}</tuple>',
                f'<dm:person id="person">{activity}</dm:person>',
                "</presence>",
            ),
        )

    def changes(self, switch: Switch, event: Event) -> Iterable[str]:
        if isinstance(event, CallInvited):
            device = switch.directory.devices_by_id.get(event.device)
            return (device.extension,) if device is not None else ()
        if isinstance(event, AgentStatusChanged):
            return (person(event.agent),)
        extension = getattr(event, "extension", "")
        return (extension,) if extension else ()


def _pause(switch: Switch, extension: str) -> str:
    """What keeps a user from the calls of its queues, empty when nothing does."""
    for queue in switch.directory.queues:
        for agent in queue.agents:
            if person(agent.name) == extension:
                activity = _AT.get(switch.queues.agents.status(queue.extension, agent), "")
                if activity:
                    return activity
    return ""


PACKAGE = PresencePackage()
