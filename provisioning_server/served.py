"""What each box has been served, and whether it is behind: whether it would be served something else now."""

from __future__ import annotations

from dataclasses import dataclass

from pbx.clock import Moment
from pbx.domain.directory import Directory
from pbx.events import ConfigRequested, ConfigServed, Event
from provisioning_server.respond import Office, current
from provisioning_server.sheet import CannotRender


@dataclass(frozen=True, slots=True)
class ServedFile:
    name: str
    """As it was asked for."""
    sha256: str
    at: float
    """POSIX seconds."""
    protocol: str
    address: str
    user_agent: str


class ServedFiles:
    """`take` every provisioning event, in order. A box has as many files as its family, so this stays small."""

    def __init__(self) -> None:
        self._asked: ConfigRequested | None = None
        self._by_mac: dict[str, dict[str, ServedFile]] = {}
        self._checked: dict[str, tuple[Directory, tuple[str, ...]]] = {}

    def take(self, event: Event, at: float) -> None:
        """`at` in POSIX seconds."""
        if isinstance(event, ConfigRequested):
            self._asked = event
        elif isinstance(event, ConfigServed) and event.device and "{mac}" in event.file.lower():
            agent = self._asked.user_agent if self._asked is not None else ""
            file = ServedFile(event.path, event.sha256, at, event.protocol, event.address, agent)
            self._by_mac.setdefault(event.mac, {})[event.file] = file
            self._checked.pop(event.mac, None)

    def of(self, mac: str) -> tuple[ServedFile, ...]:
        """The newest of each file, in the order of first delivery."""
        return tuple(self._by_mac.get(mac, {}).values())

    def forget(self, mac: str) -> None:
        """The box is another's from now on."""
        self._by_mac.pop(mac, None)
        self._checked.pop(mac, None)

    def behind(self, office: Office, directory: Directory, mac: str, now: Moment) -> tuple[str, ...]:
        """Return the files the box holds that are not what it would get now. Asked once a snapshot and delivery."""
        known = self._checked.get(mac)
        if known is not None and known[0] is directory:
            return known[1]
        found = tuple(file.name for file in self.of(mac) if not _is_current(office, directory, file, now))
        self._checked[mac] = (directory, found)
        return found


def _is_current(office: Office, directory: Directory, file: ServedFile, now: Moment) -> bool:
    try:
        found = current(office, directory, file.name, file.user_agent, now)
    except CannotRender:
        return False
    return found is not None and found.sha256 == file.sha256
