"""A table worked out for one box: each parameter with its value, and with the settings it came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from provisioning_server.clocks import clock
from provisioning_server.escapes import ESCAPES, escaped, frame
from provisioning_server.formula import FACTS_OF_A_LINE, KEY_DEFAULTS, Instead
from provisioning_server.manifest import Syntax
from provisioning_server.overlay import Scalar
from provisioning_server.sheet import CannotRender, Line, Settings, Sheet
from provisioning_server.table import Block, Frame, Passage, Row

RAW = "vendor.raw."


class Written(NamedTuple):
    text: str
    """As it stands in the file."""
    name: str
    """The vendor's."""
    row: Row | None
    """None for `vendor.raw`."""
    place: str
    """`lines.2` or `keys.5`: what `line.`, `first.` or `key.` of its formula mean."""

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
    """What names mean; `line` and `key` are set while a block goes through them, `first` is the first line in use."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.get = sheet.settings
        self.line = _NOWHERE
        self.key = _NOWHERE.get
        there = [line for line in sheet.lines if line.get.values]
        self.first = next((line for line in there if line.enabled), there[0] if there else None)
        self.key_facts: dict[str, Any] = {}
        self.facts = _facts(sheet)

    def of_box(self, name: str) -> Any:
        if name in self.facts:
            return self.facts[name]
        root, _, leaf = name.partition(".")
        if root == "first":
            if self.first is None:
                raise CannotRender(f"{name}: a common file knows no lines")
            return self._of(self.first, leaf)
        return self._of_clock(leaf) if root == "clock" else self.get(name)

    def fact_of_line(self, leaf: str) -> Any:
        return self._of(self.line, leaf)

    def _of(self, line: Line, leaf: str) -> Any:
        if leaf not in FACTS_OF_A_LINE:
            return line.get(leaf)
        if leaf == "codecs":
            line.get("codecs")
        return getattr(line, leaf)

    def fact_of_key(self, leaf: str) -> Any:
        return self._line_of_key().get(leaf) if leaf == "domain" else self.key_facts[leaf]

    def _line_of_key(self) -> Line:
        number = self.key("line", KEY_DEFAULTS["line"])
        found = next((line for line in self.sheet.lines if line.number == number and line.get.values), self.first)
        if found is None:
            raise CannotRender("a common file knows no lines")
        return found

    def _of_clock(self, leaf: str) -> Any:
        zone = str(self.get("time.zone"))
        year = clock(zone, self.sheet.year)
        return getattr(year, leaf) if leaf else year


def written(sheet: Sheet) -> list[Written | Literal]:
    """Return what the file's table writes, in order; CannotRender names what no layer sets."""
    scope = _Scope(sheet)
    found: list[Written | Literal] = []
    for block in sheet.family.tables[sheet.rule.template].blocks:
        match block.kind:
            case "line":
                found += _of_lines(scope, block)
            case "key":
                found += _of_keys(scope, block)
            case _:
                place = f"lines.{scope.first.number}" if scope.first else ""
                found += _of_rows(scope, block.rows, 1, {}, place)
    return _with_raw(sheet, found)


def _of_lines(scope: _Scope, block: Block) -> Iterator[Written | Literal]:
    for line in scope.sheet.lines:
        scope.line = line
        rows = block.rows if line.enabled else block.otherwise
        places = {"n": str(line.number), "n0": str(line.number - 1)}
        yield from _of_rows(scope, rows, line.number, places, f"lines.{line.number}")


def _of_keys(scope: _Scope, block: Block) -> Iterator[Written | Literal]:
    sheet = scope.sheet
    chosen = sheet.settings.keyed("keys")
    of_kind: Counter[str] = Counter()
    for number in range(1, max([sheet.family.keys_of(sheet.model), *chosen]) + 1):
        scope.key_facts = {"number": number}
        rows = block.otherwise
        if number in chosen:
            scope.key = chosen[number]
            kind = str(scope.key("type"))
            of_kind[kind] += 1
            scope.key_facts["nth"] = of_kind[kind]
            rows = block.rows
        places = {"k": str(number), "k0": str(number - 1), "nth": str(scope.key_facts.get("nth", ""))}
        yield from _of_rows(scope, rows, number, places, f"keys.{number}")


def _of_rows(
    scope: _Scope, rows: Passage, number: int, places: dict[str, str], place: str
) -> Sequence[Written | Literal]:
    if not rows.is_steady:
        return _worked_out(scope, rows, number, places, place)
    if number not in rows.kept:
        rows.kept[number] = _worked_out(scope, rows, number, places, place)
    return rows.kept[number]


def _worked_out(
    scope: _Scope, rows: Passage, number: int, places: dict[str, str], place: str
) -> list[Written | Literal]:
    """One loop that calls little: a full phone has seven hundred rows."""
    syntax = scope.sheet.family.syntax
    escape = ESCAPES[syntax.escape]
    found: list[Written | Literal] = []
    for framed in _frames(scope, rows, number, places):
        if isinstance(framed, str):
            found.append(Literal(framed))
            continue
        row, compute, name, before, after = framed
        value = compute(scope)
        kind = type(value)
        if kind is str and not row.secret:
            value = escape(value)
        elif value is Instead.OMIT:
            continue
        elif kind is not int:
            value = _said(syntax, name, value, secret=row.secret)
        found.append(Written(f"{before}{value}{after}", name, row, place))
    return found


def _frames(scope: _Scope, rows: Passage, number: int, places: dict[str, str]) -> list[Frame | str]:
    at = (number, places.get("nth", ""))
    known = rows.frames.get(at)
    if known is None:
        syntax, places = scope.sheet.family.syntax, scope.sheet.places | places
        known = [one for row in rows if (one := _framed(syntax, row, row.name(number, places))) is not None]
        if rows.is_framed_alike:
            rows.frames[at] = known
    return known


def _framed(syntax: Syntax, row: Row, name: str | None) -> Frame | str | None:
    """Return the row ready to be written; None where it has no name for that number."""
    if row.formula is None or name is None:
        return name
    return Frame(row, row.formula.compute, name, *frame(syntax, name))


def _said(syntax: Syntax, name: str, value: Any, *, secret: bool = False) -> str:
    if value is True:
        return syntax.if_true
    if value is False:
        return syntax.if_false
    if value is Instead.CLEAR:
        return escaped(syntax, name, syntax.if_cleared)
    return escaped(syntax, name, str(value), secret=secret)


def _with_raw(sheet: Sheet, found: list[Written | Literal]) -> list[Written | Literal]:
    """The last layer: `vendor.raw.<name>` is written as it is, over what the table says or behind it."""
    if sheet.rule.kind != "device":
        return found
    raw = {name.removeprefix(RAW): value for name, value in sheet.settings.values.items() if name.startswith(RAW)}
    for name in raw:
        if not sheet.family.knows.fullmatch(name):
            raise CannotRender(f"{RAW}{name}: {sheet.family.id} has no parameter of that name (params.txt)")
        sheet.settings.uses(RAW + name)
    if not raw:
        return found
    kept = [one for one in found if isinstance(one, Literal) or one.name not in raw]
    return kept + [_raw(sheet.family.syntax, name, value.value) for name, value in raw.items()]


def _raw(syntax: Syntax, name: str, value: Scalar) -> Written:
    before, after = frame(syntax, name)
    return Written(before + _said(syntax, name, value) + after, name, None, "")


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
        "server.port": port if colon else {"http": "80", "https": "443"}.get(scheme, ""),
        "server.folder": folder,
        "server.sip_host": sheet.at.sip_host,
    }
