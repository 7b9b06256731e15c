"""Rendering: strict, sandboxed, safe for the format, and the same bytes for the same input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from provisioning_server import convert
from provisioning_server.families import Family, FileRule
from provisioning_server.overlay import ServedAt, Value


class CannotRender(Exception):
    """A template asked for what is not there, or a value cannot be written in this format."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a phone or port of an ATA, as templates see it."""

    number: int
    enabled: bool
    user: str = ""
    password: str = ""
    label: str = ""
    display_name: str = ""
    voicemail: str = ""
    transport: str = "udp"


class Settings:
    """The overlaid values, by canonical name; remembers what was asked for."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values
        self.used: set[str] = set()

    def __call__(self, name: str) -> object:
        found = self._values.get(name)
        if found is None:
            raise CannotRender(f"no layer sets {name!r}")
        self.used.add(name)
        return found.value

    def unused(self) -> list[str]:
        """Names that are set but that this file does not write."""
        return sorted(set(self._values) - self.used)


def lines_of(family: Family, directory: Directory, box: tuple[Device, ...], voicemail: str) -> list[Line]:
    """Return every line of the box; those without a device are there and disabled, so that old accounts go."""
    by_port = {device.port: device for device in box}
    count = max(family.lines_of(box[0].model), max(by_port))
    found = []
    for number in range(1, count + 1):
        device = by_port.get(number)
        if device is None:
            found.append(Line(number, enabled=False))
            continue
        user = directory.users_by_extension.get(device.extension)
        name = user.name if user else device.extension
        label = device.label or f"{device.extension} {name}"
        found.append(
            Line(number, True, device.id, device.password.get_secret_value(), label, name, voicemail, device.transport)
        )
    return found


def render(
    family: Family,
    rule: FileRule,
    *,
    settings: Settings,
    lines: list[Line],
    mac: str,
    model: str,
    steady_url: str,
    at: ServedAt,
    year: int,
) -> bytes:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(family.folder),
        undefined=StrictUndefined,
        autoescape=rule.format == "xml",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"kv": _kv, "json": _json}
    known = family.models.get(model)
    zone = str(settings("time.zone"))
    try:
        text = environment.get_template(rule.template).render(
            get=settings,
            lines=lines,
            mac=mac,
            model=model,
            model_id=known.model_id if known else "",
            steady_url=steady_url,
            at=at,
            convert=convert,
            zone=zone,
            year=year,
            changes=convert.changes(zone, year),
        )
    except (TemplateError, ValueError, KeyError) as error:
        raise CannotRender(f"{family.id} {rule.template}: {error}") from None
    return text.encode("utf-8")


def _kv(value: object) -> str:
    """A value of a `key = value` line: what would begin another line, or end the file, is refused."""
    text = str(value)
    if any(character in text for character in "\r\n\0\x0b\x0c\x85\u2028\u2029"):
        raise CannotRender(f"{text[:40]!r} holds a line break and cannot stand in one line")
    return text


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
