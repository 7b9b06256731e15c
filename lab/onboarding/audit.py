"""Confirmation of configuration on the day of port: the document's ten lines, each a question to the domain
(domain-features 5.5), answered with a count, evidence and the page where it is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from lab.onboarding.case import Case
from lab.onboarding.packet import CallFlow, Packet
from pbx.callflow.findings import findings
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from pbx.domain.queues import Queue
from pbx.domain.tenancy import Site
from pbx.media.prompts.texts import TEXTS


@dataclass(frozen=True, slots=True)
class Gap:
    sentence: str
    fix: str
    """Path of the page where it is mended."""


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    total: int
    """How many things were looked at."""
    gaps: tuple[Gap, ...]
    evidence: str

    @property
    def good(self) -> bool:
        return not self.gaps

    @property
    def missing(self) -> str:
        return "; ".join(gap.sentence for gap in self.gaps)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the lines look at."""

    directory: Directory
    registered: Set[str]
    """Device ids."""
    packet: Packet | None
    """The forms, where the domain came by them."""

    def page(self, kind: str, key: str = "") -> str:
        return f"/d/{self.directory.domain.name}/{kind}{f'/{key}' if key else ''}"

    @property
    def adapters(self) -> tuple[Device, ...]:
        """Ports of analogue adapters: several devices are one box."""
        boxes = (devices for devices in self.directory.devices_by_mac.values() if len(devices) > 1)
        return tuple(device for devices in boxes for device in devices)


def audit(directory: Directory, registered: Set[str], packet: Packet | None = None) -> tuple[Line, ...]:
    """Return the ten lines in order."""
    seen = Seen(directory, registered, packet)
    return tuple(line(seen, name) for name, line in LINES.items())


def missing_by_line(directory: Directory, registered: Set[str]) -> Mapping[str, str]:
    """Return the ten lines in order: name → what is missing, empty for nothing."""
    return {line.name: line.missing for line in audit(directory, registered)}


def open_lines(lines: Iterable[Line], case: Case) -> tuple[str, ...]:
    """Return the names of those that are neither good nor attested."""
    return tuple(line.name for line in lines if not line.good and line.name not in case.attested)


def _users(seen: Seen, name: str) -> Line:
    directory, form = seen.directory, seen.packet.users if seen.packet is not None else ()
    there = directory.users_by_extension
    gaps = [
        Gap(f"{user.extension} {user.first_name} is on the form and not in the domain", seen.page("users"))
        for user in form if user.extension not in there
    ]  # fmt: skip
    people = [user for user in directory.users if not user.hidden]
    gaps += [
        Gap(f"user {user.extension} has no mail address, so no welcome mail can reach it",
            seen.page("users", user.extension))
        for user in people if not user.email and user.scope != "No Portal"
    ]  # fmt: skip
    found = sum(user.extension in there for user in form)
    said = f"{found} of {len(form)} on the form" if form else f"{len(people)} users"
    return Line(name, max(len(form), len(people)), tuple(gaps), said)


def _numbers(seen: Seen, name: str) -> Line:
    directory, porting = seen.directory, seen.packet.porting if seen.packet is not None else None
    wanted = [one.number for one in porting.numbers] if porting is not None else []
    absent = [number for number in wanted if number not in directory.numbers_by_digits]
    loose = [number.number for number in directory.numbers if not number.routes]
    gaps = [Gap(f"{number} is to be ported and not in the domain", seen.page("numbers")) for number in absent]
    gaps += [Gap(f"{number} is not routed", seen.page("numbers", number)) for number in loose]
    total = len(directory.numbers)
    return Line(name, total + len(absent), tuple(gaps), f"{total - len(loose)} of {total} numbers are routed")


def _fax(seen: Seen, name: str) -> Line:
    """A fax number needs an address its pages are mailed to; an account without a number may still send."""
    directory = seen.directory
    gaps = [
        Gap(f"fax number {bound[0]} has nobody its pages are mailed to", seen.page("numbers", bound[0]))
        for account in directory.fax_accounts
        if (bound := directory.numbers_of_fax(account.name)) and not account.emails
    ]
    wanted = seen.packet.fax.number if seen.packet is not None and seen.packet.fax is not None else ""
    if wanted and not any(wanted in directory.numbers_of_fax(account.name) for account in directory.fax_accounts):
        gaps.append(Gap(f"fax number {wanted} leads to no fax account", seen.page("numbers", wanted)))
    count = len(directory.fax_accounts)
    return Line(name, count, tuple(gaps), f"{count} fax accounts" if count else "none in use")


def _online(seen: Seen, name: str, devices: Iterable[Device], called: Callable[[Device], str]) -> Line:
    asked = tuple(devices)
    absent = [device for device in asked if device.id not in seen.registered]
    gaps = tuple(Gap(f"{called(device)} is not registered", f"/devices/{device.mac or ''}") for device in absent)
    said = f"{len(asked) - len(absent)} of {len(asked)} are registered" if asked else "none in use"
    return Line(name, len(asked), gaps, said)


