"""What each box has been served, and whether it is behind: whether it would be served something else now."""

from __future__ import annotations

from collections.abc import Iterable

from pbx.clock import Moment
from pbx.domain.directory import Directory
from pbx.domain.kept import ServedFile
from pbx.events import ConfigRequested, ConfigServed, Event
from provisioning_server.one_shot import OneShot
from provisioning_server.respond import Office, current
from provisioning_server.sheet import CannotRender


class ServedFiles:
    """`take` every provisioning event, in order. A box has as many files as its family, so this stays small."""

    def __init__(self, known: Iterable[ServedFile] = ()) -> None:
        """`known` is what a former life has kept."""
        self._asked: ConfigRequested | None = None
        self._by_mac: dict[str, dict[str, ServedFile]] = {}
        self._checked: dict[str, tuple[Directory, tuple[OneShot, ...], tuple[str, ...]]] = {}
        for file in known:
            self._by_mac.setdefault(file.mac, {})[file.file] = file

    def take(self, event: Event, at: float) -> ServedFile | None:
        """Return the file when the box holds another than before: that is worth keeping. `at` in POSIX seconds."""
        if isinstance(event, ConfigRequested):
            self._asked = event
        elif isinstance(event, ConfigServed) and event.device and "{mac}" in event.file.lower():
            agent = self._asked.user_agent if self._asked is not None else ""
            file = ServedFile(event.mac, event.file, event.path, event.sha256, at, event.protocol, event.address, agent)
            held = self._by_mac.setdefault(event.mac, {})
            before, held[event.file] = held.get(event.file), file
            self._checked.pop(event.mac, None)
            return file if before is None or before.sha256 != file.sha256 else None
        return None

    def of(self, mac: str) -> tuple[ServedFile, ...]:
        """The newest of each file, in the order of first delivery."""
        return tuple(self._by_mac.get(mac, {}).values())

    def forget(self, mac: str) -> tuple[ServedFile, ...]:
        """The box is another's from now on; return what was known of it."""
        self._checked.pop(mac, None)
        return tuple(self._by_mac.pop(mac, {}).values())

    def behind(self, office: Office, directory: Directory, mac: str, now: Moment) -> tuple[str, ...]:
        """Return the files the box holds that are not what it would get now.

        Asked once a snapshot, delivery and change of what is said of its files for once.
        """
        over = (office.one_shots.over(file.file, mac, now.wall) for file in self.of(mac))
        once = tuple(one for one in over if one is not None)
        known = self._checked.get(mac)
        if known is not None and known[0] is directory and known[1] == once:
            return known[2]
        found = tuple(file.name for file in self.of(mac) if not _is_current(office, directory, file, now))
        self._checked[mac] = (directory, once, found)
        return found


def _is_current(office: Office, directory: Directory, file: ServedFile, now: Moment) -> bool:
    try:
        found = current(office, directory, file.name, file.user_agent, now)
    except CannotRender:
        return False
    return found is not None and found.sha256 == file.sha256
