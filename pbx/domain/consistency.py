"""What must hold across the objects of one domain; each problem is one sentence naming the object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from pbx.domain.destinations import (
    Destination,
    HangUp,
    ToAttendant,
    ToConference,
    ToDevice,
    ToEmergency,
    ToExternal,
    ToFeature,
    ToMailbox,
    ToMailboxLogin,
    ToPage,
    ToPark,
    ToQueue,
    ToService,
    ToSupport,
    ToUser,
)
from pbx.domain.dialplan import why_reserved
from pbx.domain.queues import person

if TYPE_CHECKING:
    from pbx.domain.attendants import MenuAction
    from pbx.domain.directory import Directory
    from pbx.domain.tenancy import User

Path = tuple[str | int, ...]
"""Where in the directory: `("users", 3, "rules", 0)`."""

FORWARDS = (
    "forward_always",
    "forward_on_active",
    "forward_on_busy",
    "forward_no_answer",
    "forward_offline",
    "forward_on_dnd",
    "forward_on_spam",
)


@dataclass(frozen=True, slots=True)
class Problem:
    path: Path
    sentence: str
    dangling: bool = False
    """A call would be sent to what is not there; the platform leaves such rows behind when something is deleted."""


class Inconsistent(ValueError):
    """The objects of a directory contradict each other; `problems` says where."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.sentence for problem in problems))


def problems(directory: Directory) -> list[Problem]:
    """Return every contradiction, in the order of the directory's fields; empty when all is well."""
    return [
        *_platform(directory),
        *_limits(directory),
        *_extensions(directory),
        *_names(directory),
        *_sites(directory),
        *_dial_policies(directory),
        *_emergency(directory),
        *_devices(directory),
        *_rules(directory),
        *_numbers(directory),
        *_attendants(directory),
        *_queues(directory),
        *_copies(directory),
        *_conferences(directory),
        *_page_groups(directory),
        *_destinations(directory),
        *_settings(directory),
    ]


def _platform(directory: Directory) -> Iterator[Problem]:
    """What this platform asks of a domain, beyond what every domain must hold."""
    platform, domain = directory.domain.platform, directory.domain
    if len(domain.name) < platform.domain_name_least:
        least = platform.domain_name_least
        yield Problem(("domain", "name"), f"domain {domain.name}: the name has {least} characters or more here")
    lengths = " or ".join(map(str, platform.extension_lengths))
    for kind, extensions in _by_kind(directory):
        words = kind.replace("_", " ")
        for place, extension in enumerate(extensions):
            path: Path = (f"{kind}s", place, "extension")
            if len(extension) not in platform.extension_lengths:
                yield Problem(path, f"{words} {extension}: an extension has {lengths} digits here; choose one of these")
            for block in platform.also_reserved:
                if _in_block(extension, block):
                    yield Problem(path, f"{words} {extension}: {block} is reserved here and never an extension")
    if platform.email_required:
        for place, user in enumerate(directory.users):
            if not user.email:
                yield Problem(("users", place, "email"), f"user {user.extension}: email is required here; give one")


def _limits(directory: Directory) -> Iterator[Problem]:
    domain = directory.domain
    for kind, limit, count in (
        ("users", domain.max_users, len(directory.users)),
        ("sites", domain.max_sites, len(directory.sites)),
        ("departments", domain.max_departments, len({user.department for user in directory.users} - {""})),
        ("attendants", domain.max_attendants, len(directory.attendants)),
        ("queues", domain.max_queues, len(directory.queues)),
        ("conferences", domain.max_conferences, len(directory.conferences)),
    ):
        if 0 < limit < count:
            why = f"{count} {kind}, and max_{kind} allows {limit}; raise it or remove some"
            yield Problem(("domain", f"max_{kind}"), f"domain {domain.name}: {why}")


def _in_block(extension: str, block: str) -> bool:
    """Tell whether an extension is one of `9xx`."""
    return len(extension) == len(block) and all(want in ("x", has) for has, want in zip(extension, block, strict=True))


def _by_kind(directory: Directory) -> Iterator[tuple[str, list[str]]]:
    """Whoever has an extension."""
    yield "user", [user.extension for user in directory.users]
    yield "attendant", [attendant.extension for attendant in directory.attendants]
    yield "queue", [queue.extension for queue in directory.queues]
    yield "page_group", [group.extension for group in directory.page_groups]
    yield "conference", [conference.extension for conference in directory.conferences]


