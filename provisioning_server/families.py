"""Phone families as data: loads `device_templates/`, refuses what is not sound, runs every example it finds there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from jinja2 import Environment, TemplateSyntaxError
from pydantic import BaseModel, ValidationError

from provisioning_server.coverage import NAMES, written
from provisioning_server.manifest import Family, FileRule, Lint, Model, SettingsData, Upload, Vendor
from provisioning_server.table import BadTable, Table, read_table

TEMPLATES = Path(__file__).parent.parent / "device_templates"
M = TypeVar("M", bound=BaseModel)
PSEUDO_MACS = frozenset({"000000000000"})
"""Common-file names that look like MACs and are none: Poly's `000000000000.cfg` and its like."""

_HEX12 = re.compile(r"(?=([0-9a-f]{12}))")
_SHOWN_MAC = re.compile(r"\b(?:[0-9a-f]{2}[:-]?){5}[0-9a-f]{2}\b", re.IGNORECASE)
_AGENTS_KEPT = 2048
_NAMES_KEPT = 8192
_SYNTAX = Environment()
_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class BrokenFamily(Exception):
    """A folder of `device_templates` is not sound; the text names file and reason."""


class Families:
    """Every family by `vendor/family`."""

    def __init__(self, families: dict[str, Family], defaults: SettingsData, broken: tuple[str, ...] = ()) -> None:
        """`broken` says what is wrong with the families that are not here."""
        self.by_id = families
        self.defaults = defaults
        self.broken = broken
        self._by_name: dict[str, list[tuple[Family, FileRule]]] = {}
        for family in families.values():
            for rule in family.files:
                for name in rule.known_by():
                    self._by_name.setdefault(name, []).append((family, rule))
        self._by_upload: dict[str, list[tuple[Family, Upload]]] = {}
        for family in families.values():
            for upload in family.uploads:
                self._by_upload.setdefault(upload.name.lower(), []).append((family, upload))
        self.by_user_agent = lru_cache(_AGENTS_KEPT)(self._by_user_agent)
        self.of_name = lru_cache(_NAMES_KEPT)(self._of_name)
        """Return every file that is asked for by that name, those that name no device first."""

    def _of_name(self, name: str) -> tuple[tuple[Family, FileRule, re.Match[str]], ...]:
        name = name.lower()
        found = list(self._by_name.get(name, ()))
        for digits in _HEX12.finditer(name):
            found += self._by_name.get(f"{name[: digits.start()]}{{mac}}{name[digits.end(1) :]}", ())
        matched = [(family, rule, match) for family, rule in found if (match := rule.pattern.match(name))]
        return tuple(sorted(matched, key=lambda one: one[1].is_of_one_device))

    def uploads_of(self, name: str) -> list[tuple[Family, Upload, str]]:
        """Return (family, upload, MAC) of every family whose phones send a file of that name."""
        name = name.lower()
        return [
            (family, upload, digits[1])
            for digits in _HEX12.finditer(name)
            for family, upload in self._by_upload.get(f"{name[: digits.start()]}{{mac}}{name[digits.end(1) :]}", ())
        ]

    def _by_user_agent(self, text: str) -> tuple[Family, re.Match[str]] | None:
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
    families = load_sound(folder)
    if families.broken:
        raise BrokenFamily(families.broken[0])
    return families


def load_sound(folder: Path = TEMPLATES) -> Families:
    """Read every family that is sound; `broken` says what is wrong with the others: one disables itself alone.

    BrokenFamily when there is none, or when `defaults.yaml` cannot be read.
    """
    found: dict[str, Family] = {}
    broken: list[str] = []
    # forebears first: what is wrong with them is told of them, not of their heirs
    for manifest in sorted(folder.glob("*/*/family.yaml"), key=lambda path: (_is_heir(path), path)):
        try:
            family = _load(manifest)
            _check_names(family, found)
            found[family.id] = family
        except BrokenFamily as fault:
            broken.append(str(fault))
    defaults = _yaml(folder / "defaults.yaml") if found else {}
    for family in list(found.values()):
        try:
            _check_agents(family, Families(found, defaults))
            _check_tables(family, defaults)
            _check_unsupported(family)
        except BrokenFamily as fault:
            broken.append(str(fault))
            del found[family.id]
    if not found:
        raise BrokenFamily(broken[0] if broken else f"{folder}: there is no <vendor>/<family>/family.yaml in it")
    return Families(found, defaults, tuple(broken))


@cache
def shipped_families() -> Families:
    """The sound families of this installation, read once: they do not change while it runs."""
    return load_sound()


