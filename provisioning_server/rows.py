"""A table worked out for one box: each parameter with its value, and with the settings it came from."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, NamedTuple

from provisioning_server.clocks import Clock, clock
from provisioning_server.escapes import ESCAPES, escaped, frame
from provisioning_server.formula import KEY_DEFAULTS, Instead
from provisioning_server.manifest import Syntax
from provisioning_server.overlay import Scalar
from provisioning_server.sheet import CannotRender, Line, Settings, Sheet
from provisioning_server.table import Block, Frame, Passage, Ready, Row
from provisioning_server.vocabulary import KEYS

RAW = "vendor.raw."
_OF_MODULE = re.compile(r"expansion\.\d+\.keys\.")


class Written(NamedTuple):
    text: str
    """As it stands in the file."""
    name: str
    """The vendor's."""
    row: Row | None
    """None for `vendor.raw`."""
    place: str
    """`lines.2`, `keys.5` or `expansion.1.keys.5`: what `line.`, `first.` or `key.` of its formula mean."""

    def settings(self) -> list[str]:
        """Return the full names of what its formula may ask for, facts among them."""
        if self.row is None:
            return [RAW + self.name]
        return [self._full(name) for name in (self.row.formula.names if self.row.formula else ())]

    def _full(self, name: str) -> str:
        root, _, leaf = name.partition(".")
        if root == "clock":
            return "time.zone"
        if name == "key.domain":
            return "lines.*.domain"
        return f"{self.place}.{leaf}" if root in ("line", "key", "first") else name


class Literal(NamedTuple):
    text: str


_NOWHERE = Line(0, False, Settings({}))
"""What `line` and `key` mean outside their blocks, where `families` lets no formula name them."""


class _Scope:
    """What formulas are given; `line` and `key` are set while a block goes through them."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.line = _NOWHERE
        self.key: dict[str, Scalar] = {}
        self.number, self.nth, self.module = 1, 0, 0
        self.facts = _facts(sheet)
        there = [line for line in sheet.lines if line.get]
        self._first = next((line for line in there if line.enabled), there[0] if there else None)

    @property
    def first_number(self) -> int:
        """What `first.` means in a block of the box."""
        return self._first.number if self._first is not None else 0

    def first(self) -> Line:
        """The first line in use."""
        if self._first is None:
            raise CannotRender("a common file knows no lines")
        return self._first

    def values(self, ready: Ready) -> list[Any]:
        return ready.work(
            self.sheet.settings, self.line, self.first, self.key, self.facts, self._clock, self.number, self.nth,
            self._domain,
        )  # fmt: skip

    def _clock(self) -> Clock:
        return clock(str(self.sheet.settings["time.zone"]), self.sheet.year)

    def _domain(self) -> Scalar:
        """That of the line a key belongs to."""
        number = self.key.get("line", KEY_DEFAULTS["line"])
        line = next((line for line in self.sheet.lines if line.number == number and line.get), None)
        return (line or self.first()).get["domain"]


class _Passage(NamedTuple):
    ready: Ready
    texts: list[str | None]
    """What each of its rows writes; None for nothing."""
    place: str
    number: int
    """`keys` and 5: what `key.` of its formulas means."""


def texts(sheet: Sheet) -> list[str]:
    """Return what the file's table writes, in order; CannotRender names what no layer sets."""
    if _raw_of(sheet):
        return [one.text for one in written(sheet)]
    return [text for passage in _passages(sheet) for text in passage.texts if text is not None]


def written(sheet: Sheet) -> list[Written | Literal]:
    """Return the same, each with its row and what its formula may ask for."""
    found: list[Written | Literal] = []
    for ready, texts, place, number in _passages(sheet):
        for framed, text in zip(ready.frames, texts, strict=True):
            if text is not None:
                whole = f"{place}.{number}"
                found.append(Written(text, framed.name, framed.row, whole) if framed.name else Literal(text))
    return _with_raw(sheet, found)


def used(sheet: Sheet) -> set[str]:
    """Return the full names of the settings that the formulas of what is written, or left out, may ask for."""
    found = {RAW + name for name in _raw_of(sheet)}
    if any(block.kind == "xkey" for block in sheet.family.tables[sheet.rule.template].blocks):
        found.add("expansion.modules")
    for ready, _, place, number in _passages(sheet):
        for framed in ready.frames:
            found.update(Written("", framed.name, framed.row, f"{place}.{number}").settings())
    return found


def _passages(sheet: Sheet) -> list[_Passage]:
    scope = _Scope(sheet)
    found: list[_Passage] = []
    for block in sheet.family.tables[sheet.rule.template].blocks:
        match block.kind:
            case "line":
                _lines_into(found, scope, block)
            case "key":
                _keys_into(found, scope, block, "keys", sheet.family.keys_of(sheet.model))
            case "xkey":
                for scope.module in range(1, _modules(sheet) + 1):
                    place = f"expansion.{scope.module}.keys"
                    _keys_into(found, scope, block, place, sheet.family.capabilities.expansion_keys)
                scope.module = 0
            case _:
                found.append(_Passage(*_of_rows(scope, block.rows), "lines", scope.first_number))
    return found


def _lines_into(found: list[_Passage], scope: _Scope, block: Block) -> None:
    for line in scope.sheet.lines:
        scope.line, scope.number = line, line.number
        rows = block.rows if line.enabled else block.otherwise
        found.append(_Passage(*_of_rows(scope, rows), "lines", line.number))
    scope.line, scope.number = _NOWHERE, 1


def _modules(sheet: Sheet) -> int:
    """How many modules stand beside the phone: as many as are said, or have keys."""
    with_keys = [
        int(name.split(".")[1]) for name in sheet.settings if name[:10] == "expansion." and _OF_MODULE.match(name)
    ]
    return max([sheet.settings.number("expansion.modules"), *with_keys])


