"""Tables that commands send: reading the file, and telling what was wrong with its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lab.errors import BAD_INPUT, UserError

_MOST_SHOWN = 40


def octets_of(table: Path, see: str) -> bytes:
    """Return what is to be sent; UserError when the file cannot be read. An empty one is told by the server."""
    try:
        return table.read_bytes() or b"\n"
    except OSError as error:
        raise UserError(
            f"{table} cannot be read", error.strerror or str(error), "name a CSV file or spreadsheet", see, BAD_INPUT
        ) from None


def problem_lines(table: Path, problems: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for one in problems[:_MOST_SHOWN]:
        where = f"line {one['line']}" + (f", {one['column']}" if one["column"] else "")
        remedy = f"\n    to do  {one['remedy']}" if "remedy" in one else ""
        lines.append(f"✗ {table.name} {where}: {one['what']}{remedy}")
    if len(problems) > _MOST_SHOWN:
        lines.append(f"and {len(problems) - _MOST_SHOWN} more; --json names all")
    return lines
