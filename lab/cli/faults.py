"""`switchroom faults`: what ails the lines of a running lab's phones, told and changed over its API."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lab.cli.remote import delete, get, post
from lab.errors import USAGE, UserError

_FIGURES = ("delay_ms", "jitter_ms", "loss", "duplication", "kbit_s")


def listed(against: Path | None, *, as_json: bool) -> str:
    told = get(against, "/api/v1/faults")
    if as_json:
        return json.dumps(told, indent=1)
    lines = [_line(link) for link in told["links"] if link["what"] or link["link"].partition(" ")[0] != "phone"]
    return "\n".join([*lines, "presets  " + ", ".join(told["presets"])])


def put(against: Path | None, link: str, preset: str, figures: Sequence[str], minutes: int | None) -> str:
    """Let a fault hold: a preset, or figures like `to.loss=3`, `from.delay_ms=40`, `loss=3` (both ways)."""
    if bool(preset) == bool(figures):
        raise UserError(
            "a fault is a preset or figures", "both were given" if preset else "neither was given",
            "say --preset lte, or loss=3 to.delay_ms=40", "switchroom faults set --help", USAGE,
        )  # fmt: skip
    body: dict[str, Any] = {"preset": preset} if preset else ways(figures)
    if minutes is not None:
        body["minutes"] = minutes
    told = post(against, f"/api/v1/faults/{quote(link, safe='')}", body)
    return f"▲ {told['link']}: {told['what']}; undo: switchroom faults clear '{told['link']}'"


def drop(against: Path | None, link: str, count: int, method: str, *, inward: bool) -> str:
    direction = "from_provider" if inward else "to_provider"
    body = {"count": count, "method": method, "direction": direction}
    post(against, f"/api/v1/faults/{quote(link, safe='')}/drop", body)
    return f"▲ {link}: the next {count} {method} {direction.replace('_', ' ')} are lost".replace("  ", " ")


def clear(against: Path | None, link: str) -> str:
    path = f"/api/v1/faults/{quote(link, safe='')}" if link else "/api/v1/faults"
    ended = delete(against, path)["ended"]
    return "\n".join(f"● {name}: as good as before" for name in ended) or "there was no fault"


def ways(figures: Sequence[str]) -> dict[str, dict[str, str]]:
    """Read `loss=3`, `to.loss=3`, `from.loss=3`; UserError for what is none."""
    read: dict[str, dict[str, str]] = {"to_provider": {}, "from_provider": {}}
    for text in figures:
        name, equals, value = text.partition("=")
        way, dot, figure = name.partition(".")
        if not equals or (dot and way not in ("to", "from")) or (figure if dot else name) not in _FIGURES:
            raise UserError(
                f"{text!r} is no figure of a line", "it is name=value", f"one of {', '.join(_FIGURES)}, to.… or from.…",
                "switchroom faults set --help", USAGE,
            )  # fmt: skip
        for direction in ("to_provider", "from_provider") if not dot else (f"{way}_provider",):
            read[direction][figure if dot else name] = value
    return read


def _line(link: dict[str, Any]) -> str:
    if not link["what"]:
        return f"●  {link['link']:<16} good, {link['phones']} phones"
    ends = f", ends in {link['ends_in_s']:.0f} s" if link["ends_in_s"] is not None else ""
    counts = "; ".join(
        f"{name.replace('_', ' ')} {one['sent']} sent, {one['lost']} lost" for name, one in link["counts"].items()
    )
    unfelt = f"; {link['unfelt']} phones do not feel it" if link["unfelt"] else ""
    return f"▲  {link['link']:<16} {link['what']}{ends}; {counts}{unfelt}"
