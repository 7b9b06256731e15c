"""Ring all: every free agent at once; with initial agents so many, whoever idles longest first, and more each round."""

from __future__ import annotations

from pbx.callflow.acd import Hunt


def choose(hunt: Hunt) -> tuple[str, ...]:
    if not hunt.initial:
        return hunt.free
    return tuple(hunt.by_idleness(hunt.free)[: hunt.at_once])
