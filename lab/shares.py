"""One media engine shared by many owners: each commands its own legs and gets its own events.

The lab's phones and its carrier use one media process together: a process each would cost more than the calls do.
"""

from __future__ import annotations

from collections.abc import Callable

from pbx.media.engine import (
    Closed,
    Engine,
    Faulted,
    FaxTask,
    MediaAddress,
    MediaEvent,
    RemoteMedia,
    Sound,
    WorkerBack,
    WorkerLost,
)


class Share:
    """An owner's part of the engine; itself an `Engine`."""

    def __init__(self, engine: Engine, owners: dict[str, Share]) -> None:
        self._engine, self._owners = engine, owners
        self.capabilities = engine.capabilities
        self._events: list[MediaEvent] = []
        self._legs: set[str] = set()
        self.woken: Callable[[], None] = lambda: None
        """Called when there are events to take."""

    def at(self, now: float) -> None:
        self._engine.at(now)

    def open(self, leg: str) -> MediaAddress:
        address = self._engine.open(leg)
        self._owners[leg] = self
        self._legs.add(leg)
        return address

    def connect(self, leg: str, remote: RemoteMedia) -> None:
        self._engine.connect(leg, remote)

    def play(self, leg: str, sound: Sound, token: str = "") -> None:
        self._engine.play(leg, sound, token)

    def stop(self, leg: str) -> None:
        self._engine.stop(leg)

    def bridge(self, a: str, b: str) -> None:
        self._engine.bridge(a, b)

    def unbridge(self, a: str, b: str) -> None:
        self._engine.unbridge(a, b)

    def join(self, leg: str, room: str) -> None:
        self._engine.join(leg, room)

    def leave(self, leg: str) -> None:
        self._engine.leave(leg)

    def announce(self, room: str, sound: Sound) -> None:
        self._engine.announce(room, sound)

    def record(self, leg: str, recording: str, *, max_s: float, silence_s: float, end_keys: str = "#") -> None:
        self._engine.record(leg, recording, max_s=max_s, silence_s=silence_s, end_keys=end_keys)

    def record_both(self, a: str, b: str, recording: str) -> None:
        self._engine.record_both(a, b, recording)

    def stop_record(self, leg: str) -> None:
        self._engine.stop_record(leg)

    def send_digits(self, leg: str, digits: str) -> None:
        self._engine.send_digits(leg, digits)

    def fax(self, leg: str, task: FaxTask) -> None:
        self._engine.fax(leg, task)

    def listen(self, leg: str) -> None:
        self._engine.listen(leg)

    def close(self, leg: str) -> None:
        self._engine.close(leg)
        self._legs.discard(leg)

    def take_events(self) -> list[MediaEvent]:
        events, self._events = self._events, []
        return events

    def live(self) -> int:
        return len(self._legs)

    def given(self, event: MediaEvent) -> None:
        self._events.append(event)


class SharedEngine:
    """Hands the engine's events to whoever opened the leg."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._owners: dict[str, Share] = {}
        self._shares: list[Share] = []

    def share(self) -> Share:
        made = Share(self._engine, self._owners)
        self._shares.append(made)
        return made

    def woken(self) -> None:
        """The engine has something to say: call it for every wake-up."""
        told: dict[int, Share] = {}
        for event in self._engine.take_events():
            for owner in self._owners_of(event):
                owner.given(event)
                told[id(owner)] = owner
        for owner in told.values():
            owner.woken()

    def _owners_of(self, event: MediaEvent) -> list[Share]:
        if isinstance(event, WorkerLost):
            self._owners.clear()
            return list(self._shares)
        if isinstance(event, WorkerBack | Faulted):
            return list(self._shares)
        leg = getattr(event, "leg", "")
        owner = self._owners.pop(leg, None) if isinstance(event, Closed) else self._owners.get(leg)
        return [owner] if owner is not None else []
