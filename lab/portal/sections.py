"""The nouns of the portal, in Sonar's order: what a list of each shows, and what its form may change."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

from lab.portal.fields import Field
from lab.portal.sight import Sight
from pbx.access import Kind, Thing
from pbx.domain.attendants import Menu
from pbx.domain.base import Recording
from pbx.domain.directory import Directory
from pbx.domain.queues import Agent, Strategy
from pbx.ownership import conference_thing, frame_thing, queue_thing, site_thing, user_thing


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    href: str = ""
    tag: str = ""
    """A chip beside it."""


@dataclass(frozen=True, slots=True)
class Section:
    """One noun: path, title, section of the directory, key, columns and fields."""

    path: str
    title: str
    one: str
    kind: Kind
    items: str
    """Field of `Directory`."""
    key: str
    """Field of the item."""
    thing: Callable[[Directory, Any], Thing]
    columns: Mapping[str, Callable[[Sight, Any], Cell]]
    fields: tuple[Field, ...] = ()
    empty: str = ""
    """What an empty list says."""
    api: str = ""
    """The documented routes that do what the form does."""

    def all(self, directory: Directory) -> Sequence[Any]:
        found: Sequence[Any] = getattr(directory, self.items)
        return found

    def find(self, directory: Directory, key: str) -> Any | None:
        return next((item for item in self.all(directory) if getattr(item, self.key) == key), None)


def destination_text(destination: Any | None) -> str:
    """Return a destination as forms write it: `queue 500`."""
    return destination.label.replace(":", " ", 1) if destination is not None else ""


# --- lists that are lines in a form -------------------------------------------------------------------


def _keys_text(directory: Directory, attendant: Any) -> tuple[str, ...]:
    return tuple(f"{key} {_action_text(action)}" for key, action in sorted(attendant.menus[0].keys.items()))


def _action_text(action: Any) -> str:
    match action.action:
        case "go":
            return destination_text(action.to)
        case "menu":
            return f"menu {action.menu}"
        case "message":
            return f"message {action.message}"
        case plain:
            return str(plain)


def _keys_read(attendant: Any, text: str) -> Mapping[str, object]:
    keys = dict(_first_word(line) for line in _lines(text))
    before = {key: action for key, action in attendant.menus[0].keys.items() if keys.get(key) == _action_text(action)}
    first = {**_values(attendant.menus[0]), "keys": {**keys, **before}}
    return {"menus": (first, *attendant.menus[1:])}


def _routes_read(number: Any, text: str) -> Mapping[str, object]:
    known = {(route.time_frame, destination_text(route.to)): route for route in number.routes}
    pairs = [_first_word(line) for line in _lines(text)]
    return {"routes": tuple(known.get(pair) or {"time_frame": pair[0], "to": pair[1]} for pair in pairs)}


def _agents_read(queue: Any, text: str) -> Mapping[str, object]:
    known = {agent.name: agent for agent in queue.agents}
    return {"agents": tuple(known.get(name) or _agent(name) for line in _lines(text) for name in line.split())}


def _agent(name: str) -> Agent:
    if re.fullmatch(r"1[2-9][0-9]{9}", name):
        return Agent(number=name)
    return Agent(device=name) if name[-1:].isalpha() else Agent(extension=name)


def _greeting_read(attendant: Any, text: str) -> Mapping[str, object]:
    first = Menu.model_validate({**_values(attendant.menus[0]), "greeting": text})
    return {"menus": (first, *attendant.menus[1:])}


def _weekdays_read(frame: Any, text: str) -> Mapping[str, object]:
    pairs = [_first_word(line) for line in _lines(text)]
    return {"weekdays": {days: [hours.replace("–", "-") for hours in said.split()] for days, said in pairs}}


def _weekdays_text(directory: Directory, frame: Any) -> tuple[str, ...]:
    return tuple(f"{day} {' '.join(map(str, hours))}" for day, hours in frame.weekdays.items())


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.replace(",", "\n").split("\n") if line.strip()]


def _first_word(line: str) -> tuple[str, str]:
    first, _, rest = line.partition(" ")
    if not rest.strip():
        raise ValueError(f"{line[:40]!r}: two parts belong on a line, with a blank between them")
    return first, rest.strip()


def _values(item: BaseModel) -> dict[str, object]:
    return {name: getattr(item, name) for name in type(item).model_fields}


def _to(name: str, label: str) -> Field:
    """A field for one destination."""

    def parse(item: Any, text: str) -> Mapping[str, object]:
        return {name: text or None}

    return Field(name, label, help="as user 102, mailbox 102, queue 500, external 14165550142",
                 shown=lambda directory, item: destination_text(getattr(item, name)), parse=parse)  # fmt: skip


# --- what fields offer --------------------------------------------------------------------------------


def _sites(directory: Directory) -> Sequence[str]:
    return ("", *directory.sites_by_name)


def _policies(directory: Directory) -> Sequence[str]:
    return ("", *directory.domain.platform.dial_policies)


def _addresses(directory: Directory) -> Sequence[str]:
    return ("", *directory.addresses_by_key)


_SITE = Field("site", "Site", "choice", choices=_sites, kind="site assignment")

USER_FIELDS_SHOWN = (
    Field("first_name", "First name"),
    Field("last_name", "Last name"),
    Field("email", "Email", help="Voicemail and links go there; several are separated by semicolons"),
    Field("dial_by_name", "Dial-by-name code", help="Three keys; empty: the first letters of the name"),
    Field("audio_directory", "Found by name at an attendant", "check"),
    Field("visual_directory", "Shown in directories", "check"),
    Field("voicemail", "Voicemail", "check"),
    Field("time_zone", "Time zone", shown=lambda directory, user: directory.zone_of_user(user)),
    Field("department", "Department"),
    Field("site", "Site", "choice", choices=_sites),
    Field("login", "Login", help="Empty: extension@domain"),
    Field("dial_policy", "Dial policy", "choice", choices=_policies),
    Field("max_calls", "Calls at once", "number", help="0 for no limit", empty=0),
    Field(
        "recording",
        "Recording",
        "choice",
        choices=lambda directory: ("", *get_args(Recording)),
        shown=lambda directory, user: directory.recording_of(user),
    ),
    Field("caller_id", "Caller ID", empty=None),
    Field("caller_id_name", "Caller ID name", help="15 plain characters"),
    Field("emergency_caller_id", "Emergency caller ID", empty=None),
    Field("emergency_address", "Emergency address", "choice", choices=_addresses),
)

RULE_FIELDS = (
    Field("do_not_disturb", "Do not disturb", "check"),
    Field("call_screening", "Call screening", "check"),
    _to("forward_always", "Forward always"),
    _to("forward_on_active", "Forward on active"),
    _to("forward_on_busy", "Forward when busy"),
    _to("forward_no_answer", "Forward when unanswered"),
    _to("forward_offline", "Forward when offline"),
)


def _user_checks(sight: Sight, user: Any) -> Cell:
    directory = sight.directory
    if not any(glyph == "●" for glyph, _ in sight.phones(user.extension)):
        return Cell("", tag="no phone online")
    site = directory.sites_by_name.get(user.site)
    address = user.emergency_address or (site.emergency_address if site else "") or directory.domain.emergency_address
    return Cell("", tag="" if address else "no E911")


def _active(sight: Sight, user: Any) -> Cell:
    place = sight.rule_in_force(user)
    tag = "" if place is None or user.rules[place].time_frame == "*" else f"Active: {user.rules[place].time_frame}"
    return Cell(sight.rings(user), tag=tag)


def _link(path: str, key: str) -> Callable[[Sight, Any], Cell]:
    return lambda sight, item: Cell(
        str(getattr(item, key)), f"/d/{sight.directory.domain.name}/{path}/{getattr(item, key)}"
    )


def _text(name: str) -> Callable[[Sight, Any], Cell]:
    return lambda sight, item: Cell(str(getattr(item, name) or ""))


USERS = Section(
    "users", "Users", "user", "user", "users", "extension",
    lambda directory, user: user_thing(directory, user.extension, "user"),
    {
        "Ext": _link("users", "extension"),
        "Name": _text("name"),
        "Site": _text("site"),
        "Phones": lambda sight, user: Cell(" ".join(f"{glyph} {name}" for glyph, name in sight.phones(user.extension))),
        "Now goes to": _active,
        "VM": lambda sight, user: Cell(str(sight.house.new_messages(sight.directory.domain.name, user.extension))),
        "Scope": _text("scope"),
        "Checks": _user_checks,
    },
    USER_FIELDS_SHOWN,
    "No users yet. Add one, or import a list.",
    "GET POST /ns-api/v2/domains/{domain}/users, PUT DELETE …/users/{user}",
)  # fmt: skip

SITES = Section(
    "sites", "Sites", "site", "site", "sites", "name",
    lambda directory, site: site_thing(directory, "site", site.name, site.name),
    {
        "Site": _link("sites", "name"),
        "Users": lambda sight, site: Cell(str(sum(user.site == site.name for user in sight.directory.users))),
        "Music": lambda sight, site: Cell(site.music or sight.directory.domain.music),
        "Greeting": _text("greeting"),
        "E911": lambda sight, site: Cell(site.emergency_address or sight.directory.domain.emergency_address,
                                         tag="" if site.emergency_address else "the domain's"),
    },
    (
        Field("music", "Music on hold", help="Class of music; empty: the domain's"),
        Field("greeting", "Introductory greeting", help="Prompt played before attendants and queues of this site"),
        Field("time_zone", "Time zone", help="Empty: the domain's"),
        Field("area_code", "Area code"),
        Field("caller_id", "Caller ID", empty=None),
        Field("caller_id_name", "Caller ID name"),
        Field("emergency_caller_id", "Emergency caller ID", empty=None),
        Field("emergency_address", "Emergency address", "choice", choices=_addresses),
        Field("ring_s", "Ring time in seconds", "number", empty=None),
        Field("dial_policy", "Dial policy", "choice", choices=_policies),
    ),
    "No sites. Support enables sites and makes them.",
    "GET POST /ns-api/v2/domains/{domain}/sites, PUT …/sites/{site}",
)  # fmt: skip

FRAMES = Section(
    "timeframes", "Time frames", "time frame", "shared time frame", "time_frames", "name",
    frame_thing,
    {
        "Name": _link("timeframes", "name"),
        "Whose": lambda sight, frame: Cell(frame.owner or "shared"),
        "Kind": _text("kind"),
        "Covers": lambda sight, frame: Cell(frame.text_in(_zone(sight, frame)), tag=_now(sight, frame)),
    },
    (Field("weekdays", "Days and hours", "lines", "A line a day: mon-fri 08:00-18:00", shown=_weekdays_text,
           parse=_weekdays_read),),
    "No time frames. Without one every rule holds always.",
    "GET POST /ns-api/v2/domains/{domain}/timeframes, PUT DELETE …/timeframes/{id}",
)  # fmt: skip


def _zone(sight: Sight, frame: Any) -> str:
    owner = sight.directory.users_by_extension.get(frame.owner)
    return sight.directory.zone_of_user(owner) if owner is not None else sight.directory.domain.time_zone


def _now(sight: Sight, frame: Any) -> str:
    return "Active" if frame.covers(sight.now.wall, _zone(sight, frame)) else ""


ATTENDANTS = Section(
    "attendants", "Auto attendants", "auto attendant", "attendant", "attendants", "extension",
    lambda directory, attendant: site_thing(directory, "attendant", attendant.extension, attendant.site),
    {
        "Ext": _link("attendants", "extension"),
        "Name": _text("name"),
        "Site": _text("site"),
        "Greeting": lambda sight, attendant: Cell(attendant.menus[0].greeting),
        "Keys": lambda sight, attendant: Cell(", ".join(_keys_text(sight.directory, attendant))),
        "Now goes to": lambda sight, attendant: Cell(sight.menu_now(attendant)),
    },
    (
        Field("name", "Name"),
        Field("greeting", "Greeting", help="Prompt of the first menu", parse=_greeting_read,
              shown=lambda directory, attendant: attendant.menus[0].greeting),
        Field("keys", "Keys", "lines", "A line a key: 1 user 101, 2 queue 500, 9 repeat", shown=_keys_text,
              parse=_keys_read),
        _SITE,
    ),
    "No auto attendants.",
    "GET POST /ns-api/v2/domains/{domain}/autoattendants, PUT DELETE …/users/{user}/autoattendants/{prompt}",
)  # fmt: skip

QUEUES = Section(
    "queues", "Call queues", "call queue", "queue", "queues", "extension",
    queue_thing,
    {
        "Ext": _link("queues", "extension"),
        "Name": _text("name"),
        "Site": _text("site"),
        "Type": lambda sight, queue: Cell(queue.strategy.replace("_", " ")),
        "Agents": lambda sight, queue: Cell(", ".join(agent.name for agent in queue.in_order)),
        "Supervisors": lambda sight, queue: Cell(", ".join(queue.supervisors)),
        "Now goes to": lambda sight, queue: Cell(sight.agents_now(queue)),
    },
    (
        Field("name", "Name"),
        Field("strategy", "Type", "choice", choices=lambda directory: get_args(Strategy)),
        Field("agents", "Agents", "lines", "Extensions, devices or numbers outside, one a line",
              shown=lambda directory, queue: tuple(agent.name for agent in queue.agents), parse=_agents_read),
        Field("agent_ring_s", "Agent ring time in seconds", "number"),
        Field("max_wait_s", "Longest wait in seconds", "number", "0 for no limit", empty=0),
        Field("max_callers", "Most callers waiting", "number", "0 for no limit", empty=0),
        Field("require_agents", "Require logged-in agents", "check"),
        Field("logout_after_miss", "Log an agent out after a missed call", "check"),
        _to("overflow", "When it overflows"),
        Field("music", "Music on hold", help="Empty: the site's or the domain's"),
        Field("greeting", "Greeting", help="Prompt; empty: the site's"),
        Field("recording", "Record every conversation", "check"),
        Field("supervisors", "Supervisors", "lines", "Extensions of Call Center Supervisors", kind="scope", empty=()),
        _SITE,
    ),
    "No call queues.",
    "GET POST /ns-api/v2/domains/{domain}/callqueues, PUT DELETE …/callqueues/{callqueue}",
)  # fmt: skip

CONFERENCES = Section(
    "conferences", "Conferences", "conference", "conference", "conferences", "extension",
    conference_thing,
    {
        "Ext": _link("conferences", "extension"),
        "Name": _text("name"),
        "Owner": _text("owner"),
        "Quorum": _text("quorum"),
    },
    (
        Field("name", "Name"),
        Field("quorum", "Quorum", "number"),
        Field("require_leader", "Waits for a leader", "check"),
        Field("ends_with_leader", "Ends with the last leader", "check"),
        Field("max_participants", "Most participants", "number", "0 for no limit", empty=0),
        Field("announce_arrival", "Announce arrivals", "check"),
        Field("announce_departure", "Announce departures", "check"),
        Field("ask_name", "Ask for names", "check"),
        _SITE,
    ),
    "No conferences.",
    "GET POST /ns-api/v2/domains/{domain}/conferences",
)  # fmt: skip

NUMBERS = Section(
    "numbers", "Numbers", "number", "number", "numbers", "number",
    lambda directory, number: site_thing(directory, "number", number.number, number.site),
    {
        "Number": _link("numbers", "number"),
        "Description": _text("description"),
        "Treatment": lambda sight, number: Cell(
            "; ".join(f"{route.time_frame} {destination_text(route.to)}" for route in number.routes),
            tag="" if number.routes else "available",
        ),
        "Now goes to": lambda sight, number: Cell(sight.goes_to(number.number)),
        "Site": _text("site"),
    },
    (
        Field("description", "Description"),
        Field("routes", "Treatment", "lines", "A line a time frame, * for always: * attendant 400", parse=_routes_read,
              shown=lambda directory, number: tuple(f"{r.time_frame} {destination_text(r.to)}" for r in number.routes)),
        Field("caller_id_prefix", "Caller ID prefix"),
        _SITE,
    ),
    "No numbers. Order them, or port them in.",
    "GET POST /ns-api/v2/domains/{domain}/phonenumbers, PUT DELETE …/phonenumbers/{number}",
)  # fmt: skip

SECTIONS: tuple[Section, ...] = (USERS, SITES, FRAMES, ATTENDANTS, QUEUES, CONFERENCES, NUMBERS)
