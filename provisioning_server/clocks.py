"""Time zones as vendors write them: the year of an IANA zone computed from tzdata (provisioning 3.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_YEARS_WATCHED = 6
"""A change that falls in the last week of its month this many years running is a change of the last week."""


@dataclass(frozen=True, slots=True)
class Change:
    """When the clocks change, as a rule of the calendar."""

    month: int
    week: int
    """1–4, or 5 for the last of the month."""
    weekday: int
    """Monday 1 … Sunday 7."""
    hour: int
    """Of the wall clock before the change."""
    minute: int


@dataclass(frozen=True, slots=True)
class Clock:
    """A zone's year: its standard offset, and the summer time that is added to it, if any."""

    offset_s: int
    """Seconds east of UTC outside summer time."""
    begins: Change | None = None
    ends: Change | None = None
    saving_s: int = 0
    year: int = field(default=0, compare=False)


@lru_cache(maxsize=256)
def clock(zone: str, year: int) -> Clock:
    """Return the year of an IANA zone. A zone with other than two changes has no rule that repeats, so no summer."""
    changes = _changes(zone, year)
    if len(changes) != 2 or changes[0][1] + changes[1][1]:
        offset = int(_offset(ZoneInfo(zone), datetime(year, 12, 31, tzinfo=UTC)).total_seconds())
        return Clock(offset, year=year)
    begins, ends = sorted(changes, key=lambda change: change[1], reverse=True)
    saving = int(begins[1].total_seconds())
    standard = int(_offset(ZoneInfo(zone), begins[2] - timedelta(hours=1)).total_seconds())
    return Clock(standard, _rule(zone, year, begins[0]), _rule(zone, year, ends[0]), saving, year)


def month(change: Change) -> int:
    return change.month


def hour(change: Change) -> int:
    return change.hour


def minutes_of_day(change: Change) -> int:
    """When the clocks change, in minutes since midnight."""
    return change.hour * 60 + change.minute


def is_last_week(change: Change) -> bool:
    return change.week == 5


