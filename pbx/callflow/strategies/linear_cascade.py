"""Linear cascade: the top of the list, in each further round together with those who come next."""

from __future__ import annotations

from pbx.callflow.acd import Hunt


def choose(hunt: Hunt) -> tuple[str, ...]:
    return hunt.free[: hunt.at_once]
