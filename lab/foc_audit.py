"""Confirmation of configuration on the day of port: ten lines, each a question to the domain (domain-features 5.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set

from pbx.callflow.findings import findings
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from pbx.media.prompts.texts import TEXTS

Line = Callable[[Directory, Set[str]], Iterator[str]]


def audit(directory: Directory, registered: Set[str]) -> Mapping[str, str]:
    """Return the ten lines in order: name → what is missing, empty for nothing. `registered` are device ids."""
    return {name: "; ".join(line(directory, registered)) for name, line in LINES.items()}


def _users(directory: Directory, registered: Set[str]) -> Iterator[str]:
    for user in directory.users:
        if not user.hidden and not (user.email or user.scope == "No Portal"):
            yield f"user {user.extension} has no mail address, so no welcome mail can reach it"


def _numbers(directory: Directory, registered: Set[str]) -> Iterator[str]:
    yield from (f"{number.number} is not routed" for number in directory.numbers if not number.routes)


def _adapters(directory: Directory) -> Iterator[Device]:
    """Ports of analogue adapters: several devices are one box."""
    for devices in directory.devices_by_mac.values():
        if len(devices) > 1:
            yield from devices


def _adapters_online(directory: Directory, registered: Set[str]) -> Iterator[str]:
    yield from (f"port {d.port} of {d.mac} ({d.id}) is not registered" for d in _adapters(directory)
                if d.id not in registered)  # fmt: skip


def _attendants(directory: Directory, registered: Set[str]) -> Iterator[str]:
    wanted = {"R01", "R06"}
    yield from (f.sentence for f in findings(directory, TEXTS.keys()) if f.rule in wanted and "attendants" in f.link)


def _queues(directory: Directory, registered: Set[str]) -> Iterator[str]:
    for queue in directory.queues:
        if queue.strategy != "call_park" and not queue.agents:
            yield f"queue {queue.extension} has no phones"


def _hardware(directory: Directory, registered: Set[str]) -> Iterator[str]:
    adapters = {device.id for device in _adapters(directory)}
    for device in directory.devices:
        if device.mac and device.id not in adapters and device.id not in registered:
            yield f"{device.model or device.family} of {device.extension} ({device.mac}) is not registered"


def _softphones(directory: Directory, registered: Set[str]) -> Iterator[str]:
    for device in directory.devices:
        if not device.mac and device.id not in registered:
            yield f"softphone {device.id} is not registered"


def _emergency(directory: Directory, registered: Set[str]) -> Iterator[str]:
    yield from (f.sentence for f in findings(directory, TEXTS.keys()) if f.rule == "R07")


def _loose_ends(directory: Directory, registered: Set[str]) -> Iterator[str]:
    wanted = {"R03", "R10"}
    yield from (f.sentence for f in findings(directory, TEXTS.keys()) if f.rule in wanted)


def _fax(directory: Directory, registered: Set[str]) -> Iterator[str]:
    """A fax number needs an address its pages are mailed to; an account without a number may still send."""
    for account in directory.fax_accounts:
        bound = directory.numbers_of_fax(account.name)
        if bound and not account.emails:
            yield f"fax number {bound[0]} has nobody its pages are mailed to"


LINES: dict[str, Line] = {
    "users created": _users,
    "numbers routed": _numbers,
    "native fax": _fax,
    "adapters online": _adapters_online,
    "attendants complete": _attendants,
    "queues complete": _queues,
    "hardware online": _hardware,
    "softphones registered": _softphones,
    "E911 for every location": _emergency,
    "no loose ends": _loose_ends,
}
