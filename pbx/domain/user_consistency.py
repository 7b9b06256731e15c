"""What must hold of one user: asked when a domain is read, and again when that user alone is changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pbx.domain.problems import Path, Problem
from pbx.domain.references import frame_missing, mailbox_missing, missing

if TYPE_CHECKING:
    from pbx.domain.directory import Directory
    from pbx.domain.tenancy import User

FORWARDS = (
    "forward_always",
    "forward_on_active",
    "forward_on_busy",
    "forward_no_answer",
    "forward_offline",
    "forward_on_dnd",
    "forward_on_spam",
)
SEEN_BY_OTHERS = ("extension", "login", "department", "voicemail")
"""What of a user others depend on: when one of these changes, the whole domain has to be asked."""


def problems_of_user(directory: Directory, place: int) -> Iterator[Problem]:
    """Return what is wrong with the user at `place`, the domain around it being sound."""
    user = directory.users[place]
    path: Path = ("users", place)
    if directory.domain.platform.email_required and not user.email:
        yield Problem((*path, "email"), f"user {user.extension}: email is required here; give one")
    if user.department and user.department in directory.sites_by_name:
        why = f"there is a site {user.department}; call the department otherwise"
        yield Problem((*path, "department"), f"user {user.extension}: department {user.department}: {why}")
    if user.site and user.site not in directory.sites_by_name:
        yield Problem((*path, "site"), f"user {user.extension}: there is no site {user.site}")
    for field in ("dial_policy", "dial_policy_with_pin"):
        yield from policy_missing(directory, path, f"user {user.extension}", getattr(user, field), field)
    yield from address_wrong(
        directory, path, f"user {user.extension}", user.emergency_address, user.emergency_caller_id
    )
    if user.rules:
        yield from _rules(directory, user, path)
    if user.mailbox.copy_to:
        yield from _copies(directory, user, path)


def policy_missing(
    directory: Directory, path: Path, owner: str, named: str, field: str = "dial_policy"
) -> Iterator[Problem]:
    known = directory.domain.platform.dial_policies
    if named and named not in known:
        sentence = f"{owner}: there is no dial policy {named}; there are {', '.join(known)}"
        yield Problem((*path, field), sentence)


def address_wrong(directory: Directory, path: Path, owner: str, key: str, number: str | None) -> Iterator[Problem]:
    """Return what is wrong with an owner's emergency address `key` and emergency caller ID `number`."""
    if not key:
        return
    address = directory.addresses_by_key.get(key)
    if address is None:
        yield Problem((*path, "emergency_address"), f"{owner}: there is no emergency address {key}")
    elif number and number != address.callback:
        yield Problem(
            (*path, "emergency_caller_id"),
            f"{owner}: emergency caller ID {number} is not the callback number {address.callback} of {key}",
        )


def _rules(directory: Directory, user: User, of_user: Path) -> Iterator[Problem]:
    owner = f"user {user.extension}"
    seen: set[str] = set()
    for order, rule in enumerate(user.rules):
        path: Path = (*of_user, "rules", order)
        if rule.time_frame in seen:
            yield Problem(path, f"{owner}: two answering rules for time frame {rule.time_frame}")
        seen.add(rule.time_frame)
        if directory.frame_of(user, rule.time_frame) is None:
            yield from frame_missing(directory, path, owner, rule.time_frame)
        for target in rule.simultaneous_ring:
            word, _, name = target.target.partition(" ")
            lost = (word == "device" and name not in directory.devices_by_id) or (
                word == "user" and name not in directory.users_by_extension
            )
            if lost:
                sentence = f"{owner}: simultaneous ring names {word} {name}, which does not exist"
                yield Problem((*path, "simultaneous_ring"), sentence, dangling=True)
        for field in FORWARDS:
            destination = getattr(rule, field)
            lacks = missing(directory, destination) if destination is not None else ""
            if lacks:
                sentence = f"{owner}, {field.replace('_', ' ')}: {lacks}"
                yield Problem((*path, field), sentence, dangling=lacks.startswith("there is no"))


def _copies(directory: Directory, user: User, of_user: Path) -> Iterator[Problem]:
    for box in user.mailbox.copy_to:
        lacks = mailbox_missing(directory.users_by_extension.get(box), box)
        if box == user.extension:
            lacks = "a mailbox needs no copy of its own messages"
        if lacks:
            yield Problem((*of_user, "mailbox", "copy_to"), f"user {user.extension}, copies of messages: {lacks}")
