"""The boxes of a running lab: who has which, which are behind, which are strangers; and what is done about it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from lab.inventory import resync_words
from lab.one_shots import KeptOneShots
from lab.service import Lab
from pbx.domain.devices import Device, normal_mac
from pbx.domain.directory import Directory
from pbx.domain.kept import ServedFile
from pbx.events import (
    ConfigRefused,
    ConfigRequested,
    ConfigServed,
    DiscoveryRefused,
    ResyncAnswered,
    Stamped,
)
from pbx.store.protocol import FileForgotten, FileServed
from provisioning_server.activation import Activation, Activations
from provisioning_server.card import Card, card
from provisioning_server.device_import import Imported, apply_rows
from provisioning_server.families import shipped_families
from provisioning_server.inventory import Draft, Refused
from provisioning_server.quarantine import Quarantine, Stranger
from provisioning_server.served import ServedFiles
from provisioning_server.spreadsheet import TableRow

CODED_FAMILY = "cisco/mpp"
"""Whose phones take activation codes."""
ANSWER_WITHIN_S = 10.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LineRow:
    device: str
    extension: str
    name: str
    port: int
    registered: bool = False


@dataclass(frozen=True, slots=True)
class DeviceRow:
    mac: str
    """Empty for a device that waits for a box."""
    standing: str
    """A key of the console's `STANDINGS`."""
    family: str
    model: str
    serial: str
    shipment: str
    lines: tuple[LineRow, ...]
    served_at: float = 0.0
    """When it last got a file of its own, POSIX seconds; 0 for never."""
    behind: tuple[str, ...] = ()
    """Files it would get otherwise now."""
    asked: int = 0
    """How often a stranger has asked."""
    address: str = ""
    """Where it was last seen."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a NOTIFY."""

    device: str
    event: str
    status: int
    """The phone's answer, 408 for none."""


