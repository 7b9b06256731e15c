"""Everything a file is rendered from: the overlaid settings of a box, its lines, and where phones find the server."""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property, lru_cache, partial

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
    of_line,
    of_lines,
    of_the_box,
    own_layers,
    shared_layers,
)
from provisioning_server.phonebook import Person, people
from provisioning_server.vocabulary import CHECKED

_PLAIN = 2
"""Version of marshal that writes each value out, and so the same octets for the same values; faster than any text."""


class CannotRender(Exception):
    """A template asked for what is not there, or a value cannot be written in this format."""


class Settings(dict[str, Scalar]):
    """Overlaid values by leaf. Tables ask by `[…]`, templates by a call, which remembers what was asked for.

    Where a value comes from is worked out when somebody wants to know (`origins`): a full phone has seven hundred, and
    a rendering asks for none.
    """

    __slots__ = ("_asked", "_origins", "_told", "prefix")

    def __init__(
        self, said: Mapping[str, Scalar], prefix: str = "", origins: Callable[[], dict[str, Value]] = dict
    ) -> None:
        """`prefix` makes a leaf's name a full one; `origins` gives the values by their full names."""
        super().__init__(said)
        self.prefix = prefix
        self._origins = origins
        self._told: dict[str, Value] | None = None
        self._asked: set[str] = set()

    def __call__(self, name: str, default: Scalar | None = None) -> Scalar:
        self._asked.add(name)
        if default is not None and name not in self:
            return default
        return self.checked(name) if name in CHECKED else self[name]

    def __missing__(self, name: str) -> Scalar:
        raise CannotRender(f"no layer sets {self.prefix + name!r}")

    @property
    def origins(self) -> dict[str, Value]:
        """Values with their origins, by full name."""
        if self._told is None:
            self._told = self._origins()
        return self._told

    @property
    def asked(self) -> set[str]:
        """Full names of what was asked for by call."""
        return {self.prefix + name for name in self._asked if name in self}

    def keyed(self, kind: str) -> dict[int, dict[str, Scalar]]:
        """Return the entries of a keyed list by number and leaf: `keys.3.type`, `expansion.1.keys.3.type`."""
        found: dict[int, dict[str, Scalar]] = {}
        for name, value in self.items():
            if name.startswith(kind) and (entry := _entry(kind, name)) is not None:
                number, leaf = entry
                if number in found:
                    found[number][leaf] = value
                else:
                    found[number] = {leaf: value}
        return found

    def checked(self, name: str) -> Scalar:
        """Return a value that is what its kind says; CannotRender for another."""
        value = self[name]
        if refused := _refused(name, value):
            full = self.prefix + name
            raise CannotRender(f"{full} = {value!r} ({self.origins[full].layer}) is {refused}")
        return value

    def number(self, name: str) -> int:
        """Return a number, as its kind says; CannotRender for anything else."""
        return int(self.checked(name))


@lru_cache(maxsize=4096, typed=True)
def _refused(name: str, value: Scalar) -> str:
    return CHECKED[name].refuses(value)


@lru_cache(maxsize=4096)
def _entry(kind: str, name: str) -> tuple[int, str] | None:
    number, _, leaf = name[len(kind) + 1 :].partition(".")
    is_one = name.startswith(f"{kind}.") and number.isdecimal() and leaf and "." not in leaf
    return (int(number), leaf) if is_one else None


@dataclass(frozen=True)
class Line:
    """One line of a phone or port of an ATA, as templates see it; further values by `line.get("expires")`."""

    number: int
    enabled: bool
    get: Settings
    password: str = ""

    @cached_property
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
        said: list[object] = [dict(self.settings)]
        said += [(line.number, line.enabled, line.password, dict(line.get)) for line in self.lines]
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
    def asked(self) -> set[str]:
        """Full names of what was asked for by call."""
        return self.settings.asked.union(*(line.get.asked for line in self.lines))


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
    once: Layer | None = None,
    firmware: Callable[[str, int], str] = lambda target, share: "",
) -> Sheet:
    """Overlay the layers for one file, `once` above all; a common file has no box and knows no lines."""
    model = box[0].model if box else model
    stack = shared_layers(families, family, directory, at, model=model, version=version)
    if not box:
        whole = Settings(of_the_box(stack), origins=partial(box_values, stack))
        return Sheet(family, rule, whole, (), mac, model, steady_url, at, year)
    above = [once] if once is not None else []
    own = {device.port: [*own_layers(directory, device, at), *above] for device in box}
    lines = tuple(_lines(family, box, stack, own))
    whole = _of_box([*stack, *own[box[0].port]], firmware)
    listed = people(directory, box) if rule.kind == "directory" and whole("phonebook.enabled") is True else ()
    return Sheet(family, rule, whole, lines, mac, model, steady_url, at, year, listed, file_key)


def _of_box(stack: list[Layer], firmware: Callable[[str, int], str]) -> Settings:
    """Where a version of the firmware is wanted, the last layer is the image that is this phone's next step."""
    whole = Settings(of_the_box(stack), origins=partial(box_values, stack))
    target = whole["firmware.target"]
    url = firmware(str(target), whole.number("firmware.share")) if target else ""
    if not url:
        return whole
    wanted_by = whole.origins["firmware.target"].layer
    stack = [*stack, Layer(f"rollout ({wanted_by})", {"firmware.url": url})]
    return Settings(of_the_box(stack), origins=partial(box_values, stack))


def _lines(
    family: Family, box: tuple[Device, ...], shared: list[Layer], own: Mapping[int, Sequence[Layer]]
) -> list[Line]:
    """Return every line of the box; those without a device are there and disabled, so that old accounts go."""
    by_port = {device.port: device for device in box}
    of_all = of_lines(shared)
    found = []
    for number in range(1, max(family.lines_of(box[0].model), *by_port) + 1):
        device = by_port.get(number)
        if device is None:
            found.append(_absent(number))
            continue
        get = Settings(
            of_line([*of_all, *of_lines(own[number])], number), f"lines.{number}.",
            partial(line_values, [*shared, *own[number]], number),
        )  # fmt: skip
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
