"""Where a call can go: one tagged union, used by numbers, answering rules, attendants and queues.

`label` is the word for it in events and decision records, `user:102`; `parse_destination` reads the seed's
short form (`user 102`, `queue 500`, `mailbox 101`, `attendant 400/closed`, `external 16135550199`, `hangup busy`),
and every field of type `Destination` accepts that form, and the platform's own (domain-features 1.5): `1002`,
`18005551234`, `user_5555`, `phone_5555`, `vmail_5555`, `queue_234`, `aa_400`, `park_701`.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, TypeAdapter, ValidationError

from pbx.domain.base import Extension, Model, OutsideNumber, Slug


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
    ANONYMOUS = "anonymous"
    """Callers without a number are not taken (RFC 5079)."""

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
    Cause.ANONYMOUS: 433,
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
    Cause.ANONYMOUS: 21,
}


Header = Annotated[str, StringConstraints(pattern=r"^((X-[A-Za-z0-9-]{1,40}|Alert-Info|User-to-User): [ -~]{1,200})?$")]
"""A line whoever is rung is told beside all else, as `X-Door: front`: only such as change nothing of the call."""


class ToUser(Model):
    """Ring a user, following that user's answering rules."""

    to: Literal["user"] = "user"
    extension: Extension
    before: Literal["", "spam screening", "recording notice", "answer", "no failover"] = ""
    """`spam screening`: callers of the domain's list of spam are refused; `recording notice`: the caller is answered
    and told that the call may be recorded; `answer`: the caller is answered and hears a ringback of ours; `no
    failover`: the user is rung once, and nothing follows when that is in vain."""
    header: Header = ""

    @property
    def label(self) -> str:
        return f"user:{self.extension}"


class ToDevice(Model):
    """Ring one device, no answering rules."""

    to: Literal["device"] = "device"
    device: str
    otherwise: Literal["", "voicemail"] = ""
    """What follows when nobody answers there."""
    header: Header = ""

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
    announce: Literal["", "callers ahead", "expected wait"] = ""
    """What this way into the queue announces, whatever the queue does otherwise."""

    @property
    def label(self) -> str:
        return f"queue:{self.extension}"


class ToPark(Model):
    """Wait in a park slot, 700–799 (711 is the relay service), until somebody fetches the caller."""

    to: Literal["park"] = "park"
    slot: Annotated[str, StringConstraints(pattern=r"^(any|7([02-9][0-9]|1[02-9]))$")]
    """`any`: the first free one of those the platform gives out by itself."""

    @property
    def label(self) -> str:
        return f"park:{self.slot}"


class ToConference(Model):
    """Join a conference room."""

    to: Literal["conference"] = "conference"
    extension: Extension

    @property
    def label(self) -> str:
        return f"conference:{self.extension}"


class ToPage(Model):
    """Speak through the phones of a page group."""

    to: Literal["page"] = "page"
    extension: Extension

    @property
    def label(self) -> str:
        return f"page:{self.extension}"


class ToAttendant(Model):
    """Enter an attendant: `main` is its first menu, or the closed one out of hours; any other menu is entered as is."""

    to: Literal["attendant"] = "attendant"
    extension: Extension
    menu: str = "main"

    @property
    def label(self) -> str:
        return f"attendant:{self.extension}/{self.menu}"


class ToExternal(Model):
    """Out through the carrier."""

    to: Literal["external"] = "external"
    number: OutsideNumber
    way: Literal["", "once", "no timeout", "hidden number", "own number"] = ""
    """`once`: no other trunk is taken when the first fails; `no timeout`: it rings until somebody gives up; `hidden
    number`: the caller is not shown there; `own number`: the number that was called is shown instead of the caller."""
    header: Header = ""

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


class ToService(Model):
    """211 to 811 and 988: the simulated desk of a public service, never a trunk number."""

    to: Literal["service"] = "service"
    code: Literal["211", "311", "411", "511", "711", "811", "988"]

    @property
    def label(self) -> str:
        return f"service:{self.code}"


class ToToggle(Model):
    """Switch a shared time frame on or off by hand, whichever it is not (a night switch); the caller is told which."""

    to: Literal["toggle"] = "toggle"
    time_frame: str = Field(min_length=1)

    @property
    def label(self) -> str:
        return f"toggle:{self.time_frame}"


class ToFax(Model):
    """A fax machine of the house: pages go to whom the account names."""

    to: Literal["fax"] = "fax"
    account: Slug

    @property
    def label(self) -> str:
        return f"fax:{self.account}"


class ToFeature(Model):
    """A feature code and what was dialled after it; dialled by a person, never configured."""

    to: Literal["feature"] = "feature"
    code: str
    argument: str = ""

    @property
    def label(self) -> str:
        return f"feature:{self.code}{self.argument}"


class HangUp(Model):
    to: Literal["hangup"] = "hangup"
    cause: Cause = Cause.NORMAL

    @property
    def label(self) -> str:
        return f"hangup:{self.cause}"


SHORT_FORMS = {
    "user": "extension",
    "device": "device",
    "mailbox": "extension",
    "voicemail-login": "extension",
    "queue": "extension",
    "attendant": "extension",
    "conference": "extension",
    "external": "number",
    "page": "extension",
    "park": "slot",
    "support": "",
    "service": "code",
    "toggle": "time_frame",
    "fax": "account",
    "hangup": "cause",
}
"""First word of the short form → the field its second word fills; 911 and 933 are dialled, never configured."""


