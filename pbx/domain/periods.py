"""Periods of specific dates, once or recurring, on the wall clock (domain-features 1.4)."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, time, timedelta
from typing import Literal

from pydantic import Field, model_validator

from pbx.domain.base import Model

LONGEST_DAYS = 366
_WEEK = 7

Recurrence = Literal[
    "never",
    "days",
    "weeks",
    "monthly-date",
    "monthly-weekday",
    "monthly-last-weekday",
    "monthly-last-day",
    "yearly-date",
    "yearly-weekday",
    "yearly-last-weekday",
]
"""What the first day gives the later ones: its distance, its day of the month, its weekday by count or as the last."""


class Period(Model):
    """From `start` at `begins` up to but not including `end` at `ends`; a bare date is written for that one day."""

    start: date
    end: date | None = None
    """None: the day of `start`."""
    begins: time = time(0)
    ends: time | None = None
    """None: the midnight after the last day."""
    recurs: Recurrence = "never"
    every: int = Field(default=1, ge=1, le=99)
    """Of `days`, `weeks` and months: each, each second, …; years always recur each year."""
    until: date | None = None
    """Last day on which a recurrence may begin."""

    @model_validator(mode="before")
    @classmethod
    def _read_short(cls, value: object) -> object:
        return {"start": value} if isinstance(value, str | date) else value

    @model_validator(mode="after")
    def _ordered(self) -> Period:
        first = datetime.combine(self.start, self.begins)
        if first + self._length <= first:
            raise ValueError(f"the period ends before it begins, {first:%Y-%m-%d %H:%M}")
        if self._length > timedelta(days=LONGEST_DAYS):
            raise ValueError(f"the period lasts longer than {LONGEST_DAYS} days")
        if self.recurs == "never" and (self.every != 1 or self.until):
            raise ValueError("`every` and `until` belong to a period that recurs")
        if self.recurs.startswith("yearly") and self.every != 1:
            raise ValueError("what recurs yearly recurs every year: `every` is 1")
        return self

    @property
    def text(self) -> str:
        last = self.end or self.start
        days = str(self.start) if last == self.start else f"{self.start} to {last}"
        hours = "" if self.begins == time(0) and self.ends is None else f" {self.begins:%H:%M}–{self._ending}"
        times = "" if self.every == 1 else f" every {self.every}"
        return f"{days}{hours}" + ("" if self.recurs == "never" else f", recurring {self.recurs}{times}")

    @property
    def clock_times(self) -> tuple[time, ...]:
        """The times of day at which it can begin or end."""
        return (self.begins, self.ends or time(0))

    def covers(self, local: datetime) -> bool:
        """Tell whether the naive wall-clock moment `local` lies in it or in a recurrence of it."""
        first = (local - self._length).date()
        for days in range((local.date() - first).days + 1):
            day = first + timedelta(days=days)
            begun = datetime.combine(day, self.begins)
            if begun <= local < begun + self._length and self._begins_on(day):
                return True
        return False

    @property
    def _length(self) -> timedelta:
        last = self.end or self.start
        end = datetime.combine(last, self.ends) if self.ends else datetime.combine(last, time(0)) + timedelta(days=1)
        return end - datetime.combine(self.start, self.begins)

    @property
    def _ending(self) -> str:
        return f"{self.ends:%H:%M}" if self.ends else "24:00"

    def _begins_on(self, day: date) -> bool:
        if day < self.start or (self.until is not None and day > self.until):
            return False
        months = (day.year - self.start.year) * 12 + day.month - self.start.month
        due = months % (12 if self.recurs.startswith("yearly") else self.every) == 0
        match self.recurs:
            case "never":
                return day == self.start
            case "days":
                return (day - self.start).days % self.every == 0
            case "weeks":
                return (day - self.start).days % (_WEEK * self.every) == 0
            case "monthly-date" | "yearly-date":
                return due and day.day == self.start.day
            case "monthly-weekday" | "yearly-weekday":
                return due and day.weekday() == self.start.weekday() and _count(day) == _count(self.start)
            case "monthly-last-weekday" | "yearly-last-weekday":
                return due and day.weekday() == self.start.weekday() and _month_end(day) - day.day < _WEEK
            case "monthly-last-day":
                return due and day.day == _month_end(day)


def _count(day: date) -> int:
    """Which of its weekday in the month: 0 for the first."""
    return (day.day - 1) // _WEEK


def _month_end(day: date) -> int:
    return monthrange(day.year, day.month)[1]
