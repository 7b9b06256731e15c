"""Boxes and who has them: assign, release, swap, retire, in a draft of a domain that becomes a directory at the end.

A draft takes ten thousand changes and asks the domain's own rules once. Every refusal says what happened, why, and
what to do; a change that was refused has changed nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from string import ascii_lowercase

from pbx.domain.devices import Device, normal_mac
from pbx.domain.directory import Directory
from pbx.domain.hardware import Hardware
from provisioning_server.families import Families
from provisioning_server.manifest import Family, SettingsData

PASSWORD_CHARACTERS = 24
"""Random hexadecimal ones: 96 bits."""
_TOKEN_CHARACTERS = 32
MOST_PORTS = 32
_RAW = "vendor.raw."
_SUFFIXES = ("", *ascii_lowercase, *(a + b for a in ascii_lowercase for b in ascii_lowercase))


class Refused(Exception):
    """A change that is not made."""

    def __init__(self, happened: str, why: str, remedy: str) -> None:
        super().__init__(f"{happened}: {why}")
        self.happened, self.why, self.remedy = happened, why, remedy


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be set of a device beside its box; None leaves it as it is."""

    port: int | None = None
    """Line of the phone or port of the adapter; None takes the first that is free."""
    transport: str | None = None
    label: str | None = None
    settings: SettingsData | None = None
    """Added to those it has."""
    across_sites: bool = False
    """That the box is one of another site's people is known, and meant."""


@dataclass(frozen=True, slots=True)
class Swapped:
    devices: tuple[str, ...]
    dropped: tuple[str, ...]
    """Settings that only the old family knew."""


