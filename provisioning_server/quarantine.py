"""Boxes nobody knows that have asked for a configuration: kept for an operator to see and to assign, given nothing.

Room is limited, and each address has a share of it: who asks for every MAC of a maker fills its own share alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pbx.events import ConfigRefused, ConfigRequested, DiscoveryRefused, Event
from provisioning_server.families import Families
from provisioning_server.identify import UNKNOWN

MOST = 500
MOST_OF_ADDRESS = 100


@dataclass(frozen=True, slots=True)
class Stranger:
    mac: str
    address: str
    """Where the last request came from."""
    user_agent: str
    family: str
    """By its User-Agent, else by the file it wanted; a guess."""
    model: str
    file: str
    """What it asked for; `pnp` or `redirect` when it asked where its server is."""
    first_at: float
    """POSIX seconds."""
    last_at: float
    times: int


class Quarantine:
    """`take` every provisioning event, in order."""

    def __init__(self, families: Families) -> None:
        self._families = families
        self._asked: ConfigRequested | None = None
        self._kept: dict[str, Stranger] = {}

    def take(self, event: Event, at: float) -> None:
        """`at` in POSIX seconds."""
        if isinstance(event, ConfigRequested):
            self._asked = event
        elif isinstance(event, ConfigRefused) and event.reason == UNKNOWN and self._asked is not None:
            self._seen(self._asked, at)
        elif isinstance(event, DiscoveryRefused) and event.reason == UNKNOWN:
            self._seen(ConfigRequested(event.how, event.how, event.address, "", event.mac), at)

    def strangers(self) -> list[Stranger]:
        """The last seen first."""
        return sorted(self._kept.values(), key=lambda one: (-one.last_at, one.mac))

    def of(self, mac: str) -> Stranger | None:
        return self._kept.get(mac)

    def forget(self, mac: str) -> bool:
        """It has been assigned, or is of no interest."""
        return self._kept.pop(mac, None) is not None

    def _seen(self, asked: ConfigRequested, at: float) -> None:
        host = asked.address.rpartition(":")[0] or asked.address
        known = self._kept.pop(asked.mac, None)
        if known is None:
            self._make_room(host)
            known = Stranger(asked.mac, host, "", "", "", "", at, at, 0)
        family, model = self._guess(asked)
        self._kept[asked.mac] = replace(
            known, address=host, user_agent=asked.user_agent, family=family or known.family,
            model=model or known.model, file=asked.path, last_at=at, times=known.times + 1,
        )  # fmt: skip

    def _make_room(self, host: str) -> None:
        """The longest unseen goes: of this address when it has its share, else of all."""
        own = [mac for mac, one in self._kept.items() if one.address == host]
        if len(own) >= MOST_OF_ADDRESS:
            del self._kept[own[0]]
        elif len(self._kept) >= MOST:
            del self._kept[next(iter(self._kept))]

    def _guess(self, asked: ConfigRequested) -> tuple[str, str]:
        seen = self._families.by_user_agent(asked.user_agent)
        if seen is not None:
            model = seen[1].groupdict().get("model") or ""
            return seen[0].id, model if model in seen[0].models else ""
        named = {family.id for family, _, _ in self._families.of_name(asked.path)}
        return (named.pop() if len(named) == 1 else ""), ""