def _extensions(directory: Directory) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for kind, extensions in _by_kind(directory):
        words = kind.replace("_", " ")
        for place, extension in enumerate(extensions):
            path: Path = (f"{kind}s", place, "extension")
            reserved = why_reserved(extension)
            if reserved and directory.domain.kind == "customer":
                yield Problem(path, f"{words} {extension}: {extension} is reserved and never an extension: {reserved}")
            if not reserved and directory.domain.kind == "provider":
                yield Problem(path, f"{words} {extension}: a provider's extension is a reserved number, as 611")
            if extension in owners:
                yield Problem(path, f"{words} {extension}: the extension is already that of a {owners[extension]}")
            owners.setdefault(extension, words)


def _names(directory: Directory) -> Iterator[Problem]:
    frames = directory.time_frames
    private = (f"{frame.name} of user {frame.owner}" if frame.owner else frame.name for frame in frames)
    yield from _twice("time_frames", "time frame", private)
    for place, frame in enumerate(frames):
        if frame.owner and frame.owner not in directory.users_by_extension:
            yield Problem(
                ("time_frames", place, "owner"), f"time frame {frame.name}: there is no user {frame.owner} to own it"
            )
    yield from _twice("sites", "site", (site.name for site in directory.sites))
    yield from _twice("addresses", "emergency address", (address.key for address in directory.addresses))
    yield from _twice("devices", "device", (device.id for device in directory.devices))
    for place, user in enumerate(directory.users):
        if user.department in directory.sites_by_name:
            why = f"there is a site {user.department}; call the department otherwise"
            yield Problem(("users", place, "department"), f"user {user.extension}: department {user.department}: {why}")
    yield from _twice("users", "login", (directory.login_of(user).casefold() for user in directory.users))
    for place, number in enumerate(directory.numbers):
        if number.number in directory.reseller.support_numbers and directory.domain.kind == "customer":
            yield Problem(("numbers", place), f"number {number.number}: it is the provider's own; take another")
    for place, contact in enumerate(directory.contacts):
        if contact.owner and contact.owner not in directory.users_by_extension:
            why = f"contact {contact.name}: there is no user {contact.owner} to own it"
            yield Problem(("contacts", place, "owner"), why)
    yield from _twice("numbers", "number", (number.number for number in directory.numbers))


