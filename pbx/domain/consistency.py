"""What must hold across the objects of one domain; each problem is one sentence naming the object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pbx.domain.destinations import Destination, ToFax
from pbx.domain.dialplan import why_reserved
from pbx.domain.problems import Path, Problem
from pbx.domain.queues import person
from pbx.domain.references import frame_missing, missing
from pbx.domain.user_consistency import address_wrong, policy_missing, problems_of_user

if TYPE_CHECKING:
    from pbx.domain.attendants import MenuAction
    from pbx.domain.devices import Device
    from pbx.domain.directory import Directory
    from pbx.domain.tenancy import Domain, Site


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
        *_hardware(directory),
        *(problem for place in range(len(directory.users)) for problem in problems_of_user(directory, place)),
        *_numbers(directory),
        *_attendants(directory),
        *_queues(directory),
        *_conferences(directory),
        *_page_groups(directory),
        *_fax_accounts(directory),
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


def _limits(directory: Directory) -> Iterator[Problem]:
    domain = directory.domain
    if directory.sites and not domain.sites_enabled:
        why = f"sites are not enabled, and there are {len(directory.sites)}; support enables them"
        yield Problem(("domain", "sites_enabled"), f"domain {domain.name}: {why}")
    for kind, limit, count in (
        ("users", domain.max_users, len(directory.users)),
        ("sites", domain.max_sites, len(directory.sites)),
        ("departments", domain.max_departments, len({user.department for user in directory.users} - {""})),
        ("attendants", domain.max_attendants, len(directory.attendants)),
        ("queues", domain.max_queues, len(directory.queues)),
        ("conferences", domain.max_conferences, len(directory.conferences)),
        ("fax_accounts", domain.max_fax_accounts, len(directory.fax_accounts)),
    ):
        if 0 < limit < count:
            why = f"{count} {kind.replace('_', ' ')}, and max_{kind} allows {limit}; raise it or remove some"
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
    yield from _callbacks(directory)
    yield from _twice("devices", "device", (device.id for device in directory.devices))
    yield from _twice("users", "login", (directory.login_of(user).casefold() for user in directory.users))
    if (night := directory.domain.night_frame) and night not in directory.frames_by_name:
        sentence = f"domain {directory.domain.name}: there is no time frame {night} that everybody shares"
        yield Problem(("domain", "night_frame"), sentence)
    for place, number in enumerate(directory.numbers):
        if number.number in directory.reseller.support_numbers and directory.domain.kind == "customer":
            yield Problem(("numbers", place), f"number {number.number}: it is the provider's own; take another")
    for place, contact in enumerate(directory.contacts):
        if contact.owner and contact.owner not in directory.users_by_extension:
            why = f"contact {contact.name}: there is no user {contact.owner} to own it"
            yield Problem(("contacts", place, "owner"), why)
    yield from _twice("numbers", "number", (number.number for number in directory.numbers))


def _callbacks(directory: Directory) -> Iterator[Problem]:
    """Each emergency location has a callback number of its own (domain-features 3)."""
    owner_of: dict[str, str] = {}
    for place, address in enumerate(directory.addresses):
        owner = owner_of.setdefault(address.callback, address.key)
        if owner != address.key:
            sentence = (
                f"emergency address {address.key}: {address.callback} is the number of {owner}; give each its own"
            )
            yield Problem(("addresses", place, "callback"), sentence)


def _twice(field: str, kind: str, names: Iterable[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, name in enumerate(names):
        if name in seen:
            yield Problem((field, place), f"{kind} {name} exists twice")
        seen.add(name)


def _sites(directory: Directory) -> Iterator[Problem]:
    for field, kind, objects in (
        ("numbers", "number", [(number.number, number.site) for number in directory.numbers]),
        ("attendants", "attendant", [(a.extension, a.site) for a in directory.attendants]),
        ("queues", "queue", [(queue.extension, queue.site) for queue in directory.queues]),
        ("conferences", "conference", [(c.extension, c.site) for c in directory.conferences]),
    ):
        for place, (name, site) in enumerate(objects):
            if site and site not in directory.sites_by_name:
                yield Problem((field, place, "site"), f"{kind} {name}: there is no site {site}")


def _dial_policies(directory: Directory) -> Iterator[Problem]:
    """Of domain and sites; those of users are asked with the user."""
    domain = directory.domain
    yield from policy_missing(directory, ("domain",), f"domain {domain.name}", domain.dial_policy)
    for place, site in enumerate(directory.sites):
        yield from policy_missing(directory, ("sites", place), f"site {site.name}", site.dial_policy)


def _emergency(directory: Directory) -> Iterator[Problem]:
    domain = directory.domain
    owners: list[tuple[Path, str, Domain | Site | Device]] = [(("domain",), f"domain {domain.name}", domain)]
    owners += [(("sites", place), f"site {site.name}", site) for place, site in enumerate(directory.sites)]
    owners += [(("devices", place), f"device {device.id}", device) for place, device in enumerate(directory.devices)]
    for path, owner, one in owners:
        yield from address_wrong(directory, path, owner, one.emergency_address, one.emergency_caller_id)


def _devices(directory: Directory) -> Iterator[Problem]:
    lines: dict[tuple[str, int], str] = {}
    families: dict[str, tuple[str, str]] = {}
    for place, device in enumerate(directory.devices):
        if device.extension not in directory.users_by_extension:
            yield Problem(("devices", place, "extension"), f"device {device.id}: there is no user {device.extension}")
        if device.home != device.extension:
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


def _hardware(directory: Directory) -> Iterator[Problem]:
    yield from _twice("orders", "order", (order.number for order in directory.orders))
    yield from _twice("shipments", "shipment", (shipment.number for shipment in directory.shipments))
    yield from _twice("hardware", "MAC", (item.mac for item in directory.hardware))
    orders = {order.number for order in directory.orders}
    for place, shipment in enumerate(directory.shipments):
        if shipment.order not in orders:
            sentence = f"shipment {shipment.number}: there is no order {shipment.order}"
            yield Problem(("shipments", place, "order"), sentence)
        if shipment.arrived_on is not None and shipment.arrived_on < shipment.shipped_on:
            sentence = f"shipment {shipment.number}: it arrived before it was sent"
            yield Problem(("shipments", place, "arrived_on"), sentence)
    for place, item in enumerate(directory.hardware):
        if item.shipment and item.shipment not in directory.shipments_by_number:
            sentence = f"MAC {item.mac}: there is no shipment {item.shipment}"
            yield Problem(("hardware", place, "shipment"), sentence)
        using = directory.devices_by_mac.get(item.mac, ())
        if item.retired and using:
            sentence = f"MAC {item.mac}: it is retired, and device {using[0].id} has it"
            yield Problem(("hardware", place, "retired"), sentence)


def _numbers(directory: Directory) -> Iterator[Problem]:
    for place, number in enumerate(directory.numbers):
        seen: set[str] = set()
        for order, route in enumerate(number.routes):
            path: Path = ("numbers", place, "routes", order)
            if route.time_frame in seen:
                yield Problem(path, f"number {number.number}: two routes for time frame {route.time_frame}")
            seen.add(route.time_frame)
            yield from frame_missing(directory, path, f"number {number.number}", route.time_frame)


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
            yield from frame_missing(directory, (*path, "intros", order), owner, intro.time_frame)
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
        for supervisor in queue.supervisors:
            if supervisor not in directory.users_by_extension:
                path = ("queues", place, "supervisors")
                yield Problem(path, f"queue {queue.extension}: supervisor {supervisor} is no user", dangling=True)


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


def _fax_accounts(directory: Directory) -> Iterator[Problem]:
    yield from _twice("fax_accounts", "fax account", (account.name for account in directory.fax_accounts))
    for place, account in enumerate(directory.fax_accounts):
        owner, bound = f"fax account {account.name}", directory.numbers_of_fax(account.name)
        if account.number and account.number not in directory.numbers_by_digits:
            yield Problem(("fax_accounts", place, "number"), f"{owner}: {account.number} is no number of the domain")
        if 0 < account.max_numbers < len(bound):
            why = f"{len(bound)} numbers lead here, and max_numbers allows {account.max_numbers}: {', '.join(bound)}"
            yield Problem(("fax_accounts", place, "max_numbers"), f"{owner}: {why}")
    for place, number in enumerate(directory.numbers):
        if len(number.routes) > 1 and any(isinstance(route.to, ToFax) for route in number.routes):
            why = "a fax number leads to its account alone; make it available first"
            yield Problem(("numbers", place, "routes"), f"number {number.number}: {why}")


def _destinations(directory: Directory) -> Iterator[Problem]:
    for path, owner, destination in _configured(directory):
        lacks = missing(directory, destination)
        if lacks:
            yield Problem(path, f"{owner}: {lacks}", dangling=lacks.startswith("there is no"))


def _configured(directory: Directory) -> Iterator[tuple[Path, str, Destination]]:
    """Every destination that is configured elsewhere than in answering rules, with its place and owner."""
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
