"""A conversation that is recorded: both far ends in one file, a channel each (F12)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pbx.media import g711
from pbx.media.engine import RecordingFinished
from pbx.media.wav import BadWav, read_wav
from tests.media.test_exchange import FAR, NEAR, OTHER_END, Bench

ANA = g711.encode(np.full(160, 8000, np.int16), "PCMU")
BEN = g711.encode(np.full(160, -4000, np.int16), "PCMA")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.exchange.bridge("near", "far")
    return made


def talk(bench: Bench, frames: int, *, near: bool = True, far: bool = True, begin: int = 0) -> None:
    for at in range(begin, begin + frames):
        if near:
            bench.arrives(ANA, at)
        if far:
            bench.arrives(BEN, at, kind=8, ssrc=9, source=OTHER_END, port=FAR)
        bench.now += 0.02
        bench.exchange.beat(NEAR, bench.now)
        bench.exchange.beat(FAR, bench.now)


def finished(bench: Bench) -> RecordingFinished:
    (found,) = [event for event in bench.said if isinstance(event, RecordingFinished)]
    return found


def channels(path: Path) -> tuple[np.ndarray, np.ndarray]:
    data = path.read_bytes()
    assert (data[20:22], data[22:24], data[24:28], data[32:34]) == (b"\7\0", b"\2\0", b"\x40\x1f\0\0", b"\2\0")
    assert int.from_bytes(data[40:44], "little") == len(data) - 44
    return g711.decode(data[44::2], "PCMU"), g711.decode(data[45::2], "PCMU")


def test_each_far_end_has_a_channel_of_its_own_whatever_its_codec(bench: Bench, tmp_path: Path) -> None:
    bench.exchange.record_both("near", "far", "call-1", bench.now)
    talk(bench, 100)
    bench.exchange.stop_record("far", bench.now)
    event = finished(bench)
    assert (event.leg, event.recording, event.reason, event.heard, event.problem) == (
        "near",
        "call-1",
        "stopped",
        "",
        "",
    )
    assert event.seconds == pytest.approx(2.0, abs=0.1)
    left, right = channels(tmp_path / "call-1.wav")
    middle = slice(4000, 12_000)
    assert abs(int(np.median(left[middle])) - 8000) < 300
    assert abs(int(np.median(right[middle])) + 4000) < 300


def test_a_pause_is_silence_and_ends_nothing(bench: Bench, tmp_path: Path) -> None:
    bench.exchange.record_both("near", "far", "call-2", bench.now)
    talk(bench, 50)
    talk(bench, 500, near=False, far=False)
    assert not any(isinstance(event, RecordingFinished) for event in bench.said)
    talk(bench, 50, begin=550)
    bench.exchange.close("near", bench.now)
    assert finished(bench).reason == "hangup"
    assert finished(bench).seconds == pytest.approx(12.0, abs=0.1)
    left, _ = channels(tmp_path / "call-2.wav")
    assert np.abs(left[5 * 8000 : 8 * 8000]).max() < 100


def test_one_that_is_lost_on_the_way_is_concealed_and_the_channels_stay_together(bench: Bench, tmp_path: Path) -> None:
    bench.exchange.record_both("near", "far", "call-3", bench.now)
    talk(bench, 40)
    talk(bench, 1, far=False, begin=40)
    talk(bench, 40, begin=41)
    bench.exchange.stop_record("near", bench.now)
    left, right = channels(tmp_path / "call-3.wav")
    assert len(left) == len(right)
    assert abs(int(np.median(right[38 * 160 : 44 * 160])) + 4000) < 300


def test_what_is_said_lies_where_it_was_said_to_the_sample(bench: Bench, tmp_path: Path) -> None:
    bench.exchange.record_both("near", "far", "call-5", bench.now)
    talk(bench, 25, near=False, far=False)
    talk(bench, 100, begin=25)
    talk(bench, 75, far=False, begin=125)
    bench.exchange.stop_record("near", bench.now)
    left, right = channels(tmp_path / "call-5.wav")
    speaks = np.abs(left) > 6000
    assert (len(left), int(speaks.argmax()), int(speaks.sum())) == (200 * 160, 25 * 160, 175 * 160)
    assert int((np.abs(right[: 125 * 160]) > 3000).sum()) == 100 * 160
    assert np.abs(right[135 * 160 :]).max() < 100


def test_a_phone_whose_clock_is_slow_is_recorded_to_the_end(bench: Bench, tmp_path: Path) -> None:
    bench.exchange.record_both("near", "far", "call-6", bench.now)
    for at in range(1000):  # 20.4 ms between packets of 20 ms: two per cent, a hundred times what a bad crystal does
        bench.arrives(ANA, at)
        bench.now += 0.0204
        bench.exchange.beat(NEAR, bench.now)
    bench.exchange.stop_record("near", bench.now)
    left, _ = channels(tmp_path / "call-6.wav")
    assert len(left) == pytest.approx(1000 * 0.0204 * 8000, abs=320)
    assert (np.abs(left[-8000:]) > 6000).mean() > 0.7
    assert (np.abs(left) > 6000).mean() > 0.9


def test_no_recording_leaves_its_folder_and_one_that_cannot_be_begun_is_told(bench: Bench, tmp_path: Path) -> None:
    bench.exchange.record_both("near", "far", "../escaped", bench.now)
    assert finished(bench).problem
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_two_channels_is_not_played_as_one(bench: Bench, tmp_path: Path) -> None:
    bench.exchange.record_both("near", "far", "call-4", bench.now)
    talk(bench, 20)
    bench.exchange.stop_record("near", bench.now)
    with pytest.raises(BadWav, match="2 channels"):
        read_wav(tmp_path / "call-4.wav")
