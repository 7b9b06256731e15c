"""Linear hunt: always from the top of the list; who did not answer is passed over until the list is through."""

from __future__ import annotations

from pbx.callflow.acd import Hunt


def choose(hunt: Hunt) -> tuple[str, ...]:
    return (hunt.fresh[0],)
