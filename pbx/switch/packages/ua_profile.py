"""Where a device finds its configuration (RFC 6080): an authenticated device, and only its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.domain.devices import Device
from pbx.sip.message import Malformed, Request
from pbx.sip.uri import parse_uri
from pbx.switch.event_package import Document, EventPackage, Writing

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

PLAIN = "application/url"
"""What phones of the SIP plug-and-play kind take."""
INDIRECT = "message/external-body"
"""What RFC 6080 §5.6.1 has, by RFC 4483."""


class UaProfile(EventPackage[str]):
    name = "ua-profile"
    content_types = (INDIRECT, PLAIN)

    def resource(self, switch: Switch, device: Device, request: Request) -> str:
        """Its own, named by its id, its MAC as phones write that (`MAC%3a805ec0000101`), or not at all."""
        named = parse_uri(request.uri).user.lower()
        mac = "".join(char for char in named.removeprefix("mac") if char.isalnum())
        if named and named != device.id.lower() and not (device.mac and mac == device.mac.lower()):
            raise Malformed(403, "another's profile")
        if not self.state(switch, device.id):
            raise Malformed(404, "no configuration is served for this device")
        return device.id

    def state(self, switch: Switch, resource: str) -> str | None:
        config_url = switch.settings.config_url
        if config_url is None or resource not in switch.directory.devices_by_id:
            return None
        return config_url(resource) or None

    def document(self, state: str, before: str | None, writing: Writing) -> Document:
        if PLAIN in writing.accept.lower():
            return Document(PLAIN, state.encode())
        body = f"Content-Type: text/plain\r\nContent-ID: <{writing.resource}@{writing.domain}>\r\n\r\n"
        return Document(f'{INDIRECT};access-type="URL";URL="{state}"', body.encode())


PACKAGE = UaProfile()
