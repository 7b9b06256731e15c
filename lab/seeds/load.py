"""Read a seed: YAML text → directory and lab section, every error with its file and line.

A small YAML: no anchors, no tags, no sexagesimal surprises (`18:00` stays text), duplicate keys are errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from lab.seeds.model import LabSeed
from pbx.domain.directory import Directory
from pbx.domain.problems import Path as Place
from pbx.domain.problems import Problem
from pbx.domain.seed import BadSeed, read_directory, read_model

OFFICE = Path(__file__).with_name("office.yaml")

_DEPTH = 32
_BYTES = 4_000_000
_SHOWN = 12
_REFERENCE = "lab/seeds/office.yaml is a complete example"


@dataclass(frozen=True, slots=True)
class Seed:
    directory: Directory
    lab: LabSeed

    @property
    def start(self) -> datetime:
        """Aware wall time at which virtual time begins."""
        return self.lab.start.replace(tzinfo=ZoneInfo(self.directory.domain.time_zone))


class SeedError(ValueError):
    """A seed cannot be used: what happened, why, what to do, where to read on (exit code 4)."""

    def __init__(self, happened: str, why: str, remedy: str, reference: str = _REFERENCE) -> None:
        self.happened, self.why, self.remedy, self.reference = happened, why, remedy, reference
        super().__init__(f"{happened}\n  why: {why}\n  do:  {remedy}\n  see: {reference}")


def load_seed(path: Path = OFFICE) -> Seed:
    """Return the seed in a file; SeedError when it cannot be read or used."""
    happened = f"seed {path} was not loaded"
    try:
        if path.stat().st_size > _BYTES:
            raise SeedError(happened, f"it is larger than {_BYTES} bytes", "give the path of a seed file")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SeedError(happened, error.strerror or str(error), "give the path of a readable YAML file") from error
    except UnicodeDecodeError as error:
        raise SeedError(happened, f"byte {error.start} is not UTF-8", "save the file as UTF-8") from error
    return read_seed(text, str(path))


def read_seed(text: str, name: str = "seed") -> Seed:
    """Return the seed of YAML `text`; SeedError names `name` and the line of every problem."""
    document, lines = _read(text, name)
    if not isinstance(document, dict):
        remedy = "begin with `domain:`, then sites, users, devices and so on"
        raise SeedError(f"seed {name} was not loaded", f"{name}:1: it is no mapping", remedy)
    try:
        found = list(_parts(document))
        if found:
            raise BadSeed(found)
        directory = read_directory({key: value for key, value in document.items() if key != "lab"})
        lab = _lab(document.get("lab", {}), directory)
    except BadSeed as error:
        shown = [f"{name}:{_line(lines, problem.path)}: {problem.sentence}" for problem in error.problems[:_SHOWN]]
        if len(error.problems) > _SHOWN:
            shown.append(f"and {len(error.problems) - _SHOWN} more")
        happened = f"seed {name} was not loaded: {len(error.problems)} problem{'s'[: len(error.problems) > 1]}"
        raise SeedError(happened, "\n       ".join(shown), "mend the lines named") from error
    return Seed(directory, lab)


def _parts(document: dict[str, object]) -> Iterator[Problem]:
    """The fault a whole seed may have that no model sees: a section left empty reads as nothing at all."""
    for key, value in document.items():
        if value is None:
            yield Problem((key,), f"{key} is empty; leave the section out instead")


def _lab(document: object, directory: Directory) -> LabSeed:
    try:
        lab = read_model(LabSeed, document)
    except BadSeed as error:
        raise BadSeed([Problem(("lab", *p.path), f"lab: {p.sentence}") for p in error.problems]) from error
    found = list(_lab_problems(lab, directory))
    if found:
        raise BadSeed(found)
    return lab


def _lab_problems(lab: LabSeed, directory: Directory) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, outside in enumerate(lab.carrier):
        if outside.number in directory.numbers_by_digits:
            yield Problem(("lab", "carrier", place), f"{outside.number} is a number of the domain, not outside it")
        if outside.number in seen:
            yield Problem(("lab", "carrier", place), f"outside number {outside.number} exists twice")
        seen.add(outside.number)
    for extension in lab.traits:
        if extension not in directory.users_by_extension:
            yield Problem(("lab", "traits", extension), f"traits of {extension}: there is no such user")
    for field, extensions in (("tftp", lab.tftp), ("untold", lab.untold)):
        for extension in extensions:
            if extension not in directory.devices_by_extension:
                yield Problem(("lab", field), f"{field} names {extension}, who has no device")


def _line(lines: dict[Place, int], path: Place) -> int:
    """Return the line of the innermost object on `path` that the file itself has."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


def _fault(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def _read(text: str, name: str) -> tuple[object, dict[Place, int]]:
    """Return the document and the line (from 1) of every object in it."""
    lines: dict[Place, int] = {}
    try:
        root = yaml.CSafeLoader(text).get_single_node()
        return (None if root is None else _Reading(text, lines).value(root, ())), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}" if mark else name
        why = f"{where}: {error.problem or error.context}"
        raise SeedError(f"seed {name} is not YAML", why, "mend that line; indent by spaces") from error
    except yaml.YAMLError as error:
        why = str(error).splitlines()[0]
        raise SeedError(f"seed {name} is not YAML", why, "save it as plain text in UTF-8") from error


class _Reading:
    """What libyaml composed, made into values; no aliases (a page of them fills the memory), and not too deep."""

    def __init__(self, text: str, lines: dict[Place, int]) -> None:
        self._text, self._lines = text, lines
        self._met: set[int] = set()

    def value(self, node: yaml.Node, path: Place) -> object:
        if id(node) in self._met:
            alias = next(
                event for event in yaml.parse(self._text, yaml.CSafeLoader) if isinstance(event, yaml.AliasEvent)
            )
            raise _fault("aliases (*name) are not used here", alias.start_mark)
        if len(path) >= _DEPTH:
            raise _fault("it is nested too deeply", node.start_mark)
        self._met.add(id(node))
        self._lines.setdefault(path, node.start_mark.line + 1)
        match node:
            case yaml.ScalarNode():
                return _scalar(node)
            case yaml.SequenceNode():
                return [self.value(item, (*path, place)) for place, item in enumerate(node.value)]
            case yaml.MappingNode():
                return self._mapping(node, path)
        raise _fault("not understood", node.start_mark)

    def _mapping(self, node: yaml.MappingNode, path: Place) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _fault("a key must be a word", key.start_mark)
            word = str(key.value)
            if word in found:
                raise _fault(f"{word} is given twice", key.start_mark)
            self._lines[*path, word] = key.start_mark.line + 1
            found[word] = self.value(value, (*path, word))
        return found


def _scalar(node: yaml.ScalarNode) -> object:
    """Quoted is text; plain is true, false, null, a decimal number, else text."""
    text = str(node.value)
    if node.style:
        return text
    if text in ("true", "false"):
        return text == "true"
    if text in ("", "~", "null"):
        return None
    if re.fullmatch(r"-?(0|[1-9][0-9]*)", text):
        return int(text)
    if re.fullmatch(r"-?(0|[1-9][0-9]*)\.[0-9]+", text):
        return float(text)
    return text
