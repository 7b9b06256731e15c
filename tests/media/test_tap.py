"""What is kept of a leg's packets as evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbx.media import rtp, sounds_made, tap
from pbx.media.engine import Signature
from tests.media.test_exchange import FAR, NEAR, Bench

VOICE = sounds_made.signature_frames("101")


@pytest.fixture
def tapped(tmp_path: Path) -> Bench:
    """Two legs whose packets are kept, bridged."""
    bench = Bench(tmp_path)
    bench.exchange.close("near", bench.now)
    bench.exchange.close("far", bench.now)
    bench.exchange.tap(tmp_path / "taps")
    for name, port in (("near", NEAR), ("far", FAR)):
        bench.exchange.open(name, port, bench.now)
    return bench


def connected(bench: Bench) -> Bench:
    from pbx.media.engine import RemoteMedia
    from tests.media.test_exchange import FAR_END, OTHER_END

    bench.exchange.connect("near", RemoteMedia(*FAR_END, "PCMU", 0, 101, "sendrecv"), bench.now)
    bench.exchange.connect("far", RemoteMedia(*OTHER_END, "PCMA", 8, 96, "sendrecv"), bench.now)
    bench.exchange.bridge("near", "far")
    return bench


def kept(bench: Bench, folder: Path, leg: str) -> list[tap.Tapped]:
    bench.exchange.close(leg, bench.now)
    return list(tap.read(tap.path_of(folder / "taps", leg)))


def test_what_came_and_what_was_passed_on_is_kept_with_whose_it_was(tapped: Bench, tmp_path: Path) -> None:
    bench = connected(tapped)
    for at in range(3):
        bench.arrives(VOICE[at], at)
    near, far = kept(bench, tmp_path, "near"), kept(bench, tmp_path, "far")
    assert [one.what for one in near][:4] == [tap.AGREED, tap.CAME, tap.CAME, tap.CAME]
    assert tap.agreement(near[0]) == {"port": NEAR, "codec": "PCMU", "payload_type": 0, "sealed": False}
    packets = [rtp.read(one.data) for one in near if one.what == tap.CAME]
    assert [packet.payload for packet in packets if packet is not None] == list(VOICE[:3])
    sent = [one for one in far if one.what == tap.SENT]
    assert [(one.far, one.data[1] & 0x7F) for one in sent] == [(("192.0.2.2", 7000), 8)] * 3
    assert near[-1].what == tap.REPORT_SENT  # the goodbye


def test_sounds_of_our_own_are_kept_too(tapped: Bench, tmp_path: Path) -> None:
    bench = connected(tapped)
    bench.exchange.play("near", Signature("101"), "")
    bench.beats(4)
    assert sum(one.what == tap.SENT for one in kept(bench, tmp_path, "near")) == 4


def test_a_key_never_reaches_the_disk(tapped: Bench, tmp_path: Path) -> None:
    bench = connected(tapped)
    bench.key("7", 0, 0)
    near, far = kept(bench, tmp_path, "near"), kept(bench, tmp_path, "far")
    for packets, kind in ((near, 101), (far, 96)):
        keys = [rtp.read(one.data) for one in packets if one.what <= tap.SENT and one.data[1] & 0x7F == kind]
        assert len(keys) > 3
        assert {packet.payload[0] for packet in keys if packet is not None} == {tap.BLOTTED}


def test_nothing_is_kept_of_legs_that_were_there_before_or_come_after(tapped: Bench, tmp_path: Path) -> None:
    bench = connected(tapped)
    bench.exchange.tap(None)
    bench.exchange.open("late", 6002, bench.now)
    bench.exchange.close("late", bench.now)
    assert not tap.path_of(tmp_path / "taps", "late").exists()


def test_a_disk_that_takes_no_more_ends_the_file_and_nothing_else(tmp_path: Path) -> None:
    written = []

    def full(write, done) -> None:
        written.append(write)
        done("No space left on device")

    it = tap.Tap(tmp_path, "a", full)
    for at in range(2000):
        it.note(tap.CAME, b"x" * 172, ("192.0.2.1", 4000), float(at))
    it.end()
    assert len(written) == 2  # the first piece, and the name


def test_a_torn_end_is_left_out(tmp_path: Path) -> None:
    it = tap.Tap(tmp_path, "a/b", lambda write, done: (write(), done("")))
    it.note(tap.CAME, b"first", ("::1", 4000), 1.0)
    it.note(tap.SENT, b"second", ("::1", 4000), 2.0)
    it.end()
    path = tap.path_of(tmp_path, "a/b")
    path.write_bytes(path.read_bytes()[:-1])
    assert list(tap.read(path)) == [tap.Tapped(1.0, tap.CAME, ("::1", 4000), b"first")]
