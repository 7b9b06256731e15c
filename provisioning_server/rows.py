"""A table worked out for one box: each parameter with its value, and with the settings it came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from provisioning_server.clocks import clock
from provisioning_server.escapes import parameter
from provisioning_server.formula import Instead
from provisioning_server.sheet import CannotRender, Line, Settings, Sheet
from provisioning_server.table import Block, Passage, Row

RAW = "vendor.raw."
KEY_DEFAULTS: dict[str, str | int] = {"value": "", "label": "", "line": 1, "pickup_code": ""}


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


class _Scope:
    """What names mean; `line` and `key` are set while a block goes through them, `first` is the first line in use."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.get = sheet.settings
        self.line: Line | None = None
        self.key: Settings | None = None
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

    def of_line(self, leaf: str) -> Any:
        assert self.line is not None, "families: refused outside a [line] block"
        return self._of(self.line, leaf)

    def _of(self, line: Line, leaf: str) -> Any:
        if leaf in ("password", "ha1", "codecs", "number", "enabled"):
            if leaf == "codecs":
                line.get("codecs")
            return getattr(line, leaf)
        return line.get(leaf)

    def of_key(self, leaf: str) -> Any:
        assert self.key is not None, "families: refused outside a [key] block"
        if leaf in self.key_facts:
            return self.key_facts[leaf]
        if leaf == "domain":
            return self._of(self._line_of_key(), leaf)
        return self.key(leaf, KEY_DEFAULTS.get(leaf))

    def _line_of_key(self) -> Line:
        number = self.of_key("line")
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
    chosen = sheet.settings.numbers("keys")
    of_kind: Counter[str] = Counter()
    for number in range(1, max([sheet.family.keys_of(sheet.model), *chosen]) + 1):
        scope.key = sheet.settings.below(f"keys.{number}.")
        scope.key_facts = {"number": number}
        rows = block.otherwise
        if number in chosen:
            kind = str(scope.key("type"))
            of_kind[kind] += 1
            scope.key_facts["nth"] = of_kind[kind]
            rows = block.rows
        places = {"k": str(number), "k0": str(number - 1), "nth": str(scope.key_facts.get("nth", ""))}
        yield from _of_rows(scope, rows, number, places, f"keys.{number}")


def _of_rows(
    scope: _Scope, rows: Passage, number: int, places: dict[str, str], place: str
) -> Sequence[Written | Literal]:
    kept = rows.kept.get(number) if rows.is_steady else None
    if kept is not None:
        return kept
    places = scope.sheet.places | places
    found = [one for row in rows if (one := _of_row(scope, row, number, places, place)) is not None]
    if rows.is_steady:
        rows.kept[number] = found
    return found


def _of_row(scope: _Scope, row: Row, number: int, places: dict[str, str], place: str) -> Written | Literal | None:
    name = row.name(number, places)
    if row.formula is None:
        return Literal(name or "")
    value = row.formula.compute(scope)
    return None if value is Instead.OMIT or name is None else _written(scope.sheet, name, value, row, place)


def _written(sheet: Sheet, name: str, value: Any, row: Row | None, place: str) -> Written:
    secret = row is not None and row.formula is not None and "line.password" in row.formula.names
    return Written(parameter(sheet.family.syntax, name, _said(sheet, value), secret=secret), name, row, place)


def _said(sheet: Sheet, value: Any) -> str:
    syntax = sheet.family.syntax
    if isinstance(value, bool):
        return syntax.if_true if value else syntax.if_false
    return syntax.if_cleared if value is Instead.CLEAR else str(value)


def _with_raw(sheet: Sheet, found: list[Written | Literal]) -> list[Written | Literal]:
    """The last layer: `vendor.raw.<name>` is written as it is, over what the table says or behind it."""
    if sheet.rule.kind != "device":
        return found
    raw = {name.removeprefix(RAW): value for name, value in sheet.settings.values.items() if name.startswith(RAW)}
    for name in raw:
        if not sheet.family.knows.fullmatch(name):
            raise CannotRender(f"{RAW}{name}: {sheet.family.id} has no parameter of that name (params.txt)")
        sheet.settings.used.add(RAW + name)
    if not raw:
        return found
    kept = [one for one in found if isinstance(one, Literal) or one.name not in raw]
    return kept + [_written(sheet, name, value.value, None, "") for name, value in raw.items()]


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
        "server.scheme": scheme,
        "server.path": path.rstrip("/"),
        "server.host": host if colon else at,
        "server.port": port if colon else {"http": "80", "https": "443"}.get(scheme, ""),
        "server.folder": folder,
        "server.sip_host": sheet.at.sip_host,
    }
