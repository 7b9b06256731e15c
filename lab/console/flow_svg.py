"""The call-flow map drawn: columns from the numbers to where calls end, as an SVG of links. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from pbx.callflow.flow_map import Edge

BOX_W, BOX_H = 172, 40
_GAP_X, _GAP_Y = 132, 14
MOST_BOXES = 240
"""More are a list, not a picture."""


@dataclass(frozen=True, slots=True)
class Box:
    """A node as it is shown."""

    label: str
    """As the map names it, e.g. `queue:500`."""
    title: str
    sub: str
    href: str
    """Empty for what has no page."""
    trouble: str = ""
    """What is wrong with it, in words; drawn with ▲."""
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """One or several edges between two nodes, drawn as one."""

    source: str
    target: str
    whys: tuple[str, ...]
    active: bool
    """Taken at the moment that is shown."""


def merged(edges: Sequence[Edge], active: Collection[Edge]) -> list[Way]:
    """Return one way for every pair of nodes, with all its reasons."""
    found: dict[tuple[str, str], list[Edge]] = {}
    for edge in edges:
        found.setdefault((edge.source, edge.target), []).append(edge)
    return [
        Way(source, target, tuple(dict.fromkeys(edge.why for edge in pair)), any(edge in active for edge in pair))
        for (source, target), pair in found.items()
    ]


def columns(roots: Sequence[str], ways: Sequence[Way]) -> list[list[str]]:
    """Return the nodes by how many steps they are from a root, each column ordered by where its callers stand."""
    out: dict[str, list[str]] = {}
    for way in ways:
        out.setdefault(way.source, []).append(way.target)
    placed, rank = [list(dict.fromkeys(roots))], set(roots)
    while placed[-1]:
        fresh = [target for node in placed[-1] for target in out.get(node, ()) if target not in rank]
        rank.update(fresh)
        placed.append(list(dict.fromkeys(fresh)))
    return placed[:-1]


def svg(
    boxes: Mapping[str, Box],
    placed: Sequence[Sequence[str]],
    ways: Sequence[Way],
    name: str,
    words: Callable[[Box], str],
) -> str:
    """Return trusted markup, everything in it escaped here; `words` is what a box says to who cannot see it."""
    at = {
        node: (8 + column * (BOX_W + _GAP_X), 8 + row * (BOX_H + _GAP_Y))
        for column, nodes in enumerate(placed)
        for row, node in enumerate(nodes)
    }
    width = 16 + len(placed) * (BOX_W + _GAP_X) - _GAP_X
    height = 16 + max((len(nodes) for nodes in placed), default=1) * (BOX_H + _GAP_Y)
    parts = [
        f'<svg class="flow" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="group" '
        f'aria-label="{escape(name)}">'
    ]
    drawn = [way for way in ways if way.source in at and way.target in at and way.source != way.target]
    parts += [_way(way, at) for way in sorted(drawn, key=lambda way: way.active)]
    parts += [_box(boxes[node], *at[node], words(boxes[node])) for nodes in placed for node in nodes]
    return "".join([*parts, "</svg>"])


def _way(way: Way, at: Mapping[str, tuple[int, int]]) -> str:
    (x1, y1), (x2, y2) = at[way.source], at[way.target]
    y1, y2 = y1 + BOX_H // 2, y2 + BOX_H // 2
    forward = x2 > x1
    start, end = x1 + BOX_W, x2 if forward else x2 + BOX_W
    bend = _GAP_X // 2
    into = end - bend if forward else end + bend
    kind = "way active" if way.active else "way"
    tip = (
        f"M{end - 7} {y2 - 4}L{end} {y2}L{end - 7} {y2 + 4}z"
        if forward
        else f"M{end + 7} {y2 - 4}L{end} {y2}L{end + 7} {y2 + 4}z"
    )
    label, x = _short(", ".join(way.whys), 19), (end - 9 if forward else end + 10)
    anchor = "end" if forward else "start"
    return (
        f'<g class="{kind}" aria-hidden="true"><title>{escape(", ".join(way.whys))}</title>'
        f'<path d="M{start} {y1}C{start + bend} {y1} {into} {y2} {end} {y2}"/><path class="tip" d="{tip}"/>'
        f'<text x="{x}" y="{y2 - 5}" text-anchor="{anchor}">{escape(label)}</text></g>'
    )


def _box(box: Box, x: int, y: int, words: str) -> str:
    kind = "box" + (" trouble" if box.trouble else "") + (" chosen" if box.chosen else "")
    mark = (
        f'<text class="mark" x="{x + BOX_W - 10}" y="{y + 16}" text-anchor="end" aria-hidden="true">▲</text>'
        if box.trouble
        else ""
    )
    body = (
        f'<rect x="{x}" y="{y}" width="{BOX_W}" height="{BOX_H}" rx="6"/>'
        f'<text class="title" x="{x + 10}" y="{y + 17}" aria-hidden="true">{escape(_short(box.title, 21))}</text>'
        f'<text class="sub" x="{x + 10}" y="{y + 31}" aria-hidden="true">{escape(_short(box.sub, 26))}</text>{mark}'
    )
    said = escape(words, quote=True)
    return f'<a class="{kind}" href="{escape(box.href, quote=True)}" aria-label="{said}">{body}</a>'


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
