"""Phone families as data: loads `device_templates/`, refuses what is not sound, runs every example it finds there."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

TEMPLATES = Path(__file__).parent.parent / "device_templates"
M = TypeVar("M", bound=BaseModel)
PSEUDO_MACS = frozenset({"000000000000"})
"""Common-file names that look like MACs and are none: Poly's `000000000000.cfg` and its like."""


class BrokenFamily(Exception):
    """A folder of `device_templates` is not sound; the text names file and reason."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))


class UserAgent(_Data):
    regex: str
    """With named groups among `model`, `version`, `mac`."""
    examples: tuple[str, ...] = Field(min_length=1)
    """Real header values; each must match when the folder is loaded."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self.regex)


class FileRule(_Data):
    name: str
    """File name with `{mac}` (12 hex digits, case of the family), `{MAC}` or `{model_id}`."""
    kind: Literal["boot", "common", "device", "directory"]
    template: str
    content_type: str
    sensitive: bool = False
    """Holds a password: needs a token or an open window."""
    format: Literal["kv", "xml", "json", "text"] = "text"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        escaped = re.escape(self.name)
        for macro, regex in (
            (r"\{mac\}", r"(?P<mac>[0-9a-fA-F]{12})"),
            (r"\{MAC\}", r"(?P<mac>[0-9a-fA-F]{12})"),
            (r"\{model_id\}", r"(?P<model_id>\d+)"),
        ):
            escaped = escaped.replace(macro, regex)
        return re.compile(escaped + r"\Z", re.IGNORECASE)


class Capabilities(_Data):
    lines: int = 1
    fxs_ports: int = 0
    transports: tuple[str, ...] = ("udp",)
    codecs: tuple[str, ...] = ("PCMU", "PCMA")


class Model(_Data):
    model: str
    model_id: str = ""
    lines: int | None = None
    settings: dict[str, str | int | bool] = Field(default_factory=dict)


class Family(_Data):
    family: str
    vendor: str
    title: str
    type: Literal["deskphone", "ata", "softphone"]
    verified: bool = True
    """False where a fact in it has not been seen on a device or in its manual."""
    user_agents: tuple[UserAgent, ...] = ()
    files: tuple[FileRule, ...] = Field(min_length=1)
    capabilities: Capabilities = Capabilities()
    settings: dict[str, str | int | bool] = Field(default_factory=dict)
    dhcp: tuple[int, ...] = ()
    resync: str = "check-sync;reboot=false"
    boot: tuple[str, ...] = ()
    """What a factory-fresh phone asks for, in order; for people."""
    start: str = ""
    """What is put behind the base URL to make the URL of a family that is given one file, not a folder."""
    folder: Path = Path()
    models: dict[str, Model] = Field(default_factory=dict)
    vendor_settings: dict[str, str | int | bool] = Field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    """Regexes of the parameter names this family knows (`params.txt`)."""

    @property
    def id(self) -> str:
        return f"{self.vendor}/{self.family}"

    def lines_of(self, model: str) -> int:
        known = self.models.get(model)
        return (known.lines if known else None) or self.capabilities.lines


class Families:
    """Every family by `vendor/family`."""

    def __init__(self, families: dict[str, Family], defaults: dict[str, str | int | bool]) -> None:
        self.by_id = families
        self.defaults = defaults

    def by_user_agent(self, text: str) -> tuple[Family, re.Match[str]] | None:
        """Return the family whose pattern matches most of the header; longest wins."""
        best: tuple[int, Family, re.Match[str]] | None = None
        for family in self.by_id.values():
            for agent in family.user_agents:
                found = agent.pattern.search(text)
                if found and (best is None or len(found[0]) > best[0]):
                    best = (len(found[0]), family, found)
        return (best[1], best[2]) if best else None


def load_families(folder: Path = TEMPLATES) -> Families:
    """Read every `<vendor>/<family>/family.yaml`; BrokenFamily names what is wrong and where."""
    found: dict[str, Family] = {}
    for manifest in sorted(folder.glob("*/*/family.yaml")):
        family = _load(manifest)
        if family.id in found:
            raise BrokenFamily(f"{manifest}: {family.id} exists twice")
        found[family.id] = family
    families = Families(found, _yaml(folder / "defaults.yaml"))
    for family in found.values():
        for agent in family.user_agents:
            for example in agent.examples:
                matched = families.by_user_agent(example)
                if matched is None or matched[0] is not family:
                    other = matched[0].id if matched else "nothing"
                    raise BrokenFamily(f"{family.id}: example {example!r} is recognised as {other}")
    return families


def _load(manifest: Path) -> Family:
    folder = manifest.parent
    vendor = _yaml(folder.parent / "vendor.yaml") if (folder.parent / "vendor.yaml").exists() else {}
    models = {}
    for path in sorted((folder / "models").glob("*.yaml")):
        model = _model(Model, path, _yaml(path))
        models[model.model] = model
    parameters = folder / "params.txt"
    names = (
        tuple(line.strip() for line in parameters.read_text().splitlines() if line.strip() and not line.startswith("#"))
        if parameters.exists()
        else ()
    )
    data = _yaml(manifest) | {
        "folder": folder,
        "models": models,
        "vendor_settings": vendor.get("settings", {}),
        "parameters": names,
    }
    family = _model(Family, manifest, data)
    for rule in family.files:
        if not (folder / rule.template).exists():
            raise BrokenFamily(f"{manifest}: template {rule.template} does not exist")
    return family


def _yaml(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text())
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
