"""Everything a file is rendered from: the overlaid settings of a box, its lines, and where phones find the server."""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache

from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from provisioning_server import convert
from provisioning_server.families import Families
from provisioning_server.manifest import Family, FileRule
from provisioning_server.overlay import (
    Layer,
    Scalar,
    ServedAt,
    Value,
    box_values,
    line_values,
    of_lines,
    own_layers,
    shared_layers,
)
from provisioning_server.phonebook import Person, people

_RANGES = {
    "network.vlan.id": (0, 4094),
    "firmware.share": (0, 100),
    "network.dscp.sip": (0, 63),
    "network.dscp.rtp": (0, 63),
    "server.port": (1, 65535),
    "expires": (30, 86_400),
}
"""What is a number, and from where to where; by canonical name, for lines by the leaf."""


_PLAIN = 2
"""Version of marshal that writes each value out, and so the same octets for the same values; faster than any text."""


class CannotRender(Exception):
    """A template asked for what is not there, or a value cannot be written in this format."""


class Settings:
    """Overlaid values as templates see them: `get("time.zone")`. Remembers what was asked for."""

    __slots__ = ("_asked", "_by_leaf", "_entries", "_prefix", "values")

    def __init__(self, values: Mapping[str, Value], prefix: str = "") -> None:
        """`values` by their full names, all of which begin with `prefix`."""
        self.values = values
        self._prefix = prefix
        self._by_leaf = {name[len(prefix) :]: value for name, value in values.items()} if prefix else values
        self._asked: set[str] = set()
        self._entries: dict[int, Settings] = {}

    def __call__(self, name: str, default: Scalar | None = None) -> Scalar:
        found = self._by_leaf.get(name)
        if found is not None:
            self._asked.add(name)
            return _in_range(name, found) if name in _RANGES else found[1]
        if default is None:
            raise CannotRender(f"no layer sets {self._prefix + name!r}")
        return default

    @property
    def used(self) -> set[str]:
        """Full names of what was asked for, here and in the entries of lists."""
        return {self._prefix + name for name in self._asked}.union(*(one.used for one in self._entries.values()))

    def uses(self, name: str) -> None:
        """It is written without being asked for."""
        self._asked.add(name)

    def keyed(self, kind: str) -> Mapping[int, Settings]:
        """Return the entries of a keyed list by number, as `get("type")` of `keys.3.type`."""
        said: dict[str, dict[str, Value]] = {}
        for name, value in self.values.items():
            if name.startswith(kind):
                root, _, leaf = name.partition(".")
                number, _, leaf = leaf.partition(".")
                if root == kind and number.isdecimal() and leaf and "." not in leaf:
                    said.setdefault(number, {})[name] = value
        self._entries = {int(number): Settings(values, f"{kind}.{number}.") for number, values in said.items()}
        return self._entries


def _in_range(name: str, found: Value) -> Scalar:
    value = found.value
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
    people: tuple[Person, ...] = ()
    """Whom a directory lists."""
    file_key: str = ""
    """By which the phone is to decrypt its next files."""

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
        at = astuple(self.at)
        listed: list[object] = [tuple(one) for one in self.people]
        whole = (
            self.family.id,
            self.rule.name,
            said,
            self.mac,
            self.model,
            self.steady_url,
            at,
            self.year,
            listed,
            self.file_key,
        )
        return hashlib.sha256(marshal.dumps(whole, _PLAIN)).hexdigest()

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
    file_key: str = "",
    firmware: Callable[[str, int], str] = lambda target, share: "",
) -> Sheet:
    """Overlay the layers for one file; a common file has no box and knows no lines."""
    model = box[0].model if box else model
    shared = shared_layers(families, family, directory, at, model=model, version=version)
    if not box:
        return Sheet(family, rule, Settings(box_values(shared)), (), mac, model, steady_url, at, year)
    own = {device.port: own_layers(directory, device, at) for device in box}
    whole = Settings(_rolled_out(box_values([*shared, *own[box[0].port]]), firmware))
    lines = tuple(_lines(family, box, of_lines(shared), own))
    listed = people(directory, box) if rule.kind == "directory" and whole("phonebook.enabled") is True else ()
    return Sheet(family, rule, whole, lines, mac, model, steady_url, at, year, listed, file_key)


def _rolled_out(values: dict[str, Value], firmware: Callable[[str, int], str]) -> dict[str, Value]:
    """The last layer: the image that is this phone's next step, where a version is wanted of it."""
    target = values["firmware.target"]
    if not target.value:
        return values
    share = _in_range("firmware.share", values["firmware.share"])
    url = firmware(str(target.value), int(share))
    if url:
        values["firmware.url"] = Value("firmware.url", url, f"rollout ({target.layer})", (
            *values["firmware.url"].stack, (f"rollout ({target.layer})", url),
        ))  # fmt: skip
    return values


def _said(settings: Settings) -> list[tuple[str, Scalar]]:
    return [(name, value[1]) for name, value in settings.values.items()]


def _lines(
    family: Family, box: tuple[Device, ...], shared: list[Layer], own: Mapping[int, Sequence[Layer]]
) -> list[Line]:
    """Return every line of the box; those without a device are there and disabled, so that old accounts go."""
    by_port = {device.port: device for device in box}
    found = []
    for number in range(1, max(family.lines_of(box[0].model), *by_port) + 1):
        device = by_port.get(number)
        if device is None:
            found.append(_absent(number))
            continue
        get = Settings(line_values([*shared, *own[number]], number), f"lines.{number}.")
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
