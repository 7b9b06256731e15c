"""Routing: what was dialled, by whom, now → where the call goes, with the decision record (pure).

Emergency and 611 come first and depend on nothing else: no barring, do not disturb, hours or scope reaches them.
"""

from __future__ import annotations

from dataclasses import dataclass

from pbx.callflow.answering import Presence, RingPlan, apply_rules
from pbx.callflow.decisions import DecisionRecord, Notes
from pbx.clock import Moment
from pbx.domain.attendants import Attendant, Menu
from pbx.domain.destinations import (
    Cause,
    Destination,
    HangUp,
    ToAttendant,
    ToDevice,
    ToEmergency,
    ToExternal,
    ToMailbox,
    ToMailboxLogin,
    ToQueue,
    ToSupport,
    ToUser,
)
from pbx.domain.devices import Device
from pbx.domain.dialplan import Kind, normal_number, read_dialled
from pbx.domain.directory import Directory
from pbx.domain.emergency import EmergencyAddress
from pbx.domain.numbers import PhoneNumber

MAX_HOPS = 10
"""Destinations a call may pass before it is a loop (RFC 5393 in spirit)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to routing. A caller from outside has no device."""

    dialled: str
    caller_number: str
    caller_device: str = ""
    caller_extension: str = ""
    caller_name: str = ""

    @property
    def outside(self) -> bool:
        return not self.caller_device


@dataclass(frozen=True, slots=True)
class Route:
    """Where a call goes first; `ring` when that is a user who is to be rung."""

    destination: Destination
    record: DecisionRecord
    caller_prefix: str = ""
    """Put before the caller's name, from the number that was called."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A destination made concrete: forwarded on, or a ring plan, or the menu in force."""

    destination: Destination
    ring: RingPlan | None
    menu: str
    record: DecisionRecord


def route(directory: Directory, asked: Asked, presence: Presence, at: Moment) -> Route:
    """Return the first destination of what was dialled, followed as far as it can be known beforehand."""
    notes = Notes()
    destination, prefix = _first(directory, asked, at, notes)
    stop = _follow(directory, destination, asked, presence, at, notes, _question(asked))
    return Route(destination, stop.record, prefix)


def resolve(directory: Directory, destination: Destination, asked: Asked, presence: Presence, at: Moment) -> Stop:
    """Make one destination concrete: a user becomes a forward or a ring plan, an attendant its menu in force."""
    return _follow(directory, destination, asked, presence, at, Notes(), f"{destination.label} for {_caller(asked)}")


def emergency_location(directory: Directory, device: Device | None) -> tuple[str, EmergencyAddress | None]:
    """Return (callback number, address) of a device: its own, its user's, its site's, the domain's (most specific)."""
    user = directory.users_by_extension.get(device.extension) if device else None
    site = directory.sites_by_name.get(user.site) if user else None
    levels = [level for level in (device, user, site, directory.domain) if level is not None]
    key = next((level.emergency_address for level in levels if level.emergency_address), "")
    address = directory.addresses_by_key.get(key)
    number = next((level.emergency_caller_id for level in levels if level.emergency_caller_id), None)
    return number or (address.callback if address else ""), address


def outbound_caller_id(directory: Directory, extension: str) -> str:
    """Return the number shown outside: user, site, domain (most specific)."""
    user = directory.users_by_extension.get(extension)
    site = directory.sites_by_name.get(user.site) if user else None
    levels = [level.caller_id for level in (user, site, directory.domain) if level is not None]
    return next((number for number in levels if number), "")


def music_of(directory: Directory, site: str) -> str:
    """Return the music-on-hold class of a site, else the domain's."""
    found = directory.sites_by_name.get(site)
    return (found.music if found else "") or directory.domain.music


def _caller(asked: Asked) -> str:
    return asked.caller_device or asked.caller_number or "anonymous"


def _question(asked: Asked) -> str:
    return f"{asked.dialled} dialled by {_caller(asked)}"


