"""What a label of the map or a link of a decision record is: its name, its page, and whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from pbx.access import Thing
from pbx.callflow.findings import Finding
from pbx.domain.directory import Directory
from pbx.ownership import conference_thing, device_thing, domain_thing, queue_thing, site_thing, user_thing

_PAGES = frozenset({"users", "timeframes", "attendants", "queues", "conferences", "numbers", "sites"})


@dataclass(frozen=True, slots=True)
class Place:
    """One node of the map as it is shown."""

    label: str
    title: str
    sub: str
    href: str
    """Its page; empty where it has none."""
    thing: Thing
    known: bool = True
    """False where the domain has nothing of that name: it is shown all the same."""


def page_of(domain: str, link: str) -> str:
    """Return the address of what a record or finding links to, e.g. `users/101/rules/0`; empty for what has none."""
    section, _, rest = link.partition("/")
    name, _, tail = rest.partition("/")
    if section == "devices" and name:
        return f"/phones/{quote(name, safe='')}"
    if section not in _PAGES or not name:
        return ""
    rules = "/rules" if section == "users" and tail.startswith("rules") else ""
    return f"/d/{domain}/{section}/{quote(name, safe='')}{rules}"


def label_of(directory: Directory, finding: Finding) -> str:
    """Return the node a finding is about, empty when it is none of the map."""
    section, _, rest = finding.link.partition("/")
    name, _, tail = rest.partition("/")
    match section:
        case "users" | "queues" | "numbers" | "devices":
            return f"{section.removesuffix('s')}:{name}"
        case "attendants":
            attendant = directory.attendants_by_extension.get(name)
            menu = tail.removeprefix("menus/") or (attendant.menus[0].name if attendant is not None else "")
            return f"attendant:{name}/{menu}"
        case _:
            return ""


def place_of(directory: Directory, label: str) -> Place:
    """Return what a node of the map is; one of a kind nobody knows is shown by its label."""
    kind, _, name = label.partition(":")
    domain = directory.domain.name
    nobody = domain_thing(directory, "flow map", name)
    match kind:
        case "number":
            number = next((one for one in directory.numbers if one.number == name), None)
            thing = site_thing(directory, "flow map", name, number.site) if number is not None else nobody
            href = page_of(domain, f"numbers/{name}") if number is not None else ""
            return Place(label, spaced(name), number.description if number else "", href, thing, number is not None)
        case "user" | "mailbox":
            user = directory.users_by_extension.get(name)
            href = page_of(domain, f"users/{name}" + ("/rules/0" if kind == "user" else "")) if user else ""
            title = f"{name} {user.name}" if user is not None else name
            return Place(label, title, kind, href, user_thing(directory, name, "flow map"), user is not None)
        case "device":
            device = directory.devices_by_id.get(name)
            href = page_of(domain, f"devices/{name}") if device is not None else ""
            sub = (device.model or device.family) if device is not None else ""
            return Place(label, name, sub, href, device_thing(directory, name, "flow map"), device is not None)
        case "queue":
            queue = directory.queues_by_extension.get(name)
            if queue is None:
                return Place(label, name, kind, "", nobody, known=False)
            thing = queue_thing(directory, queue, "flow map")
            return Place(label, f"{name} {queue.name}", kind, page_of(domain, f"queues/{name}"), thing)
        case "attendant":
            extension, _, menu = name.partition("/")
            attendant = directory.attendants_by_extension.get(extension)
            if attendant is None:
                return Place(label, name, kind, "", nobody, known=False)
            thing = site_thing(directory, "flow map", extension, attendant.site)
            href = page_of(domain, f"attendants/{extension}")
            return Place(label, f"{extension} {attendant.name}", f"{kind} · {menu}", href, thing)
        case "conference":
            room = next((one for one in directory.conferences if one.extension == name), None)
            if room is None:
                return Place(label, name, kind, "", nobody, known=False)
            mine = conference_thing(directory, room)
            return Place(label, f"{name} {room.name}", kind, page_of(domain, f"conferences/{name}"), mine)
        case "external":
            return Place(label, spaced(name), kind, "", nobody)
        case _:
            return Place(label, name or kind, kind if name else "", "", nobody)


def spaced(number: str) -> str:
    """Return a North American number as people read it."""
    if len(number) == 11 and number.startswith("1") and number.isdigit():
        return f"+1 {number[1:4]} {number[4:7]} {number[7:]}"
    return number