class DeviceDesk:
    """`fresh` gives random hexadecimal characters: passwords and tokens."""

    def __init__(self, lab: Lab, fresh: Callable[[int], str]) -> None:
        self._lab, self._fresh = lab, fresh
        self._served = ServedFiles()
        self.one_shots = KeptOneShots(lab)
        self.activations = Activations()
        self.quarantine = Quarantine(shipped_families())
        self._rows_of: Directory | None = None
        self._rows: list[tuple[DeviceRow, str]] = []
        self._elsewhere: dict[str, tuple[int, frozenset[str]]] = {}
        self._waiting: dict[str, asyncio.Future[int]] = {}
        lab.bus.subscribe(self._provisioned, [ConfigRequested, ConfigRefused, ConfigServed, DiscoveryRefused])
        lab.bus.subscribe(self._answered, [ResyncAnswered])

    def recall(self) -> None:
        """Go on with what a former life has kept; once the lab has started."""
        self._served = ServedFiles(self._lab.store.served_files())
        self.one_shots.recall()

    # --- looking --------------------------------------------------------------------------------------

    def rows(self, words: str = "", standing: str = "") -> list[DeviceRow]:
        """Return every box that fits, by MAC; `words` in any of its names, a MAC in any spelling.

        What changes from moment to moment is not in them: `with_state` adds it to those that are shown.
        """
        wanted = words.lower().strip()
        digits = wanted.replace(":", "").replace("-", "").replace(".", "")
        known = [*self._known_rows(), *((row, _words(row)) for row in map(_stranger, self.quarantine.strangers()))]
        return [
            row
            for row, said in known
            if (not standing or row.standing == standing)
            and (not wanted or wanted in said or (digits and digits in row.mac))
        ]

    def with_state(self, rows: Sequence[DeviceRow]) -> list[DeviceRow]:
        """Return rows with what takes asking to know: which lines are registered, what was served, what is behind."""
        registered = self._lab.switch.registered() if self._lab.alive else frozenset[str]()
        return [self._with_state(row, registered) for row in rows]

    def row(self, mac: str) -> DeviceRow | None:
        found = next((row for row in self.rows() if row.mac == mac), None)
        return self.with_state([found])[0] if found is not None else None

    def served(self, mac: str) -> tuple[ServedFile, ...]:
        """Return the newest of each file a box was given."""
        return self._served.of(mac)

    def card(self, mac: str, *, secrets: bool) -> Card:
        return card(self._lab.provisioning.office, self._lab.directory, self.box(mac), secrets=secrets)

    def box(self, name: str) -> tuple[Device, ...]:
        """Return the devices of a box, by its MAC or one of them; Refused when it is none that is provisioned."""
        box = self._named(name)
        if box[0].mac is None or box[0].family not in self._lab.provisioning.office.families.by_id:
            raise Refused(f"there is no box {name!r}", "it has no MAC, or its family is not known", "assign it")
        return box

    # --- doing ----------------------------------------------------------------------------------------

    def change(self, do: Callable[[Draft], T]) -> T:
        """Make changes in a draft and put them into force; Refused changes nothing."""
        draft = self._draft()
        result = do(draft)
        self._adopt(draft.directory(), draft)
        return result

    def replace(self, made: Callable[[Directory, Mapping[str, str]], Directory]) -> None:
        """Put a directory into force that is made of the present one; the second argument are MACs of others."""
        self._adopt(made(self._lab.directory, self._macs_elsewhere()), None)

    def take_in(self, rows: list[TableRow], *, dry: bool) -> Imported:
        """Import a table; `dry` only says what would come of it. BadTable when it is no table of boxes."""
        draft = self._draft()
        result = apply_rows(rows, draft, self._lab.provisioning.office.families)
        if not dry and (result.assigned or result.stocked):
            self._adopt(draft.directory(), draft)
        return result

    def issue_code(self, extension: str) -> Activation:
        """Make a code that a person types into a phone nobody knows yet; Refused for who is no user."""
        if extension not in self._lab.directory.users_by_extension:
            raise Refused("no code was made", f"there is no user {extension}", "name an extension")
        return self.activations.issue(extension, int(self._fresh(16), 16), self._lab.now.wall.timestamp())

    def activate(self, code: str, mac: str, model: str) -> str:
        """A phone has brought a code: it is the user's from now on. Return why not, empty when it is."""
        extension = self.activations.whose(code, self._lab.now.wall.timestamp())
        if not extension:
            return "there is no such activation code"
        known = self._lab.provisioning.office.families.by_id[CODED_FAMILY].models
        try:
            self.change(lambda draft: draft.assign(mac, extension, model=model if model in known else "",
                                                   family=CODED_FAMILY))  # fmt: skip
        except Refused as no:
            return str(no)
        self.activations.used(code)
        return ""

    async def resync(self, name: str, *, reboot: bool) -> Told:
        """Ask a box (by device or MAC) to fetch its configuration, or to start again; return what it answered."""
        for device in self._named(name):
            event = resync_words(device.family, reboot=reboot)
            answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            self._waiting[device.id] = answered
            try:
                if self._lab.resync(device, reboot=reboot):
                    async with asyncio.timeout(ANSWER_WITHIN_S):
                        return Told(device.id, event, await answered)
            except TimeoutError:
                return Told(device.id, event, 408)
            finally:
                self._waiting.pop(device.id, None)
        raise Refused(f"{name!r} was not reached", "none of its lines is registered", "plug it in, then try again")

    # --- parts ----------------------------------------------------------------------------------------

    def _draft(self) -> Draft:
        lab = self._lab
        return Draft(lab.directory, lab.provisioning.office.families, self._macs_elsewhere(), self._fresh)

    def _adopt(self, directory: Directory, draft: Draft | None) -> None:
        self._lab.apply(directory, "devices")
        for mac in draft.new_credentials if draft is not None else ():
            for file in self._served.forget(mac):
                self._lab.store.submit(FileForgotten(file.mac, file.file))
            self._lab.reopen_provisioning(mac)
            self.one_shots.forget(mac)
        for stranger in self.quarantine.strangers():
            if directory.standing_of(stranger.mac) is not None:
                self.quarantine.forget(stranger.mac)

    def _macs_elsewhere(self) -> dict[str, str]:
        """MAC → the other domain of this house that has it."""
        own = self._lab.directory.domain.name
        found: dict[str, str] = {}
        for kept in self._lab.store.directories():
            if kept.domain == own:
                continue
            known = self._elsewhere.get(kept.domain)
            if known is None or known[0] != kept.revision:
                known = self._elsewhere[kept.domain] = (kept.revision, _macs(kept.document))
            found |= dict.fromkeys(known[1], kept.domain)
        return found

    def _named(self, name: str) -> tuple[Device, ...]:
        directory = self._lab.directory
        if name in directory.devices_by_id:
            device = directory.devices_by_id[name]
            return directory.devices_by_mac.get(device.mac or "", (device,))
        try:
            found = directory.devices_by_mac.get(normal_mac(name), ())
        except ValueError:
            found = ()
        if not found:
            raise Refused(f"there is no phone {name!r}", "no device has that id or MAC", "see `switchroom devices ls`")
        return found

    def _known_rows(self) -> Sequence[tuple[DeviceRow, str]]:
        """What the domain says of every box, and the words it is found by; made once a snapshot."""
        directory = self._lab.directory
        if self._rows_of is not directory:
            self._rows = [(row, _words(row)) for row in _rows(directory)]
            self._rows_of = directory
        return self._rows

    def _with_state(self, row: DeviceRow, registered: Collection[str]) -> DeviceRow:
        if not row.lines:
            return row
        lines = row.lines
        if any(line.device in registered for line in lines):
            lines = tuple(replace(line, registered=line.device in registered) for line in lines)
        served = self._served.of(row.mac)
        if not served:
            return row if lines is row.lines else replace(row, lines=lines)
        lab, last = self._lab, max(served, key=lambda file: file.at)
        behind = self._served.behind(lab.provisioning.office, lab.directory, row.mac, lab.now)
        return replace(row, lines=lines, served_at=last.at, behind=behind, address=last.address)

    def _provisioned(self, stamped: Stamped) -> None:
        at = stamped.at.wall.timestamp()
        changed = self._served.take(stamped.event, at)
        if changed is not None and self._lab.alive:
            self._lab.store.submit(FileServed(changed))
        self.quarantine.take(stamped.event, at)

    def _answered(self, stamped: Stamped) -> None:
        assert isinstance(stamped.event, ResyncAnswered)
        waiting = self._waiting.get(stamped.event.device)
        if waiting is not None and not waiting.done():
            waiting.set_result(stamped.event.status)


