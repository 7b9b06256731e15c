"""What labs have today: a table of number, item and expected result; here it becomes a guided plan (`plan import`)."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

import yaml

MOST_ROWS = 2_000
_COLUMNS = {
    "number": ("number", "no", "no.", "nr", "#", "id", "case"),
    "item": ("item", "test", "test case", "step", "action", "description", "title"),
    "expected": ("expected", "expected result", "result", "pass criteria", "criteria"),
}
_ID = re.compile(r"[^A-Za-z0-9.-]+")


class BadChecklist(Exception):
    """A table that is no checklist; one problem a line, each `row N: what`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Row:
    number: str
    item: str
    expected: str


def read_checklist(text: str) -> list[Row]:
    """Read CSV whose first row names its columns; commas, semicolons or tabs. BadChecklist names every problem."""
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise BadChecklist(["row 1: this is no text (it has zero bytes)"])
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count))
    try:
        table = list(reader)
    except csv.Error as error:
        raise BadChecklist([f"row {reader.line_num}: {error}"]) from None
    places = _places(table[0] if table else [])
    if len(table) - 1 > MOST_ROWS:
        raise BadChecklist([f"row {MOST_ROWS + 2}: more than {MOST_ROWS} rows"])
    rows, problems, seen = [], [], set()
    for at, cells in enumerate(table[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        number, item, expected = (cells[place].strip() if place < len(cells) else "" for place in places)
        name = _ID.sub("-", number).strip("-")
        if not name:
            problems.append(f"row {at}: no number")
        elif name in seen:
            problems.append(f"row {at}: number {number} stands twice")
        if not item:
            problems.append(f"row {at}: no item")
        if not expected:
            problems.append(f"row {at}: nothing is expected, so nothing could be ticked")
        seen.add(name)
        rows.append(Row(name, item, expected))
    if problems or not rows:
        raise BadChecklist(problems or ["row 2: there are no items"])
    return rows


def plan_of(rows: list[Row], name: str, title: str) -> str:
    """Return a plan: a case a row, done by a person, who is asked for the expected result."""
    document = {
        "plan": 1,
        "id": _ID.sub("-", name).strip("-") or "checklist",
        "title": title,
        "tags": ["guided"],
        "cases": [
            {
                "id": row.number,
                "title": row.item,
                "steps": [{"human": _plain(row.item), "ask": f"{_plain(row.expected).rstrip('.?')}?"}],
            }
            for row in rows
        ],
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def _plain(words: str) -> str:
    """Words in which a dollar is a dollar and no reference."""
    return words.replace("$", "$$")


def _places(names: list[str]) -> list[int]:
    """Where the three columns stand."""
    known = [name.strip().lower() for name in names]
    found = {what: next((known.index(name) for name in wanted if name in known), None)
             for what, wanted in _COLUMNS.items()}  # fmt: skip
    missing = [what for what, place in found.items() if place is None]
    if missing:
        told = "; ".join(f"{what} ({', '.join(_COLUMNS[what][:4])}, …)" for what in missing)
        raise BadChecklist([f"row 1: it has no column for {told}"])
    return [place for place in found.values() if place is not None]