def _twice(field: str, kind: str, names: Iterable[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, name in enumerate(names):
        if name in seen:
            yield Problem((field, place), f"{kind} {name} exists twice")
        seen.add(name)


def _sites(directory: Directory) -> Iterator[Problem]:
    for field, kind, objects in (
        ("users", "user", [(user.extension, user.site) for user in directory.users]),
        ("numbers", "number", [(number.number, number.site) for number in directory.numbers]),
        ("attendants", "attendant", [(a.extension, a.site) for a in directory.attendants]),
        ("queues", "queue", [(queue.extension, queue.site) for queue in directory.queues]),
        ("conferences", "conference", [(c.extension, c.site) for c in directory.conferences]),
    ):
        for place, (name, site) in enumerate(objects):
            if site and site not in directory.sites_by_name:
                yield Problem((field, place, "site"), f"{kind} {name}: there is no site {site}")


def _dial_policies(directory: Directory) -> Iterator[Problem]:
    known = directory.domain.platform.dial_policies
    owners: list[tuple[Path, str, str]] = [
        (("domain",), f"domain {directory.domain.name}", directory.domain.dial_policy),
        *((("sites", place), f"site {site.name}", site.dial_policy) for place, site in enumerate(directory.sites)),
        *((("users", at), f"user {user.extension}", user.dial_policy) for at, user in enumerate(directory.users)),
    ]
    for path, owner, named in owners:
        if named and named not in known:
            sentence = f"{owner}: there is no dial policy {named}; there are {', '.join(known)}"
            yield Problem((*path, "dial_policy"), sentence)


def _emergency(directory: Directory) -> Iterator[Problem]:
    domain = directory.domain
    owners: list[tuple[Path, str, str, str | None]] = [
        (("domain",), f"domain {domain.name}", domain.emergency_address, domain.emergency_caller_id)
    ]
    for place, site in enumerate(directory.sites):
        owners.append((("sites", place), f"site {site.name}", site.emergency_address, site.emergency_caller_id))
    for place, user in enumerate(directory.users):
        owners.append((("users", place), f"user {user.extension}", user.emergency_address, user.emergency_caller_id))
    for place, device in enumerate(directory.devices):
        owners.append((("devices", place), f"device {device.id}", device.emergency_address, device.emergency_caller_id))
    for path, owner, key, number in owners:
        address = directory.addresses_by_key.get(key)
        if key and address is None:
            yield Problem((*path, "emergency_address"), f"{owner}: there is no emergency address {key}")
        if address and number and number != address.callback:
            yield Problem(
                (*path, "emergency_caller_id"),
                f"{owner}: emergency caller ID {number} is not the callback number {address.callback} of {key}",
            )


def _devices(directory: Directory) -> Iterator[Problem]:
    lines: dict[tuple[str, int], str] = {}
    families: dict[str, tuple[str, str]] = {}
    for place, device in enumerate(directory.devices):
        if device.extension not in directory.users_by_extension:
            yield Problem(("devices", place, "extension"), f"device {device.id}: there is no user {device.extension}")
        if device.id.rstrip("abcdefghijklmnopqrstuvwxyz") != device.extension:
            yield Problem(
                ("devices", place, "id"), f"device {device.id}: the id is the extension {device.extension} and a suffix"
            )
        if device.mac is None:
            continue
        other = lines.setdefault((device.mac, device.port), device.id)
        if other != device.id:
            yield Problem(
                ("devices", place, "mac"), f"device {device.id}: MAC {device.mac} port {device.port} is that of {other}"
            )
        first, family = families.setdefault(device.mac, (device.id, device.family))
        if family != device.family:
            yield Problem(
                ("devices", place, "family"),
                f"device {device.id}: {device.mac} is a {device.family} here and a {family} at {first}",
            )


def _rules(directory: Directory) -> Iterator[Problem]:
    known = {"device": set(directory.devices_by_id), "user": set(directory.users_by_extension)}
    for place, user in enumerate(directory.users):
        seen: set[str] = set()
        for order, rule in enumerate(user.rules):
            path: Path = ("users", place, "rules", order)
            if rule.time_frame in seen:
                yield Problem(path, f"user {user.extension}: two answering rules for time frame {rule.time_frame}")
            seen.add(rule.time_frame)
            if directory.frame_of(user, rule.time_frame) is None:
                yield from _frame(directory, path, f"user {user.extension}", rule.time_frame)
            for target in rule.simultaneous_ring:
                word, _, device = target.target.partition(" ")
                if word in known and device not in known[word]:
                    yield Problem(
                        (*path, "simultaneous_ring"),
                        f"user {user.extension}: simultaneous ring names {word} {device}, which does not exist",
                        dangling=True,
                    )


def _frame(directory: Directory, path: Path, owner: str, name: str) -> Iterator[Problem]:
    if name != "*" and name not in directory.frames_by_name:
        private = " that everybody shares" if any(frame.name == name for frame in directory.time_frames) else ""
        yield Problem((*path, "time_frame"), f"{owner}: there is no time frame {name}{private}")


def _numbers(directory: Directory) -> Iterator[Problem]:
    for place, number in enumerate(directory.numbers):
        seen: set[str] = set()
        for order, route in enumerate(number.routes):
            path: Path = ("numbers", place, "routes", order)
            if route.time_frame in seen:
                yield Problem(path, f"number {number.number}: two routes for time frame {route.time_frame}")
            seen.add(route.time_frame)
            yield from _frame(directory, path, f"number {number.number}", route.time_frame)


def _attendants(directory: Directory) -> Iterator[Problem]:
    for place, attendant in enumerate(directory.attendants):
        path: Path = ("attendants", place)
        owner = f"attendant {attendant.extension}"
        names = [menu.name for menu in attendant.menus]
        for order, name in enumerate(names):
            if name in names[:order]:
                yield Problem((*path, "menus", order), f"{owner}: menu {name} exists twice")
        if attendant.closed and attendant.menu(attendant.closed) is None:
            yield Problem((*path, "closed"), f"{owner}: there is no menu {attendant.closed}")
        for name in attendant.open_frames:
            if name not in directory.frames_by_name:
                yield Problem((*path, "open_frames"), f"{owner}: there is no time frame {name}")
        for order, intro in enumerate(attendant.intros):
            yield from _frame(directory, (*path, "intros", order), owner, intro.time_frame)
        for step, word, action in _actions(directory, place):
            if action.menu and attendant.menu(action.menu) is None:
                yield Problem(step, f"{owner}, {word}: there is no menu {action.menu}")


def _actions(directory: Directory, place: int) -> Iterator[tuple[Path, str, MenuAction]]:
    for order, menu in enumerate(directory.attendants[place].menus):
        path: Path = ("attendants", place, "menus", order)
        for key, action in menu.keys.items():
            yield (*path, "keys", key), f"menu {menu.name} key {key}", action
        yield (*path, "no_key"), f"menu {menu.name} no key", menu.no_key
        yield (*path, "unassigned_key"), f"menu {menu.name} unassigned key", menu.unassigned_key


def _queues(directory: Directory) -> Iterator[Problem]:
    for place, queue in enumerate(directory.queues):
        seen: set[str] = set()
        for order, agent in enumerate(queue.agents):
            path: Path = ("queues", place, "agents", order)
            if agent.extension and agent.extension not in directory.users_by_extension:
                yield Problem(path, f"queue {queue.extension}: agent {agent.extension} is no user", dangling=True)
            if agent.device and agent.device not in directory.devices_by_id:
                yield Problem(path, f"queue {queue.extension}: agent {agent.device} is no device", dangling=True)
            if agent.number and agent.number in directory.numbers_by_digits:
                yield Problem(
                    path, f"queue {queue.extension}: agent {agent.number} is a number of this domain, not off-net"
                )
            if person(agent.name) in seen:
                yield Problem(path, f"queue {queue.extension}: agent {agent.name} is listed twice")
            seen.add(person(agent.name))


def _conferences(directory: Directory) -> Iterator[Problem]:
    for place, conference in enumerate(directory.conferences):
        if conference.owner and conference.owner not in directory.users_by_extension:
            yield Problem(
                ("conferences", place, "owner"),
                f"conference {conference.extension}: there is no user {conference.owner} to own it",
            )


def _page_groups(directory: Directory) -> Iterator[Problem]:
    for place, group in enumerate(directory.page_groups):
        for member in group.members:
            if member not in directory.users_by_extension:
                path: Path = ("page_groups", place, "members")
                yield Problem(path, f"page group {group.extension}: member {member} is no user")


def _destinations(directory: Directory) -> Iterator[Problem]:
    for path, owner, destination in _configured(directory):
        missing = _missing(directory, destination)
        if missing:
            yield Problem(path, f"{owner}: {missing}", dangling=missing.startswith("there is no"))


def _configured(directory: Directory) -> Iterator[tuple[Path, str, Destination]]:
    """Every destination anybody configured, with its place and owner."""
    for place, user in enumerate(directory.users):
        for order, rule in enumerate(user.rules):
            for field in FORWARDS:
                destination = getattr(rule, field)
                if destination is not None:
                    words = field.replace("_", " ")
                    yield ("users", place, "rules", order, field), f"user {user.extension}, {words}", destination
    for place, number in enumerate(directory.numbers):
        for order, route in enumerate(number.routes):
            yield ("numbers", place, "routes", order, "to"), f"number {number.number}", route.to
    for place, attendant in enumerate(directory.attendants):
        for path, word, action in _actions(directory, place):
            if action.to is not None:
                yield path, f"attendant {attendant.extension}, {word}", action.to
    for place, queue in enumerate(directory.queues):
        if queue.overflow is not None:
            yield ("queues", place, "overflow"), f"queue {queue.extension}, overflow", queue.overflow
        if queue.unavailable is not None:
            yield ("queues", place, "unavailable"), f"queue {queue.extension}, unavailable", queue.unavailable


def _missing(directory: Directory, destination: Destination) -> str:
    """Return what a destination lacks, or an empty string."""
    match destination:
        case ToUser(extension=extension):
            return "" if extension in directory.users_by_extension else f"there is no user {extension}"
        case ToMailbox(extension=extension):
            return _mailbox_missing(directory.users_by_extension.get(extension), extension)
        case ToMailboxLogin(extension=extension):
            return _mailbox_missing(directory.users_by_extension.get(extension), extension) if extension else ""
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
        case ToExternal() | ToPark() | ToSupport() | ToService() | HangUp():
            return ""
        case _:
            assert_never(destination)


def _copies(directory: Directory) -> Iterator[Problem]:
    for place, user in enumerate(directory.users):
        for box in user.mailbox.copy_to:
            missing = _mailbox_missing(directory.users_by_extension.get(box), box)
            if box == user.extension:
                missing = "a mailbox needs no copy of its own messages"
            if missing:
                path: Path = ("users", place, "mailbox", "copy_to")
                yield Problem(path, f"user {user.extension}, copies of messages: {missing}")


def _mailbox_missing(user: User | None, extension: str) -> str:
    if user is None:
        return f"there is no mailbox {extension}: no such user"
    return "" if user.voicemail else f"user {extension} has no mailbox"


def _settings(directory: Directory) -> Iterator[Problem]:
    known = {
        "site": set(directory.sites_by_name),
        "group": {user.department for user in directory.users if user.department},
        "user": set(directory.users_by_extension),
    }
    for owner in directory.settings:
        kind, _, name = owner.partition(":")
        if owner != "domain" and name not in known.get(kind, ()):
            yield Problem(
                ("settings", owner),
                f"settings of {owner}: the owner is `domain`, `site:<name>`, `group:<department>` or "
                "`user:<extension>`, and exists",
            )
