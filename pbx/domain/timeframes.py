"""Time frames: named stretches of time in the owner's zone (domain-features 1.4)."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from pbx.domain.base import Model

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Interval(Model):
    """From `start` up to but not including `end`; `end` at or before `start` runs into the next day."""

    start: time
    end: time


class TimeFrame(Model):
    name: str
    kind: Literal["always", "days-of-week", "specific-dates", "holiday"] = "days-of-week"
    weekdays: dict[str, tuple[Interval, ...]] = Field(default_factory=dict)
    """Weekday (`mon`…`sun`) to at most two intervals."""
    dates: tuple[date, ...] = ()

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
            overnight = interval.end <= interval.start
            if interval.start <= clock and (overnight or clock < interval.end):
                return interval
        for interval in self.weekdays.get(yesterday, ()):
            if interval.end <= interval.start and clock < interval.end:
                return interval
        return None