_EXTENSION = re.compile(r"[1-9][0-9]{2,4}")
_PLATFORM_FORMS = (
    (re.compile(r"(?:user_)?([1-9][0-9]{2,4})|user_([2-9][0-9]{9})"), r"user \1\2"),
    (re.compile(r"phone_((?:[0-9]{3,5}|[2-9][0-9]{9})[a-z]{0,2})"), r"device \1"),
    (re.compile(r"vmail_([0-9]+)"), r"mailbox \1"),
    (re.compile(r"queue_([0-9]+)"), r"queue \1"),
    (re.compile(r"aa_([0-9]+)"), r"attendant \1"),
    (re.compile(r"park_(7[0-9]{2})"), r"park \1"),
    (re.compile(r"park_([0-9]+)"), r"queue \1"),  # a queue of the type call park
    (re.compile(r"(?:external )?\+?1?([2-9][0-9]{9})"), r"external 1\1"),
    (re.compile(r"(?:external )?(?:011|\+)([2-9][0-9]{6,14})"), r"external +\1"),
)

TREATMENTS: dict[str, dict[str, str]] = {
    "to-user": {"to": "user"},
    "to-user-residential": {"to": "user"},
    "to-user-notify-of-recording": {"to": "user", "before": "recording notice"},
    "to-user-answer-and-fake-ringback": {"to": "user", "before": "answer"},
    "to-voicemail": {"to": "mailbox"},
    "to-voicemail-residential": {"to": "mailbox"},
    "to-callqueue": {"to": "queue"},
    "to-callqueue-announce-count-callers-ahead": {"to": "queue", "announce": "callers ahead"},
    "to-callqueue-announce-expected-wait-time": {"to": "queue", "announce": "expected wait"},
    "to-single-device": {"to": "device"},
    "to-connection": {"to": "external"},
    "to-connection-or-user-no-failover": {"to": "external", "way": "once"},
    "to-connection-block-caller-id": {"to": "external", "way": "hidden number"},
    "to-connection-no-timeout": {"to": "external", "way": "no timeout"},
    "to-connection-add-header": {"to": "external"},
    "to-connection-add-header-no-timeout": {"to": "external", "way": "no timeout"},
    "to-connection-add-header-force-caller-id": {"to": "external", "way": "own number"},
    "to-single-device-add-header": {"to": "device"},
    "to-single-device-add-header-allow-voicemail": {"to": "device", "otherwise": "voicemail"},
    "to-single-device-add-header-allow-voicemail-residential": {"to": "device", "otherwise": "voicemail"},
    "to-user-add-header": {"to": "user"},
    "to-user-residential-add-header": {"to": "user"},
    "spam-screening": {"to": "user", "before": "spam screening"},
    "toggle-timeframe": {"to": "toggle"},
}
"""Applications of the platform's numbers (domain-features 1.3), written with their target: `to-user 101`, and with the
header after it where they add one: `to-user-add-header 101 X-Door: front`. Only their names are published; what each
does is our reading. A number without a route is its `available-number`; `hangup` is written alike; residential ones
differ in the bill alone; the connection is the carrier, by whatever trunk; spam screening refuses here."""


def _spelt_out(value: object) -> object:
    """Return the fields of a short form; anything else passes for the models to judge."""
    if not isinstance(value, str):
        return value
    for pattern, written in _PLATFORM_FORMS:
        written_so = pattern.fullmatch(value)
        value = written_so.expand(written) if written_so else value
    word, _, rest = value.strip().partition(" ")
    if word in TREATMENTS:
        return _treated(word, rest.strip())
    if word not in SHORT_FORMS:
        raise ValueError(f"{value!r} is no destination; it starts with one of {', '.join(SHORT_FORMS)}")
    fields = {"to": word}
    argument = rest.strip()
    if word == "attendant":
        argument, _, menu = argument.partition("/")
        fields["menu"] = menu or "main"
    if argument and not SHORT_FORMS[word]:
        raise ValueError(f"{value!r}: {word} takes no argument")
    if argument:
        fields[SHORT_FORMS[word]] = argument
    return fields


def _treated(word: str, rest: str) -> dict[str, str]:
    fields, argument = dict(TREATMENTS[word]), rest
    if "add-header" in word:
        argument, _, fields["header"] = rest.partition(" ")
        if not fields["header"]:
            raise ValueError(f"{word} {rest}: the header follows the target, as X-Door: front")
    if word == "to-connection-or-user-no-failover" and _EXTENSION.fullmatch(argument):
        fields = {"to": "user", "before": "no failover"}
    return {**fields, SHORT_FORMS[fields["to"]]: argument}


AnyDestination = (
    ToUser
    | ToDevice
    | ToMailbox
    | ToMailboxLogin
    | ToQueue
    | ToAttendant
    | ToConference
    | ToPage
    | ToPark
    | ToExternal
    | ToSupport
    | ToEmergency
    | ToService
    | ToToggle
    | ToFax
    | ToFeature
    | HangUp
)
Destination = Annotated[AnyDestination, Field(discriminator="to"), BeforeValidator(_spelt_out)]
"""The field type of models; a seed may write the short form."""

_DESTINATION: TypeAdapter[AnyDestination] = TypeAdapter(Destination)


def parse_destination(text: str) -> AnyDestination:
    """Return the destination of its short form; ValueError names what is not understood."""
    try:
        return _DESTINATION.validate_python(text)
    except ValidationError as error:
        reasons = "; ".join(problem["msg"].removeprefix("Value error, ") for problem in error.errors())
        raise ValueError(f"destination {text!r}: {reasons}") from error
