"""Where a device is registered (RFC 3680): its own address of record and no other's."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pbx.domain.devices import Device
from pbx.events import DeviceRegistered, DeviceUnregistered, Event, RegistrationExpired
from pbx.sip.message import Malformed, Request
from pbx.sip.uri import parse_uri
from pbx.switch.event_package import Document, EventPackage, Writing, attribute, element, xml

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

BODY = "application/reginfo+xml"


@dataclass(frozen=True, slots=True)
class Contact:
    uri: str
    call_id: str
    expires_at: float = field(compare=False)
    """POSIX seconds; a refresh alone is no news."""
    cseq: int = field(compare=False)


Contacts = tuple[Contact, ...]


class RegPackage(EventPackage[Contacts]):
    name = "reg"
    content_types = (BODY,)
    changed_by = (DeviceRegistered, DeviceUnregistered, RegistrationExpired)

    def resource(self, switch: Switch, device: Device, request: Request) -> str:
        if parse_uri(request.uri).user != device.id:
            raise Malformed(403, "another's registrations")
        return device.id

    def state(self, switch: Switch, resource: str) -> Contacts | None:
        if resource not in switch.directory.devices_by_id:
            return None
        bindings = switch.registration.registrar.bindings(resource, switch.now)
        return tuple(Contact(b.contact, b.call_id, b.expires_at, b.cseq) for b in bindings)

    def document(self, state: Contacts, before: Contacts | None, writing: Writing) -> Document:
        kept = {contact.uri for contact in state}
        gone = [contact for contact in before or () if contact.uri not in kept]
        aor = attribute(f"sip:{writing.resource}@{writing.domain}")
        overall = "active" if state else "terminated" if gone else "init"
        return Document(
            BODY,
            xml(
                f'<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="{writing.version}" state="full">',
                f'<registration aor={aor} id={attribute(writing.resource)} state="{overall}">',
                *(_contact(contact, "active", "registered", writing.now) for contact in state),
                *(_contact(contact, "terminated", _how(contact, writing.now), writing.now) for contact in gone),
                "</registration>",
                "</reginfo>",
            ),
        )

    def changes(self, switch: Switch, event: Event) -> Iterable[str]:
        return (getattr(event, "device", ""),)


def _how(contact: Contact, now: float) -> str:
    return "expired" if contact.expires_at <= now else "unregistered"


def _contact(contact: Contact, state: str, event: str, now: float) -> str:
    number = f"{zlib.crc32(contact.uri.encode('utf-8', 'surrogateescape')):08x}"
    left = f' expires="{max(0, round(contact.expires_at - now))}"' if state == "active" else ""
    seen = f' callid={attribute(contact.call_id)} cseq="{contact.cseq}"'
    uri = element("uri", contact.uri)
    return f'<contact id="c{number}" state="{state}" event="{event}"{left}{seen}>{uri}</contact>'


PACKAGE = RegPackage()
