"""When and by whom a message was left, as prompts."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from pbx.callflow.vocabulary import Control
from pbx.domain.history import Message
from pbx.domain.sounds import Recording, Spoken, spoken_digits, spoken_number
from pbx.domain.tenancy import User

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip


def envelope(call: Control, user: User, message: Message) -> tuple[Spoken, ...]:
    """Return all there is to say about a message."""
    return (*when_left(call, user, message), *left_by(call, message))


def announced(call: Control, user: User, message: Message) -> tuple[Spoken, ...]:
    """Return what is said before a message without being asked for, and what was said of it by who sent it on."""
    said: tuple[Spoken, ...] = ()
    if user.mailbox.announce_date:
        said += when_left(call, user, message)
    if user.mailbox.announce_caller:
        said += left_by(call, message)
    if message.forwarded_by and message.comment:
        said += (Recording(message.comment),)
    return said


def when_left(call: Control, user: User, message: Message) -> tuple[Spoken, ...]:
    zone = ZoneInfo(call.directory.zone_of_user(user))
    left = datetime.fromtimestamp(message.at, zone)
    return ("vm-received", *_day(left, call.wall.astimezone(zone)), "at", *_clock(left))


def left_by(call: Control, message: Message) -> tuple[Spoken, ...]:
    """Name the caller: by the name recorded for the mailbox of that extension, else by the number."""
    if not message.caller_number:
        return ("vm-unknown-caller",)
    name = call.prompts(message.caller_number).get("name")
    digits = spoken_digits(message.caller_number)
    return ("vm-from", Recording(name.recording, instead=digits[0])) if name else ("vm-from", *digits)


def _day(left: datetime, now: datetime) -> tuple[str, ...]:
    days = (now.date() - left.date()).days
    if days == 0:
        return ("today",)
    if days == 1:
        return ("yesterday",)
    if 1 < days < 7:
        return (_DAYS[left.weekday()],)
    return (_MONTHS[left.month - 1], *spoken_number(left.day))


def _clock(left: datetime) -> tuple[str, ...]:
    hour = left.hour % 12 or 12
    minute = ("oh", f"digit-{left.minute}") if 0 < left.minute < 10 else spoken_number(left.minute)
    return (*spoken_number(hour), *(minute if left.minute else ()), "am" if left.hour < 12 else "pm")
