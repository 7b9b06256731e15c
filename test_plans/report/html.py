"""One HTML page that opens from a double click: no server, no script, everything escaped.

Evidence lies beside it, in `evidence/`; nothing else is referred to. Printed, it is the certificate of the run: what
was tested with what, by which clocks, every verdict, what failed, and lines to sign.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from test_plans.report import ladder
from test_plans.report.document import COMPLETE, Document, is_passed
from test_plans.report.words import GLYPHS, by_group
from test_plans.verdicts import ATTESTED

_WAVE_HEIGHT, _BAR = 40, 3


def html(it: Document, other: Document | None = None) -> str:
    """Return the report; `other` is the same plan in the other world, shown beside it."""
    beside = {case["id"]: case["verdict"] for case in other["cases"]} if other is not None else {}
    groups = [
        (title, [_case(case, beside.get(case["id"], "")) for case in cases]) for title, cases in by_group(it["cases"])
    ]
    witnesses = Counter(step["witness"] for case in it["cases"] for step in case["steps"])
    return _template().render(
        run=it,
        other=other,
        groups=groups,
        tallies=[(title, Counter(case["it"]["verdict"] for case in cases)) for title, cases in groups],
        counts=sorted(Counter(case["verdict"] for case in it["cases"]).items()),
        witnesses=witnesses,
        devices=_devices(it),
        glyphs=GLYPHS,
        passed=is_passed(it),
        complete=it["state"] == COMPLETE,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = _moment
    environment.filters["octets"] = _octets
    return environment.get_template("report.html.j2")


def _case(case: Mapping[str, Any], beside: str) -> dict[str, Any]:
    rows = [ladder.Row(*row) for row in case["ladder"]]
    exhibits = [{**one, "href": quote(one["path"])} for one in case["evidence"]]
    return {
        "it": case,
        "other": beside,
        "anchor": case["id"],
        "ladder": Markup(ladder.svg(rows, f"SIP ladder of {case['id']}")) if rows else "",
        "messages": [row for row in rows if row.text],
        "rows": len(rows),
        "sounds": [{**one, "wave": Markup(_wave(one))} for one in exhibits if one["kind"] == "sound"],
        "files": [one for one in exhibits if one["kind"] != "sound"],
        "attested": any(step["witness"] == ATTESTED for step in case["steps"]),
    }


def _devices(it: Document) -> Sequence[dict[str, Any]]:
    """Those that took part, each with the verdicts of its cases."""
    verdicts: dict[str, Counter[str]] = {}
    families: dict[str, str] = {}
    for case in it["cases"]:
        for role, device in case["binding"].items():
            verdicts.setdefault(device, Counter())[case["verdict"]] += 1
            families[device] = case["families"].get(role, "")
    unknown = {"label": "", "model": "", "mac": "", "agent": ""}
    return [
        {
            "id": name,
            "family": families[name],
            **(it["devices"].get(name) or unknown),
            "verdicts": sorted(found.items()),
        }
        for name, found in sorted(verdicts.items())
    ]


def _wave(exhibit: Mapping[str, Any]) -> str:
    peaks = exhibit["peaks"]
    if not peaks:
        return ""
    width = len(peaks) * _BAR
    bars = "".join(
        f"M{at * _BAR + 1} {_WAVE_HEIGHT / 2 - max(peak * _WAVE_HEIGHT / 200, 0.5):g}"
        f"v{max(peak * _WAVE_HEIGHT / 100, 1):g}"
        for at, peak in enumerate(peaks)
    )
    return (
        f'<svg class="wave" viewBox="0 0 {width} {_WAVE_HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f'<path d="{bars}"/></svg>'
    )


def _moment(text: str) -> str:
    """`2026-11-26 14:20:05 UTC` of an ISO moment."""
    return text[:19].replace("T", " ") + (" UTC" if text.endswith(("+00:00", "Z")) else text[19:]) if text else "–"


def _octets(count: int) -> str:
    return f"{count} B" if count < 1000 else f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1e6:.1f} MB"
