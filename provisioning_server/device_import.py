"""A table of boxes → a draft with its good rows, and what is wrong with the others, row by row.

Columns are known by their heading, in any order and spelling of people: `mac` (the only one that must be there),
`model` and `family`, `extension`, `line`, `serial`, `shipment`, `transport`, `label`; and any setting by its canonical
name, as `network.vlan.id`. A row with an extension assigns the box, one without takes it into stock.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from provisioning_server.families import Families
from provisioning_server.inventory import MOST_PORTS, Draft, Refused, Wish
from provisioning_server.manifest import SettingsData
from provisioning_server.spreadsheet import BadTable, TableRow

_HEADINGS = {
    "mac": ("mac", "mac address", "macaddress", "ethernet address", "hardware address"),
    "model": ("model", "phone", "phone model", "device", "device model"),
    "family": ("family", "vendor family", "template"),
    "extension": ("extension", "ext", "ext.", "user", "assigned to"),
    "line": ("line", "port", "fxs port", "line number"),
    "serial": ("serial", "serial number", "sn", "s/n"),
    "shipment": ("shipment", "tracking", "tracking number"),
    "transport": ("transport", "sip transport"),
    "label": ("label", "line label"),
}
_COLUMN_OF = {heading: column for column, headings in _HEADINGS.items() for heading in headings}
_NUMBERED = re.compile(r"^(lines|keys)\.(\d+)\.")
_KEY_SETTINGS = frozenset({"keys.*.type", "keys.*.value", "keys.*.label", "keys.*.line", "keys.*.pickup_code"})


@dataclass(frozen=True, slots=True)
class RowProblem:
    line: int
    column: str
    """Empty where it is not one cell that is wrong."""
    what: str
    remedy: str

    def __str__(self) -> str:
        where = f"line {self.line}" + (f", {self.column}" if self.column else "")
        return f"{where}: {self.what}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class Imported:
    assigned: int
    stocked: int
    problems: tuple[RowProblem, ...]


def apply_rows(rows: Sequence[TableRow], draft: Draft, families: Families) -> Imported:
    """Carry out every good row in `draft`; BadTable when the headings cannot be used at all."""
    if not rows:
        raise BadTable("it is empty")
    columns = _columns(rows[0], families)
    seen: dict[tuple[str, str], int] = {}
    problems: list[RowProblem] = []
    assigned = stocked = 0
    for row in rows[1:]:
        cells = {column: row.cells[at] for at, column in columns.items() if at < len(row.cells) and row.cells[at]}
        found = list(_wrong_cells(row.line, cells))
        key = (cells.get("mac", "").lower(), cells.get("line", ""))
        if key in seen and key[0]:
            found.append(
                RowProblem(row.line, "mac", f"{key[0]} stands in line {seen[key]} too", "leave one of them out")
            )
        if not found:
            seen[key] = row.line
            try:
                _apply(draft, cells)
            except Refused as refused:
                found.append(RowProblem(row.line, "", str(refused), refused.remedy))
        problems += found
        if not found:
            assigned, stocked = assigned + ("extension" in cells), stocked + ("extension" not in cells)
    return Imported(assigned, stocked, tuple(problems))


def _columns(head: TableRow, families: Families) -> dict[int, str]:
    """Place → column, or the setting of that name."""
    columns: dict[int, str] = {}
    for at, heading in enumerate(head.cells):
        plain = " ".join(heading.lower().replace("_", " ").split())
        column = _COLUMN_OF.get(plain) or (heading if _is_setting(heading, families) else "")
        if not heading:
            continue
        if not column:
            near = get_close_matches(plain, [*_COLUMN_OF, *families.defaults], 1, 0.6)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(_HEADINGS)}, and names of settings"
            raise BadTable(f"line {head.line}: there is no column {heading!r}; {hint}")
        if column in columns.values():
            raise BadTable(f"line {head.line}: two columns are the {column}")
        columns[at] = column
    if "mac" not in columns.values():
        raise BadTable(f"line {head.line}: no column is the mac; the first row names the columns")
    return columns


def _is_setting(name: str, families: Families) -> bool:
    every = _NUMBERED.sub(r"\1.*.", name)
    return every in families.defaults or every in _KEY_SETTINGS or name.startswith("vendor.raw.")


def _wrong_cells(line: int, cells: dict[str, str]) -> Sequence[RowProblem]:
    found = []
    if "mac" not in cells:
        found.append(RowProblem(line, "mac", "there is none", "write the MAC from the label"))
    if (port := cells.get("line")) is not None and not (
        port.isascii() and port.isdigit() and 1 <= int(port[:4]) <= MOST_PORTS
    ):
        found.append(RowProblem(line, "line", f"{port!r} is no line", f"a number from 1 to {MOST_PORTS}"))
    if (way := cells.get("transport")) is not None and way.lower() not in ("udp", "tcp", "tls"):
        found.append(RowProblem(line, "transport", f"{way!r} is none", "udp, tcp or tls"))
    if "extension" not in cells:
        idle = [name for name in cells if name in ("line", "transport", "label") or "." in name]
        found += [RowProblem(line, name, "it is for a user's phone, and the row names none", "add an extension")
                  for name in idle]  # fmt: skip
    return found


def _apply(draft: Draft, cells: dict[str, str]) -> None:
    told = {name: cells.get(name, "") for name in ("model", "family", "serial", "shipment")}
    if "extension" not in cells:
        draft.stock(cells["mac"], **told)
        return
    settings: SettingsData = {name: setting_value(text) for name, text in cells.items() if "." in name}
    wish = Wish(
        int(cells.get("line", 0)) or None,
        cells.get("transport", "").lower() or None,
        cells.get("label"),
        settings or None,
    )
    draft.assign(cells["mac"], cells["extension"], **told, wish=wish)


def setting_value(text: str) -> str | int | bool:
    """Read a setting's value as a seed would have it: yes and no, whole numbers, text."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 and str(int(text)) == text else text
