"""For phones that subscribe to being told to fetch their configuration again; the telling is `Watchers.resync`.

The first NOTIFY, which every subscription has (RFC 6665 §4.2.1.2), repeats the Event value as it was asked for: it asks
for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.domain.devices import Device
from pbx.sip.message import Request
from pbx.switch.event_package import Document, EventPackage, Writing

if TYPE_CHECKING:
    from pbx.switch.switch import Switch


class CheckSync(EventPackage[str]):
    name = "check-sync"

    def resource(self, switch: Switch, device: Device, request: Request) -> str:
        return device.id

    def state(self, switch: Switch, resource: str) -> str | None:
        return resource if resource in switch.directory.devices_by_id else None

    def document(self, state: str, before: str | None, writing: Writing) -> Document:
        return Document("", b"")


PACKAGE = CheckSync()
