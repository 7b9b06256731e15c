"""YAML files that people write, read so that every error names file and line: seeds, packets of onboarding.

A small YAML: no anchors, no tags, no sexagesimal surprises (`18:00` stays text), duplicate keys are errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from pbx.domain.problems import Path as Place
from pbx.domain.problems import Problem
from pbx.domain.seed import BadSeed

_DEPTH = 32
_BYTES = 4_000_000
_SHOWN = 12
_REFERENCE = "lab/seeds/office.yaml is a complete example"


class SeedError(ValueError):
    """A file cannot be used: what happened, why, what to do, where to read on (exit code 4)."""

    def __init__(self, happened: str, why: str, remedy: str, reference: str = _REFERENCE) -> None:
        self.happened, self.why, self.remedy, self.reference = happened, why, remedy, reference
        super().__init__(f"{happened}\n  why: {why}\n  do:  {remedy}\n  see: {reference}")


def read_file(path: Path, kind: str = "seed", reference: str = _REFERENCE) -> str:
    """Return the text of a file; SeedError when it cannot be read. `kind` is the word for it in errors."""
    happened = f"{kind} {path} was not loaded"
    try:
        if path.stat().st_size > _BYTES:
            why, remedy = f"it is larger than {_BYTES} bytes", f"give the path of a {kind} file"
            raise SeedError(happened, why, remedy, reference)
        return path.read_text(encoding="utf-8")
    except OSError as error:
        remedy = "give the path of a readable YAML file"
        raise SeedError(happened, error.strerror or str(error), remedy, reference) from error
    except UnicodeDecodeError as error:
        why = f"byte {error.start} is not UTF-8"
        raise SeedError(happened, why, "save the file as UTF-8", reference) from error


@contextmanager
def located(
    text: str, name: str, begin: str, kind: str = "seed", reference: str = _REFERENCE
) -> Iterator[dict[str, object]]:
    """Yield the mapping YAML `text` holds, for a reader: a BadSeed in it becomes a SeedError with `name` and lines.

    `begin` is what to do when it is no mapping.
    """
    happened = f"{kind} {name} was not loaded"
    document, lines = _read(text, name, kind, reference)
    if not isinstance(document, dict):
        raise SeedError(happened, f"{name}:1: it is no mapping", begin, reference)
    try:
        empty = [Problem((key,), f"{key} is empty; leave the section out instead")
                 for key, value in document.items() if value is None]  # fmt: skip
        if empty:
            raise BadSeed(empty)
        yield document
    except BadSeed as error:
        shown = [f"{name}:{_line(lines, problem.path)}: {problem.sentence}" for problem in error.problems[:_SHOWN]]
        if len(error.problems) > _SHOWN:
            shown.append(f"and {len(error.problems) - _SHOWN} more")
        count = f"{len(error.problems)} problem{'s'[: len(error.problems) > 1]}"
        raise SeedError(f"{happened}: {count}", "\n       ".join(shown), "mend the lines named", reference) from error


def _line(lines: Mapping[Place, int], path: Place) -> int:
    """Return the line of the innermost object on `path` that the file itself has."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


def _fault(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def _read(text: str, name: str, kind: str, reference: str) -> tuple[object, dict[Place, int]]:
    """Return the document and the line (from 1) of every object in it."""
    lines: dict[Place, int] = {}
    try:
        root = yaml.CSafeLoader(text).get_single_node()
        return (None if root is None else _Reading(text, lines).value(root, ())), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}" if mark else name
        why = f"{where}: {error.problem or error.context}"
        raise SeedError(f"{kind} {name} is not YAML", why, "mend that line; indent by spaces", reference) from error
    except yaml.YAMLError as error:
        why = str(error).splitlines()[0]
        raise SeedError(f"{kind} {name} is not YAML", why, "save it as plain text in UTF-8", reference) from error


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
