"""Where a call can go: one tagged union, used by numbers, answering rules, attendants and queues.

`label` is the word for it in events and decision records, `user:102`; `parse_destination` reads the seed's
short form (`user 102`, `queue 500`, `mailbox 101`, `attendant 400`, `external 16135550199`, `hangup busy`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from pbx.domain.base import E164, Extension, Model


class Cause(StrEnum):
    """Why the switch hangs up; `status` is the SIP status owed, `q850` the cause of the record (RFC 3326, Q.850)."""

    NORMAL = "normal"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    NOT_FOUND = "not-found"
    FORBIDDEN = "forbidden"
    UNAVAILABLE = "unavailable"
    LOOP = "loop"
    CONGESTION = "congestion"

    @property
    def status(self) -> int:
        return _STATUS[self]

    @property
    def q850(self) -> int:
        return _Q850[self]


_STATUS = {
    Cause.NORMAL: 480,
    Cause.BUSY: 486,
    Cause.NO_ANSWER: 480,
    Cause.NOT_FOUND: 404,
    Cause.FORBIDDEN: 403,
    Cause.UNAVAILABLE: 480,
    Cause.LOOP: 482,
    Cause.CONGESTION: 503,
}
_Q850 = {
    Cause.NORMAL: 16,
    Cause.BUSY: 17,
    Cause.NO_ANSWER: 19,
    Cause.NOT_FOUND: 1,
    Cause.FORBIDDEN: 21,
    Cause.UNAVAILABLE: 20,
    Cause.LOOP: 25,
    Cause.CONGESTION: 42,
}


class ToUser(Model):
    """Ring a user, following that user's answering rules."""

    to: Literal["user"] = "user"
    extension: Extension

    @property
    def label(self) -> str:
        return f"user:{self.extension}"


class ToDevice(Model):
    """Ring one device, no answering rules."""

    to: Literal["device"] = "device"
    device: str

    @property
    def label(self) -> str:
        return f"device:{self.device}"


class ToMailbox(Model):
    """Leave a message."""

    to: Literal["mailbox"] = "mailbox"
    extension: Extension

    @property
    def label(self) -> str:
        return f"mailbox:{self.extension}"


class ToMailboxLogin(Model):
    """Listen to messages: `extension` is the caller's own box, or empty to be asked for it (5000)."""

    to: Literal["voicemail-login"] = "voicemail-login"
    extension: str = ""

    @property
    def label(self) -> str:
        return f"voicemail-login:{self.extension}"


class ToQueue(Model):
    to: Literal["queue"] = "queue"
    extension: Extension

    @property
    def label(self) -> str:
        return f"queue:{self.extension}"


class ToAttendant(Model):
    to: Literal["attendant"] = "attendant"
    extension: Extension
    menu: str = "main"

    @property
    def label(self) -> str:
        return f"attendant:{self.extension}/{self.menu}"


class ToExternal(Model):
    """Out through the carrier."""

    to: Literal["external"] = "external"
    number: E164

    @property
    def label(self) -> str:
        return f"external:{self.number}"


class ToSupport(Model):
    """611: the provider's own domain, never barred."""

    to: Literal["support"] = "support"

    @property
    def label(self) -> str:
        return "support"


class ToEmergency(Model):
    """911 and 933: the simulated emergency desk, never a trunk."""

    to: Literal["emergency"] = "emergency"
    code: Literal["911", "933"]

    @property
    def label(self) -> str:
        return f"emergency:{self.code}"


class HangUp(Model):
    to: Literal["hangup"] = "hangup"
    cause: Cause = Cause.NORMAL

    @property
    def label(self) -> str:
        return f"hangup:{self.cause}"


def parse_destination(text: str) -> AnyDestination:
    """Return the destination of its short form; ValueError names what is not understood."""
    word, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    match word:
        case "user":
            return ToUser(extension=rest)
        case "device":
            return ToDevice(device=rest)
        case "mailbox":
            return ToMailbox(extension=rest)
        case "queue":
            return ToQueue(extension=rest)
        case "attendant":
            extension, _, menu = rest.partition("/")
            return ToAttendant(extension=extension, menu=menu or "main")
        case "external":
            return ToExternal(number=rest)
        case "support":
            return ToSupport()
        case "hangup":
            return HangUp(cause=Cause(rest or "normal"))
        case _:
            words = "user, device, mailbox, queue, attendant, external, support, hangup"
            raise ValueError(f"{text!r} is no destination; it starts with one of {words}")


def _short_form(value: object) -> object:
    return parse_destination(value) if isinstance(value, str) else value


AnyDestination = (
    ToUser
    | ToDevice
    | ToMailbox
    | ToMailboxLogin
    | ToQueue
    | ToAttendant
    | ToExternal
    | ToSupport
    | ToEmergency
    | HangUp
)
Destination = Annotated[AnyDestination, Field(discriminator="to"), BeforeValidator(_short_form)]
"""The field type of models; a seed may write the short form."""
