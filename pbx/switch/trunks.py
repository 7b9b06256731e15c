"""Which trunk a call outside takes: in their order, those that failed of late last; the next where one fails.

A trunk fails when it refuses a call for reasons of its own (RFC 3261 §21.4.9, §21.5) or does not say a word, not even
100, before anybody rings: what comes later is the called party's own answer, which no other trunk would change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pbx.events import TrunkFailed
from pbx.sip.address import Peer
from pbx.sip.uri import NameAddr
from pbx.switch.dialling import take_way

if TYPE_CHECKING:
    from pbx.switch.calls import Call
    from pbx.switch.legs import Leg
    from pbx.switch.switch import Switch

SILENT = 408
FAILURES = frozenset({SILENT, 500, 502, 503, 504})
PATIENCE_S = 4.0
"""How long a trunk may be silent: after it the INVITE has been sent four times (RFC 3261 §17.1.1.2)."""
RESTS_S = 30.0
"""How long a trunk that has failed is tried after the others."""


@dataclass(frozen=True, slots=True)
class Way:
    """A leg's way out: by which trunk it goes, and which are left should that fail."""

    trunk: Peer
    left: tuple[Peer, ...]
    user: str
    """Who is called there, as the Request-URI says it."""
    sender: NameAddr
    headers: Sequence[tuple[str, str]]
    silent_until: float
    """When its silence is a failure."""

    @property
    def uri(self) -> str:
        return f"sip:{self.user}@{self.trunk.host}:{self.trunk.port}"

    def by_next(self, now: float) -> Way:
        """Return the way by the next of those that are left."""
        return replace(self, trunk=self.left[0], left=self.left[1:], silent_until=now + PATIENCE_S)


class Trunks:
    """Owns when each trunk has failed last."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._failed_at: dict[Peer, float] = {}

    def way(self, user: str, sender: NameAddr, headers: Sequence[tuple[str, str]]) -> Way | None:
        """Return the way a call to `user` takes; None without a trunk."""
        now = self._switch.now.mono
        resting = {trunk for trunk, at in self._failed_at.items() if now - at < RESTS_S}
        ordered = sorted(self._switch.settings.trunks, key=lambda trunk: trunk in resting)
        return Way(ordered[0], tuple(ordered[1:]), user, sender, headers, now + PATIENCE_S) if ordered else None

    def returned(self) -> None:
        """The operator says that all are well again."""
        self._failed_at.clear()

    def heard(self, leg: Leg) -> None:
        """A leg's trunk does its work: what becomes of the call is the called party's matter now."""
        if leg.way is not None:
            self._failed_at.pop(leg.way.trunk, None)
            leg.way = None

    def goes_on(self, call: Call, leg: Leg, status: int) -> bool:
        """Take the next trunk for a leg whose INVITE was refused; False when that is not the trunk's fault, or none
        is left."""
        way = leg.way
        if way is None or leg.gone or status not in FAILURES:
            self.heard(leg)
            return False
        now = self._switch.now.mono
        self._failed_at[way.trunk] = now
        self._switch.publish(TrunkFailed(call.id, leg.name, str(way.trunk), status, len(way.left)))
        if not way.left:
            return False
        take_way(self._switch, call, leg, way.by_next(now))
        return True

    def watch(self, call: Call) -> None:
        """Look again when the first of a call's legs has waited long enough for its trunk to say something."""
        waiting = [leg.way.silent_until for leg in call.legs.values() if leg.way is not None and _waits(leg)]
        if waiting:
            self._switch.timers.arm(call, "trunk", min(waiting))

    def look(self, call: Call) -> None:
        """Take another trunk for every leg whose own has said nothing for too long."""
        now = self._switch.now.mono
        for leg in list(call.legs.values()):
            if leg.way is not None and _waits(leg) and leg.way.silent_until <= now:
                self.goes_on(call, leg, SILENT)
        self.watch(call)


def _waits(leg: Leg) -> bool:
    """Nothing was said of its INVITE, and there is another trunk."""
    return bool(leg.way and leg.way.left and not leg.gone and leg.session and not leg.session.is_heard_of)