def _first(directory: Directory, asked: Asked, at: Moment, notes: Notes) -> tuple[Destination, str]:
    domain = directory.domain
    user = directory.users_by_extension.get(asked.caller_extension)
    site = directory.sites_by_name.get(user.site) if user else None
    dialled = read_dialled(asked.dialled, area_code=(site.area_code if site else "") or domain.area_code)
    if asked.outside:
        return _inbound(directory, asked, at, notes)
    match dialled.kind:
        case Kind.EMERGENCY:
            notes.yes("emergency", "911 goes to the simulated emergency desk, always", "emergency/911")
            return ToEmergency(code="911"), ""
        case Kind.ADDRESS_TEST if domain.read_back_933:
            notes.yes("address test", "933 is read back by the simulated emergency desk", "emergency/933")
            return ToEmergency(code="933"), ""
        case Kind.SUPPORT:
            notes.yes("support", "611 reaches the provider from every device, whatever its rules", "support")
            return ToSupport(), ""
        case Kind.SERVICE | Kind.ADDRESS_TEST:
            notes.no("service code", f"{dialled.digits} has no destination in the lab", "domain")
            return HangUp(cause=Cause.NOT_FOUND), ""
        case Kind.MAILBOX_LOGIN:
            box = asked.caller_extension if dialled.digits == "5001" else ""
            notes.yes("voicemail", f"{dialled.digits} opens {'box ' + box if box else 'the box that is entered'}")
            return ToMailboxLogin(extension=box), ""
        case Kind.MAILBOX if dialled.digits in directory.users_by_extension:
            notes.yes("direct to voicemail", f"7 and extension {dialled.digits}", f"users/{dialled.digits}")
            return ToMailbox(extension=dialled.digits), ""
        case Kind.EXTENSION | Kind.MAILBOX:
            return _extension(directory, asked.dialled, notes), ""
        case Kind.NUMBER:
            return _number_from_inside(directory, dialled.digits, asked, at, notes)
        case _:
            notes.no("dial plan", f"{asked.dialled!r} is neither an extension nor a number", "domain")
            return HangUp(cause=Cause.NOT_FOUND), ""


def _extension(directory: Directory, extension: str, notes: Notes) -> Destination:
    if extension in directory.users_by_extension:
        notes.yes(
            "extension", f"{extension} is user {directory.users_by_extension[extension].name}", f"users/{extension}"
        )
        return ToUser(extension=extension)
    if extension in directory.queues_by_extension:
        notes.yes(
            "extension", f"{extension} is queue {directory.queues_by_extension[extension].name}", f"queues/{extension}"
        )
        return ToQueue(extension=extension)
    if extension in directory.attendants_by_extension:
        name = directory.attendants_by_extension[extension].name
        notes.yes("extension", f"{extension} is attendant {name}", f"attendants/{extension}")
        return ToAttendant(extension=extension)
    notes.no("extension", f"{extension} is nobody's", "users")
    return HangUp(cause=Cause.NOT_FOUND)


def _inbound(directory: Directory, asked: Asked, at: Moment, notes: Notes) -> tuple[Destination, str]:
    digits = normal_number(asked.dialled)
    number = directory.numbers_by_digits.get(digits)
    if number is None:
        notes.no("number", f"{asked.dialled} is not one of ours", "numbers")
        return HangUp(cause=Cause.NOT_FOUND), ""
    return _treated(directory, number, at, notes)


def _treated(directory: Directory, number: PhoneNumber, at: Moment, notes: Notes) -> tuple[Destination, str]:
    where = f"numbers/{number.number}"
    if not number.routes:
        notes.no("number", f"{number.number} is available: it has no treatment", where)
        return HangUp(cause=Cause.NOT_FOUND), ""
    notes.yes("number", f"{number.number} {number.description}".strip(), where)
    site = directory.sites_by_name.get(number.site)
    zone = (site.time_zone if site else "") or directory.domain.time_zone
    for choice in number.routes:
        if choice.time_frame == "*" or directory.frames_by_name[choice.time_frame].covers(at.wall, zone):
            notes.yes("time frame", f"{choice.time_frame} → {choice.to.label}", where)
            return choice.to, number.caller_id_prefix
        notes.no("time frame", f"{choice.time_frame} is not now", where)
    notes.no("number", "no time frame covers this moment", where)
    return HangUp(cause=Cause.NOT_FOUND), ""


def _number_from_inside(
    directory: Directory, digits: str, asked: Asked, at: Moment, notes: Notes
) -> tuple[Destination, str]:
    own = directory.numbers_by_digits.get(digits)
    if own is not None:
        notes.yes("own number", f"{digits} is one of ours: stays inside", f"numbers/{digits}")
        return _treated(directory, own, at, notes)
    user = directory.users_by_extension.get(asked.caller_extension)
    if user is None or not user.outbound:
        notes.no("outside calls", "barred for this user", f"users/{asked.caller_extension}")
        return HangUp(cause=Cause.FORBIDDEN), ""
    notes.yes("outside calls", f"{digits} through the carrier", f"users/{asked.caller_extension}")
    return ToExternal(number=digits), ""


