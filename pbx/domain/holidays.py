"""Public holidays of a country, province or state, and the days they are observed on (domain-features 1.4).

Dates come from the `holidays` library, which knows no more than the law of the day it was released: a time frame adds
and removes days of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from pbx.domain.base import Model
from pbx.domain.weekdays import WEEKDAYS, Interval, Weekday, days_of, two_at_most

Observance = Literal[
    "holiday-only",
    "and-next-day",
    "and-prior-day",
    "and-next-workday",
    "and-prior-workday",
    "next-workday",
    "prior-workday",
]
"""The seven of the platform's API: the holiday, with or without a neighbour, or a workday instead of it."""

WORKWEEK: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
_KNOWN_YEARS = range(2020, 2032)
"""Years whose names a frame may use: what was a holiday in none of them is most likely a slip."""


def _known_region(code: str) -> str:
    # Imported where it is needed: half a second that a domain without holidays does not wait for.
    from holidays.utils import list_supported_countries

    country, _, part = code.partition("-")
    supported = list_supported_countries()
    if country not in supported:
        raise ValueError(f"{code!r} is no region with known holidays, such as CA, CA-QC or US-NY")
    if part and part not in supported[country]:
        raise ValueError(f"{country} has no part {part!r}; it has {', '.join(supported[country]) or 'none'}")
    return code


class Holidays(Model):
    """The public holidays of a region, all or those named, on the days on which they are observed."""

    region: Annotated[str, AfterValidator(_known_region)]
    """ISO 3166: `CA`, `CA-ON`, `US-CA`."""
    names: tuple[str, ...] = ()
    """Empty for all; matched without regard to case."""
    observed: dict[Weekday, Observance] = Field(default_factory=dict)
    """By the weekday the holiday falls on (`sat-sun` is written for two); others are `holiday-only`."""
    workweek: tuple[Weekday, ...] = Field(default=WORKWEEK, min_length=4, max_length=6)
    hours: tuple[Interval, ...] = ()
    """At most two; none for the whole day."""
    first: date | None = None
    until: date | None = None
    """First and last holiday that counts, by its own date; none for every year."""

    @model_validator(mode="before")
    @classmethod
    def _read_short(cls, value: object) -> object:
        return {"region": value} if isinstance(value, str) else value

    @field_validator("observed", mode="before")
    @classmethod
    def _spread(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {day: how for key, how in value.items() for day in days_of(str(key))}

    @field_validator("hours", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _known(self) -> Holidays:
        two_at_most("the holidays", self.hours)
        known = _names_in(self.region)
        for name in self.names:
            if name.casefold() not in known:
                near = get_close_matches(name.casefold(), known, n=1)
                hint = f"; did you mean {known[near[0]]}?" if near else f"; it has {', '.join(sorted(known.values()))}"
                raise ValueError(f"{self.region} has no holiday {name!r}{hint}")
        return self

    @property
    def text(self) -> str:
        which = ", ".join(self.names) if self.names else "public holidays"
        return f"{which} of {self.region}" + (f" {' and '.join(map(str, self.hours))}" if self.hours else "")

    def observed_on(self, day: date) -> bool:
        """Tell whether a holiday is observed on `day`."""
        how = tuple(self.observed.get(weekday, "holiday-only") for weekday in WEEKDAYS)
        return day in _observed(self.region, self.names, how, self.workweek, self.first, self.until, day.year)


def holidays_of(region: str, year: int) -> dict[date, tuple[str, ...]]:
    """Return the public holidays of a region in a year by their own dates, with their names in English."""
    return _dated(region, year)


@lru_cache(maxsize=256)
def _dated(region: str, year: int) -> dict[date, tuple[str, ...]]:
    from holidays import country_holidays

    country, _, part = region.partition("-")
    languages = country_holidays(country).supported_languages
    english = next((language for language in (f"en_{country}", "en_US") if language in languages), None)
    found = country_holidays(country, subdiv=part or None, years=year, observed=False, language=english)
    return {day: tuple(found.get_list(day)) for day in found if day.year == year}


@lru_cache(maxsize=64)
def _names_in(region: str) -> dict[str, str]:
    return {
        name.casefold(): name
        for year in _KNOWN_YEARS
        for listed in holidays_of(region, year).values()
        for name in listed
    }


@lru_cache(maxsize=1024)
def _observed(
    region: str,
    names: tuple[str, ...],
    how: tuple[Observance, ...],
    workweek: tuple[Weekday, ...],
    first: date | None,
    until: date | None,
    year: int,
) -> frozenset[date]:
    """The days of `year` on which a holiday is observed; one of the year before or after may move into it."""
    wanted = {name.casefold() for name in names}
    found: set[date] = set()
    for near in (year - 1, year, year + 1):
        for day, listed in holidays_of(region, near).items():
            if wanted and not wanted & {name.casefold() for name in listed}:
                continue
            if (first is None or first <= day) and (until is None or day <= until):
                found.update(_observance(day, how[day.weekday()], workweek))
    return frozenset(day for day in found if day.year == year)


def _observance(day: date, how: Observance, workweek: tuple[Weekday, ...]) -> Iterable[date]:
    match how:
        case "holiday-only":
            return (day,)
        case "and-next-day":
            return (day, day + timedelta(days=1))
        case "and-prior-day":
            return (day, day - timedelta(days=1))
        case "and-next-workday":
            return (day, _workday(day, 1, workweek))
        case "and-prior-workday":
            return (day, _workday(day, -1, workweek))
        case "next-workday":
            return (_workday(day, 1, workweek),)
        case "prior-workday":
            return (_workday(day, -1, workweek),)


def _workday(day: date, step: int, workweek: tuple[Weekday, ...]) -> date:
    day += timedelta(days=step)
    while WEEKDAYS[day.weekday()] not in workweek:
        day += timedelta(days=step)
    return day
