"""The rooms in the side bar: those the reader has a right to, in Sonar's order; what is not theirs is absent."""

from __future__ import annotations

from pbx.access import Actor, Kind, may_some
from pbx.domain.directory import Directory

Link = tuple[str, str, str, str]
"""Room, address, title, keys."""

LAB: tuple[tuple[Link, Kind], ...] = (
    (("floor", "/floor", "Lab floor", "g f"), "phone"),
    (("calls", "/calls", "Calls", "g c"), "call record"),
    (("devices", "/devices", "Devices", "g d"), "hardware"),
    (("runs", "/runs", "Test runs", "g t"), "test run"),
    (("onboard", "/onboard", "Onboarding", "g o"), "onboarding"),
    (("outbox", "/outbox", "Outbox", "g x"), "mail"),
)
FAULTS: tuple[Link, ...] = (
    ("clock", "/clock", "Time machine", "g k"),
    ("faults", "/faults", "Impairments", "g b"),
)
"""A Super User's, as all of the lab that has no row in the table of rights."""
_PORTAL: tuple[tuple[str, str, str, Kind], ...] = (
    ("users", "Users", "g u", "user"),
    ("sites", "Sites", "", "site"),
    ("timeframes", "Time frames", "", "time frame"),
    ("attendants", "Auto attendants", "", "attendant"),
    ("queues", "Call queues", "", "queue"),
    ("conferences", "Conferences", "", "conference"),
    ("numbers", "Numbers", "g i", "number"),
    ("faxes", "Faxes", "", "fax account"),
    ("history", "Call history", "", "call record"),
)
_TOOLS: tuple[tuple[str, str, str, Kind], ...] = (
    ("map", "Call-flow map", "g m", "flow map"),
    ("what-if", "What-if call", "g w", "flow map"),
    ("roles", "Roles", "", "home"),
    ("why-may-i", "Why may I?", "", "home"),
    ("audit", "Audit", "", "audit log"),
)


def rooms(actor: Actor, home: Directory, shown: Directory) -> list[tuple[str, list[Link]]]:
    """Return the groups of links: the lab's of its `home` domain, the portal's of the domain that is shown."""
    lab = [link for link, kind in LAB if may_some(actor, "view", kind, home.domain.name, home.reseller.name)]
    lab += FAULTS if actor.scope == "Super User" else ()
    portal = [link for link, kind in _links(_PORTAL, shown) if _shows(actor, kind, shown)]
    if actor.extension and not _shows(actor, "user", shown):
        mine = f"/d/{shown.domain.name}/users/{actor.extension}"
        portal = [("users", mine, "My settings", "g u"), *portal]
    tools = [link for link, kind in _links(_TOOLS, shown) if _shows(actor, kind, shown)]
    return [(name, links) for name, links in (("Lab", lab), ("Portal", portal), ("Tools", tools)) if links]


def landing(actor: Actor, home: Directory) -> str:
    """Return what somebody opens first (console.md 4.1)."""
    own = f"/d/{actor.domain or home.domain.name}"
    match actor.scope:
        case "Super User":
            return "/floor"
        case "Reseller" | "Office Manager" | "Site Manager":
            return f"{own}/users"
        case "Call Center Supervisor":
            return f"{own}/queues"
        case _:
            return f"{own}/users/{actor.extension}/rules"


def _links(rooms: tuple[tuple[str, str, str, Kind], ...], shown: Directory) -> list[tuple[Link, Kind]]:
    at = f"/d/{shown.domain.name}"
    return [((path, f"{at}/{path}", title, keys), kind) for path, title, keys, kind in rooms]


def _shows(actor: Actor, kind: Kind, shown: Directory) -> bool:
    return bool(may_some(actor, "view", kind, shown.domain.name, shown.reseller.name))
