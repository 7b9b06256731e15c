"""Phone families as data: loads `device_templates/`, refuses what is not sound, runs every example it finds there."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

TEMPLATES = Path(__file__).parent.parent / "device_templates"
M = TypeVar("M", bound=BaseModel)
PSEUDO_MACS = frozenset({"000000000000"})
"""Common-file names that look like MACs and are none: Poly's `000000000000.cfg` and its like."""

SettingsData = dict[str, str | int | bool]
_MACROS = {"{mac}": r"(?P<mac>[0-9a-fA-F]{12})", "{model_id}": r"(?P<model_id>\d{12})"}


class BrokenFamily(Exception):
    """A folder of `device_templates` is not sound; the text names file and reason."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))


class UserAgent(_Data):
    regex: str
    """With named groups among `model`, `version`, `mac`."""
    examples: tuple[str, ...] = Field(min_length=1)
    """Real header values; each must match when the folder is loaded."""
    counter_examples: tuple[str, ...] = ()
    """Header values of other makers or families, which must not match."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self.regex)


class FileRule(_Data):
    name: str
    """File name with `{mac}` (12 hex digits) or `{model_id}` (12 decimal digits); compared without case."""
    kind: Literal["boot", "common", "device", "directory"]
    template: str
    content_type: str
    sensitive: bool = False
    """Holds a password: its first delivery starts the end of the one-time token."""
    format: Literal["kv", "xml", "json", "text"] = "text"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        escaped = re.escape(self.name)
        for macro, regex in _MACROS.items():
            escaped = escaped.replace(re.escape(macro), regex)
        return re.compile(escaped + r"\Z", re.IGNORECASE)

    @property
    def is_of_one_device(self) -> bool:
        """Named by a MAC: for the holder of that MAC's token alone, whatever it contains."""
        return "{mac}" in self.name


class Capabilities(_Data):
    lines: int = 1
    keys: int = 0
    """Programmable keys that are written even when empty, so that a removed one goes."""
    fxs_ports: int = 0
    transports: tuple[str, ...] = ("udp",)
    codecs: tuple[str, ...] = ("PCMU", "PCMA")


class Lint(_Data):
    """How the parameters of a rendered file are found, and what is forbidden there."""

    names: Literal["keys", "attributes", "elements", "entries", "leaves", "words"]
    """Where names stand: `key = value`, XML attributes, XML elements, lpconfig entries, JSON leaves, first words."""
    first_line: str = ""
    allowed_duplicates: tuple[str, ...] = ()


class Model(_Data):
    model: str
    model_id: str = ""
    """Digits by which the common file is named."""
    lines: int | None = None
    verified: bool = True
    """False where the number of lines has not been seen in a manual."""
    settings: SettingsData = Field(default_factory=dict)