def yealink_offset(offset_s: int) -> str:
    """`-5` or `+5:30`."""
    hours, minutes = divmod(abs(offset_s) // 60, 60)
    return f"{'-' if offset_s < 0 else '+'}{hours}" + (f":{minutes:02}" if minutes else "")


def yealink_change(change: Change) -> str:
    """`3/2/7/2`: month, week (5 is the last), weekday (Monday 1), hour."""
    return f"{change.month}/{change.week}/{change.weekday}/{change.hour}"


def poly_date(change: Change) -> int:
    """The first day of the week meant: 1, 8, 15 or 22; ignored for the last of the month."""
    return min(change.week, 4) * 7 - 6


def posix_zone(year: Clock) -> str:
    """`STD+5DST+4,M3.2.0/2,M11.1.0/2` (POSIX TZ: hours *west*), as Grandstream's own zone."""
    name = f"STD{_west(year.offset_s)}"
    if year.begins is None or year.ends is None:
        return name
    return f"{name}DST{_west(year.offset_s + year.saving_s)},{_posix_change(year.begins)},{_posix_change(year.ends)}"


def cisco_zone(offset_s: int) -> str:
    """`GMT-05:00`"""
    hours, minutes = divmod(abs(offset_s) // 60, 60)
    return f"GMT{'-' if offset_s < 0 else '+'}{hours:02}:{minutes:02}"


def cisco_rule(year: Clock) -> str:
    """`start=3/8/7/2:0:0;end=11/1/7/2:0:0;save=1:0:0` (month/first day of the week meant or -1/weekday/time)."""
    if year.begins is None or year.ends is None:
        return ""
    hours, minutes = divmod(year.saving_s // 60, 60)
    return f"start={_cisco_change(year.begins)};end={_cisco_change(year.ends)};save={hours}:{minutes}:0"


def _cisco_change(change: Change) -> str:
    day = -1 if change.week == 5 else change.week * 7 - 6
    return f"{change.month}/{day}/{change.weekday}/{change.hour}:{change.minute}:0"


def minutes_west(offset_s: int) -> int:
    """300 for five hours behind UTC, as Mitel counts."""
    return -offset_s // 60


def minutes_east(offset_s: int) -> int:
    return offset_s // 60


def last_or_week(change: Change) -> int:
    """The week of the month, -1 for its last."""
    return -1 if change.week == 5 else change.week


def week(change: Change) -> int:
    """1–4, or 5 for the last of the month."""
    return change.week


def weekday_from_sunday(change: Change) -> int:
    """Sunday 1 … Saturday 7."""
    return change.weekday % 7 + 1


def weekday_from_zero(change: Change) -> int:
    """Sunday 0 … Saturday 6."""
    return change.weekday % 7


def quarters_east(offset_s: int) -> int:
    """Quarters of an hour, as Fanvil counts: -20 for five hours behind UTC."""
    return offset_s // 900


def snom_zone(offset_s: int) -> str:
    """`USA-5`, `FRA+1`: whole hours; which countries the firmware knows at which offset is not public."""
    return f"{'USA' if offset_s < 0 else 'FRA'}{offset_s // 3600:+d}"


def sep_zone(zone: str) -> str:
    """The name Cisco's enterprise firmware has for a zone of the same rule; ValueError when it has none."""
    if zone not in _SEP_ZONES:
        raise ValueError(f"no name of Cisco's for the zone {zone}: set `vendor.raw`, or one of {', '.join(_SEP_ZONES)}")
    return _SEP_ZONES[zone]


def gigaset_zone(zone: str, year: Clock) -> str:
    """The zone where Gigaset's firmware knows it, else one that keeps the same time, else the zone as it is."""
    if zone in _GIGASET_ZONES:
        return zone
    return next((known for known in _GIGASET_ZONES if clock(known, year.year) == year), zone)


_GIGASET_ZONES = (
    "Pacific/Honolulu", "America/Anchorage", "America/Los_Angeles", "America/Denver", "America/Chicago",
    "America/New_York", "America/Caracas", "America/Sao_Paulo", "Europe/Lisbon", "Europe/London", "Europe/Dublin",
    "Greenwich", "Europe/Amsterdam", "Europe/Berlin", "Europe/Brussels", "Europe/Budapest", "Europe/Copenhagen",
    "Europe/Madrid", "Europe/Oslo", "Europe/Paris", "Europe/Prague", "Europe/Rome", "Europe/Stockholm",
    "Europe/Vienna", "Europe/Warsaw", "Europe/Zurich", "Africa/Cairo", "Europe/Athens", "Europe/Bucharest",
    "Europe/Helsinki", "Europe/Riga", "Europe/Sofia", "Europe/Tallinn", "Europe/Vilnius", "Europe/Istanbul",
    "Europe/Minsk", "Europe/Moscow", "Asia/Dubai", "Europe/Samara", "Asia/Karachi", "Asia/Dhaka", "Asia/Hong_Kong",
    "Asia/Tokyo", "Australia/Adelaide", "Australia/Darwin", "Australia/Brisbane", "Australia/Sydney",
    "Pacific/Noumea",
)  # fmt: skip
"""In the order in which they are tried."""

_SEP_ZONES = {
    "America/Anchorage": "Alaskan Standard/Daylight Time",
    "America/Chicago": "Central Standard/Daylight Time",
    "America/Denver": "Mountain Standard/Daylight Time",
    "America/Edmonton": "Mountain Standard/Daylight Time",
    "America/Halifax": "Atlantic Standard/Daylight Time",
    "America/Los_Angeles": "Pacific Standard/Daylight Time",
    "America/Montreal": "Eastern Standard/Daylight Time",
    "America/New_York": "Eastern Standard/Daylight Time",
    "America/Phoenix": "US Mountain Standard Time",
    "America/St_Johns": "Newfoundland Standard/Daylight Time",
    "America/Toronto": "Eastern Standard/Daylight Time",
    "America/Vancouver": "Pacific Standard/Daylight Time",
    "America/Winnipeg": "Central Standard/Daylight Time",
    "Asia/Kabul": "Afghanistan Standard Time",
    "Asia/Kolkata": "India Standard Time",
    "Asia/Taipei": "Taipei Standard Time",
    "Asia/Tokyo": "Tokyo Standard Time",
    "Australia/Hobart": "Tasmania Standard/Daylight Time",
    "Europe/Athens": "E. Europe Standard/Daylight Time",
    "Europe/Berlin": "Central Europe Standard/Daylight Time",
    "Europe/Bucharest": "E. Europe Standard/Daylight Time",
    "Europe/London": "GMT Standard/Daylight Time",
    "Europe/Paris": "Central Europe Standard/Daylight Time",
    "UTC": "Greenwich Standard Time",
}
"""Names seen in wazo-provd-plugins (wazo_cisco_sip), by zones whose offset and changes are those of the named zone."""


def _west(offset_s: int) -> str:
    hours, minutes = divmod(abs(offset_s) // 60, 60)
    return f"{'-' if offset_s > 0 else '+'}{hours}" + (f":{minutes:02}" if minutes else "")


def _posix_change(change: Change) -> str:
    time = f"{change.hour}:{change.minute:02}" if change.minute else f"{change.hour}"
    return f"M{change.month}.{change.week}.{change.weekday % 7}/{time}"


def _rule(zone: str, year: int, local: datetime) -> Change:
    week = (local.day - 1) // 7 + 1
    if _is_last(local) and all(_falls_last(zone, later, local) for later in range(year + 1, year + _YEARS_WATCHED)):
        week = 5
    return Change(local.month, week, local.isoweekday(), local.hour, local.minute)


def _falls_last(zone: str, year: int, like: datetime) -> bool:
    """Does the change of that month fall in the month's last week in `year`, too?"""
    return any(_is_last(local) for local, _, _ in _changes(zone, year) if local.month == like.month)


def _is_last(local: datetime) -> bool:
    return (local + timedelta(days=7)).month != local.month


@lru_cache(maxsize=1024)
def _changes(zone: str, year: int) -> list[tuple[datetime, timedelta, datetime]]:
    """Return each clock change of the year: (wall time just before it, the step, the moment)."""
    tz = ZoneInfo(zone)
    found = []
    day, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    while day < end:
        after = day + timedelta(days=1)
        if _offset(tz, day) != _offset(tz, after):
            moment = _moment_of_change(tz, day, after)
            before = _offset(tz, day)
            found.append(((moment + before).replace(tzinfo=None), _offset(tz, after) - before, moment))
        day = after
    return found


def _moment_of_change(tz: ZoneInfo, early: datetime, late: datetime) -> datetime:
    """Bisect to the minute."""
    before = _offset(tz, early)
    while late - early > timedelta(minutes=1):
        middle = early + timedelta(minutes=(late - early) // timedelta(minutes=2))
        if _offset(tz, middle) == before:
            early = middle
        else:
            late = middle
    return late


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()
