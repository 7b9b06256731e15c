"""The story of one customer, step by step, for tests."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from lab.onboarding.case import Case, Circumstances, Mark, Step, take
from lab.onboarding.packet import Packet
from lab.onboarding.reading import NORTHSIDE, load_packet

PACKET = load_packet(NORTHSIDE)
BEGUN = datetime(2026, 11, 2, 9, 0, tzinfo=ZoneInfo("America/Toronto"))
ADMIN, BILLING, IT = (contact.email for contact in PACKET.contacts)
WAY: tuple[tuple[Step, timedelta, str], ...] = (
    ("forms sent", timedelta(0), ""),
    ("forms returned", timedelta(hours=20), ""),
    ("order complete", timedelta(hours=21), ""),
    ("domain created", timedelta(hours=21), ""),
    ("welcome sent", timedelta(hours=23), ""),
    ("flow approved", timedelta(hours=24), ""),
    ("brand registered", timedelta(hours=25), ""),
    ("campaign submitted", timedelta(hours=26), ""),
    ("hardware shipped", timedelta(hours=26), "TRACK-1"),
    ("configured", timedelta(hours=30), ""),
    ("training booked", timedelta(hours=30), "2026-11-03 15:30"),
    ("hardware received", timedelta(hours=30), ""),
    ("training held", timedelta(hours=31), ""),
    ("test begun", timedelta(hours=31), ""),
    ("test passed", timedelta(days=9), ""),
    ("port requested", timedelta(days=9), ""),
    ("foc received", timedelta(days=10), "2026-11-20"),
    ("numbers moved", timedelta(days=18, hours=1), ""),
    ("live", timedelta(days=18, hours=2), ""),
)
"""Step, when it is taken after the beginning, and what it is about."""


class Story:
    """A case and the moment it is at."""

    def __init__(self, packet: Packet = PACKET) -> None:
        self.case = Case(packet=packet)
        self.around = Circumstances(BEGUN, has_domain=True, plan_passed=True)

    def take(self, step: Step, by: str = "agent", note: str = "", about: str = "") -> None:
        if step == "flow approved" and by == "agent":
            by = ADMIN
        self.case = take(self.case, Mark(step=step, at=self.around.now, by=by, note=note, about=about), self.around)

    def at(self, after: timedelta, **around: object) -> None:
        self.around = replace(self.around, now=BEGUN + after, **around)  # type: ignore[arg-type]

    def until(self, last: Step, without: Collection[Step] = ()) -> Story:
        """Take every step of the way, the last included, but those `without`."""
        for step, after, about in WAY:
            self.at(after)
            if step not in without:
                self.take(step, about=about)
            if step == last:
                return self
        raise AssertionError(f"{last} is not on the way")
