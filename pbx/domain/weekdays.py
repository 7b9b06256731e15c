"""Days of the week and hours of a day, as time frames are made of them (domain-features 1.4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Literal

from pydantic import model_validator

from pbx.domain.base import Model

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

INTERVALS_A_DAY = 2


class Interval(Model):
    """From `start` up to but not including `end`; `end` at or before `start` runs into the next day.

    Written `08:00-18:00` for short.
    """

    start: time
    end: time

    @model_validator(mode="before")
    @classmethod
    def _read_short(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        start, _, end = value.partition("-")
        return {"start": start.strip(), "end": end.strip()}

    @property
    def overnight(self) -> bool:
        return self.end <= self.start

    def __str__(self) -> str:
        return f"{self.start:%H:%M}–{self.end:%H:%M}"


def in_hours(today: Sequence[Interval], yesterday: Sequence[Interval], clock: time) -> bool:
    """Tell whether `clock` lies in an interval that began today, or in one of yesterday that runs into today."""
    return any(i.start <= clock and (i.overnight or clock < i.end) for i in today) or any(
        i.overnight and clock < i.end for i in yesterday
    )


def two_at_most(owner: str, intervals: Sequence[Interval]) -> None:
    """ValueError when there are more intervals than a day may have."""
    if len(intervals) > INTERVALS_A_DAY:
        have = "have" if owner.startswith("the ") else "has"
        raise ValueError(f"{owner} {have} {len(intervals)} intervals, {INTERVALS_A_DAY} are allowed")


def days_of(key: str) -> tuple[Weekday, ...]:
    """Return the days of `mon` or `mon-fri`; ValueError when it is neither."""
    first, dash, last = key.partition("-")
    if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
        raise ValueError(f"{key!r} is no weekday; they are {', '.join(WEEKDAYS)}, or a range such as mon-fri")
    places: Sequence[str] = WEEKDAYS
    start, end = places.index(first), places.index(last if dash else first)
    if end < start:
        raise ValueError(f"{key!r} runs backwards; a range goes from mon to sun")
    return WEEKDAYS[start : end + 1]
