"""Fax machines at legs of three exchanges, the middle one a relay, on a wire and a clock of memory."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from pbx.media import ears
from pbx.media.engine import FAX, Closed, FaxFinished, FaxSensed, FaxTask, MediaEvent, RemoteMedia
from pbx.media.exchange import Exchange
from pbx.media.fax import spandsp
from pbx.media.fax.sdp import OURS
from tests.media.fax.paper import page, pixels, written

CALLER, RELAY, CALLED = 0, 1, 2
PORTS = {CALLER: ("a", 10_000), RELAY: ("b", 20_000), CALLED: ("c", 30_000)}
WIRE_S, BEAT_S = 0.011, 0.02


class Wire:
    """`a` at exchange 0 talks to `b` at 1, which is bridged to `b2`, which talks to `c` at 2."""

    def __init__(self, folder: Path, lost: float, speed: int = 1) -> None:
        self.now, self._order, self._lost, self._chance = 0.0, 0, lost, Random(3)
        self._flying: list[tuple[float, int, int, bytes, tuple[str, int]]] = []
        self.events: list[MediaEvent] = []
        self._awake: set[tuple[int, int]] = set()
        self.exchanges = [
            Exchange(
                self._sending(at), self.events.append, folder, lambda write, done: done(""), ears.Knowledge(),
                Random(at).getrandbits, self._waking(at), speed,
            )
            for at in range(3)
        ]  # fmt: skip
        self.exchanges[0].open("a", 10_000, 0.0)
        self.exchanges[1].open("b", 20_000, 0.0)
        self.exchanges[1].open("b2", 20_002, 0.0)
        self.exchanges[2].open("c", 30_000, 0.0)

    def _waking(self, at: int) -> Callable[[int], None]:
        return lambda port: self._awake.add((at, port))

    def _sending(self, at: int) -> Callable[[int, bytes, tuple[str, int]], None]:
        def send(port: int, data: bytes, to: tuple[str, int]) -> None:
            if self._chance.random() < self._lost:
                return
            self._order += 1
            late_s = self._chance.random() * 0.05 if self._lost else 0.0
            heapq.heappush(self._flying, (self.now + WIRE_S + late_s, self._order, port, data, to))

        return send

    def connect(self, fax: bool) -> None:
        """Every leg learns the address of the other end of its path."""
        for at, leg, port in ((0, "a", 20_000), (1, "b", 10_000), (1, "b2", 30_000), (2, "c", 20_002)):
            if fax:
                remote = RemoteMedia("10.0.0.1", port, FAX, -1, None, "sendrecv", fax=OURS)
            else:
                remote = RemoteMedia("10.0.0.1", port, "PCMU", 0, 101, "sendrecv")
            self.exchanges[at].connect(leg, remote, self.now)
        self.exchanges[1].bridge("b", "b2")

    def run(self, seconds: float) -> Iterator[float]:
        end = self.now + seconds
        while self.now < end:
            self.now += BEAT_S
            while self._flying and self._flying[0][0] <= self.now:
                _, _, source, data, (_, port) = heapq.heappop(self._flying)
                at = 0 if port < 20_000 else 1 if port < 30_000 else 2
                self.exchanges[at].receive(port, data, ("10.0.0.1", source), self.now)
            for at, port in list(self._awake):
                if not self.exchanges[at].beat(port, self.now):
                    self._awake.discard((at, port))
            yield self.now

    def finished(self) -> list[FaxFinished]:
        return [event for event in self.events if isinstance(event, FaxFinished)]

    def let_end(self, within_s: float) -> dict[str, FaxFinished]:
        for _ in self.run(within_s):
            if len(self.finished()) == 2:
                break
        return {event.leg: event for event in self.finished()}


@pytest.fixture(autouse=True)
def _spandsp() -> None:
    if why := spandsp.unavailable():
        pytest.skip(why)


def begin(tmp_path: Path, lost: float = 0.0, speed: int = 1) -> Wire:
    written(tmp_path / "sent.tif", [page(1), page(2, 200)])
    wire = Wire(tmp_path, lost, speed)
    wire.connect(fax=False)
    wire.exchanges[0].fax("a", FaxTask("sent", sends=True, calls=True, station="14165550142"), wire.now)
    wire.exchanges[2].fax("c", FaxTask("got", station="14165550122"), wire.now)
    return wire


def test_a_fax_by_sound_passes_the_relay(tmp_path: Path) -> None:
    ended = begin(tmp_path).let_end(60)
    assert {leg: (it.pages, it.problem, it.over) for leg, it in ended.items()} == {
        "a": (2, "", "G.711"),
        "c": (2, "", "G.711"),
    }
    assert pixels(tmp_path / "got.tif") == pixels(tmp_path / "sent.tif")


@pytest.mark.parametrize(("lost", "speed"), [(0.0, 1), (0.05, 1), (0.0, 8)])
def test_a_fax_that_turns_to_t38_when_it_is_heard_passes_the_relay_though_packets_are_lost_and_late(
    tmp_path: Path, lost: float, speed: int
) -> None:
    wire = begin(tmp_path, lost, speed)
    for _ in wire.run(3):
        if any(isinstance(event, FaxSensed) for event in wire.events):
            break
    assert [event for event in wire.events if isinstance(event, FaxSensed)] == [FaxSensed("c", "cng")]
    wire.connect(fax=True)
    begun_at = wire.now
    ended = wire.let_end(60)
    assert {leg: (it.pages, it.problem, it.over) for leg, it in ended.items()} == {
        "a": (2, "", "T.38"),
        "c": (2, "", "T.38"),
    }
    assert pixels(tmp_path / "got.tif") == pixels(tmp_path / "sent.tif")
    assert wire.now - begun_at < 40 / min(speed, 4)
    wire.exchanges[1].close("b", wire.now)
    assert [event.statistics.mos for event in wire.events if isinstance(event, Closed)] == [None], "it is no sound"


def test_who_hangs_up_ends_it_and_both_ends_are_told_once(tmp_path: Path) -> None:
    wire = begin(tmp_path)
    for _ in wire.run(2):
        pass
    wire.exchanges[0].close("a", wire.now)
    wire.exchanges[2].close("c", wire.now)
    assert [(event.leg, event.pages) for event in wire.finished()] == [("a", 0), ("c", 0)]
    assert all(event.problem for event in wire.finished())


def test_a_name_that_is_none_for_a_file_is_refused(tmp_path: Path) -> None:
    wire = Wire(tmp_path, 0.0)
    wire.exchanges[0].fax("a", FaxTask("../sent", sends=True), wire.now)
    assert [event.problem for event in wire.finished()] == ["not a name for a file"]


def test_what_is_no_udptl_is_not_passed_on(tmp_path: Path) -> None:
    wire = Wire(tmp_path, 0.0)
    wire.connect(fax=True)
    wire.exchanges[1].receive(20_000, b"\0\0\x7fnothing", ("10.0.0.1", 10_000), wire.now)
    assert wire._flying == []
