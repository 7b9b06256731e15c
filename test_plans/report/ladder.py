"""The SIP ladder of some events as SVG, text or Mermaid: fixed columns, one row a message, sound as a band."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape

from pbx.events import MediaHeard, SipRequest, SipResponse, Stamped

SWITCH = "switch"
MOST_ROWS = 400
_COLUMN, _ROW, _TOP, _LEFT = 150, 24, 44, 70


@dataclass(frozen=True, slots=True)
class Row:
    at_s: float
    """Since the first row."""
    source: str
    target: str
    caption: str
    kind: str
    """`request`, `response`, `failure` or `sound`."""
    repeats: int = 1
    text: str = ""
    """The whole message."""


def rows(
    events: Sequence[Stamped],
    name_of: Callable[[str], str] = lambda address: address,
    start_s: float | None = None,
) -> list[Row]:
    """Return the ladder's rows; a message that is repeated at once is one row with its count.

    Times count from `start_s` (monotonic), from the first event without it.
    """
    found: list[Row] = []
    start = start_s if start_s is not None else events[0].at.mono if events else 0.0
    for stamped in events:
        event = stamped.event
        match event:
            case SipRequest():
                row = _message(event, stamped, start, event.method, "request", name_of)
            case SipResponse():
                kind = "failure" if event.status >= 400 else "response"
                reason = event.text.split("\r\n", 1)[0].partition(" ")[2]
                row = _message(event, stamped, start, reason or str(event.status), kind, name_of)
            case MediaHeard(device=device, leg=leg, sound=sound):
                row = Row(stamped.at.mono - start, device or leg, SWITCH, f"♪ {sound}", "sound")
            case _:
                continue
        last = found[-1] if found else None
        if last and (last.source, last.target, last.caption) == (row.source, row.target, row.caption):
            found[-1] = replace(last, repeats=last.repeats + 1)
        else:
            found.append(row)
    return found[:MOST_ROWS]


def _message(
    event: SipRequest | SipResponse,
    stamped: Stamped,
    start: float,
    caption: str,
    kind: str,
    name_of: Callable[[str], str],
) -> Row:
    other = event.device or name_of(event.address)
    source, target = (other, SWITCH) if event.direction == "in" else (SWITCH, other)
    return Row(stamped.at.mono - start, source, target, caption, kind, text=event.text)


def lifelines(ladder: Sequence[Row]) -> list[str]:
    """The switch in the middle, callers to its left in order of appearance, the rest to its right."""
    seen: list[str] = []
    for row in ladder:
        for name in (row.source, row.target):
            if name != SWITCH and name not in seen:
                seen.append(name)
    return [*seen[:1], SWITCH, *seen[1:]]


def svg(ladder: Sequence[Row], title: str) -> str:
    """Return the ladder as one SVG element; colours are classes of the page that holds it."""
    names = lifelines(ladder)
    at = {name: _LEFT + 60 + place * _COLUMN for place, name in enumerate(names)}
    width, height = _LEFT + 60 + len(names) * _COLUMN, _TOP + 20 + len(ladder) * _ROW
    parts = [
        f'<svg class="ladder-svg" xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title, quote=True)}">'
    ]
    for name, x in at.items():
        shown = name if len(name) <= 20 else name[:19] + "…"
        parts.append(f'<text class="name" x="{x}" y="20" text-anchor="middle">{escape(shown)}</text>')
        parts.append(f'<line class="life" x1="{x}" y1="28" x2="{x}" y2="{height - 6}"/>')
    for number, row in enumerate(ladder):
        y = _TOP + number * _ROW + 12
        a, b = at[row.source], at[row.target]
        sense = 1 if b > a else -1
        caption = escape(row.caption[:44]) + (f" ×{row.repeats}" if row.repeats > 1 else "")
        words = escape(f"{row.at_s:.3f} s, {row.source} to {row.target}: {row.caption}", quote=True)
        parts.append(f'<g class="{row.kind}"><title>{words}</title>')
        parts.append(f'<text class="at" x="4" y="{y + 4}">{row.at_s:.3f}</text>')
        parts.append(f'<line class="arrow" x1="{a}" y1="{y}" x2="{b - 6 * sense}" y2="{y}"/>')
        parts.append(f'<path class="head" d="M{b} {y} l{-8 * sense} -4 v8 z"/>')
        parts.append(f'<text class="caption" x="{(a + b) / 2:g}" y="{y - 4}" text-anchor="middle">{caption}</text></g>')
    parts.append("</svg>")
    return "".join(parts)


_STYLE = (
    '<style>text{font:11px ui-monospace,"DejaVu Sans Mono",monospace;fill:#17202B}.name{font-weight:700}'
    ".at{fill:#515D6D}.life{stroke:#D5DAE1}.arrow{stroke:#0B5CAD;stroke-width:1.5}.head{fill:#0B5CAD}"
    ".failure .arrow{stroke:#B3261E}.failure .head{fill:#B3261E}.response .arrow{stroke:#0B7A43}"
    ".response .head{fill:#0B7A43}.sound .arrow{stroke:#5B3FC4;stroke-dasharray:4 3}.sound .head{fill:#5B3FC4}"
    '</style><rect width="100%" height="100%" fill="#FFF"/>'
)
"""The light theme of the page."""


def svg_file(ladder: Sequence[Row], title: str) -> str:
    """Return the ladder as an SVG file of its own, colours and all."""
    element, end, rest = svg(ladder, title).partition(">")
    return f"{element}{end}{_STYLE}{rest}\n"


def text(ladder: Sequence[Row]) -> str:
    """Return the ladder as lines for a terminal or a ticket."""
    return "\n".join(
        f"{row.at_s:8.3f}  {row.source:>16} ──▶ {row.target:<16} {row.caption}"
        + (f" ×{row.repeats}" if row.repeats > 1 else "")
        for row in ladder
    )


def mermaid(ladder: Sequence[Row]) -> str:
    """Return a Mermaid sequence diagram."""
    names = {name: f"p{place}" for place, name in enumerate(lifelines(ladder))}
    lines = ["sequenceDiagram", *(f"  participant {key} as {name}" for name, key in names.items())]
    lines += [f"  {names[row.source]}->>{names[row.target]}: {row.caption.replace(';', ',')}" for row in ladder]
    return "\n".join(lines)
