"""Tiered round robin: the longest idle of the first tier, of the next once that has been tried; order is the tier."""

from __future__ import annotations

from pbx.callflow.acd import Hunt


def choose(hunt: Hunt) -> tuple[str, ...]:
    tier = min(hunt.tier_of.get(agent, 0) for agent in hunt.fresh)
    return (hunt.by_idleness([agent for agent in hunt.fresh if hunt.tier_of.get(agent, 0) == tier])[0],)
