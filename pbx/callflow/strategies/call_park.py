"""Call park: nobody is rung; callers wait to be fetched."""

from __future__ import annotations

from pbx.callflow.acd import Hunt


def choose(hunt: Hunt) -> tuple[str, ...]:
    return ()
