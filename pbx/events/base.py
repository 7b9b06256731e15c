"""What every event is: a frozen class with a dotted `kind`, a place in the stream, fields to match on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from typing import Any, ClassVar, NamedTuple

from pbx.clock import Moment


@dataclass(frozen=True, slots=True)
class Event:
    kind: ClassVar[str] = "event"
    told_as: ClassVar[Mapping[str, str]] = {}
    """Fields that others see as something else, by the name of that."""


class Stamped(NamedTuple):
    """An event with its place in the stream: `seq` counts from 1 without gaps."""

    seq: int
    at: Moment
    event: Event


def fields(event: Event) -> dict[str, Any]:
    """Return the event's fields by name; values are str, int, float, bool, None or tuples of them."""
    return {name: getattr(event, name) for name in field_names(type(event))}


def field_names(kind: type[Event]) -> tuple[str, ...]:
    """Return the names under which an event's fields are told."""
    names = _NAMES.get(kind)
    if names is None:
        names = _NAMES[kind] = tuple(kind.told_as.get(each.name, each.name) for each in dataclass_fields(kind))
    return names


_NAMES: dict[type[Event], tuple[str, ...]] = {}
"""By class: asking `dataclasses` each time costs more than the event."""


def event_kinds() -> dict[str, type[Event]]:
    """Return every event class by its dotted name."""
    found: dict[str, type[Event]] = {}
    queue: list[type[Event]] = list(Event.__subclasses__())
    while queue:
        cls = queue.pop()
        found[cls.kind] = cls
        queue.extend(cls.__subclasses__())
    return dict(sorted(found.items()))
