"""A template as a table: a vendor's parameter, and the formula of its value. Compiled once, written row by row.

    [box]                       once
    local_time.ntp_server1 = network.ntp
    [line]                      for each line that has a device; `{n}` is its number, `{n0}` counts from 0
    account.{n}.label = line.label
    [off]                       for each line that has none
    account.{n}.enable = 0
    [key], [nokey]              for each programmable key that is set, or is not: `{k}`, `{k0}`
    [xkey], [noxkey]            the same for the keys of each expansion module, `{m}`
    P47|P402|P502 = line.domain     a name for the first, second, third line; `\\|` is a bar in a name
    | <section name="{n}">      written as it stands

Blocks stand in the order of the file; `[line]` with the `[off]` behind it goes through the lines once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from provisioning_server.formula import BadFormula, Formula, compiled, formula
from provisioning_server.vocabulary import SECRETS

SECTIONS = ("box", "line", "off", "key", "nokey", "xkey", "noxkey")
_ALTERNATIVES = re.compile(r"(?<!\\)\|")
_PAIRS = {"line": "off", "key": "nokey", "xkey": "noxkey"}
_PLACEHOLDER = re.compile(r"\{(n|n0|k|k0|m|nth|mac|MAC|model)\}")
_NAMES_OF_THE_BOX = frozenset({"mac", "MAC", "model"})
_OF_THE_BOX = _NAMES_OF_THE_BOX | {"nth"}
_SECRETS = SECRETS | {"line.password"}


class BadTable(Exception):
    """A table is not sound; the text names file, line and reason."""


@dataclass(frozen=True, slots=True)
class Row:
    names: tuple[str, ...]
    """With placeholders; several: one for each line or key in turn."""
    formula: Formula | None
    """None: `names[0]` is written as it stands."""
    at: int
    """Line of the file."""
    secret: bool = field(init=False)
    """Its value is a password, and not merely whether there is one."""
    is_of_the_box: bool = field(init=False)
    """Its name has the MAC or the model in it."""
    _patterns: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_patterns", tuple(map(_pattern, self.names)))
        placed = {place for name in self.names for place in _PLACEHOLDER.findall(name)}
        object.__setattr__(self, "is_of_the_box", bool(placed & _NAMES_OF_THE_BOX))
        given = self.formula.text.partition(" if ")[0] if self.formula is not None else ""
        object.__setattr__(self, "secret", any(name in given for name in _SECRETS))

    def name(self, number: int, places: dict[str, str]) -> str | None:
        """Return the parameter's name for line or key `number` (1 for the box); None when there is none."""
        if len(self._patterns) == 1:
            return self._patterns[0].format_map(places)
        return self._patterns[number - 1].format_map(places) if number <= len(self._patterns) else None

    @property
    def is_steady(self) -> bool:
        """Neither name nor value depends on the box."""
        placed = {place for name in self.names for place in _PLACEHOLDER.findall(name)}
        return not (self.formula and self.formula.names) and not placed & _OF_THE_BOX


def _pattern(name: str) -> str:
    """For `format_map`: braces that are no placeholder of ours stand for themselves."""
    parts = _PLACEHOLDER.split(name)
    return "".join(
        f"{{{part}}}" if at % 2 else part.replace("{", "{{").replace("}", "}}") for at, part in enumerate(parts)
    )


class Frame(NamedTuple):
    """A row made ready for one number of line or key."""

    row: Row
    name: str
    """Empty for text that is written as it stands."""
    before: str
    """What stands before the value."""
    after: str


class Ready(NamedTuple):
    """A passage made ready for one number of line or key: of the rows that have a name there."""

    frames: list[Frame]
    work: Callable[..., list[Any]]
    """Works out their values at once, given what `formula.SCOPE` names."""


