"""Message-waiting lamps (RFC 3842): how many messages wait in the device's own mailbox."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pbx.domain.devices import Device
from pbx.events import Event, LampSent
from pbx.sip.message import Request
from pbx.switch.event_package import Document, EventPackage, Writing

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

BODY = "application/simple-message-summary"

Counts = tuple[int, int]
"""(new, saved)"""


class MessageSummary(EventPackage[Counts]):
    name = "message-summary"
    content_types = (BODY,)

    def resource(self, switch: Switch, device: Device, request: Request) -> str:
        """Its own box, whatever it writes: phones put their number, the box's or the log-in code there."""
        return device.extension

    def state(self, switch: Switch, resource: str) -> Counts:
        folders = Counter(message.folder for message in switch.history.messages(resource))
        return folders["new"], folders["saved"]

    def document(self, state: Counts, before: Counts | None, writing: Writing) -> Document:
        return Document(BODY, summary(writing.resource, writing.domain, *state))

    def told(self, device: str, resource: str, state: Counts) -> Event:
        new, saved = state
        return LampSent(device, resource, new, saved, new > 0)


def summary(box: str, domain: str, new: int, saved: int) -> bytes:
    """Return the body of RFC 3842 §5.2."""
    waiting = "yes" if new else "no"
    return (
        f"Messages-Waiting: {waiting}\r\nMessage-Account: sip:{box}@{domain}\r\nVoice-Message: {new}/{saved} (0/0)\r\n"
    ).encode()


PACKAGE = MessageSummary()