def _check_agents(family: Family, families: Families) -> None:
    for agent in family.user_agents:
        for example in agent.examples:
            match = agent.pattern.search(example)
            if match is None:
                raise BrokenFamily(f"{family.id}: example {example!r} is not matched by its own regex")
            if match.groupdict().get("mac", "") is None and _SHOWN_MAC.search(example):
                raise BrokenFamily(f"{family.id}: example {example!r} shows a MAC that its regex does not find")
            rivals = families.rivals(example)
            if rivals[0][0] is not family:
                raise BrokenFamily(f"{family.id}: example {example!r} is recognised as {rivals[0][0].id}")
            if len(rivals) > 1 and len(rivals[0][1][0]) == len(rivals[1][1][0]):
                raise BrokenFamily(f"{family.id} and {rivals[1][0].id} both claim {example!r} with equal right")
        for example in agent.counter_examples:
            if agent.pattern.search(example):
                raise BrokenFamily(f"{family.id}: counter-example {example!r} is matched")


_LINES = frozenset({
    "number", "enabled", "password", "ha1", "codecs", "domain", "server.host", "server.port", "display_name", "label",
    "user", "auth_user", "transport",
})  # fmt: skip
_KEYS = frozenset({"number", "nth", "domain", "type", "value", "label", "line", "pickup_code"})
_BOX = frozenset({"mac", "MAC", "model", "model_id", "line_count"})
_SERVER = frozenset({"url", "key", "short_key", "beside", "scheme", "path", "host", "port", "folder", "sip_host"})
_CLOCK = frozenset({"offset_s", "begins", "ends", "saving_s", "year"})
_FACTS = frozenset(
    {"time.zone", "network.ntp", "clock"}
    | {f"{root}.{leaf}" for root in ("line", "first") for leaf in _LINES}
    | {f"key.{leaf}" for leaf in _KEYS}
    | {f"box.{leaf}" for leaf in _BOX}
    | {f"server.{leaf}" for leaf in _SERVER}
    | {f"clock.{leaf}" for leaf in _CLOCK}
)
"""What formulas may name beside the settings of `defaults.yaml`."""


_WHERE = {"line": ("line",), "key": ("key", "xkey"), "first": ("box",)}
"""In which blocks such names mean something."""


def _check_tables(family: Family, defaults: SettingsData) -> None:
    """Every name in a formula must be a setting or a fact: a misspelt one would be found by a phone."""
    known = _FACTS | {name.replace("lines.*.", root) for name in defaults for root in ("line.", "first.")}
    for table in family.tables.values():
        for kind, row in table.rows():
            for name in row.formula.names if row.formula else ():
                if name not in known:
                    raise BrokenFamily(f"{table.path}:{row.at}: {name} is no setting (defaults.yaml lists them)")
                root = name.partition(".")[0]
                if kind not in _WHERE.get(root, (kind,)):
                    raise BrokenFamily(f"{table.path}:{row.at}: {name} means nothing in a [{kind}] block")


def _check_unsupported(family: Family) -> None:
    """What a family says it can be told nothing of must be a setting, and one that it does not write all the same."""
    for pattern in family.unsupported:
        meant = [name for name in NAMES if name == pattern or (pattern[-1:] == "*" and name.startswith(pattern[:-1]))]
        if not meant:
            raise BrokenFamily(f"{family.folder / 'family.yaml'}: unsupported: {pattern} is no setting")
        if told := sorted(written(family).keys() & set(meant)):
            raise BrokenFamily(f"{family.folder / 'family.yaml'}: unsupported: {pattern}, but {told[0]} is written")


def _check_names(family: Family, others: dict[str, Family]) -> None:
    """A name without a MAC must belong to one family, or be written by the same template of one vendor."""
    owners = {
        name: (other, _path(other, rule))
        for other in others.values()
        for rule in other.files
        if not rule.is_of_one_device
        for name in rule.known_by()
    }
    seen: set[str] = set()
    for rule in family.files:
        if rule.name.lower() in seen:
            raise BrokenFamily(f"{family.id}: file {rule.name} is listed twice")
        seen.add(rule.name.lower())
        if rule.is_of_one_device:
            continue
        if rule.sensitive:
            raise BrokenFamily(f"{family.id}: {rule.name} names no device and cannot be sensitive")
        for name in rule.known_by():
            owner, template = owners.get(name, (family, None))
            if owner is not family and template != _path(family, rule):
                raise BrokenFamily(f"{family.id} and {owner.id} both have the common file {rule.name}")


def _path(family: Family, rule: FileRule) -> Path:
    return next(folder / rule.template for folder in family.folders if (folder / rule.template).exists())


