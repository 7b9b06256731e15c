"""Destinations as the platform writes them (domain-features 1.3 and 1.5), from ours; theirs are read by the domain."""

from __future__ import annotations

from typing import Any, assert_never

from pbx.domain.destinations import (
    TREATMENTS,
    Destination,
    HangUp,
    ToAttendant,
    ToConference,
    ToDevice,
    ToEmergency,
    ToExternal,
    ToFax,
    ToFeature,
    ToMailbox,
    ToMailboxLogin,
    ToPage,
    ToPark,
    ToQueue,
    ToService,
    ToSupport,
    ToToggle,
    ToUser,
    parse_destination,
)

APPLICATIONS = ("available-number", *TREATMENTS, "hangup")
"""What a number may do, by the platform's names (domain-features 1.3)."""
PARAMETER = "dial-rule-parameter"
"""The header that an application adds; with every other application it is left unread, and told as nothing."""


def application_read(application: str, target: str, header: str) -> Destination:
    """Return where an application leads; ValueError says what is wrong with it, its target or its header."""
    if application not in APPLICATIONS or application == "available-number":
        raise ValueError(f"{application!r} leads nowhere; there are {', '.join(APPLICATIONS[1:])}")
    if application == "hangup":
        return parse_destination("hangup")
    added = header if "add-header" in application else ""
    return parse_destination(f"{application} {target} {added}".strip())


def header_of(to: Destination | None) -> str:
    """Return the header a destination adds, empty for none."""
    return str(getattr(to, "header", ""))


def application_of(to: Destination | None) -> str:
    """Return the treatment of a number that leads there, its plainest name."""
    match to:
        case None:
            return "available-number"
        case HangUp():
            return "hangup"
        case ToAttendant() | ToConference():
            return "to-user"
        case _:
            fields = {name: value for name, value in to.model_dump().items() if value}
            fitting = [
                (len(words), -at, name)
                for at, (name, words) in enumerate(TREATMENTS.items())
                if words.items() <= fields.items() and ("add-header" in name) == ("header" in fields)
            ]
            return max(fitting)[2] if fitting else "to-user"


def target_of(to: Destination | None) -> str:
    """Return who or what it leads to, without saying what that is."""
    match to:
        case ToExternal(number=number):
            return number
        case ToDevice(device=device):
            return device
        case ToToggle(time_frame=name):
            return name
        case ToFax(account=account):
            return account
        case ToPark(slot=slot):
            return slot
        case _:
            return str(getattr(to, "extension", ""))


def written(to: Destination) -> str:
    """Return a forward target in the platform's grammar; ours where it has no word for it."""
    match to:
        case ToUser(extension=extension):
            return extension
        case ToExternal(number=number):
            return number
        case ToDevice(device=device):
            return f"phone_{device}"
        case ToMailbox(extension=extension):
            return f"vmail_{extension}"
        case ToQueue(extension=extension):
            return f"queue_{extension}"
        case ToAttendant(extension=extension, menu="main"):
            return f"aa_{extension}"
        case ToAttendant(extension=extension, menu=menu):
            return f"attendant {extension}/{menu}"
        case ToPark(slot=slot):
            return f"park_{slot}"
        case ToConference() | ToPage() | ToFax() | ToToggle() | ToMailboxLogin() | HangUp():
            return f"{to.to} {_argument(to)}".strip()
        case ToSupport() | ToEmergency() | ToService() | ToFeature():
            return f"{to.to} {getattr(to, 'code', '')}".strip()
        case _:
            assert_never(to)


def _argument(to: Any) -> str:
    named = ("extension", "account", "time_frame", "cause")
    return next((str(getattr(to, name)) for name in named if hasattr(to, name)), "")
