"""From canonical values to what vendors write: one place, tested by tables (provisioning 3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

_POLY_CODECS = {"PCMU": "G711_Mu", "PCMA": "G711_A", "G722": "G722"}
_PAYLOAD_TYPES = {"PCMU": 0, "PCMA": 8, "G722": 9}
_CLOCK_RATES = {"PCMU": 8000, "PCMA": 8000, "G722": 16000}
_YEARS_WATCHED = 6
"""A change that falls in the last week of its month this many years running is a change of the last week."""


def dscp_to_tos(dscp: int) -> int:
    """46 → 184: DSCP is the upper six bits of the TOS byte (RFC 2474 §3)."""
    if not 0 <= dscp <= 63:
        raise ValueError(f"DSCP {dscp} is not 0–63")
    return dscp << 2


def whole_minutes(seconds: int) -> int:
    """Seconds as minutes, rounded up; never 0, which would mean the factory's hour."""
    return max(1, -(-seconds // 60))


def transport_number(transport: str) -> int:
    """udp 0, tcp 1, tls 2, as Yealink and Grandstream count."""
    return {"udp": 0, "tcp": 1, "tls": 2}[transport]


def poly_transport(transport: str) -> str:
    return {"udp": "UDPOnly", "tcp": "TCPOnly", "tls": "TLS"}[transport]


def codec_names(text: str) -> list[str]:
    """`PCMU, PCMA` → the names in order of preference; ValueError for one we do not know."""
    names = [name.strip().upper() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in _PAYLOAD_TYPES:
            raise ValueError(f"codec {name!r} is none of {', '.join(_PAYLOAD_TYPES)}")
    return list(dict.fromkeys(names))


def rank(name: str, codecs: list[str]) -> int:
    """The place of a codec in the order of preference, from 1; 0 when it is not wanted."""
    return codecs.index(name) + 1 if name in codecs else 0


def nth(items: Sequence[Any], place: int) -> Any:
    """The item in that place, from 1."""
    return items[place - 1]


def nth_or_last(items: Sequence[Any], place: int) -> Any:
    """The item in that place, from 1; the last fills the places behind it."""
    return items[min(place, len(items)) - 1]


def upper(text: str) -> str:
    return text.upper()


def srtp_number(policy: str) -> int:
    """off 0, optional 1, required 2, as Yealink and Grandstream count."""
    return {"off": 0, "optional": 1, "required": 2}[policy]


def poly_codec(name: str) -> str:
    return _POLY_CODECS[name]


def payload_type(name: str) -> int:
    """The static payload type (RFC 3551 §6), which is also Grandstream's vocoder number."""
    return _PAYLOAD_TYPES[name]


def clock_rate(name: str) -> int:
    """Sampling rate as baresip writes it behind the name."""
    return _CLOCK_RATES[name]


def yealink_dtmf(method: str) -> int:
    return {"inband": 0, "rfc4733": 1, "info": 2}[method]


def grandstream_dtmf(method: str) -> tuple[int, int, int]:
    """Three methods in order of preference: 100 in the audio, 101 RFC 4733, 102 SIP INFO."""
    first = {"inband": 100, "rfc4733": 101, "info": 102}[method]
    return (first, *(other for other in (101, 102, 100) if other != first))  # type: ignore[return-value]


def yealink_key(kind: str) -> int:
    return {"none": 0, "park": 10, "speed": 13, "intercom": 14, "line": 15, "blf": 16}[kind]


# --- time zones ---------------------------------------------------------------------------------------


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


@lru_cache(maxsize=256)
def clock(zone: str, year: int) -> Clock:
    """Return the year of an IANA zone. A zone with other than two changes has no rule that repeats, so no summer."""
    changes = _changes(zone, year)
    if len(changes) != 2 or changes[0][1] + changes[1][1]:
        return Clock(int(_offset(ZoneInfo(zone), datetime(year, 12, 31, tzinfo=UTC)).total_seconds()))
    begins, ends = sorted(changes, key=lambda change: change[1], reverse=True)
    saving = int(begins[1].total_seconds())
    standard = int(_offset(ZoneInfo(zone), begins[2] - timedelta(hours=1)).total_seconds())
    return Clock(standard, _rule(zone, year, begins[0]), _rule(zone, year, ends[0]), saving)


def month(change: Change) -> int:
    return change.month


def hour(change: Change) -> int:
    return change.hour


def is_last_week(change: Change) -> bool:
    return change.week == 5


def yealink_offset(offset_s: int) -> str:
    """`-5` or `+5:30`."""
    hours, minutes = divmod(abs(offset_s) // 60, 60)
    return f"{'-' if offset_s < 0 else '+'}{hours}" + (f":{minutes:02}" if minutes else "")


def yealink_change(change: Change) -> str:
    """`3/2/7/2`: month, week (5 is the last), weekday (Monday 1), hour."""
    return f"{change.month}/{change.week}/{change.weekday}/{change.hour}"


def poly_weekday(change: Change) -> int:
    """Sunday 1 … Saturday 7."""
    return change.weekday % 7 + 1


def poly_date(change: Change) -> int:
    """The first day of the week meant: 1, 8, 15 or 22; ignored for the last of the month."""
    return min(change.week, 4) * 7 - 6


def posix_zone(year: Clock) -> str:
    """`STD+5DST+4,M3.2.0/2,M11.1.0/2` (POSIX TZ: hours *west*), as Grandstream's own zone."""
    name = f"STD{_west(year.offset_s)}"
    if year.begins is None or year.ends is None:
        return name
    return f"{name}DST{_west(year.offset_s + year.saving_s)},{_posix_change(year.begins)},{_posix_change(year.ends)}"


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