def _load(manifest: Path) -> Family:
    folder = manifest.parent
    vendor_file = folder.parent / "vendor.yaml"
    vendor = _model(Vendor, vendor_file, _yaml(vendor_file))
    data, folders = _inherited(manifest, ())
    folders = (*folders, folder.parent)
    models = _models(folder / "models.yaml")
    known, doubted, of_values = _parameters(folders)
    data |= {
        "folders": folders,
        "models": models,
        "vendor_settings": vendor.settings,
        "ouis": vendor.ouis,
        "parameters": known,
        "unverified": doubted,
        "unverified_values": of_values,
    }
    family = _model(Family, manifest, data)
    if (folder.parent.name, folder.name) != (family.vendor, family.family):
        raise BrokenFamily(f"{manifest}: says it is {family.id}")
    names = tuple(model.file or model.model for model in models.values())
    files = tuple(
        rule.model_copy(update={"models": names}) if "{model}" in rule.name else rule for rule in family.files
    )
    files += tuple(
        rule.model_copy(update={"name": f"{rule.name}.md5", "sensitive": False, "md5": False, "is_digest": True,
                                "format": "text", "lint": Lint(names="anything")})
        for rule in files if rule.md5
    )  # fmt: skip
    twice = family.lint.allowed_duplicates
    tables = {rule.template: _template(manifest, folders, rule.template, twice) for rule in files}
    _compiled(manifest, [agent.regex for agent in family.user_agents])
    _compiled(folder / "params.txt", family.parameters)
    return family.model_copy(
        update={"files": files, "tables": {name: table for name, table in tables.items() if table is not None}}
    )


def _is_heir(manifest: Path) -> bool:
    try:
        return manifest.read_bytes().startswith(b"inherits:")
    except OSError:
        return False  # told where it is loaded


def _inherited(manifest: Path, heirs: tuple[Path, ...]) -> tuple[dict[str, Any], tuple[Path, ...]]:
    """Return what the manifest says over what it inherits, and the folders of both. User-Agents are not inherited."""
    own = _yaml(manifest)
    parent = own.pop("inherits", "")
    if not parent:
        return own, (manifest.parent,)
    above = manifest.parents[2] / str(parent) / "family.yaml"
    if above in heirs or above == manifest:
        raise BrokenFamily(f"{manifest}: inherits from itself by {parent}")
    data, folders = _inherited(above, (*heirs, manifest))
    for name in ("user_agents", "doubted"):
        data.pop(name, None)
    return data | own, (manifest.parent, *folders)


def _template(manifest: Path, folders: tuple[Path, ...], name: str, repeated: tuple[str, ...]) -> Table | None:
    """Return the table of that name, None for another template; BrokenFamily when there is none."""
    path = next((folder / name for folder in folders if (folder / name).exists()), None)
    if path is None:
        raise BrokenFamily(f"{manifest}: template {name} does not exist")
    try:
        if path.suffix == ".table":
            return read_table(path, repeated)
        _SYNTAX.parse(path.read_text(encoding="utf-8"))
    except BadTable as fault:
        raise BrokenFamily(str(fault)) from None
    except TemplateSyntaxError as fault:
        raise BrokenFamily(f"{path}:{fault.lineno}: {fault.message}") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise BrokenFamily(f"{path}: {fault}") from None
    return None


def _models(path: Path) -> dict[str, Model]:
    """Read `models.yaml`: model → what is known of it."""
    if not path.exists():
        return {}
    found = {}
    for name, said in _yaml(path).items():
        if said is not None and not isinstance(said, dict):
            raise BrokenFamily(f"{path}: {name}: not a mapping")
        found[str(name)] = _model(Model, path, {"model": str(name)} | (said or {}))
    return found


def _parameters(folders: Iterable[Path]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return (all regexes, those marked with `?` or `~`, those with `~`: their values alone) of every `params.txt`."""
    known: list[str] = []
    doubted: list[str] = []
    of_values: list[str] = []
    for path in (folder / "params.txt" for folder in folders):
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
        doubted += [line[1:].strip() for line in lines if line.startswith("?")]
        of_values += [line[1:].strip() for line in lines if line.startswith("~")]
        known += [line for line in lines if line and line[0] not in "#?~"]
    return (*known, *doubted, *of_values), (*doubted, *of_values), tuple(of_values)


def _compiled(path: Path, regexes: tuple[str, ...] | list[str]) -> None:
    for regex in regexes:
        try:
            re.compile(regex)
        except re.error as error:
            raise BrokenFamily(f"{path}: {regex!r} is no regular expression: {error}") from None


def _yaml(path: Path) -> dict[str, Any]:
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_YAML)
    except FileNotFoundError:
        raise BrokenFamily(f"{path}: does not exist") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
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
        raise BrokenFamily(f"{path}{_line_of(path, first['loc'])}: {where}: {first['msg']}") from None


def _line_of(path: Path, place: Iterable[object]) -> str:
    """Return `:12`, the line in which that part of a YAML file stands, or the part around it; empty for none."""
    node, line = yaml.compose(path.read_text(encoding="utf-8"), Loader=_YAML), 0
    for step in place:
        if isinstance(node, yaml.MappingNode):
            key, node = next((pair for pair in node.value if pair[0].value == str(step)), (None, None))
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            key = node = node.value[step]
        else:
            break
        if key is None:
            break
        line = key.start_mark.line + 1
    return f":{line}" if line else ""