def _follow(
    directory: Directory,
    destination: Destination,
    asked: Asked,
    presence: Presence,
    at: Moment,
    notes: Notes,
    question: str,
) -> Stop:
    """Go on while nobody is needed: forwards lead on, a ring plan or a menu stops."""
    for _ in range(MAX_HOPS):
        match destination:
            case ToUser(extension=extension):
                user = directory.users_by_extension.get(extension)
                if user is None:
                    notes.no("user", f"{extension} does not exist", "users")
                    destination = HangUp(cause=Cause.NOT_FOUND)
                    continue
                result = apply_rules(directory, user, asked.caller_number, presence, at, notes)
                if isinstance(result, RingPlan):
                    return Stop(destination, result, "", notes.record(question, destination.label))
                destination = result
            case ToDevice(device=device):
                if device in presence.registered:
                    notes.yes("device", f"{device} is registered", f"devices/{device}")
                else:
                    notes.no("device", f"{device} is not registered", f"devices/{device}")
                    return Stop(destination, None, "", notes.record(question, destination.label))
                return Stop(destination, None, "", notes.record(question, destination.label))
            case ToAttendant(extension=extension, menu=wanted):
                attendant = directory.attendants_by_extension.get(extension)
                if attendant is None:
                    notes.no("attendant", f"{extension} does not exist", "attendants")
                    destination = HangUp(cause=Cause.NOT_FOUND)
                    continue
                menu = menu_in_force(directory, attendant, wanted, at, notes)
                return Stop(destination, None, menu.name, notes.record(question, destination.label))
            case ToQueue(extension=extension):
                return _queue(directory, extension, destination, presence, notes, question)
            case _:
                return Stop(destination, None, "", notes.record(question, destination.label))
    notes.no("hops", f"{MAX_HOPS} forwards in a row: a loop")
    destination = HangUp(cause=Cause.LOOP)
    return Stop(destination, None, "", notes.record(question, destination.label))


def menu_in_force(directory: Directory, attendant: Attendant, wanted: str, at: Moment, notes: Notes) -> Menu:
    """Return the menu a caller enters: the wanted one, or the closed one outside the attendant's hours."""
    where = f"attendants/{attendant.extension}"
    first = attendant.menus[0]
    if wanted not in ("main", first.name):
        return attendant.menu(wanted) or first
    if attendant.closed and attendant.open_frames:
        site = directory.sites_by_name.get(attendant.site)
        zone = (site.time_zone if site else "") or directory.domain.time_zone
        for name in attendant.open_frames:
            if directory.frames_by_name[name].covers(at.wall, zone):
                notes.yes("hours", f"{name} is now", where)
                break
            notes.no("hours", f"{name} is not now", where)
        else:
            notes.yes("menu", f"{attendant.closed} (closed)", where)
            return attendant.menu(attendant.closed) or first
    notes.yes("menu", first.name, where)
    return first


def _queue(
    directory: Directory, extension: str, destination: Destination, presence: Presence, notes: Notes, question: str
) -> Stop:
    queue = directory.queues_by_extension.get(extension)
    if queue is None:
        notes.no("queue", f"{extension} does not exist", "queues")
        destination = HangUp(cause=Cause.NOT_FOUND)
        return Stop(destination, None, "", notes.record(question, destination.label))
    where = f"queues/{extension}"
    notes.yes("queue", f"{queue.name}, {queue.strategy.replace('_', ' ')}, {len(queue.agents)} agents", where)
    for agent in queue.agents:
        own = directory.devices_by_extension.get(agent.extension, ())
        if not agent.available:
            notes.no("agent", f"{agent.extension} is logged out", where)
        elif not any(device.id in presence.registered for device in own):
            notes.no("agent", f"{agent.extension} is not registered", where)
        elif agent.extension in presence.busy:
            notes.no("agent", f"{agent.extension} is in a call", where)
        else:
            notes.yes("agent", f"{agent.extension} is free", where)
    return Stop(destination, None, "", notes.record(question, destination.label))