class Passage(tuple[Row, ...]):
    """Rows that are written together; `path` is the file they stand in."""

    path: str

    def __new__(cls, rows: Iterable[Row] = (), path: str = "") -> Passage:
        made = super().__new__(cls, rows)
        made.path = path
        return made

    @cached_property
    def work(self) -> Callable[..., list[Any]]:
        """Works out the values of all rows at once; None for text that is written as it stands."""
        return compiled([(row.formula, row.at) for row in self], self.path)

    @cached_property
    def is_steady(self) -> bool:
        """What they write for a line or key is the same for every box, as `[off]` mostly is."""
        return all(row.is_steady for row in self)

    @cached_property
    def is_framed_alike(self) -> bool:
        """The names of its parameters are the same for every box."""
        return not any(row.is_of_the_box for row in self)

    @cached_property
    def frames(self) -> dict[tuple[int, int, int], Ready]:
        """Its rows by number of the line or key, `nth` and module, when that holds for every box."""
        return {}

    @cached_property
    def kept(self) -> dict[tuple[int, int], tuple[Ready, list[str | None]]]:
        """What they have written, by number of the line or key and module, when they are steady."""
        return {}


@dataclass(frozen=True, slots=True)
class Block:
    kind: str
    rows: Passage
    otherwise: Passage = Passage()  # noqa: RUF009 - never changed
    """What is written for a line (key) that is not there."""


@dataclass(frozen=True, slots=True)
class Table:
    path: Path
    blocks: tuple[Block, ...]

    def rows(self) -> Iterator[tuple[str, Row]]:
        """Yield every row with the kind of its block."""
        for block in self.blocks:
            for row in (*block.rows, *block.otherwise):
                yield block.kind, row


@dataclass(slots=True)
class _Reader:
    path: Path
    repeated: tuple[str, ...]
    """Names that may stand twice."""
    blocks: list[tuple[str, list[Row]]] = field(default_factory=list)
    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    nested: bool = False
    """It has literal text: then one name may stand in several places."""

    def read(self, text: str) -> Table:
        for at, line in enumerate(text.splitlines(), start=1):
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith("["):
                self._section(line, at)
            elif not self.blocks:
                raise BadTable(f"{self.path}:{at}: a table begins with [box] or another section")
            elif line.startswith("|"):
                self.nested = True
                self.blocks[-1][1].append(Row((line[1:].removeprefix(" "),), None, at))
            else:
                self.blocks[-1][1].append(self._row(line, at))
        return Table(self.path, tuple(_paired(self.blocks, str(self.path))))

    def _section(self, line: str, at: int) -> None:
        kind = line.strip().strip("[]")
        if kind not in SECTIONS:
            raise BadTable(f"{self.path}:{at}: section {kind!r} is none of {', '.join(SECTIONS)}")
        self.blocks.append((kind, []))
        if kind != "box":
            self.seen = {key: where for key, where in self.seen.items() if key[0] != kind}

    def _row(self, line: str, at: int) -> Row:
        names, equals, text = line.partition(" = ")
        if not equals:
            raise BadTable(f"{self.path}:{at}: {line.strip()!r} is no `name = formula`")
        found = tuple(name.strip().replace("\\|", "|") for name in _ALTERNATIVES.split(names))
        for name in found:
            key = (self.blocks[-1][0], name)
            if key in self.seen and not self.nested and name not in self.repeated:
                raise BadTable(f"{self.path}:{at}: {name} stands in line {self.seen[key]} already")
            self.seen[key] = at
        try:
            return Row(found, formula(text), at)
        except BadFormula as fault:
            raise BadTable(f"{self.path}:{at}: {names.strip()}: {fault}") from None


def read_table(path: Path, repeated: tuple[str, ...] = ()) -> Table:
    """Read and compile; BadTable names file, line and reason. `repeated` are the names that may stand twice."""
    return _Reader(path, repeated).read(path.read_text(encoding="utf-8"))


def _paired(blocks: list[tuple[str, list[Row]]], path: str) -> Iterator[Block]:
    at = 0
    while at < len(blocks):
        kind, rows = blocks[at]
        follows = blocks[at + 1] if at + 1 < len(blocks) else ("", [])
        if _PAIRS.get(kind) == follows[0]:
            yield Block(kind, Passage(rows, path), Passage(follows[1], path))
            at += 2
            continue
        alone = next((whole for whole, other in _PAIRS.items() if other == kind), "")
        yield Block(alone, Passage(), Passage(rows, path)) if alone else Block(kind, Passage(rows, path))
        at += 1
