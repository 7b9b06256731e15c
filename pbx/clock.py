"""Moments: how the core learns the time. It is told; it never asks.

Real clocks live in the composition roots (`lab.service`), the virtual one in `lab.world`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

FOREVER = float("inf")


class Moment(NamedTuple):
    """One instant, read once and passed with the input it belongs to."""

    mono: float
    """Monotonic seconds; only differences mean anything."""
    wall: datetime
    """Aware wall time, in UTC."""

    def later(self, seconds: float) -> Moment:
        return Moment(self.mono + seconds, self.wall + timedelta(seconds=seconds))


class Clock(Protocol):
    """What a shell reads before it hands an input to the core."""

    def now(self) -> Moment: ...


def moment_at(mono: float, epoch: datetime) -> Moment:
    """Return the moment `mono` seconds after `epoch` (aware)."""
    return Moment(mono, epoch.astimezone(UTC) + timedelta(seconds=mono))
