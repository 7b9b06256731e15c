"""The time machine (console.md S7): the hour time frames go by, set, stopped and hurried; and where to jump."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from aiohttp import web

from lab.console.faults_page import Form, Frame
from lab.errors import UserError
from lab.hours import RATES, Jump, OfficeHours, differences, jumps
from lab.portal.sight import House
from pbx.domain.directory import Directory

_SHOWN_JUMPS = 12
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the strip: its hours, and which of them are open."""

    title: str
    hours: tuple[bool, ...]
    now: int
    """Hour of the day it is, -1 on another day."""
    holiday: str


@dataclass(slots=True)
class ClockPage:
    """Adds its routes to an application."""

    frame: Frame
    form: Form
    hours: Callable[[], OfficeHours]
    home: Callable[[], Directory]
    house: House
    port_days: Callable[[], Sequence[tuple[str, date]]]

    def route(self, app: web.Application) -> None:
        app.router.add_get("/clock", self._show)
        app.router.add_post("/clock", self._change)

    async def _show(self, request: web.Request) -> web.Response:
        hours, directory = self.hours(), self.home()
        now, zone = hours.now(), ZoneInfo(directory.domain.time_zone)
        to, wrong = _read(request.query.get("at", ""), zone)
        return self.frame.page(
            request,
            "clock.html",
            room="clock",
            hour=f"{now.wall.astimezone(zone):%a %d %b %Y %H:%M:%S}",
            zone=directory.domain.time_zone,
            hours=hours,
            rates=RATES,
            jumps=[(jump, _local(jump.at, zone)) for jump in self._jumps(now.wall)],
            steps=[(name, _local(now.wall + step, zone)) for name, step in _STEPS],
            days=_days(directory, now.wall),
            to=request.query.get("at", "") if to is not None else "",
            then=f"{to.astimezone(zone):%a %d %b %Y %H:%M}" if to is not None else "",
            past=to is not None and to < now.wall,
            wrong=wrong,
            changes=self._changes(to) if to is not None else (),
        )

    def _jumps(self, now: datetime) -> list[Jump]:
        return jumps(self.home(), now, self.port_days())[:_SHOWN_JUMPS]

    def _changes(self, to: datetime) -> list[tuple[str, str, str]]:
        directory = self.home()
        return differences(directory, self.house.presence(directory.domain.name), self.hours().now(), to)

    async def _change(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await self.form(request)).items()}
        try:
            carry_out(self.hours(), form, self.home().domain.time_zone)
        except UserError as error:
            return self.frame.refusal(request, 400, error.happened, f"{error.why}; {error.remedy}.", "/clock")
        raise web.HTTPSeeOther("/clock")


_STEPS = (("+1 h", timedelta(hours=1)), ("+1 day", timedelta(days=1)), ("+1 week", timedelta(days=7)))


def carry_out(hours: OfficeHours, asked: Mapping[str, str], zone: str) -> None:
    """Do what a form or a script asks of the clock; UserError when that is not to be."""
    match asked.get("do", ""):
        case "jump":
            to, wrong = _read(asked.get("at", ""), ZoneInfo(zone))
            if to is None:
                raise UserError("the clock was not set", wrong or "no moment was named", "like 2026-12-25T10:15", "")
            hours.jump(to)
        case "run":
            rate = asked.get("rate", "")
            hours.run(float(rate) if rate.isascii() and rate.isdigit() and len(rate) < 6 else -1.0)
        case "pause":
            hours.pause()
        case "real":
            hours.real()
        case other:
            raise UserError(
                f"{other[:40]!r} is nothing to do here", "it is none of those", "jump, run, pause, real", ""
            )


def _read(text: str, zone: ZoneInfo) -> tuple[datetime | None, str]:
    if not text:
        return None, ""
    try:
        return datetime.fromisoformat(text[:40]).replace(tzinfo=zone).astimezone(UTC), ""
    except (ValueError, OverflowError):
        return None, f"{text[:40]!r} is no moment, like 2026-12-25T10:15"


def _local(at: datetime, zone: ZoneInfo) -> tuple[str, str]:
    """In words, and as the form sends it."""
    local = at.astimezone(zone)
    return f"{local:%a %d %b %Y %H:%M}", f"{local:%Y-%m-%dT%H:%M}"


def _days(directory: Directory, now: datetime) -> list[Day]:
    """A week from today: hours in which the domain's first opening hours hold, and holidays by name."""
    zone = ZoneInfo(directory.domain.time_zone)
    name = directory.domain.time_zone
    shared = [frame for frame in directory.time_frames if not frame.owner]
    opening = next((frame for frame in shared if frame.kind not in ("holiday", "always")), None)
    holidays = [frame for frame in shared if frame.kind == "holiday"]
    local = now.astimezone(zone)
    found = []
    for ahead in range(_WEEK):
        day = local.date() + timedelta(days=ahead)
        starts = [datetime(day.year, day.month, day.day, hour, tzinfo=zone) for hour in range(24)]
        found.append(Day(
            f"{day:%a %d}",
            tuple(opening is not None and opening.covers(start, name) for start in starts),
            local.hour if ahead == 0 else -1,
            next((frame.name for frame in holidays if frame.covers(starts[12], name)), ""),
        ))  # fmt: skip
    return found
