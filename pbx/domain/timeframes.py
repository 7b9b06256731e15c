"""Time frames: named stretches of time in the owner's zone (domain-features 1.4)."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from pbx.domain.base import Model

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

INTERVALS_A_DAY = 2

_DATES_SHOWN = 3


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


class TimeFrame(Model):
    name: str = Field(min_length=1)
    kind: Literal["always", "days-of-week", "specific-dates", "holiday"] = "days-of-week"
    weekdays: dict[str, tuple[Interval, ...]] = Field(default_factory=dict)
    """Weekday (`mon`…`sun`; `mon-fri` is written for five) to at most two intervals."""
    dates: tuple[date, ...] = ()

    @field_validator("weekdays", mode="before")
    @classmethod
    def _spread(cls, value: object) -> object:
        """Give every day of `mon-fri` its own entry, and a single interval its list."""
        if not isinstance(value, dict):
            return value
        spread: dict[object, object] = {}
        for key, intervals in value.items():
            for day in _days_of(str(key)):
                if day in spread:
                    raise ValueError(f"{day} is listed twice")
                spread[day] = intervals if isinstance(intervals, list | tuple) else (intervals,)
        return spread

    @model_validator(mode="after")
    def _complete(self) -> TimeFrame:
        if self.name == "*":
            raise ValueError("`*` is the name of no time frame: it means always")
        for day, intervals in self.weekdays.items():
            if len(intervals) > INTERVALS_A_DAY:
                raise ValueError(f"{day} has {len(intervals)} intervals, {INTERVALS_A_DAY} are allowed")
        wanted = {"always": (False, False), "days-of-week": (True, False)}.get(self.kind, (False, True))
        if (bool(self.weekdays), bool(self.dates)) != wanted:
            owed = {"always": "neither weekdays nor dates", "days-of-week": "weekdays and no dates"}
            raise ValueError(f"a time frame of kind {self.kind} has {owed.get(self.kind, 'dates and no weekdays')}")
        return self

    def text_in(self, zone: str) -> str:
        """The frame in words with the zone it is read in, if that matters."""
        return self.text if self.kind == "always" else f"{self.text} in {zone}"

    @property
    def text(self) -> str:
        """The frame in words, e.g. `mon–fri 08:00–18:00`."""
        match self.kind:
            case "always":
                return "always"
            case "specific-dates" | "holiday":
                days = [day.isoformat() for day in sorted(self.dates)]
                return ", ".join(days) if len(days) <= _DATES_SHOWN else f"{len(days)} dates, {days[0]} to {days[-1]}"
            case "days-of-week":
                return "; ".join(f"{days} {' and '.join(map(str, hours))}" for days, hours in self._stretches())

    def covers(self, moment: datetime, zone: str) -> bool:
        """Tell whether `moment` (aware) lies in this frame, read on the wall clock of `zone` (IANA name)."""
        local = moment.astimezone(ZoneInfo(zone))
        match self.kind:
            case "always":
                return True
            case "specific-dates" | "holiday":
                return local.date() in self.dates
            case "days-of-week":
                return self._interval_of(local) is not None

    def _interval_of(self, local: datetime) -> Interval | None:
        clock = local.time().replace(tzinfo=None)
        today, yesterday = WEEKDAYS[local.weekday()], WEEKDAYS[local.weekday() - 1]
        for interval in self.weekdays.get(today, ()):
            if interval.start <= clock and (interval.overnight or clock < interval.end):
                return interval
        for interval in self.weekdays.get(yesterday, ()):
            if interval.overnight and clock < interval.end:
                return interval
        return None

    def _stretches(self) -> list[tuple[str, tuple[Interval, ...]]]:
        """Runs of days with equal intervals: (`mon–fri`, intervals)."""
        found: list[tuple[list[str], tuple[Interval, ...]]] = []
        for place, day in enumerate(WEEKDAYS):
            intervals = self.weekdays.get(day, ())
            if not intervals:
                continue
            if found and found[-1][1] == intervals and found[-1][0][-1] == WEEKDAYS[place - 1]:
                found[-1][0].append(day)
            else:
                found.append(([day], intervals))
        return [(days[0] if len(days) == 1 else f"{days[0]}–{days[-1]}", hours) for days, hours in found]


def _days_of(key: str) -> tuple[str, ...]:
    first, dash, last = key.partition("-")
    if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
        raise ValueError(f"{key!r} is no weekday; they are {', '.join(WEEKDAYS)}, or a range such as mon-fri")
    start, end = WEEKDAYS.index(first), WEEKDAYS.index(last) if dash else WEEKDAYS.index(first)
    if end < start:
        raise ValueError(f"{key!r} runs backwards; a range goes from mon to sun")
    return WEEKDAYS[start : end + 1]
