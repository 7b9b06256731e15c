"""What has left the lab: letters, posts to subscribers, emergency calls; as the outbox shows it (console.md S8)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from lab.mail.outbox import Caught
from lab.service import Lab
from pbx.api.subscribing import Delivery
from pbx.domain.kept import Notice
from pbx.events import EmergencyCalled, Stamped

_KEPT = 100


@dataclass(frozen=True, slots=True)
class Dispatched:
    """An emergency call as the simulated desk was told of it."""

    at: float
    """POSIX seconds."""
    event: EmergencyCalled


class Posted:
    """Implements `lab.console.outbox_page.Post`."""

    def __init__(self, lab: Lab, deliveries: Callable[[], Sequence[Delivery]]) -> None:
        self._lab, self._deliveries = lab, deliveries
        self._dispatched: deque[Dispatched] = deque(maxlen=_KEPT)
        lab.bus.subscribe(self._take, [EmergencyCalled])

    def letters(self) -> Sequence[Caught]:
        return self._lab.outbox.letters()

    def letter(self, number: int) -> Caught | None:
        return self._lab.outbox.letter(number)

    def read(self, number: int) -> None:
        self._lab.outbox.read(number)

    def waiting(self) -> Sequence[Notice]:
        return self._lab.history.notices()

    def webhooks(self) -> Sequence[Delivery]:
        return self._deliveries()

    def emergencies(self) -> Sequence[Dispatched]:
        return list(reversed(self._dispatched))

    def empty(self) -> None:
        self._lab.outbox.empty()

    def again(self) -> None:
        self._lab.mail_again()

    def when(self, at: float) -> str:
        zone = ZoneInfo(self._lab.directory.domain.time_zone)
        return f"{datetime.fromtimestamp(at, zone):%d %b %H:%M:%S}"

    def _take(self, stamped: Stamped) -> None:
        assert isinstance(stamped.event, EmergencyCalled)
        self._dispatched.append(Dispatched(stamped.at.wall.timestamp(), stamped.event))
