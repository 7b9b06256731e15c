"""Rendering: strict, sandboxed, safe for the format, and the same bytes for the same input."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from provisioning_server import convert
from provisioning_server.families import Families, Family, FileRule
from provisioning_server.overlay import Scalar, ServedAt, Value, box_values, layers, line_values

_RANGES = {
    "network.vlan.id": (0, 4094),
    "network.dscp.sip": (0, 63),
    "network.dscp.rtp": (0, 63),
    "server.port": (1, 65535),
    "expires": (30, 86_400),
}
"""What is a number, and from where to where; by canonical name, for lines by the leaf."""
_LINE_BREAKS = "\r\n\0\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"


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
    def fingerprint(self) -> str:
        """Hash of the input. Holds for one set of templates: they do not change while the server runs."""
        said = [sorted((name, repr(value.value)) for name, value in self.settings.values.items())]
        for line in self.lines:
            values = sorted((name, repr(value.value)) for name, value in line.get.values.items())
            said.append([("line", f"{line.number} {line.enabled} {line.password}"), *values])
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
    year: int,
) -> Sheet:
    """Overlay the layers for one file; a common file has no box and knows no lines."""
    first = box[0] if box else None
    stack = layers(families, family, directory, at, device=first, model=model)
    lines = tuple(_lines(families, family, directory, at, box)) if box else ()
    return Sheet(family, rule, Settings(box_values(stack)), lines, mac, model, steady_url, at, year)


def _lines(
    families: Families, family: Family, directory: Directory, at: ServedAt, box: tuple[Device, ...]
) -> list[Line]:
    """Return every line of the box; those without a device are there and disabled, so that old accounts go."""
    by_port = {device.port: device for device in box}
    found = []
    for number in range(1, max(family.lines_of(box[0].model), *by_port) + 1):
        device = by_port.get(number)
        if device is None:
            found.append(Line(number, False, Settings({}, f"lines.{number}.")))
            continue
        values = line_values(layers(families, family, directory, at, device=device), number)
        get = Settings(values, f"lines.{number}.")
        transport = get("transport")
        if transport not in family.capabilities.transports:
            raise CannotRender(f"{family.id} cannot speak SIP over {transport}")
        found.append(Line(number, bool(get("enabled")), get, device.password.get_secret_value()))
    return found


def render(sheet: Sheet) -> bytes:
    """Write the file; CannotRender says what is missing or does not fit the format."""
    family, rule = sheet.family, sheet.rule
    known = family.models.get(sheet.model)
    try:
        zone = str(sheet.settings("time.zone"))
        text = (
            _environment(family.folder, rule.format == "xml")
            .get_template(rule.template)
            .render(
                get=sheet.settings,
                lines=sheet.lines,
                mac=sheet.mac,
                model=sheet.model,
                model_id=known.model_id.zfill(12) if known and known.model_id else "",
                capabilities=family.capabilities,
                steady_url=sheet.steady_url,
                at=sheet.at,
                convert=convert,
                clock=convert.clock(zone, sheet.year),
            )
        )
        return text.encode("utf-8")
    except (TemplateError, ValueError, KeyError, TypeError, OSError) as error:
        raise CannotRender(f"{family.id} {rule.template}: {type(error).__name__}: {error}") from None


@lru_cache(maxsize=64)
def _environment(folder: Path, xml: bool) -> Environment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=xml,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_of_one_line if xml else None,
    )
    environment.filters |= {"kv": _kv, "json": _json, "field": _field, "quoted": _quoted}
    return environment


def _kv(value: object) -> str:
    """A value of a `key = value` line: what would begin another line, or end the file, is refused."""
    text = str(value)
    if any(character in text for character in _LINE_BREAKS):
        raise CannotRender(f"{text[:40]!r} holds a line break and cannot stand in one line")
    return text


def _of_one_line(value: object) -> object:
    """XML forbids most control characters, and no setting of a phone spans lines: refused, as in a text file."""
    if isinstance(value, str) and not isinstance(value, Markup):  # Markup is the template's own text
        for character in value:
            if character in _LINE_BREAKS or (character < " " and character != "\t") or character in "\ufffe\uffff":
                raise CannotRender(f"{value[:40]!r} holds a control character and cannot stand in XML")
    return value


def _field(value: object) -> str:
    """A parameter of a baresip account: what ends it (a blank does, too), or the address before it, is refused."""
    text = _kv(value)
    if any(character in ';,<>"' or character.isspace() for character in text):
        raise CannotRender(f"{text[:40]!r} holds a character that ends a field of an account")
    return text


def _quoted(value: object) -> str:
    """A display name between quotes, for readers that look for the first `<` without minding quotes (libre)."""
    return _kv(value).translate(str.maketrans('\\"<>', "/'()"))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
