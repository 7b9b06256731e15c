"""The hour of the office: what time frames go by, which a lab may set, stop and hurry (console.md S7).

Phones on sockets have timers of their own, so a lab in real time shifts nothing else: registrations, calls, mail and
everything that is kept stay on the real clock. It goes forward alone; *real time* ends the rehearsal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from lab.errors import UserError
from pbx.callflow.question import Asked, Presence
from pbx.callflow.routing import route
from pbx.clock import Moment
from pbx.domain.directory import Directory
from pbx.events import Event, HourSet

RATES = (1, 60, 600)
_FARTHEST = timedelta(days=400)
_SOMEBODY = "14165550142"
_MOST_NUMBERS = 40


class OfficeHours:
    """Owns the shift; `told` publishes each change."""

    def __init__(self, now: Callable[[], Moment], told: Callable[[Event], None]) -> None:
        self._now, self._told = now, told
        self._from: Moment | None = None
        self._hour = datetime.min.replace(tzinfo=UTC)
        self._rate = 1.0

    @property
    def shifted(self) -> bool:
        return self._from is not None

    @property
    def rate(self) -> float:
        return self._rate

    def of(self, moment: Moment) -> Moment:
        """Return what the office takes a moment for."""
        if self._from is None:
            return moment
        return Moment(moment.mono, self._hour + timedelta(seconds=(moment.mono - self._from.mono) * self._rate))

    def now(self) -> Moment:
        return self.of(self._now())

    @property
    def word(self) -> str:
        """How it goes; empty while it is the real hour."""
        if self._from is None:
            return ""
        return "paused" if self._rate == 0 else "another hour" if self._rate == 1 else f"×{self._rate:g}"

    def jump(self, to: datetime) -> None:
        """Let it be another hour, later than it is; UserError when it is earlier, or too far away."""
        now = self.now().wall
        if to < now:
            raise UserError(
                "the clock was not set", f"{to:%Y-%m-%d %H:%M} UTC is past: time goes forward alone",
                "go back to real time, or begin a lab anew", "console: time machine",
            )  # fmt: skip
        if to > now + _FARTHEST:
            raise UserError("the clock was not set", "that is more than 400 days away", "jump by less", "")
        self._set(to, self._rate)

    def run(self, rate: float) -> None:
        """Let it go on `rate` times as fast as real time; UserError for another than those there are."""
        if rate not in RATES:
            told = ", ".join(f"×{one}" for one in RATES)
            raise UserError("the clock was not set", f"a rate of {rate:g} is none of {told}", "take one of them", "")
        self._set(self.now().wall, float(rate))

    def pause(self) -> None:
        self._set(self.now().wall, 0.0)

    def real(self) -> None:
        self._from, self._rate = None, 1.0
        self._tell()

    def _set(self, hour: datetime, rate: float) -> None:
        self._hour, self._from, self._rate = hour.astimezone(UTC), self._now(), rate
        self._tell()

    def _tell(self) -> None:
        wall = self.now().wall
        self._told(HourSet(wall.isoformat(timespec="seconds"), self._rate, self.shifted))


@dataclass(frozen=True, slots=True)
class Jump:
    """A moment worth going to."""

    name: str
    """What begins or ends then: `opening`, `closing`, `holiday`, `clock change`, `FOC`."""
    about: str
    at: datetime
    """Aware, in UTC."""


def jumps(directory: Directory, now: datetime, port_days: Sequence[tuple[str, date]] = ()) -> list[Jump]:
    """Return where to jump from `now` (aware), soonest first: what time frames, holidays, the zone and ports bring."""
    zone = directory.domain.time_zone
    found = [*_frames(directory, now, zone), *_clock_changes(now, zone)]
    for domain, day in port_days:
        at = datetime(day.year, day.month, day.day, 10, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        found += [Jump("FOC", domain, at)] if at > now else []
    return sorted(found, key=lambda jump: (jump.at, jump.name, jump.about))


def _frames(directory: Directory, now: datetime, zone: str) -> Iterator[Jump]:
    for frame in directory.time_frames:
        if frame.owner:
            continue
        change = frame.next_change(now, zone)
        if change is None:
            continue
        begins = frame.covers(change, zone)
        if frame.kind == "holiday":
            yield Jump("holiday" if begins else "end of holiday", frame.name, change)
        else:
            yield Jump("opening" if begins else "closing", frame.name, change)


def _clock_changes(now: datetime, zone: str) -> Iterator[Jump]:
    """The next moment at which the zone's offset is another, to the minute."""
    local = ZoneInfo(zone)
    offset = now.astimezone(local).utcoffset()
    low = now.replace(second=0, microsecond=0)
    high = low
    while high < now + _FARTHEST:
        high += timedelta(days=1)
        if high.astimezone(local).utcoffset() != offset:
            break
        low = high
    else:
        return
    while high - low > timedelta(minutes=1):
        middle = low + (high - low) // 2
        low, high = (middle, high) if middle.astimezone(local).utcoffset() == offset else (low, middle)
    yield Jump("clock change", zone, high.replace(second=0, microsecond=0))


def differences(directory: Directory, presence: Presence, now: Moment, then: datetime) -> list[tuple[str, str, str]]:
    """Return the numbers whose callers go elsewhere at `then`: number, now, then."""
    later, found = Moment(now.mono, then), []
    for number in directory.numbers[:_MOST_NUMBERS]:
        asked = Asked(number.number, _SOMEBODY)
        before, after = (route(directory, asked, presence, at).record.outcome for at in (now, later))
        if before != after:
            found.append((number.number, before, after))
    return found