def _keys_into(found: list[_Passage], scope: _Scope, block: Block, place: str, count: int) -> None:
    chosen = scope.sheet.settings.keyed(place)
    known, has = KEYS["type"].words, scope.sheet.family.capabilities.key_types
    of_kind: Counter[Scalar] = Counter()
    for number in range(1, max([count, *chosen]) + 1):
        scope.number, scope.nth, rows = number, 0, block.otherwise
        if number in chosen:
            scope.key, rows = chosen[number], block.rows
            if "type" not in scope.key:
                raise CannotRender(f"no layer sets '{place}.{number}.type'")
            kind = scope.key["type"]
            if kind not in known:
                raise CannotRender(f"{place}.{number}.type = {kind!r} is {KEYS['type'].refuses(kind)}")
            of_kind[kind] += 1
            scope.nth = of_kind[kind]
            if kind not in has:
                rows = block.otherwise
        found.append(_Passage(*_of_rows(scope, rows), place, number))
    scope.number, scope.nth = 1, 0


def _of_rows(scope: _Scope, rows: Passage) -> tuple[Ready, list[str | None]]:
    if not rows.is_steady:
        return _worked_out(scope, rows)
    which = scope.number, scope.module
    if which not in rows.kept:
        rows.kept[which] = _worked_out(scope, rows)
    return rows.kept[which]


def _worked_out(scope: _Scope, rows: Passage) -> tuple[Ready, list[str | None]]:
    """A full phone has seven hundred rows: what needs no more than to be put in its place is put there at once."""
    syntax = scope.sheet.family.syntax
    ready = rows.frames.get((scope.number, scope.nth, scope.module)) or _ready(scope, rows)
    words = syntax.words
    return ready, [
        f"{before}{value}{after}"
        if (kind := value.__class__) is int or (kind is str and (not value or value.isalnum()))
        else None
        if value is Instead.OMIT
        else f"{before}{words[value]}{after}"
        if kind is bool or value is Instead.CLEAR
        else _text(syntax, row, name, before, value, after)
        for (row, name, before, after), value in zip(ready.frames, scope.values(ready), strict=True)
    ]


def _text(syntax: Syntax, row: Row, name: str, before: str, value: Any, after: str) -> str:
    """Write what is no number, no word of the family's, and not of letters and digits alone."""
    if isinstance(value, str):
        value = escaped(syntax, name, value, secret=True) if row.secret else ESCAPES[syntax.escape](value)
    elif name:
        value = escaped(syntax, name, str(value))
    else:
        value = ""
    return f"{before}{value}{after}"


def _ready(scope: _Scope, rows: Passage) -> Ready:
    syntax, number, nth = scope.sheet.family.syntax, scope.number, scope.nth
    counted = {"n": number, "n0": number - 1, "k": number, "k0": number - 1, "nth": nth, "m": scope.module}
    places = scope.sheet.places | {place: str(count) for place, count in counted.items()}
    named = [(row, name) for row in rows if (name := row.name(number, places)) is not None]
    there = rows if len(named) == len(rows) else Passage([row for row, _ in named], rows.path)
    ready = Ready([_framed(syntax, row, name) for row, name in named], there.work)
    if rows.is_framed_alike:
        rows.frames[number, nth, scope.module] = ready
    return ready


def _framed(syntax: Syntax, row: Row, name: str) -> Frame:
    return Frame(row, "", name, "") if row.formula is None else Frame(row, name, *frame(syntax, name))


def _with_raw(sheet: Sheet, found: list[Written | Literal]) -> list[Written | Literal]:
    """The last layer: `vendor.raw.<name>` is written as it is, over what the table says or behind it."""
    raw = _raw_of(sheet)
    for name in raw:
        if not sheet.family.knows.fullmatch(name):
            raise CannotRender(f"{RAW}{name}: {sheet.family.id} has no parameter of that name (params.txt)")
    if not raw:
        return found
    kept = [one for one in found if isinstance(one, Literal) or one.name not in raw]
    return kept + [_raw(sheet.family.syntax, name, value) for name, value in raw.items()]


def _raw_of(sheet: Sheet) -> dict[str, Scalar]:
    if sheet.rule.kind != "device":
        return {}
    return {name.removeprefix(RAW): sheet.settings[name] for name in sheet.settings if name.startswith(RAW)}


def _raw(syntax: Syntax, name: str, value: Scalar) -> Written:
    before, after = frame(syntax, name)
    text = syntax.words[value] if isinstance(value, bool) else str(value)
    return Written(before + escaped(syntax, name, text) + after, name, None, "")


def _facts(sheet: Sheet) -> dict[str, Any]:
    scheme, _, path = sheet.steady_url.partition("://")
    at, _, folder = path.rstrip("/").partition("/")
    host, colon, port = at.rpartition(":")
    return {
        "box.mac": sheet.mac,
        "box.MAC": sheet.mac.upper(),
        "box.model": sheet.model,
        "box.model_id": sheet.model_id,
        "box.line_count": len(sheet.lines),
        "server.url": sheet.steady_url,
        "server.key": sheet.file_key,
        "server.short_key": sheet.file_key[:16],
        "server.beside": f"{sheet.steady_url.rpartition('/')[0]}/",
        "server.scheme": scheme,
        "server.path": path.rstrip("/"),
        "server.host": host if colon else at,
        "server.port": port if colon else {"http": "80", "https": "443", "tftp": "69"}.get(scheme, ""),
        "server.folder": folder,
        "server.sip_host": sheet.at.sip_host,
    }
