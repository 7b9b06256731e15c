"""`reset`: begin anew with a part of a running lab, over its API."""

from __future__ import annotations

from pathlib import Path

from lab.cli.remote import post
from lab.errors import USAGE, UserError


def reset(against: Path | None, *, calls: bool, mail: bool, phone: str) -> str:
    if not (calls or mail or phone):
        raise UserError(
            "nothing was reset", "nothing was named", "say --calls, --mail, --phone 105, or several", "docs/running.md",
            USAGE,
        )  # fmt: skip
    told = post(against, "/api/v1/reset", {"calls": calls, "mail": mail, "phone": phone})
    lines = []
    if calls:
        lines.append(f"● {told['calls']} calls forgotten")
    if mail:
        lines.append(f"● {told['mail']} letters thrown away")
    if phone:
        lines.append(f"● {', '.join(told['phone'])}: fresh from the factory, boots")
    return "\n".join(lines)