def _adapters_online(seen: Seen, name: str) -> Line:
    return _online(seen, name, seen.adapters, lambda d: f"port {d.port} of {d.mac} ({d.id})")


def _hardware(seen: Seen, name: str) -> Line:
    adapters = {device.id for device in seen.adapters}
    devices = seen.directory.devices
    phones = (device for device in devices if not _is_soft(device) and device.id not in adapters)
    line = _online(seen, name, phones, lambda d: f"{d.model or d.family} of {d.extension} ({d.mac})")
    wanted = [user.extension for user in seen.packet.users if user.device] if seen.packet is not None else []
    bare = [
        Gap(f"{extension} is to have a telephone, and none is assigned", "/inventory")
        for extension in wanted if extension not in seen.directory.devices_by_extension
    ]  # fmt: skip
    return Line(name, line.total + len(bare), (*line.gaps, *bare), line.evidence)


def _softphones(seen: Seen, name: str) -> Line:
    soft = (device for device in seen.directory.devices if _is_soft(device))
    return _online(seen, name, soft, lambda d: f"softphone {d.id}")


def _is_soft(device: Device) -> bool:
    """A program has no MAC, or one that was made up: the locally administered bit is set (IEEE 802)."""
    return device.mac is None or device.mac[1] in "26ae"


def _answering(seen: Seen, name: str) -> Line:
    """Attendants and queues of the form are there, and nothing they do leads in a circle or to what is gone."""
    directory = seen.directory
    flow = seen.packet.call_flow if seen.packet is not None else CallFlow()
    absent = [("attendants", extension) for extension in (flow.attendant,)
              if extension is not None and extension not in directory.attendants_by_extension]  # fmt: skip
    absent += [
        ("queues", queue.extension) for queue in flow.queues if queue.extension not in directory.queues_by_extension
    ]
    gaps = [Gap(f"{kind[:-1]} {extension} is on the form and not in the domain", seen.page(kind))
            for kind, extension in absent]  # fmt: skip
    gaps += _found(seen, {"R03", "R10"})
    attendants, queues = len(directory.attendants), len(_queues(directory))
    said = f"{attendants} attendants, {queues} queues" if attendants or queues else "none in use"
    return Line(name, attendants + queues + len(absent), tuple(gaps), said)


def _recordings(seen: Seen, name: str) -> Line:
    """Every greeting is there, and every attendant's keys lead somewhere."""
    attendants = seen.directory.attendants
    gaps = (*_found(seen, {"R06"}), *_found(seen, {"R01"}, "attendants"))
    greetings = sum(len(attendant.menus) + len(attendant.intros) for attendant in attendants)
    keys = sum(len(menu.keys) for attendant in attendants for menu in attendant.menus)
    return Line(name, greetings, gaps, f"{greetings} greetings, {keys} keys" if greetings else "none in use")


def _phones_in_queues(seen: Seen, name: str) -> Line:
    queues = _queues(seen.directory)
    agents = sum(len(queue.agents) for queue in queues)
    said = f"{agents} agents in {len(queues)} queues" if queues else "none in use"
    return Line(name, len(queues), tuple(_found(seen, {"R09"})), said)


def _queues(directory: Directory) -> list[Queue]:
    return [queue for queue in directory.queues if queue.strategy != "call_park"]


def _emergency(seen: Seen, name: str) -> Line:
    """Every site has an address of its own where there are several: the domain's is only where one of them is."""
    directory, gaps = seen.directory, list(_found(seen, {"R07"}))
    if len(directory.sites) > 1:
        gaps += [
            Gap(f"site {site.name} has no emergency address of its own", seen.page("sites", site.name))
            for site in directory.sites if not _has_address(directory, site)
        ]  # fmt: skip
    places = max(1, len(directory.sites))
    return Line(name, places, tuple(gaps), f"{places} locations, {len(directory.addresses)} addresses")


def _has_address(directory: Directory, site: Site) -> bool:
    return bool(site.emergency_address) or site.emergency_caller_id in directory.addresses_by_callback


def _found(seen: Seen, rules: Set[str], kind: str = "") -> Iterator[Gap]:
    for finding in findings(seen.directory, TEXTS.keys()):
        if finding.rule in rules and kind in finding.link:
            yield Gap(finding.sentence, f"/d/{seen.directory.domain.name}/{finding.link.lstrip('/')}")


LINES: dict[str, Callable[[Seen, str], Line]] = {
    "users created": _users,
    "numbers routed": _numbers,
    "native fax": _fax,
    "adapters online": _adapters_online,
    "attendants and queues": _answering,
    "recordings and applications": _recordings,
    "phones in queues": _phones_in_queues,
    "hardware online": _hardware,
    "softphones registered": _softphones,
    "E911 for every location": _emergency,
}