class Draft:
    """`foreign` says which other domain has a MAC; `fresh` gives so many random hexadecimal characters."""

    def __init__(
        self, directory: Directory, families: Families, foreign: Mapping[str, str], fresh: Callable[[int], str]
    ) -> None:
        self._directory, self._families, self._foreign, self._fresh = directory, families, foreign, fresh
        self._devices = dict(directory.devices_by_id)
        self._hardware = dict(directory.hardware_by_mac)
        self._of_mac: dict[str, dict[int, str]] = {
            mac: {device.port: device.id for device in box} for mac, box in directory.devices_by_mac.items()
        }
        self._of_extension = {
            extension: [device.id for device in devices]
            for extension, devices in directory.devices_by_extension.items()
        }
        self._by_model = _by_model(families)
        self.new_credentials: set[str] = set()
        """MACs whose one-time token is new: what a former one has opened counts no more."""

    def directory(self) -> Directory:
        """Return the domain with every change. `Inconsistent` should never come: whatever could be wrong is refused."""
        return self._directory.replaced(devices=tuple(self._devices.values()), hardware=tuple(self._hardware.values()))

    # --- changes --------------------------------------------------------------------------------------

    def stock(self, mac: str, *, model: str = "", family: str = "", serial: str = "", shipment: str = "") -> Hardware:
        """Write a box down, or what is newly known of it; one that was retired comes back."""
        mac = self._own(mac)
        known = self._hardware.get(mac) or self._in_use(mac)
        found = self.the_family(model, family) if model or family else None
        if found is not None and mac in self._of_mac and self._box_family(mac) not in ("", found.id):
            raise Refused(
                f"{mac} was not changed", f"it is in use as a {self._box_family(mac)}", "swap it, or release it first"
            )
        self._must_be_shipment(mac, shipment)
        changes: dict[str, object] = {"retired": False}
        if found is not None:
            changes |= {"family": found.id, "model": self.model_of(found, model)}
        changes |= {name: value for name, value in (("serial", serial), ("shipment", shipment)) if value}
        self._hardware[mac] = item = Hardware.model_validate({**known.model_dump(), **changes})
        return item

    def assign(
        self,
        mac: str,
        extension: str,
        *,
        model: str = "",
        family: str = "",
        serial: str = "",
        shipment: str = "",
        wish: Wish | None = None,
    ) -> Device:
        """Give a box (or one more line of it) to a user; a device of the user that has no box takes it first."""
        wish = wish or Wish()
        mac = self._own(mac)
        self._must_be_shipment(mac, shipment)
        if extension not in self._directory.users_by_extension:
            near = get_close_matches(extension, self._directory.users_by_extension, 1)
            remedy = f"did you mean {near[0]}?" if near else "add the user first"
            raise Refused(f"{mac} was not assigned", f"there is no user {extension}", remedy)
        if mac in self._hardware and self._hardware[mac].retired:
            raise Refused(f"{mac} was not assigned", "it is retired", "take it into stock again, or take another box")
        kind, model = self._kind(mac, model, family)
        self._check(kind, mac, wish)
        ports = self._of_mac.get(mac, {})
        port = wish.port or self._free_port(mac, extension, kind.lines_of(model))
        holder = self._devices.get(ports.get(port, ""))
        if holder is not None and holder.extension != extension:
            raise Refused(
                f"{mac} was not assigned to {extension}", f"its line {port} is {holder.extension}'s",
                "name another line, or release it first",
            )  # fmt: skip
        if not 1 <= port <= (most := min(kind.lines_of(model), MOST_PORTS)):
            raise Refused(
                f"{mac} was not assigned", f"a {model or kind.id} has no line {port}", f"name a line from 1 to {most}"
            )
        if holder is None and not wish.across_sites:
            self._must_stand_here(mac, extension, model)
        device = holder or self._without_box(extension) or self._new_device(extension)
        changes: dict[str, object] = {"mac": mac, "port": port, "family": kind.id, "model": model}
        changes |= {"transport": wish.transport} if wish.transport is not None else {}
        changes |= {"label": wish.label} if wish.label is not None else {}
        changes |= {"settings": device.settings | wish.settings} if wish.settings else {}
        made = device.model_copy(update=changes)
        self._keep(made if holder is not None else self._renewed(made, self._token_of(mac)))
        if serial or shipment:
            self.stock(mac, serial=serial, shipment=shipment)
        return self._devices[made.id]

    def release(self, mac: str) -> tuple[str, ...]:
        """Take a box from whoever has it; the devices keep their settings, and wait for another with new passwords."""
        mac = self._own(mac)
        using = tuple(self._of_mac.get(mac, {}).values())
        if not using:
            raise Refused(f"{mac} was not released", "no device has it", "see `switchroom devices ls`")
        self._hardware[mac] = self._hardware.get(mac) or self._in_use(mac)
        for device in using:
            bare = self._devices[device].model_copy(update={"mac": None, "family": "", "model": ""})
            self._keep(self._renewed(bare, ""))
        del self._of_mac[mac]
        self.new_credentials.add(mac)
        return using

    def swap(self, old: str, new: str, *, model: str = "", family: str = "") -> Swapped:
        """Put another box in the place of one, with all of its lines and settings; passwords and token are new."""
        old, new = self._own(old), self._own(new)
        lines = dict(self._of_mac.get(old, {}))
        if not lines:
            raise Refused(f"{old} was not swapped", "no device has it", "assign the new box instead")
        if new in self._of_mac:
            first = next(iter(self._of_mac[new].values()))
            raise Refused(f"{old} was not swapped", f"{new} is in use as {first}", "release that box first")
        if new in self._hardware and self._hardware[new].retired:
            raise Refused(f"{old} was not swapped", f"{new} is retired", "take it into stock again, or take another")
        before = self._devices[lines[min(lines)]]
        if not (model or family or new in self._hardware):
            model, family = before.model, before.family
        kind, model = self._kind(new, model, family)
        if max(lines) > kind.lines_of(model):
            raise Refused(
                f"{old} was not swapped", f"line {max(lines)} is in use, and a {model or kind.id} has none",
                "move that line, or take a box with more",
            )  # fmt: skip
        for device in lines.values():
            self._check(kind, new, Wish(transport=self._devices[device].transport))
        self._hardware[old] = self._hardware.get(old) or self._in_use(old)
        del self._of_mac[old]
        token, dropped = self._fresh(_TOKEN_CHARACTERS), set[str]()
        for port, device in lines.items():
            had = self._devices[device]
            lost = {name for name in had.settings if name.startswith(_RAW)} if kind.id != had.family else set()
            settings = {name: value for name, value in had.settings.items() if name not in lost}
            dropped |= lost
            changes = {"mac": new, "port": port, "family": kind.id, "model": model, "settings": settings}
            self._keep(self._renewed(had.model_copy(update=changes), token))
        self.new_credentials |= {old, new}
        return Swapped(tuple(lines.values()), tuple(sorted(dropped)))

    def retire(self, mac: str) -> None:
        """A box is gone for good; one that is in use is released first."""
        mac = self._own(mac)
        if mac in self._of_mac:
            self.release(mac)
        elif mac not in self._hardware:
            raise Refused(f"{mac} was not retired", "nobody has written it down", "see `switchroom devices ls`")
        self._hardware[mac] = self._hardware[mac].model_copy(update={"retired": True})

    def the_family(self, model: str, family: str) -> Family:
        """Return the family meant; refuses what is none, and a model that two families have."""
        if family:
            found = self._families.by_id.get(family.lower())
            if found is not None:
                return found
            near = get_close_matches(family, self._families.by_id, 1, 0.5)
            raise Refused(
                f"there is no family {family!r}", "no folder of device_templates is called so",
                f"did you mean {near[0]}?" if near else "docs/families.md lists them",
            )  # fmt: skip
        families = self._by_model.get(_plain(model), ())
        if len(families) == 1:
            return families[0]
        near = get_close_matches(_plain(model), self._by_model, 3, 0.6)
        why = f"{' and '.join(one.id for one in families)} have one" if families else "no family has it"
        remedy = "name the family too" if families else f"near: {', '.join(near)}" if near else "docs/families.md"
        raise Refused(f"the model {model!r} is not known", why, remedy)

    @staticmethod
    def model_of(kind: Family, model: str) -> str:
        """The model as its family spells it; what the family does not list is taken as it is said."""
        return next((name for name in kind.models if _plain(name) == _plain(model)), model)

    # --- parts ----------------------------------------------------------------------------------------

    def _own(self, text: str) -> str:
        try:
            mac = normal_mac(text)
        except ValueError as fault:
            remedy = "write it as on the label; in a spreadsheet make the column text, or it cuts zeros"
            raise Refused(f"{text!r} is no MAC", str(fault), remedy) from None
        if int(mac[1], 16) & 1:
            raise Refused(f"{text!r} is no MAC of a box", "it is a group address", "compare it with the label")
        if mac in self._foreign:
            raise Refused(
                f"{mac} was not taken", f"it belongs to domain {self._foreign[mac]}", "release it there first"
            )
        return mac

    def _must_be_shipment(self, mac: str, shipment: str) -> None:
        if shipment and shipment not in self._directory.shipments_by_number:
            known = ", ".join(list(self._directory.shipments_by_number)[-3:]) or "there are none"
            raise Refused(
                f"{mac} was not taken in", f"there is no shipment {shipment!r}", f"write it down first; known: {known}"
            )

    def _must_stand_here(self, mac: str, extension: str, model: str) -> None:
        """A box of another site's people is asked about: one of its digits may be another's."""
        users, site = self._directory.users_by_extension, self._directory.users_by_extension[extension].site
        lines = {port: users[self._devices[device].extension] for port, device in self._of_mac.get(mac, {}).items()}
        elsewhere = {port: user for port, user in lines.items() if user.site not in ("", site)}
        if elsewhere:
            told = ", ".join(f"line {port} is {user.extension}'s ({user.name})" for port, user in elsewhere.items())
            where = " and ".join(sorted({user.site for user in elsewhere.values()}))
            raise Refused(
                f"{mac} was not assigned to {extension}", f"it is a {model} at {where}: {told}",
                "compare it with the label; say across_sites if it is meant, or release it there first",
            )  # fmt: skip

    def _kind(self, mac: str, model: str, family: str) -> tuple[Family, str]:
        """The family and model of a box: as said, else as in use, else as written down."""
        item = self._hardware.get(mac)
        used = self._box_family(mac)
        if not (model or family):
            device = next((self._devices[one] for one in self._of_mac.get(mac, {}).values()), None)
            family = used or (item.family if item else "")
            model = device.model if device is not None else item.model if item is not None else ""
        if not (model or family):
            raise Refused(f"{mac} was not assigned", "nobody knows what box it is", "name its model")
        kind = self.the_family(model, family)
        if used and used != kind.id:
            raise Refused(
                f"{mac} was not assigned", f"it is in use as a {used}", f"leave the model out, or take {used}"
            )
        return kind, self.model_of(kind, model)

    def _check(self, kind: Family, mac: str, wish: Wish) -> None:
        if wish.transport is not None and wish.transport not in kind.capabilities.transports:
            raise Refused(
                f"{mac} was not assigned", f"a {kind.id} does not speak {wish.transport}",
                f"one of {', '.join(kind.capabilities.transports)}",
            )  # fmt: skip
        for name in wish.settings or {}:
            if name.startswith(_RAW) and not kind.knows.fullmatch(name.removeprefix(_RAW)):
                parameter = name.removeprefix(_RAW)
                raise Refused(
                    f"{mac} was not assigned", f"a {kind.id} has no parameter {parameter}", "see its params.txt"
                )

    def _free_port(self, mac: str, extension: str, lines: int) -> int:
        ports = self._of_mac.get(mac, {})
        mine = [port for port, device in ports.items() if self._devices[device].extension == extension]
        if mine:
            return min(mine)
        free = next((port for port in range(1, min(lines, MOST_PORTS) + 1) if port not in ports), 0)
        if not free:
            raise Refused(f"{mac} was not assigned", f"all of its {lines} lines are taken", "take another box")
        return free

    def _without_box(self, extension: str) -> Device | None:
        own = (self._devices[device] for device in self._of_extension.get(extension, ()))
        return next((device for device in own if device.mac is None and not device.family), None)

    def _new_device(self, extension: str) -> Device:
        name = next((extension + suffix for suffix in _SUFFIXES if extension + suffix not in self._devices), "")
        if not name:
            raise Refused(f"no device of {extension} was made", "it has as many as can be named", "retire some")
        self._of_extension.setdefault(extension, []).append(name)
        return Device.model_validate({"id": name, "extension": extension, "password": ""})

    def _token_of(self, mac: str) -> str:
        """All lines of a box share its token."""
        first = next((self._devices[one] for one in self._of_mac.get(mac, {}).values()), None)
        if first is not None and first.token.get_secret_value():
            return first.token.get_secret_value()
        self.new_credentials.add(mac)
        return self._fresh(_TOKEN_CHARACTERS)

    def _renewed(self, device: Device, token: str) -> Device:
        return device.with_credentials(self._fresh(PASSWORD_CHARACTERS), token)

    def _keep(self, device: Device) -> Device:
        self._devices[device.id] = device
        if device.mac is not None:
            self._of_mac.setdefault(device.mac, {})[device.port] = device.id
        return device

    def _box_family(self, mac: str) -> str:
        return next((self._devices[device].family for device in self._of_mac.get(mac, {}).values()), "")

    def _in_use(self, mac: str) -> Hardware:
        """What is known of a box that is not written down."""
        device = next((self._devices[one] for one in self._of_mac.get(mac, {}).values()), None)
        return Hardware(mac=mac, family=device.family if device else "", model=device.model if device else "")


def _by_model(families: Families) -> dict[str, tuple[Family, ...]]:
    found: dict[str, tuple[Family, ...]] = {}
    for family in families.by_id.values():
        for model in family.models:
            found[_plain(model)] = (*found.get(_plain(model), ()), family)
    return found


def _plain(model: str) -> str:
    """A model without what people add or leave out: `SIP-T46S`, `VVX 450`."""
    text = model.lower().removeprefix("sip-")
    return "".join(letter for letter in text if letter.isalnum())
