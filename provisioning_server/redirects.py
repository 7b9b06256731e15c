"""The makers' redirect services as data: `device_templates/<vendor>/redirect.yaml`, one a maker.

What a factory-fresh phone asks there, and what it is answered. Wire details that are not public stand in `doubted`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from provisioning_server.families import TEMPLATES, BrokenFamily

_PLACES = {
    "{mac}": r"(?P<mac>[0-9a-fA-F]{12})",
    "{MAC}": r"(?P<mac>[0-9a-fA-F]{12})",
    "{model}": r"(?P<model>[^/&?:]{0,40})",
    "{serial}": r"[^/&?:]{0,40}",
    "{version}": r"[^/&?]{0,40}",
    "{code}": r"(?P<code>[0-9]{3,16})",
}


class Redirect(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    title: str
    hosts: tuple[str, ...] = Field(min_length=1)
    ask: str
    """Path and query a phone asks for, with `{mac}`, `{MAC}`, `{model}`, `{serial}`, `{version}`."""
    code: str = ""
    """The same with an activation code, `{code}`; empty for a service that knows none."""
    certificate: bool
    """Whether the phone shows its factory certificate, whose name is its MAC."""
    status: Literal[200, 302] = 200
    """302 sends the phone on; with 200 the body says where."""
    content_type: str = "text/plain; charset=utf-8"
    body: str = ""
    """With `{url}`, `{scheme}`, `{location}` (the URL without its scheme), `{mac}`."""
    schemes: dict[str, str] = Field(default_factory=dict)
    """What the phone calls a scheme, where it does not spell it."""
    doubted: dict[str, str] = Field(default_factory=dict)
    """Field → why its facts have not been seen; `answer` is status and body."""

    @property
    def verified(self) -> bool:
        return not self.doubted

    @cached_property
    def asked(self) -> tuple[re.Pattern[str], ...]:
        return tuple(_pattern(text) for text in (self.ask, self.code) if text)

    def answer(self, url: str, mac: str) -> str:
        scheme, _, location = url.partition("://")
        told = {
            "{url}": url, "{scheme}": self.schemes.get(scheme, scheme), "{location}": location.rstrip("/"),
            "{mac}": mac,
        }  # fmt: skip
        return _filled(self.body, told)

    def question(self, facts: Mapping[str, str], code: str = "") -> str:
        """What a phone asks for; `facts` are its `mac`, `MAC`, `model`, `serial` and `version`."""
        told = {f"{{{name}}}": value for name, value in facts.items()} | {"{code}": code}
        return _filled(self.code if code else self.ask, told)


@dataclass(frozen=True, slots=True)
class Redirects:
    by_vendor: Mapping[str, Redirect]
    by_host: Mapping[str, Redirect]


@cache
def shipped_redirects() -> Redirects:
    return load_redirects(TEMPLATES)


def load_redirects(folder: Path) -> Redirects:
    """Return every maker's service; BrokenFamily names file and reason."""
    by_vendor: dict[str, Redirect] = {}
    by_host: dict[str, Redirect] = {}
    for path in sorted(folder.glob("*/redirect.yaml")):
        try:
            found = Redirect.model_validate(yaml.safe_load(path.read_text("utf-8")))
        except (ValidationError, yaml.YAMLError, OSError, UnicodeDecodeError) as error:
            first = error.errors()[0] if isinstance(error, ValidationError) else None
            told = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first else str(error)
            raise BrokenFamily(f"{path}: {told}") from None
        for host in found.hosts:
            if host in by_host:
                raise BrokenFamily(f"{path}: {host} is {by_host[host].title}'s already")
            by_host[host] = found
        if found.status == 200 and not found.body:
            raise BrokenFamily(f"{path}: body: it says nothing, and the status sends nobody on")
        by_vendor[path.parent.name] = found
    return Redirects(by_vendor, by_host)


def _pattern(text: str) -> re.Pattern[str]:
    escaped, seen = re.escape(text), set[str]()
    for place, pattern in _PLACES.items():
        name = re.search(r"\?P<(\w+)>", pattern)
        if name is not None and name[1] in seen:
            pattern = pattern.replace(f"?P<{name[1]}>", "")
        if re.escape(place) in escaped and name is not None:
            seen.add(name[1])
        escaped = escaped.replace(re.escape(place), pattern)
    return re.compile(escaped + r"\Z", re.IGNORECASE)


def _filled(text: str, told: Mapping[str, str]) -> str:
    for place, value in told.items():
        text = text.replace(place, value)
    return text
