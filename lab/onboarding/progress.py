"""Where a customer stands: the bar of stages, the clocks that run, and who has the next move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from lab.onboarding.case import (
    FORMS_WITHIN,
    MAILS_WITHIN,
    TEST_FOR,
    Case,
    Circumstances,
    Lack,
    Mark,
    Step,
    configuration_from,
    lacks,
)

State = Literal["done", "now", "ahead"]
_BAR: tuple[tuple[str, Step], ...] = (
    ("Forms", "forms returned"),
    ("Order", "order complete"),
    ("Domain", "domain created"),
    ("Texts (10DLC)", "campaign submitted"),
    ("Configured", "configured"),
    ("Trained", "training held"),
    ("Tested", "test passed"),
    ("Port requested", "port requested"),
    ("FOC", "foc received"),
    ("Live", "live"),
)
_AMBER = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Stage:
    title: str
    state: State
    note: str = ""


@dataclass(frozen=True, slots=True)
class Clock:
    """Something is owed by a moment."""

    what: str
    due: datetime
    late: Literal["", "soon", "late"]
    """In words beside the colour."""


def bar(case: Case, now: datetime) -> Sequence[Stage]:
    """Return the stages of console S6; without a port two fall away, without numbers for texts one."""
    shown = [item for item in _BAR if _concerns(case, item[1])]
    stages: list[Stage] = []
    for title, step in shown:
        mark = case.last(step)
        if mark is not None:
            stages.append(Stage(title, "done", f"{mark.at:%Y-%m-%d}"))
        else:
            now_here = not any(stage.state == "now" for stage in stages)
            stages.append(Stage(title, "now" if now_here else "ahead", _note(case, title, now) if now_here else ""))
    return stages


def _note(case: Case, title: str, now: datetime) -> str:
    begun = case.last("test begun")
    if title == "Tested" and begun is not None:
        return f"day {min((now - begun.at).days + 1, TEST_FOR.days)} of {TEST_FOR.days}"
    return ""


def clocks(case: Case, now: datetime) -> Iterator[Clock]:
    """Yield what is owed and not done yet."""
    for what, since, until, within in (
        ("forms returned", "forms sent", "forms returned", FORMS_WITHIN),
        ("port, shipment and welcome mails", "order complete", "welcome sent", MAILS_WITHIN),
        ("test week over", "test begun", "test passed", TEST_FOR),
    ):
        begun = case.last(since)  # type: ignore[arg-type]
        if begun is not None and not case.done(until):  # type: ignore[arg-type]
            yield _clock(what, begun.at + within, now)
    opens = configuration_from(case)
    if opens is not None and not case.done("configured") and now < opens:
        yield _clock("configuration begins", opens, now)
    asked = case.last("port resubmitted") or case.last("port requested")
    training = case.training_at
    if training is not None and now < training and not case.done("training held"):
        yield _clock("training session", training, now)
    if asked is not None and not case.done("numbers moved"):
        day = case.port_day or port_window(case, asked.at.date())[1]
        yield _clock("numbers move", asked.at.replace(year=day.year, month=day.month, day=day.day, hour=10), now)


def _clock(what: str, due: datetime, now: datetime) -> Clock:
    return Clock(what, due, "late" if now > due else "soon" if due - now < _AMBER else "")


def port_window(case: Case, asked: date) -> tuple[date, date]:
    """Return the first and last day a port asked for on that day is to be expected on.

    5–7 business days (n2p); OIT's standard is two weeks and more (domain-features 5.1).
    """
    if case.packet.preset == "oit":
        return asked + timedelta(days=14), asked + timedelta(days=21)
    return business_day_after(asked, 5), business_day_after(asked, 7)


def business_day_after(day: date, count: int) -> date:
    """Return the day so many business days (Monday to Friday) after one."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day


def next_moves(case: Case, around: Circumstances) -> tuple[Lack, ...]:
    """Return what stands between here and the next stage; when nothing does, who takes the step."""
    stage = next(((title, step) for title, step in _BAR if not case.done(step) and _concerns(case, step)), None)
    if stage is None:
        return ()
    for step in _way_to(case, stage[1]):
        found = tuple(lacks(case, _as_if(case, step, around.now), around))
        return found or (Lack(_TAKES[step], f"next: {step}", f"/onboard/{case.domain}"),)
    return ()


def _as_if(case: Case, step: Step, now: datetime) -> Mark:
    """A step as who takes it would tell it: what lacks then is not what only they can say."""
    about = {"foc received": str(now.date()), "training booked": str(now)}.get(step, "")
    admins = case.packet.with_right("admin")
    return Mark(step=step, at=now, by=admins[0].email if admins else "", about=about)


def _concerns(case: Case, step: Step) -> bool:
    if step == "campaign submitted":
        return bool(case.packet.texts)
    return case.packet.porting is not None or step not in ("port requested", "foc received")


def _way_to(case: Case, goal: Step) -> Iterator[Step]:
    """Yield the steps up to a stage that are not done, in order."""
    way: dict[Step, tuple[Step, ...]] = {
        "forms returned": ("forms sent", "forms returned"),
        "campaign submitted": ("brand registered", "campaign submitted"),
        "configured": ("welcome sent", "flow approved", "configured"),
        "training held": ("training booked", "training held"),
        "test passed": ("test begun", "test passed"),
        "live": ("numbers moved", "live") if case.packet.porting is not None else ("live",),
    }
    yield from (step for step in way.get(goal, (goal,)) if not case.done(step))


_TAKES: dict[Step, Literal["client", "partner", "provider", "carrier"]] = {
    "forms sent": "provider", "forms returned": "client", "order complete": "provider", "domain created": "provider",
    "welcome sent": "provider", "flow approved": "client", "brand registered": "partner",
    "campaign submitted": "partner", "training booked": "client", "training held": "provider",
    "configured": "partner", "test begun": "client", "test passed": "client",
    "port requested": "provider", "foc received": "carrier", "numbers moved": "carrier", "live": "provider",
}  # fmt: skip
