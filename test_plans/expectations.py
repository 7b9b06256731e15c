"""Matchers over the event stream: does this event meet these conditions, and which came nearest when none did."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pbx.events import Event, Stamped, fields

_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)\Z")
_COMPARE = re.compile(r"(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)\s*(?:%|ms|s)?\Z")
NOISE = frozenset({"sip.request", "sip.response"})
"""Never shown as what was seen instead: too many."""


def matches(event: Event, kind: str, where: Mapping[str, Any]) -> bool:
    """Tell whether `event` is of `kind` (or a refinement of it) and meets every condition."""
    return is_kind(event, kind) and not unmet(event, where)


def unmet(event: Event, where: Mapping[str, Any]) -> list[str]:
    """Return the conditions an event does not meet, in words."""
    values = fields(event)
    wrong = []
    for name, wanted in where.items():
        if name not in values:
            wrong.append(f"has no {name}")
        elif not meets(values[name], wanted):
            wrong.append(f"{name} is {values[name]!r}, not {wanted!r}")
    return wrong


def meets(value: object, wanted: object) -> bool:
    """Compare a field with `3..8`, `>= 4`, a glob, a list of alternatives, true or false, or itself."""
    if isinstance(wanted, list | tuple):
        return any(meets(value, one) for one in wanted)
    if isinstance(wanted, bool) or isinstance(value, bool):
        return str(value).lower() == str(wanted).lower()
    if wanted is None:
        return value in ("", None)
    text = str(wanted)
    if isinstance(value, int | float):
        if found := _RANGE.match(text):
            return float(found[1]) <= value <= float(found[2])
        if found := _COMPARE.match(text):
            limit = float(found[2])
            return {">": value > limit, "<": value < limit, ">=": value >= limit, "<=": value <= limit}[found[1]]
        try:
            return float(value) == float(text)
        except ValueError:
            return False
    if text.startswith("!"):
        return not fnmatch.fnmatchcase(str(value), text[1:])
    return fnmatch.fnmatchcase(str(value), text)


def nearest(events: Iterable[Stamped], kind: str, where: Mapping[str, Any], most: int = 3) -> tuple[str, ...]:
    """Describe what came instead: the same kind with the fewest unmet conditions first, then the newest others."""
    ranked = []
    for stamped in events:
        event = stamped.event
        if event.kind in NOISE and event.kind != kind:
            continue
        same = is_kind(event, kind)
        wrong = unmet(event, where) if same else []
        ranked.append(
            (0 if same else 1, len(wrong), -stamped.seq, describe(stamped) + (f": {'; '.join(wrong)}" if wrong else ""))
        )
    return tuple(text for *_, text in sorted(ranked)[:most])


def describe(stamped: Stamped) -> str:
    values = {k: v for k, v in fields(stamped.event).items() if v not in ("", None) and k not in ("text", "record")}
    words = " ".join(f"{name}={value}" for name, value in values.items())
    return f"{stamped.event.kind} {words}"[:240]


def is_kind(event: Event, kind: str) -> bool:
    """Tell whether an event is of a kind, or of a refinement of it."""
    of = type(event)
    known = _KINDS.get(of)
    if known is None:
        known = _KINDS[of] = frozenset(cls.kind for cls in of.__mro__ if issubclass(cls, Event) and cls is not Event)
    return kind in known


_KINDS: dict[type[Event], frozenset[str]] = {}
"""By class, its kind and those it refines: asked for every event of every expectation."""
