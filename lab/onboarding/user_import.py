"""Users of a spreadsheet come into the forms, and into the domain once there is one; the newest import can be undone.

A row of a known extension changes what it tells and leaves the rest. Rows that the domain would refuse (an extension of
a queue, a site that is not there) are told by line like those whose cells are wrong, and the others are applied.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from lab.onboarding.build import build, softphone, user_of
from lab.onboarding.packet import FormUser, Line, Packet
from lab.onboarding.user_sheet import Heading, Read, RowProblem
from pbx.domain.base import Model
from pbx.domain.consistency import problems
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from pbx.domain.problems import Problem
from pbx.domain.seed import BadSeed
from pbx.domain.tenancy import User
from provisioning_server.spreadsheet import BadTable

_ROUNDS = 5
_NOT_OF_A_USER = frozenset({"device"})


class Import(Model):
    """What an import has done, as far as it takes to undo it."""

    at: datetime
    by: Line
    name: Line
    """Of the file."""
    forms_before: tuple[FormUser, ...]
    in_domain: bool
    added: tuple[str, ...] = ()
    """Extensions."""
    users_before: tuple[User, ...] = ()
    """Of the domain, of those that were changed."""
    users_after: tuple[User, ...] = ()
    """As they were written: whoever is another by now was changed since."""


class CannotUndo(ValueError):
    """The text says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    headings: tuple[Heading, ...]
    added: int
    changed: int
    same: int
    problems: tuple[RowProblem, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """An import that can be adopted, as long as forms and domain are those it was made for."""

    outcome: Outcome
    before: tuple[Packet, Directory | None]
    packet: Packet
    directory: Directory | None
    undo: Import


def imported(
    read: Read,
    packet: Packet,
    directory: Directory | None,
    fresh: Callable[[int], str],
    now: datetime,
    by: str = "",
    name: str = "",
) -> Done:
    """Return what comes of the good rows; BadTable when the domain would refuse the whole."""
    users = dict(read.users)
    wrong = list(read.problems)
    for _ in range(_ROUNDS):
        forms = _forms(packet, users.values())
        found = _refused(packet.model_copy(update={"users": forms}), packet, directory, users, fresh, now.date())
        if not found:
            break
        wrong += found
        for problem in found:
            users.pop(problem.line, None)
    forms = _forms(packet, users.values())
    known = {form.extension: form for form in packet.users}
    people = directory.users_by_extension if directory is not None else {}
    added = tuple(user.extension for user in users.values() if user.extension not in (people or known))
    made = _adopted(directory, packet, users.values(), fresh)
    after = {form.extension: form for form in forms}
    changed = [
        user.extension for user in users.values()
        if user.extension not in added
        and (after[user.extension] != known.get(user.extension) or _person(made, user) != people.get(user.extension))
    ]  # fmt: skip
    touched = {*added, *changed}
    undo = Import(
        at=now, by=by[:200], name=name[:200], forms_before=packet.users, in_domain=directory is not None, added=added,
        users_before=tuple(people[extension] for extension in changed if extension in people),
        users_after=tuple(user for user in made.users if user.extension in touched) if made is not None else (),
    )  # fmt: skip
    same = len(users) - len(touched)
    problems_by_line = tuple(sorted(wrong, key=lambda problem: problem.line))
    outcome = Outcome(read.headings, len(added), len(changed), same, problems_by_line)
    return Done(outcome, (packet, directory), packet.model_copy(update={"users": forms}), made, undo)


def undone(undo: Import, packet: Packet, directory: Directory | None) -> tuple[Packet, Directory | None]:
    """Return forms and domain as they were before; CannotUndo when that would take away what was done since."""
    forms = packet.model_copy(update={"users": undo.forms_before})
    if directory is None:
        return forms, None
    if not undo.in_domain:
        raise CannotUndo("the domain has been made of these forms since; delete users there")
    there = directory.users_by_extension
    moved = [user.extension for user in undo.users_after if there.get(user.extension) not in (user, None)]
    if moved:
        raise CannotUndo(f"changed since: {', '.join(moved[:20])}; what was done would be lost")
    before, gone = {user.extension: user for user in undo.users_before}, {*undo.added}
    sections: dict[str, object] = {
        "users": tuple(before.get(user.extension, user) for user in directory.users if user.extension not in gone),
        "devices": tuple(device for device in directory.devices if device.extension not in gone),
        "time_frames": tuple(frame for frame in directory.time_frames if frame.owner not in gone),
        "contacts": tuple(contact for contact in directory.contacts if contact.owner not in gone),
        "settings": {owner: told for owner, told in directory.settings.items()
                     if owner.removeprefix("user:") not in gone or not owner.startswith("user:")},
    }  # fmt: skip
    needed = _new_problems(directory, sections)
    if needed:
        raise CannotUndo(f"some are needed by now: {'; '.join(one.sentence for one in needed[:5])}")
    return forms, directory.replaced(**sections)


def _forms(packet: Packet, users: Iterable[FormUser]) -> tuple[FormUser, ...]:
    known = {form.extension: form for form in packet.users}
    for user in users:
        old = known.get(user.extension)
        known[user.extension] = user if old is None else old.model_copy(update=_told(user))
    return tuple(known.values())


def _told(user: FormUser) -> dict[str, object]:
    return {name: getattr(user, name) for name in user.model_fields_set}


def _person(directory: Directory | None, user: FormUser) -> User | None:
    return directory.users_by_extension.get(user.extension) if directory is not None else None


def _adopted(
    directory: Directory | None, packet: Packet, users: Iterable[FormUser], fresh: Callable[[int], str]
) -> Directory | None:
    return directory.replaced(**_sections(directory, packet, users, fresh)) if directory is not None else None


def _sections(
    directory: Directory, packet: Packet, users: Iterable[FormUser], fresh: Callable[[int], str]
) -> dict[str, tuple[object, ...]]:
    people = {user.extension: user for user in directory.users}
    devices = list(directory.devices)
    for form in users:
        old = people.get(form.extension)
        if old is None:
            people[form.extension] = User.model_validate(user_of(packet, form))
        else:
            told = {name: value for name, value in _told(form).items() if name not in _NOT_OF_A_USER}
            people[form.extension] = old.model_copy(update=told)
        if form.device == "softphone" and form.extension not in directory.devices_by_extension:
            devices.append(Device.model_validate(softphone(form.extension, fresh)))
    return {"users": tuple(people.values()), "devices": tuple(devices)}


def _refused(
    wanted: Packet,
    packet: Packet,
    directory: Directory | None,
    users: Mapping[int, FormUser],
    fresh: Callable[[int], str],
    today: date,
) -> list[RowProblem]:
    """What the domain says against rows that are sound in themselves, by line."""
    if directory is not None:
        sections = _sections(directory, packet, users.values(), fresh)
        found = _new_problems(directory, sections)
        extensions = [user.extension for user in sections["users"] if isinstance(user, User)]
    else:
        before = {problem.sentence for problem in _said_of(packet, fresh, today)}
        found = [problem for problem in _said_of(wanted, fresh, today) if problem.sentence not in before]
        extensions = [form.extension for form in wanted.users]
    line_of = {user.extension: line for line, user in users.items()}
    told: list[RowProblem] = []
    for problem in found:
        line = _line(problem, extensions, line_of)
        if line is not None:
            told.append(RowProblem(line, _column(problem), problem.sentence))
        elif directory is not None:
            raise BadTable(f"the domain would refuse it: {problem.sentence}")
    return told


def _line(problem: Problem, extensions: Sequence[str], line_of: Mapping[str, int]) -> int | None:
    path = problem.path
    if len(path) > 1 and path[0] == "users" and isinstance(path[1], int) and path[1] < len(extensions):
        found = line_of.get(extensions[path[1]])
        if found is not None:
            return found
    named = re.findall(r"\b\d{3,10}\b", problem.sentence)
    return next((line_of[digits] for digits in named if digits in line_of), None)


def _column(problem: Problem) -> str:
    last = problem.path[-1] if problem.path and problem.path[0] == "users" else "extension"
    return last if isinstance(last, str) else "extension"


def _said_of(packet: Packet, fresh: Callable[[int], str], today: date) -> Sequence[Problem]:
    try:
        build(packet, today, fresh)
    except BadSeed as error:
        return error.problems
    return ()


def _new_problems(directory: Directory, sections: Mapping[str, object]) -> Sequence[Problem]:
    before = {problem.sentence for problem in problems(directory)}
    left = Directory.model_construct(**{**dict(directory), **sections})
    return [problem for problem in problems(left) if problem.sentence not in before]
