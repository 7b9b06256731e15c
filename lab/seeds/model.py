"""The lab's own part of a seed: the outside world, the start of virtual time, what each user is there to show."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field, NaiveDatetime

from pbx.domain.base import Extension, Model
from pbx.domain.base import OutsideNumber as Number

Habit = Literal[
    "answers", "rings out", "busy", "does not exist", "busy tone", "reorder tone", "intercepted", "vacant code",
    "reorder announced", "no circuit", "plays a tone", "echoes", "a person",
    "a fax machine", "a fax machine without T.38",
]  # fmt: skip
"""What an outside number does when it is called, in the words of `lab.carrier.Habit`."""


class OutsideNumber(Model):
    number: Number
    habit: Habit
    name: str = Field(default="", max_length=15)
    """Caller name it sends."""


class Control(Model):
    """How a physical phone is controlled, where its registration does not tell: the operator's word."""

    url: str = Field(default="", pattern=r"^(https?://[^/\s]+)?$")
    """Scheme, host and port of its web server; empty for the address it registers from."""
    driver: str = ""
    """A module of `lab.drivers`; empty for the one of the device's family."""
    user: str = ""
    password: str = Field(default="", repr=False)


class LabSeed(Model):
    carrier: tuple[OutsideNumber, ...] = ()
    start: NaiveDatetime = datetime(2026, 11, 24, 10, 0)  # noqa: DTZ001 - read on the wall clock of the domain's zone
    """Wall time at which virtual time begins, on the clock of the domain's zone."""
    tftp: tuple[Extension, ...] = ()
    """Whose phone is told a TFTP server by discovery; all others fetch by HTTP."""
    untold: tuple[Extension, ...] = ()
    """Whose phone is told nothing by DHCP or a person: it asks the network (SIP PnP), then its maker."""
    traits: dict[Extension, tuple[str, ...]] = Field(default_factory=dict)
    """What a user is there to show, for plans to choose by: `quiet`, `do-not-disturb`, `forwards-always`, …"""

    control: dict[str, Control] = Field(default_factory=dict)
    """By device: physical phones that plans press by remote control."""

    def who(self, trait: str) -> tuple[str, ...]:
        """Return the extensions with a trait, in order."""
        return tuple(sorted(extension for extension, traits in self.traits.items() if trait in traits))
