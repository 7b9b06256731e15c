"""Whether what is named exists: destinations, mailboxes, time frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, assert_never

from pbx.domain.destinations import (
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
)
from pbx.domain.problems import Path, Problem

if TYPE_CHECKING:
    from pbx.domain.directory import Directory
    from pbx.domain.tenancy import User


def missing(directory: Directory, destination: Destination) -> str:
    """Return what a destination lacks, or an empty string."""
    match destination:
        case ToUser(extension=extension):
            return "" if extension in directory.users_by_extension else f"there is no user {extension}"
        case ToMailbox(extension=extension):
            return mailbox_missing(directory.users_by_extension.get(extension), extension)
        case ToMailboxLogin(extension=extension):
            return mailbox_missing(directory.users_by_extension.get(extension), extension) if extension else ""
        case ToDevice(device=device):
            return "" if device in directory.devices_by_id else f"there is no device {device}"
        case ToQueue(extension=extension):
            return "" if extension in directory.queues_by_extension else f"there is no queue {extension}"
        case ToPage(extension=extension):
            return "" if extension in directory.page_groups_by_extension else f"there is no page group {extension}"
        case ToConference(extension=extension):
            return "" if extension in directory.conferences_by_extension else f"there is no conference {extension}"
        case ToAttendant(extension=extension, menu=menu):
            attendant = directory.attendants_by_extension.get(extension)
            if attendant is None:
                return f"there is no attendant {extension}"
            return "" if attendant.menu(menu) else f"attendant {extension} has no menu {menu}"
        case ToEmergency():
            return "emergency is dialled by a person, never configured"
        case ToFeature():
            return "a feature code is dialled by a person, never configured"
        case ToToggle(time_frame=name):
            return "" if name in directory.frames_by_name else f"there is no time frame {name} that everybody shares"
        case ToFax(account=name):
            return "" if name in directory.fax_accounts_by_name else f"there is no fax account {name}"
        case ToExternal() | ToPark() | ToSupport() | ToService() | HangUp():
            return ""
        case _:
            assert_never(destination)


def mailbox_missing(user: User | None, extension: str) -> str:
    if user is None:
        return f"there is no mailbox {extension}: no such user"
    return "" if user.voicemail else f"user {extension} has no mailbox"


def frame_missing(directory: Directory, path: Path, owner: str, name: str) -> Iterator[Problem]:
    if name != "*" and name not in directory.frames_by_name:
        private = " that everybody shares" if any(frame.name == name for frame in directory.time_frames) else ""
        yield Problem((*path, "time_frame"), f"{owner}: there is no time frame {name}{private}")
