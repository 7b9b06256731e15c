"""Two fax machines of libspandsp, over UDPTL that loses packets and over sound: time is what they are fed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from pbx.media.engine import FaxTask
from pbx.media.fax import spandsp
from pbx.media.fax.machine import FaxEar, PacketMachine, SoundMachine
from pbx.media.fax.udptl import Receiver, Sender
from tests.media.fax.paper import page, pixels, written

LONGEST_S = 120
CALLER, CALLED = FaxTask("sent", sends=True, calls=True, station="14165550142"), FaxTask("got", station="14165550122")


@pytest.fixture(autouse=True)
def _spandsp() -> None:
    if why := spandsp.unavailable():
        pytest.skip(why)


@pytest.fixture
def sheets(tmp_path: Path) -> tuple[Path, Path]:
    return written(tmp_path / "sent.tif", [page(1), page(2, 200)]), tmp_path / "got.tif"


def beats() -> Iterator[int]:
    return iter(range(LONGEST_S * 50))


@pytest.mark.parametrize("lost", [0.0, 0.1])
def test_pages_over_udptl_are_the_same_to_the_dot_though_packets_are_lost(
    sheets: tuple[Path, Path], lost: float
) -> None:
    chance = Random(7)
    arriving: dict[str, list[bytes]] = {"caller": [], "called": []}

    def sending(to: str) -> PacketMachine:
        sender = Sender(400)

        def send(packet: bytes, times: int) -> None:
            datagram = sender.datagram(packet)
            arriving[to] += [datagram for _ in range(times) if chance.random() >= lost]

        task, path = (CALLER, sheets[0]) if to == "called" else (CALLED, sheets[1])
        return PacketMachine(task, path, send, 400)

    caller, called = sending("called"), sending("caller")
    receivers = {"caller": Receiver(), "called": Receiver()}
    for _ in beats():
        for name, machine in (("caller", caller), ("called", called)):
            machine.go_on()
            datagrams, arriving[name] = arriving[name], []
            for number, packet in (one for data in datagrams for one in receivers[name].take(data)):
                machine.take(number, packet)
        if caller.outcome and called.outcome:
            break
    assert caller.outcome is not None
    assert called.outcome is not None
    assert (caller.outcome.problem, caller.outcome.pages, caller.outcome.station) == ("", 2, "14165550122")
    assert (called.outcome.problem, called.outcome.pages, called.outcome.station) == ("", 2, "14165550142")
    assert pixels(sheets[1]) == pixels(sheets[0])
    assert (receivers["called"].recovered > 0) is (lost > 0)
    caller.close()
    called.close()


def test_pages_over_sound_are_the_same_and_either_end_is_known_for_a_fax_machine_in_time(
    sheets: tuple[Path, Path],
) -> None:
    caller, called = SoundMachine(CALLER, sheets[0]), SoundMachine(CALLED, sheets[1])
    ears = {"cng": FaxEar(calls=False), "preamble": FaxEar(calls=True)}
    heard_at_s: dict[str, float] = {}
    said, answered = caller.frames(), called.frames()
    for beat in beats():
        there, back = next(said), next(answered)
        called.hear(there, "PCMU")
        caller.hear(back, "PCMU")
        for name, ear, frame in (("cng", ears["cng"], there), ("preamble", ears["preamble"], back)):
            ear.feed(frame, "PCMU")
            if ear.heard == name:
                heard_at_s.setdefault(name, beat / 50)
        if caller.outcome and called.outcome:
            break
    assert caller.outcome is not None
    assert (caller.outcome.problem, caller.outcome.pages, caller.outcome.error_correction) == ("", 2, True)
    assert pixels(sheets[1]) == pixels(sheets[0])
    assert heard_at_s["cng"] < 1.0
    assert 2.0 < heard_at_s["preamble"] < 5.0, "after the answering tone"
    for closing in (caller, called, *ears.values()):
        closing.close()


def test_a_file_that_is_no_tiff_ends_the_fax_in_words(tmp_path: Path) -> None:
    (tmp_path / "sent.tif").write_bytes(b"no picture")
    caller = PacketMachine(CALLER, tmp_path / "sent.tif", lambda packet, times: None, 400)
    for _ in beats():
        caller.go_on()
        if caller.outcome:
            break
    outcome = caller.give_up()
    caller.close()
    assert outcome.pages == 0
    assert outcome.problem


def test_who_hangs_up_in_the_middle_ends_it_in_words(sheets: tuple[Path, Path]) -> None:
    caller = SoundMachine(CALLER, sheets[0])
    for _, _ in zip(range(100), caller.frames(), strict=False):
        pass
    outcome = caller.give_up()
    caller.close()
    assert (outcome.pages, outcome.problem) == (0, "The call dropped prematurely")


@pytest.mark.parametrize(("file", "why"), [("libnothing.so.2", "cannot open"), ("libc.so.6", "t38_terminal_init")])
def test_a_library_that_is_not_there_or_another_one_is_said_to_be_unavailable(file: str, why: str) -> None:
    with pytest.raises(spandsp.Unavailable, match=f"fax engine unavailable: .*{why}.*; apt-get install libspandsp2"):
        spandsp.loaded(file)
