"""Why a phone has a value: each parameter that is written for a box, its formula, and the layers it came from."""

from __future__ import annotations

from dataclasses import dataclass

from pbx.clock import Moment
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from provisioning_server.formula import KEY_DEFAULTS
from provisioning_server.identify import Claim
from provisioning_server.overlay import Scalar
from provisioning_server.respond import HIDDEN, Office, sheet_of
from provisioning_server.rows import Written, written
from provisioning_server.sheet import Sheet
from provisioning_server.vocabulary import is_secret


@dataclass(frozen=True, slots=True)
class Source:
    name: str
    """The setting's canonical name, or the fact's: `server.url`, `lines.1.password`."""
    value: Scalar
    layer: str
    stack: tuple[tuple[str, Scalar], ...] = ()
    """What each layer that speaks of it says, lowest first; empty for facts."""


@dataclass(frozen=True, slots=True)
class Reason:
    file: str
    name: str
    """The vendor's parameter."""
    written: str
    """As it stands in the file; a password is hidden."""
    formula: str
    sources: tuple[Source, ...]
    """Empty for what the family always writes."""
    layer: str
    """The one that decides: of the first source; the family for what it always writes."""


def reasons(office: Office, directory: Directory, device: Device, now: Moment) -> list[Reason]:
    """Return every parameter of the tables written for the device's box, in order. Raises CannotRender."""
    family = office.families.by_id[device.family]
    whole = directory.devices_by_mac.get(device.mac or "", (device,))
    found: list[Reason] = []
    for rule in family.files:
        file = family.name_of(rule, device.mac or "", device.model)
        if rule.template not in family.tables or rule.is_digest or not file:
            continue
        box = whole if rule.is_of_one_device else ()
        paper = sheet_of(office, directory, Claim("", "", device.mac or "", family, rule, box, device.model), now)
        found += [_reason(paper, box, file, one) for one in written(paper) if isinstance(one, Written)]
    return found


def sources_of(sheet: Sheet, box: tuple[Device, ...], one: Written) -> list[Source]:
    """Return where each thing came from that the parameter's formula may ask for."""
    told = (_source(sheet, box, name) for name in dict.fromkeys(one.settings()))
    return [source for source in told if source is not None]


def _reason(sheet: Sheet, box: tuple[Device, ...], file: str, one: Written) -> Reason:
    sources = tuple(sources_of(sheet, box, one))
    formula = one.row.formula.text if one.row and one.row.formula else "as it is said"
    secret = any(source.value == HIDDEN for source in sources)
    shown = f"{one.name}: {HIDDEN}" if secret else one.text.strip()
    layer = sources[0].layer if sources else f"family {sheet.family.id}"
    return Reason(file, one.name, shown, formula.strip(), sources, layer)


def _source(sheet: Sheet, box: tuple[Device, ...], name: str) -> Source | None:
    kind, _, leaf = name.partition(".")
    number, _, inner = leaf.partition(".")
    if name in ("server.key", "server.short_key"):
        return Source(name, HIDDEN, "service")
    if kind == "server":
        return Source(name, "", "service")
    if kind == "box":
        return Source(name, "", f"device {box[0].id}" if box else f"model {sheet.model}")
    if kind in ("keys", "expansion") and name.rpartition(".")[2] in ("number", "nth"):
        return None
    if kind == "lines" and inner in ("password", "ha1"):
        holder = next((device for device in box if str(device.port) == number), None)
        return Source(name, HIDDEN, f"device {holder.id}" if holder else "")
    if kind == "lines" and inner == "number":
        return Source(name, int(number), f"family {sheet.family.id}")
    return _setting(sheet, name)


def _setting(sheet: Sheet, name: str) -> Source | None:
    places = [sheet.settings.origins, *(line.get.origins for line in sheet.lines)]
    if name.startswith("lines.*."):
        name = f"lines.{sheet.lines[0].number}.{name.removeprefix('lines.*.')}"
    value = next((values[name] for values in places if name in values), None)
    if value is not None and is_secret(name):
        return Source(name, HIDDEN if value.value else "", value.layer)
    if value is not None:
        return Source(value.name, value.value, value.layer, value.stack)
    leaf = name.rpartition(".")[2]
    if name.startswith(("keys.", "expansion.")) and leaf in KEY_DEFAULTS:
        return Source(name, KEY_DEFAULTS[leaf], "defaults")
    return None
