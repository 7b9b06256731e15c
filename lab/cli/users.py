"""`users`: the spreadsheet of users fetched, handed in, taken back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlencode

from lab.cli import remote
from lab.cli.tables import octets_of, problem_lines
from lab.errors import USAGE, UserError


def sheet(against: Path | None, domain: str, out: Path) -> str:
    kind = out.suffix.lstrip(".").lower()
    if kind not in ("csv", "xlsx"):
        raise UserError(
            f"{out} was not written", "its name ends neither in .csv nor in .xlsx", "name it users.xlsx",
            "switchroom users sheet --help", USAGE,
        )  # fmt: skip
    remote.fetch(against, f"{_at(domain)}.{kind}", out)
    return f"{out}: the sheet of {domain}; hand it in with `switchroom users import {domain} {out}`"


def imported(
    against: Path | None, domain: str, table: Path, named: Sequence[str], *, dry: bool, as_json: bool
) -> tuple[str, bool]:
    """Send a table; return what came of it, and whether every row was good."""
    query = [("name", table.name), *(("dry", "1") for _ in range(dry)), *(("map", one) for one in named)]
    told = remote.post(
        against, f"{_at(domain)}?{urlencode(query)}", data=octets_of(table, "switchroom users import --help")
    )
    problems = told["problems"]
    if as_json:
        return json.dumps(told, ensure_ascii=False, indent=1), not problems
    verb = "would be" if dry else "were"
    lines = [f"{told['added']} users {verb} added, {told['changed']} changed, {told['same']} are as they were, "
             f"{len(problems)} problems"]  # fmt: skip
    if told["left_out"]:
        lines.append(f"left out: {', '.join(told['left_out'])}; --map HEADING=COLUMN names them")
    return "\n".join([*lines, *problem_lines(table, problems)]), not problems


def undone(against: Path | None, domain: str) -> str:
    told = remote.post(against, f"{_at(domain)}/undo")
    return f"✓ {domain} has {told['users']} users on its form again"


def _at(domain: str) -> str:
    return f"/api/v1/onboarding/{quote(domain, safe='')}/users"
