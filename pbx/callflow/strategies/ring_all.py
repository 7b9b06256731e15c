"""Ring all: every free agent rings at once."""

from __future__ import annotations

from collections.abc import Sequence


def choose(free: Sequence[str], tried: Sequence[str], offered_at: dict[str, float]) -> tuple[str, ...]:
    return tuple(free)