class Vendor(_Data):
    title: str
    ouis: tuple[Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{6}$")], ...] = ()
    """First six hex digits; for people: an OUI is no vendor (provisioning 0.1), and identifies nothing here."""
    settings: SettingsData = Field(default_factory=dict)


class Family(_Data):
    family: str
    vendor: str
    title: str
    type: Literal["deskphone", "ata", "softphone"]
    verified: bool = True
    """False where a fact in it has not been seen on a device, in its manual or in a public source."""
    user_agents: tuple[UserAgent, ...] = ()
    files: tuple[FileRule, ...] = Field(min_length=1)
    capabilities: Capabilities = Capabilities()
    settings: SettingsData = Field(default_factory=dict)
    lint: Lint
    dhcp: tuple[int, ...] = ()
    resync: str = "check-sync;reboot=false"
    boot: tuple[str, ...] = ()
    """What a factory-fresh phone asks for, in order; for people."""
    start: str = ""
    """What is put behind the base URL to make the URL of a family that is given one file, not a folder."""
    folder: Path = Path()
    models: dict[str, Model] = Field(default_factory=dict)
    vendor_settings: SettingsData = Field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    """Regexes of the parameter names this family knows (`params.txt`)."""
    unverified: tuple[str, ...] = ()
    """Those among them (marked `?`) that nobody has seen on a device, in a manual or in a public source."""

    @property
    def id(self) -> str:
        return f"{self.vendor}/{self.family}"

    def lines_of(self, model: str) -> int:
        known = self.models.get(model)
        return (known.lines if known else None) or self.capabilities.lines

    def model_of_id(self, digits: str) -> str:
        """Return a model by the id in a common file's name; empty when there is none."""
        wanted = digits.lstrip("0")
        return next((m.model for m in self.models.values() if m.model_id and m.model_id.lstrip("0") == wanted), "")


class Families:
    """Every family by `vendor/family`."""

    def __init__(self, families: dict[str, Family], defaults: SettingsData) -> None:
        self.by_id = families
        self.defaults = defaults

    def by_user_agent(self, text: str) -> tuple[Family, re.Match[str]] | None:
        """Return the family whose pattern matches most of the header; longest wins."""
        found = self.rivals(text)
        return found[0] if found else None

    def rivals(self, text: str) -> list[tuple[Family, re.Match[str]]]:
        """Return every family that recognises the header, longest match first."""
        found: dict[str, tuple[Family, re.Match[str]]] = {}
        for family in self.by_id.values():
            for agent in family.user_agents:
                match = agent.pattern.search(text)
                if match and (family.id not in found or len(match[0]) > len(found[family.id][1][0])):
                    found[family.id] = (family, match)
        return sorted(found.values(), key=lambda pair: -len(pair[1][0]))


def load_families(folder: Path = TEMPLATES) -> Families:
    """Read every `<vendor>/<family>/family.yaml`; BrokenFamily names what is wrong and where."""
    found: dict[str, Family] = {}
    for manifest in sorted(folder.glob("*/*/family.yaml")):
        family = _load(manifest)
        if family.id in found:
            raise BrokenFamily(f"{manifest}: {family.id} exists twice")
        found[family.id] = family
    if not found:
        raise BrokenFamily(f"{folder}: there is no <vendor>/<family>/family.yaml in it")
    families = Families(found, _yaml(folder / "defaults.yaml"))
    for family in found.values():
        _check_agents(family, families)
    _check_names(found)
    return families


def _check_agents(family: Family, families: Families) -> None:
    for agent in family.user_agents:
        for example in agent.examples:
            if not agent.pattern.search(example):
                raise BrokenFamily(f"{family.id}: example {example!r} is not matched by its own regex")
            rivals = families.rivals(example)
            if rivals[0][0] is not family:
                raise BrokenFamily(f"{family.id}: example {example!r} is recognised as {rivals[0][0].id}")
            if len(rivals) > 1 and len(rivals[0][1][0]) == len(rivals[1][1][0]):
                raise BrokenFamily(f"{family.id} and {rivals[1][0].id} both claim {example!r} with equal right")
        for example in agent.counter_examples:
            if agent.pattern.search(example):
                raise BrokenFamily(f"{family.id}: counter-example {example!r} is matched")


def _check_names(families: dict[str, Family]) -> None:
    """A name without a MAC must belong to one family: nothing else could tell whose it is."""
    owners: dict[str, str] = {}
    for family in families.values():
        seen: set[str] = set()
        for rule in family.files:
            name = rule.name.lower()
            if name in seen:
                raise BrokenFamily(f"{family.id}: file {rule.name} is listed twice")
            seen.add(name)
            if rule.is_of_one_device:
                continue
            if rule.sensitive:
                raise BrokenFamily(f"{family.id}: {rule.name} names no device and cannot be sensitive")
            if name in owners:
                raise BrokenFamily(f"{family.id} and {owners[name]} both have the common file {rule.name}")
            owners[name] = family.id


def _load(manifest: Path) -> Family:
    folder = manifest.parent
    vendor_file = folder.parent / "vendor.yaml"
    vendor = _model(Vendor, vendor_file, _yaml(vendor_file))
    models: dict[str, Model] = {}
    for path in sorted((folder / "models").glob("*.yaml")):
        model = _model(Model, path, _yaml(path))
        if model.model in models or path.stem != model.model:
            raise BrokenFamily(f"{path}: model {model.model} must stand once, in {model.model}.yaml")
        models[model.model] = model
    known, doubted = _parameters(folder / "params.txt")
    data = _yaml(manifest) | {
        "folder": folder,
        "models": models,
        "vendor_settings": vendor.settings,
        "parameters": known,
        "unverified": doubted,
    }
    family = _model(Family, manifest, data)
    if (folder.parent.name, folder.name) != (family.vendor, family.family):
        raise BrokenFamily(f"{manifest}: says it is {family.id}")
    for rule in family.files:
        if not (folder / rule.template).exists():
            raise BrokenFamily(f"{manifest}: template {rule.template} does not exist")
    _compiled(manifest, [agent.regex for agent in family.user_agents])
    _compiled(folder / "params.txt", family.parameters)
    return family


def _parameters(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (all regexes, those marked with a question mark)."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    doubted = tuple(line[1:].strip() for line in lines if line.startswith("?"))
    return (*(line for line in lines if line and line[0] not in "#?"), *doubted), doubted


def _compiled(path: Path, regexes: tuple[str, ...] | list[str]) -> None:
    for regex in regexes:
        try:
            re.compile(regex)
        except re.error as error:
            raise BrokenFamily(f"{path}: {regex!r} is no regular expression: {error}") from None


def _yaml(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BrokenFamily(f"{path}: does not exist") from None
    except yaml.YAMLError as error:
        raise BrokenFamily(f"{path}: {error}") from None
    if not isinstance(data, dict):
        raise BrokenFamily(f"{path}: not a mapping")
    return data


def _model(cls: type[M], path: Path, data: dict[str, Any]) -> M:
    try:
        return cls.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BrokenFamily(f"{path}: {where}: {first['msg']}") from None
