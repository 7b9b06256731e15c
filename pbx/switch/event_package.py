"""What an event package is (RFC 6665 §5): who may watch what, what the state is, how it is written, what changes it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar
from xml.sax.saxutils import quoteattr

from pbx.domain.devices import Device
from pbx.events import Event
from pbx.sip.message import Malformed, Request

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

S = TypeVar("S")

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Document:
    """What a NOTIFY carries."""

    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Writing:
    """What a document is written with, beside the state."""

    domain: str
    version: int
    resource: str
    now: float
    """POSIX seconds."""
    accept: str
    """The subscriber's Accept value, empty when it sent none."""


class EventPackage(ABC, Generic[S]):
    """A plug-in; it has no state of its own. `S` is a value that can be compared."""

    name: ClassVar[str]
    content_types: ClassVar[tuple[str, ...]] = ()
    """What its documents may be; empty when there are none."""
    interval_s: ClassVar[float] = 1.0
    """No subscriber is notified more often; what happens meanwhile is told together."""
    changed_by: ClassVar[tuple[type[Event], ...]] = ()

    @abstractmethod
    def resource(self, switch: Switch, device: Device, request: Request) -> str:
        """Return whose state an authenticated device asks for; Malformed(403 or 404) when it may not."""

    @abstractmethod
    def state(self, switch: Switch, resource: str) -> S | None:
        """Return the present state; None when there is no such thing any more."""

    @abstractmethod
    def document(self, state: S, before: S | None, writing: Writing) -> Document:
        """Write the state; `before` is what the subscriber was told last."""

    def changes(self, switch: Switch, event: Event) -> Iterable[str]:
        """Return the resources an event of `changed_by` may have changed."""
        return ()

    def told(self, device: str, resource: str, state: S) -> Event | None:
        """Return the event that says what a subscriber has been told."""
        return None

    def acceptable(self, accept: str) -> bool:
        """Tell whether the subscriber takes what this package sends; one that does not say takes the usual."""
        wanted = {part.partition(";")[0].strip().lower() for part in accept.split(",")} - {""}
        ranges = {"*/*", *self.content_types, *(kind.partition("/")[0] + "/*" for kind in self.content_types)}
        return not wanted or not self.content_types or bool(wanted & ranges)


def extension_asked(switch: Switch, user: str) -> str:
    """Return the extension a Request-URI's user names, by itself or by a device; Malformed(404)."""
    if user in switch.directory.users_by_extension:
        return user
    device = switch.directory.devices_by_id.get(user)
    if device is None:
        raise Malformed(404, "no such extension")
    return device.extension


def attribute(text: str) -> str:
    """Return text as a quoted XML attribute; what XML cannot hold is left out."""
    return quoteattr(_NOT_XML.sub("", text))


def element(name: str, text: str, attributes: str = "") -> str:
    """Return `<name attributes>text</name>`, the text escaped."""
    escaped = _NOT_XML.sub("", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<{name}{attributes}>{escaped}</{name}>"


def xml(*lines: str) -> bytes:
    return "\r\n".join(('<?xml version="1.0" encoding="UTF-8"?>', *lines, "")).encode()
