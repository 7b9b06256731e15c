"""Values for once: a layer above all others, for one fetch of each file that carries it, or until a time.

What a roll-out or a test wants of one box is set here and is gone by itself; the domain is not changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from provisioning_server.ledger import GRACE_S
from provisioning_server.overlay import Layer, Scalar

SAME_FETCH = timedelta(seconds=10)
"""Who asks again within it asks for the same: TFTP tries a file's size first, and a broken download begins anew."""
_BOOT = timedelta(seconds=GRACE_S)


@dataclass(frozen=True, slots=True)
class OneShot:
    mac: str
    settings: Mapping[str, Scalar]
    by: str
    """Who wants it."""
    files: tuple[str, ...]
    """Files of the box that carry it, by their names in the manifest."""
    until: datetime | None = None
    """Aware; None for one fetch."""
    fetched: tuple[tuple[str, datetime], ...] = ()
    """Which of them went out, and when first."""

    @property
    def layer(self) -> Layer:
        held = f"until {self.until.isoformat(timespec='seconds')}" if self.until is not None else "for one fetch"
        return Layer(f"one-shot ({self.by}, {held})", self.settings)

    def covers(self, file: str, now: datetime) -> bool:
        """Whether `file` is written with it now. All files of one fetch belong to one boot."""
        if self.until is not None:
            return now < self.until
        taken = dict(self.fetched)
        if file in taken:
            return now - taken[file] <= SAME_FETCH
        return not taken or now - min(taken.values()) <= _BOOT

    def is_over(self, now: datetime) -> bool:
        """Nothing will be written with it any more."""
        return not any(self.covers(file, now) for file in self.files)

    def taken(self, file: str, now: datetime) -> OneShot:
        """Return it after `file` went out with it."""
        if self.until is not None or file not in self.files or file in dict(self.fetched):
            return self
        return replace(self, fetched=(*self.fetched, (file, now)))

    @property
    def is_fetched(self) -> bool:
        """Every file that carries it has gone out."""
        return self.until is None and {file for file, _ in self.fetched} == set(self.files)


class OneShots:
    """Owns what is in force, one for a box: a new one takes the place of the one before."""

    def __init__(self, known: Iterable[OneShot] = ()) -> None:
        """`known` is what a former life has kept."""
        self._by_mac = {one.mac: one for one in known}

    def put(self, one: OneShot) -> None:
        self._by_mac[one.mac] = one

    def lift(self, mac: str) -> OneShot | None:
        return self._by_mac.pop(mac, None)

    def of(self, mac: str, now: datetime) -> OneShot | None:
        """Return what is in force for a box, or still waits to be fetched."""
        one = self._by_mac.get(mac)
        return None if one is None or one.is_over(now) else one

    def over(self, file: str, mac: str, now: datetime) -> OneShot | None:
        """Return the one that `file` of a box is written with now."""
        one = self._by_mac.get(mac)
        return one if one is not None and one.covers(file, now) else None

    def in_force(self, now: datetime) -> list[OneShot]:
        return [one for one in self._by_mac.values() if not one.is_over(now)]

    def forget_over(self, now: datetime) -> list[OneShot]:
        """Drop and return what will never be written any more."""
        gone = [one for one in self._by_mac.values() if one.is_over(now)]
        for one in gone:
            del self._by_mac[one.mac]
        return gone