def _rows(directory: Directory) -> Iterator[DeviceRow]:
    users, hardware = directory.users_by_extension, directory.hardware_by_mac

    def line(device: Device) -> LineRow:
        return LineRow(device.id, device.extension, users[device.extension].name, device.port)

    for mac in sorted({*directory.devices_by_mac, *hardware}):
        box, item = directory.devices_by_mac.get(mac, ()), hardware.get(mac)
        family, model = (box[0].family, box[0].model) if box else (item.family, item.model) if item else ("", "")
        serial, shipment = (item.serial, item.shipment) if item else ("", "")
        standing = directory.standing_of(mac) or ""
        yield DeviceRow(mac, standing, family, model, serial, shipment, tuple(map(line, box)))
    for device in directory.devices:
        if device.mac is None:
            yield DeviceRow("", "waits for a box", device.family, device.model, "", "", (line(device),))


def _stranger(one: Stranger) -> DeviceRow:
    return DeviceRow(one.mac, "quarantined", one.family, one.model, "", "", (), one.last_at, (), one.times, one.address)


def _words(row: DeviceRow) -> str:
    named = (f"{line.device} {line.extension} {line.name}" for line in row.lines)
    return " ".join((row.mac, row.family, row.model, row.serial, row.shipment, row.address, *named)).lower()


def _macs(document: str) -> frozenset[str]:
    """The MACs of a stored domain: of its devices, and of what lies in its stock."""
    told = json.loads(document)
    items = (item for part in ("devices", "hardware") for item in told.get(part, ()))
    return frozenset(item["mac"] for item in items if item.get("mac") and not item.get("retired"))
