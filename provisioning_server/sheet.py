"""Everything a file is rendered from: the overlaid settings of a box, its lines, and where phones find the server."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from provisioning_server import convert
from provisioning_server.families import Families
from provisioning_server.manifest import Family, FileRule
from provisioning_server.overlay import Layer, Scalar, ServedAt, Value, box_values, layers, line_values

_RANGES = {
    "network.vlan.id": (0, 4094),
    "network.dscp.sip": (0, 63),
    "network.dscp.rtp": (0, 63),
    "server.port": (1, 65535),
    "expires": (30, 86_400),
}
"""What is a number, and from where to where; by canonical name, for lines by the leaf."""


class CannotRender(Exception):
    """A template asked for what is not there, or a value cannot be written in this format."""


class Settings:
    """Overlaid values as templates see them: `get("time.zone")`. Remembers what was asked for."""

    def __init__(self, values: Mapping[str, Value], prefix: str = "") -> None:
        self.values = values
        self._prefix = prefix
        self.used: set[str] = set()

    def __call__(self, name: str, default: Scalar | None = None) -> Scalar:
        full = self._prefix + name
        found = self.values.get(full)
        if found is not None:
            self.used.add(full)
            return _in_range(name, found)
        if default is None:
            raise CannotRender(f"no layer sets {full!r}")
        return default

    def below(self, prefix: str) -> Settings:
        """Return the settings whose names begin so, as `get("type")` for `keys.3.type`."""
        found = Settings(self.values, prefix)
        found.used = self.used
        return found

    def numbers(self, kind: str) -> list[int]:
        """Return the numbers under which a keyed list has entries: `keys.3.type` → 3."""
        parts = [name.split(".") for name in self.values]
        return sorted({int(p[1]) for p in parts if len(p) == 3 and p[0] == kind and p[1].isdigit()})


def _in_range(name: str, found: Value) -> Scalar:
    value = found.value
    if name in _RANGES:
        low, high = _RANGES[name]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise CannotRender(f"{found.name} = {value!r} ({found.layer}) is not a number from {low} to {high}")
    return value


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a phone or port of an ATA, as templates see it; further values by `line.get("expires")`."""

    number: int
    enabled: bool
    get: Settings
    password: str = ""

    @property
    def codecs(self) -> list[str]:
        return convert.codec_names(str(self.get("codecs")))

    @property
    def ha1(self) -> str:
        """MD5 of user, realm and password: what a softphone keeps instead of the password (RFC 2617 §3.2.2.2)."""
        text = f"{self.get('auth_user')}:{self.get('domain')}:{self.password}"
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything a file is rendered from; two equal sheets give the same bytes."""

    family: Family
    rule: FileRule
    settings: Settings
    lines: tuple[Line, ...]
    mac: str
    model: str
    steady_url: str
    at: ServedAt
    year: int

    @property
    def model_id(self) -> str:
        """The twelve digits of the model's common file; empty when it has none."""
        known = self.family.models.get(self.model)
        return known.model_id.zfill(12) if known and known.model_id else ""

    @property
    def places(self) -> dict[str, str]:
        """What `{mac}`, `{MAC}` and `{model}` mean."""
        return {"mac": self.mac, "MAC": self.mac.upper(), "model": self.model}

    @property
    def fingerprint(self) -> str:
        """Hash of the input. Holds for one set of templates: they do not change while the server runs."""
        said: list[object] = [_said(self.settings)]
        said += [(line.number, line.enabled, line.password, _said(line.get)) for line in self.lines]
        whole = repr((self.family.id, self.rule.name, said, self.mac, self.model, self.steady_url, self.at, self.year))
        return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def used(self) -> set[str]:
        """Full names of what the rendering has asked for."""
        return self.settings.used.union(*(line.get.used for line in self.lines))


def sheet(
    families: Families,
    family: Family,
    rule: FileRule,
    directory: Directory,
    at: ServedAt,
    *,
    box: tuple[Device, ...],
    mac: str,
    model: str,
    steady_url: str,
    version: str,
    year: int,
) -> Sheet:
    """Overlay the layers for one file; a common file has no box and knows no lines."""
    if not box:
        stack = layers(families, family, directory, at, device=None, model=model, version=version)
        return Sheet(family, rule, Settings(box_values(stack)), (), mac, model, steady_url, at, year)
    stacks = {
        device.port: layers(families, family, directory, at, device=device, model=model, version=version)
        for device in box
    }
    lines = tuple(_lines(family, box, stacks))
    return Sheet(family, rule, Settings(box_values(stacks[box[0].port])), lines, mac, model, steady_url, at, year)


def _said(settings: Settings) -> list[tuple[str, Scalar]]:
    return sorted([(name, value.value) for name, value in settings.values.items()])


def _lines(family: Family, box: tuple[Device, ...], stacks: Mapping[int, Sequence[Layer]]) -> list[Line]:
    """Return every line of the box; those without a device are there and disabled, so that old accounts go."""
    by_port = {device.port: device for device in box}
    found = []
    for number in range(1, max(family.lines_of(box[0].model), *by_port) + 1):
        device = by_port.get(number)
        if device is None:
            found.append(_absent(number))
            continue
        get = Settings(line_values(stacks[number], number), f"lines.{number}.")
        transport = get("transport")
        if transport not in family.capabilities.transports:
            raise CannotRender(f"{family.id} cannot speak SIP over {transport}")
        if get("srtp") == "required" and not family.capabilities.srtp:
            raise CannotRender(f"{family.id} cannot encrypt media, and lines.{number}.srtp requires it")
        found.append(Line(number, bool(get("enabled")), get, device.password.get_secret_value()))
    return found


@lru_cache(maxsize=256)
def _absent(number: int) -> Line:
    return Line(number, False, Settings({}, f"lines.{number}."))
