"""Time frames: named stretches of time in the owner's zone, shared by the domain or private to a user
(domain-features 1.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, field_validator, model_validator

from pbx.domain.base import Model
from pbx.domain.holidays import Holidays
from pbx.domain.periods import Period
from pbx.domain.weekdays import WEEKDAYS, Interval, Weekday, days_of, in_hours, two_at_most

_DATES_SHOWN = 3
_HORIZON_DAYS = 400
"""How far `next_change` looks: over a year, so that what comes once a year is found."""

_OWED = {
    "always": ((), "neither weekdays nor dates"),
    "days-of-week": (("weekdays",), "weekdays and no dates"),
    "specific-dates": (("dates", "periods"), "dates or periods and no weekdays"),
    "holiday": (("dates", "holidays"), "dates or holidays, no weekdays and no periods"),
    "custom": (("weekdays", "dates", "periods", "holidays"), "weekdays, dates, periods or holidays"),
}
"""Kind → the fields of which it has at least one, and no other."""


class TimeFrame(Model):
    model_config = ConfigDict(ignored_types=(cached_property,))

    name: str = Field(min_length=1)
    owner: str = ""
    """Extension of the user whose private frame it is; empty for one of the domain, which everybody shares."""
    switched: Literal["", "on", "off"] = ""
    """By hand, at the telephone: covers every moment or none, whatever it says otherwise; empty: as it says."""
    kind: Literal["always", "days-of-week", "specific-dates", "holiday", "custom"] = "days-of-week"
    weekdays: dict[Weekday, tuple[Interval, ...]] = Field(default_factory=dict)
    """Weekday (`mon`…`sun`; `mon-fri` is written for five) to at most two intervals."""
    dates: tuple[date, ...] = ()
    """Whole days, beside periods and holidays."""
    periods: tuple[Period, ...] = ()
    holidays: tuple[Holidays, ...] = ()
    except_dates: tuple[date, ...] = ()
    """Days on which it covers nothing, whatever else it says: a holiday that is worked."""

    @field_validator("weekdays", mode="before")
    @classmethod
    def _spread(cls, value: object) -> object:
        """Give every day of `mon-fri` its own entry, and a single interval its list."""
        if not isinstance(value, dict):
            return value
        spread: dict[object, object] = {}
        for key, intervals in value.items():
            for day in days_of(str(key)):
                if day in spread:
                    raise ValueError(f"{day} is listed twice")
                spread[day] = intervals if isinstance(intervals, list | tuple) else (intervals,)
        return spread

    @model_validator(mode="after")
    def _complete(self) -> TimeFrame:
        if self.name == "*":
            raise ValueError("`*` is the name of no time frame: it means always")
        for day, intervals in self.weekdays.items():
            two_at_most(day, intervals)
        fields, words = _OWED[self.kind]
        given = {name for name in ("weekdays", "dates", "periods", "holidays") if getattr(self, name)}
        if given - set(fields) or (fields and not given):
            raise ValueError(f"a time frame of kind {self.kind} has {words}")
        if self.kind == "always" and self.except_dates:
            raise ValueError("always has no exceptions; a time frame of kind custom may have them")
        return self

    def text_in(self, zone: str) -> str:
        """The frame in words with the zone it is read in, if that matters."""
        return self.text if self.kind == "always" else f"{self.text} in {zone}"

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> TimeFrame:
        """Return a validated copy: pydantic's own would carry the words of the old one along."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return TimeFrame.model_validate({**values, **(update or {})})

    @cached_property
    def text(self) -> str:
        """The frame in words, e.g. `mon–fri 08:00–18:00`."""
        if self.switched:
            return f"switched {self.switched} by hand"
        if self.kind == "always":
            return "always"
        parts = [f"{days} {' and '.join(map(str, hours))}" for days, hours in self._stretches()]
        parts += [period.text for period in self.periods]
        parts += [holidays.text for holidays in self.holidays]
        if self.dates:
            parts.append(_dates_in_words(self.dates))
        if self.except_dates:
            parts.append(f"not {_dates_in_words(self.except_dates)}")
        return "; ".join(parts)

    def covers(self, moment: datetime, zone: str) -> bool:
        """Tell whether `moment` (aware) lies in this frame, read on the wall clock of `zone` (IANA name).

        What the clock skips in spring never comes; what it repeats in autumn comes twice.
        """
        if self.switched or self.kind == "always":
            return self.switched != "off"
        local = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        today, clock = local.date(), local.time()
        if today in self.except_dates:
            return False
        yesterday = today - timedelta(days=1)
        weekday, before = WEEKDAYS[today.weekday()], WEEKDAYS[today.weekday() - 1]
        return (
            today in self.dates
            or in_hours(self.weekdays.get(weekday, ()), self.weekdays.get(before, ()), clock)
            or any(period.covers(local) for period in self.periods)
            or any(_in_holidays(holidays, today, yesterday, clock) for holidays in self.holidays)
        )

    def next_change(self, moment: datetime, zone: str) -> datetime | None:
        """Return the first moment after `moment` (aware, UTC) from which the answer of `covers` is another.

        None when there is none within 400 days. Exact to the second.
        """
        now = self.covers(moment, zone)
        before = moment
        for then in self._turns(moment, zone):
            if self.covers(then, zone) != now:
                return self._turn_between(before, then, zone)
            before = then
        return None

    def _turns(self, moment: datetime, zone: str) -> Iterator[datetime]:
        """The moments after `moment` at which something may begin or end, day by day, in UTC."""
        if self.switched or self.kind == "always":
            return
        place = ZoneInfo(zone)
        clocks = {time(0)}
        for interval in [i for hours in self.weekdays.values() for i in hours] + [
            i for holidays in self.holidays for i in holidays.hours
        ]:
            clocks |= {interval.start, interval.end}
        for period in self.periods:
            clocks.update(period.clock_times)
        first = moment.astimezone(place).date()
        days = [first + timedelta(days=later) for later in range(_HORIZON_DAYS)]
        if not (self.weekdays or self.periods or self.holidays):
            own = {*self.dates, *(day + timedelta(days=1) for day in self.dates)}
            days = [day for day in days if day in own]
        for day in days:
            turns = {
                datetime.combine(day, clock, place).replace(fold=fold).astimezone(UTC)
                for clock in clocks
                for fold in (0, 1)
            }
            turns.update(_clock_change(day, place))
            yield from sorted(turn for turn in turns if turn > moment)

    def _turn_between(self, before: datetime, after: datetime, zone: str) -> datetime:
        """Halve the time between two moments with different answers until one second is left."""
        wanted = self.covers(after, zone)
        while after - before > timedelta(seconds=1):
            middle = (before + (after - before) / 2).replace(microsecond=0)
            if middle <= before:
                break
            before, after = (before, middle) if self.covers(middle, zone) == wanted else (middle, after)
        return after

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


def _in_holidays(holidays: Holidays, today: date, yesterday: date, clock: time) -> bool:
    if not holidays.hours:
        return holidays.observed_on(today)
    begun = holidays.hours if holidays.observed_on(today) else ()
    running = holidays.hours if holidays.observed_on(yesterday) else ()
    return in_hours(begun, running, clock)


def _clock_change(day: date, place: ZoneInfo) -> Iterator[datetime]:
    """The moment of `day`, its last midnight included, at which its clock is changed, if there is one."""
    start, end = (datetime.combine(one, time(0), place).astimezone(UTC) for one in (day, day + timedelta(days=1)))
    offset = start.astimezone(place).utcoffset()
    if end.astimezone(place).utcoffset() == offset:
        return
    while end - start > timedelta(seconds=1):
        middle = start + (end - start) // 2
        start, end = (middle, end) if middle.astimezone(place).utcoffset() == offset else (start, middle)
    yield end.replace(microsecond=0)


def _dates_in_words(dates: tuple[date, ...]) -> str:
    days = [day.isoformat() for day in sorted(dates)]
    return ", ".join(days) if len(days) <= _DATES_SHOWN else f"{len(days)} dates, {days[0]} to {days[-1]}"
