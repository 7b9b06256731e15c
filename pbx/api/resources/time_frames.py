"""`timeframes`: shared by the domain, or private to a user. Their `timeframe-id` is the name, which is unique."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, time
from typing import Any

from pbx.api.answers import ACCEPTED, Answer, Refused, nothing, wrong
from pbx.api.asked import Asked
from pbx.api.collection import Collection
from pbx.api.forms import TEXT, Form, choice
from pbx.api.routes import Route
from pbx.api.shapes import Shape, Written, ours, told
from pbx.domain.directory import Directory
from pbx.domain.holidays import Holidays
from pbx.domain.periods import Period
from pbx.domain.timeframes import TimeFrame
from pbx.domain.weekdays import WEEKDAYS, Interval
from pbx.ownership import frame_thing

DOMAIN, USER = "/domains/{domain}/timeframes", "/domains/{domain}/users/{user}/timeframes"
DAYS = {"monday": "mon", "tuesday": "tue", "wednesday": "wed", "thursday": "thu", "friday": "fri", "saturday": "sat",
        "sunday": "sun"}  # fmt: skip
WEEK, DATES, HOLIDAYS = "timeframe-days-of-week-array", "timeframe-specific-dates-array", "timeframe-holiday-array"
_RECURS = {
    "doesNotRecur": "never", "daily": "days", "weekly": "weeks", "monthlyDate": "monthly-date",
    "monthlyWeekday": "monthly-weekday", "yearlyDate": "yearly-date", "yearlyWeekday": "yearly-weekday",
}  # fmt: skip
_ENDLESS = "never"


def _clock(moment: time | None) -> str:
    return f"{moment:%H%M}" if moment is not None else "2400"


def _time(text: Any, name: str) -> time | None:
    """Read `0930`, `09:30` or `24:00`, which is the midnight after: None."""
    digits = "".join(c for c in str(text or "") if c.isascii() and c.isdigit())[:4].rjust(4, "0")
    if digits in ("2400", "2359"):
        return None
    try:
        return time(int(digits[:2]), int(digits[2:]))
    except ValueError:
        raise wrong(name, text, "it is a time of day, hhmm", "send 0900") from None


def _date(text: Any, name: str) -> date:
    digits = "".join(c for c in str(text or "") if c.isascii() and c.isdigit())[:8]
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        raise wrong(name, text, "it is a day, YYYYMMDD", "send 20261225") from None


def _week(frame: TimeFrame) -> list[dict[str, Any]]:
    row: dict[str, Any] = {}
    for day, short in DAYS.items():
        for at, hours in enumerate(frame.weekdays.get(short, ()), start=1):  # type: ignore[call-overload]
            row[f"timeframe-weekly-{day}-begin-time-{at}"] = _clock(hours.start)
            row[f"timeframe-weekly-{day}-end-time-{at}"] = _clock(hours.end if hours.end != time(0) else None)
    if not row:
        return []
    usual = {"type": "weekly", "begin-date": "", "custom-interval-count": "", "custom-interval": "",
             "custom-interval-option": "", "end-option": _ENDLESS, "end-date": ""}  # fmt: skip
    return [{"timeframe-id": frame.name, **row, **{f"timeframe-recurrence-{name}": v for name, v in usual.items()}}]


def _read_week(rows: Any) -> dict[str, list[Interval]]:
    hours: dict[str, list[Interval]] = {}
    for row in _rows(rows, WEEK):
        for day, short in DAYS.items():
            for at in (1, 2):
                begin, end = (f"timeframe-weekly-{day}-{part}-time-{at}" for part in ("begin", "end"))
                if row.get(begin) in (None, "") or row.get(end) in (None, ""):
                    continue
                start = _time(row[begin], begin) or time(0)
                hours.setdefault(short, []).append(Interval(start=start, end=_time(row[end], end) or time(0)))
    return hours


def _dates(frame: TimeFrame) -> list[dict[str, Any]]:
    periods = [*frame.periods, *(Period(start=day) for day in frame.dates if frame.kind != "holiday")]
    back = {ours: theirs for theirs, ours in _RECURS.items()}
    return [
        {
            "timeframe-id": frame.name,
            "timeframe-specific-dates-begin-date": f"{it.start:%Y%m%d}",
            "timeframe-specific-dates-begin-time": _clock(it.begins),
            "timeframe-specific-dates-end-date": f"{it.end or it.start:%Y%m%d}",
            "timeframe-specific-dates-end-time": _clock(it.ends),
            "timeframe-recurrence-type": back.get(it.recurs, it.recurs),
            "timeframe-recurrence-custom-interval-count": str(it.every),
            "timeframe-recurrence-custom-interval": "", "timeframe-recurrence-custom-interval-option": "",
            "timeframe-recurrence-end-option": "date" if it.until else _ENDLESS,
            "timeframe-recurrence-end-date": f"{it.until:%Y%m%d}" if it.until else "",
        }
        for it in periods
    ]  # fmt: skip


def _read_dates(rows: Any) -> tuple[Period, ...]:
    found = []
    for row in _rows(rows, DATES):
        begin, end = (f"timeframe-specific-dates-{part}-date" for part in ("begin", "end"))
        begins, ends = (f"timeframe-specific-dates-{part}-time" for part in ("begin", "end"))
        recurs = str(row.get("timeframe-recurrence-type") or "doesNotRecur")
        until = row.get("timeframe-recurrence-end-date")
        start = _date(row.get(begin), begin)
        try:
            found.append(Period(
                start=start, end=_date(row[end], end) if row.get(end) else None,
                begins=_time(row.get(begins) or "0000", begins) or time(0),
                ends=_time(row[ends], ends) if row.get(ends) else None,
                recurs=_RECURS.get(recurs, recurs),
                every=int(row.get("timeframe-recurrence-custom-interval-count") or 1),
                until=_date(until, "timeframe-recurrence-end-date") if until else None,
            ))  # fmt: skip
        except ValueError as error:
            raise wrong(DATES, None, _said(error), "send first and last day, and how it recurs") from None
    return tuple(found)


def _holidays(frame: TimeFrame) -> list[dict[str, Any]]:
    rows = []
    days = [(f"{day:%Y-%m-%d}", day, None) for day in frame.dates if frame.kind == "holiday"]
    named = [(name, None, it) for it in frame.holidays for name in (it.names or ("",))]
    for name, day, it in (*days, *named):
        country, _, part = it.region.partition("-") if it is not None else ("", "", "")
        hours = it.hours if it is not None else ()
        observed = it.observed if it is not None else {}
        row = {
            "timeframe-id": frame.name, "timeframe-holiday-uuid": name, "timeframe-holiday-name": name,
            "timeframe-holiday-begin-date": f"{day:%Y%m%d}" if day is not None else "",
            "country-abbreviation": country, "state-province-abbreviation": part, "holiday-api-location-hint": "",
            **{f"timeframe-weekly-{day_name}-observance-option": observed.get(short, "holiday-only")  # type: ignore[call-overload]
               for day_name, short in DAYS.items()},
            "timeframe-workweek-list": ",".join(it.workweek) if it is not None else "mon,tue,wed,thu,fri",
            "timeframe-recurrence-type": "yearlyDate" if it is not None else "doesNotRecur",
            "timeframe-recurrence-end-option": _ENDLESS, "timeframe-recurrence-end-date": "",
        }  # fmt: skip
        for at in (1, 2):
            has = len(hours) >= at
            row[f"timeframe-holiday-begin-time-{at}"] = _clock(hours[at - 1].start) if has else ""
            row[f"timeframe-holiday-end-time-{at}"] = _clock(hours[at - 1].end) if has else ""
        rows.append(row)
    return rows


def _read_holidays(rows: Any) -> tuple[tuple[date, ...], tuple[Holidays, ...]]:
    days: list[date] = []
    found: list[Holidays] = []
    for row in _rows(rows, HOLIDAYS):
        country, part = str(row.get("country-abbreviation") or ""), str(row.get("state-province-abbreviation") or "")
        if not country:
            days.append(_date(row.get("timeframe-holiday-begin-date"), "timeframe-holiday-begin-date"))
            continue
        observed = {short: row[key] for day, short in DAYS.items()
                    if row.get(key := f"timeframe-weekly-{day}-observance-option")}  # fmt: skip
        name = str(row.get("timeframe-holiday-name") or "")
        try:
            found.append(Holidays.model_validate({
                "region": f"{country.upper()}-{part.upper()}" if part else country.upper(),
                "names": (name,) if name else (), "observed": observed,
            }))  # fmt: skip
        except ValueError as error:
            raise wrong(HOLIDAYS, name, _said(error), "GET /holidays/{country}/{year} names them") from None
    return tuple(days), tuple(found)


def _said(error: ValueError) -> str:
    return str(error.errors()[0]["msg"]).removeprefix("Value error, ") if hasattr(error, "errors") else str(error)


def _rows(rows: Any, name: str) -> list[Mapping[str, Any]]:
    given = rows if isinstance(rows, list) else [rows]
    if not all(isinstance(row, Mapping) for row in given):
        raise wrong(name, None, "it is a list of objects", "send [{…}]")
    return given


_ARRAY = Form({"type": "array", "items": {"type": "object"}}, lambda rows: rows)
_KINDS = ("always", "days-of-week", "specific-dates", "holiday", "custom")
_INSIDE = Form({}, lambda value: value, lambda value: None)

SHAPE = Shape("RecurringTimeframe", (
    told("timeframe-id", TEXT, lambda around, frame: frame.name),
    ours("timeframe-name", TEXT, "name", "time-frame", required=True),
    told("user", TEXT, lambda around, frame: frame.owner or "*"),
    told("domain", TEXT, lambda around, frame: around[1].domain.name),
    ours("timeframe-type", choice(_KINDS), "kind", "type"),
    told(WEEK, _ARRAY, lambda around, frame: _week(frame) or None),
    told(DATES, _ARRAY, lambda around, frame: _dates(frame) or None),
    told(HOLIDAYS, _ARRAY, lambda around, frame: _holidays(frame) or None),
    ours("weekdays", _INSIDE, "weekdays"), ours("periods", _INSIDE, "periods"),
    ours("dates", _INSIDE, "dates"), ours("holidays", _INSIDE, "holidays"),
))  # fmt: skip


def _prepared(asked: Asked) -> Mapping[str, Any]:
    body = {name: v for name, v in asked.body.items() if name not in ("weekdays", "periods", "dates", "holidays")}
    if body.get("type") in _KINDS:
        body["timeframe-type"] = body.pop("type")
    kinds = [kind for kind, name in (("days-of-week", WEEK), ("specific-dates", DATES), ("holiday", HOLIDAYS))
             if body.get(name)]  # fmt: skip
    if kinds and "timeframe-type" not in body and asked.method == "POST":
        body["timeframe-type"] = kinds[0] if len(kinds) == 1 else "custom"
    if body.get("timeframe-type") == "always":
        return {**body, "weekdays": {}, "periods": (), "dates": (), "holidays": ()}
    if WEEK in body:
        body["weekdays"] = _read_week(body[WEEK])
    if DATES in body:
        body["periods"] = _read_dates(body[DATES])
    if HOLIDAYS in body:
        body["dates"], body["holidays"] = _read_holidays(body[HOLIDAYS])
    return body


def _shared(asked: Asked, directory: Directory) -> Iterable[TimeFrame]:
    return (frame for frame in directory.time_frames if not frame.owner)


def _private(asked: Asked, directory: Directory) -> Iterable[TimeFrame]:
    return (frame for frame in directory.time_frames if frame.owner == asked.user.extension)


class Frames(Collection):
    def filed(self, item: Any) -> str:
        return f"time frame:{item.owner}:{item.name}"

    async def create(self, asked: Asked) -> Answer:
        if "timeframe-type" not in self.prepared(asked):
            raise wrong("timeframe-type", None, f"it is one of {', '.join(_KINDS)}", "send one of them")
        return await super().create(asked)

    async def delete(self, asked: Asked) -> Answer:
        name = asked.path["id"]

        def edit(directory: Directory) -> Directory:
            frame = self.one(asked, directory)
            asked.require("delete", frame_thing(directory, frame))
            frames = tuple(one for one in directory.time_frames if one is not frame)
            try:
                return directory.replaced(time_frames=frames).with_kept(self.filed(frame), {})
            except ValueError as error:
                raise Refused(409, f"time frame {name} is still referred to: {_said(error)}") from None

        await asked.edit(edit, f"time frame {name}")
        return ACCEPTED


def _owner(asked: Asked, written: Written) -> Mapping[str, Any]:
    return {"owner": asked.path.get("user", "")}


SHARED = Frames(
    noun="time frame", right="shared time frame", shape=SHAPE, model=TimeFrame, section="time_frames", key="name",
    named="timeframe-name", under=DOMAIN, parameter="id", items=_shared,
    thing=frame_thing, removed_as="time frame", prepared=_prepared, fresh=_owner,
)  # fmt: skip
PRIVATE = replace(SHARED, right="time frame", under=USER, items=_private)


async def _add_to(frames: Frames, asked: Asked) -> Answer:
    """POST on one: what is sent comes beside what it has."""
    frame = frames.one(asked, asked.directory)
    asked.if_match = asked.if_match or frames.version(asked.directory, frame)  # or what another adds now is lost
    more = _prepared(asked)
    days = {day: (*frame.weekdays.get(day, ()), *more.get("weekdays", {}).get(day, ())) for day in WEEKDAYS}
    body = dict(more)
    body.pop("timeframe-type", None)
    body |= {"weekdays": {day: hours for day, hours in days.items() if hours}} if "weekdays" in more else {}
    for name in ("periods", "dates", "holidays"):
        if name in more:
            body[name] = (*getattr(frame, name), *more[name])
    return await replace(frames, prepared=lambda _: body).change(asked)


async def _add_shared(asked: Asked) -> Answer:
    return await _add_to(SHARED, asked)


async def _add_private(asked: Asked) -> Answer:
    return await _add_to(PRIVATE, asked)


async def _of_country(asked: Asked) -> Answer:
    """The public holidays of a year, by the law of the day the library was released."""
    from pbx.domain.holidays import holidays_of

    country, region = asked.path["country"].upper(), asked.path.get("region", "").upper()
    year = asked.path["year"]
    if not (year.isascii() and year.isdigit() and 1990 <= int(year) <= 2100):
        raise wrong("year", year, "it is a year from 1990 to 2100", "send 2026")
    name = f"{country}-{region}" if region else country
    try:
        Holidays(region=name)
    except ValueError:
        raise nothing("region with known holidays", name) from None
    rows = [
        {"uuid": f"{day:%Y%m%d}-{at}", "name": holiday, "description": holiday, "country": country,
         "date": f"{day:%Y-%m-%d}", "type": ["public"], "primary_type": "public", "locations": region or "All",
         "states": region or "All"}
        for day, names in sorted(holidays_of(name, int(year)).items()) for at, holiday in enumerate(names)
    ]  # fmt: skip
    return Answer(200, rows)


async def _countries(asked: Asked) -> Answer:
    from holidays.utils import list_supported_countries

    rows = [
        {"country_name": code, "iso-3166": code, "total_holidays": 0, "supported_languages": 1, "uuid": code,
         "flag_unicode": "".join(chr(0x1F1E6 + ord(c) - 65) for c in code[:2])}
        for code in sorted(list_supported_countries())
    ]  # fmt: skip
    return Answer(200, rows[asked.page()])


async def _regions(asked: Asked) -> Answer:
    """Provinces and states whose holidays are known, by country."""
    from holidays.utils import list_supported_countries

    country = asked.query.get("country", "").upper()
    known = {code: list(parts) for code, parts in list_supported_countries().items() if country in ("", code)}
    return Answer(200, known)


_MANY = {"type": "array", "items": {"type": "object"}}
ROUTES = (
    *SHARED.routes(),
    Route("POST", f"{DOMAIN}/{{id}}", _add_shared, "shared time frame", "Add to a time frame", {"type": "object"},
          None, (), "edit"),
    *PRIVATE.routes(),
    Route("POST", f"{USER}/{{id}}", _add_private, "time frame", "Add to a time frame", {"type": "object"}, None, (),
          "edit"),
    Route("GET", "/holidays/countries", _countries, "home", "Countries with known holidays", None, _MANY),
    Route("GET", "/holidays/regions", _regions, "home", "Regions with known holidays", None, {"type": "object"},
          ("country",)),
    Route("GET", "/holidays/{country}/{year}", _of_country, "home", "Public holidays of a country", None, _MANY),
    Route("GET", "/holidays/{country}/{region}/{year}", _of_country, "home", "Public holidays of a region", None,
          _MANY),
)  # fmt: skip
