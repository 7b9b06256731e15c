"""Round robin: the free agent who has waited longest for a call (longest idle)."""

from __future__ import annotations

from pbx.callflow.acd import Hunt


def choose(hunt: Hunt) -> tuple[str, ...]:
    return (hunt.by_idleness(hunt.free)[0],)
