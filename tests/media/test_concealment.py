"""A hole in speech is filled with what was said before it, without clicks, and fades."""

from __future__ import annotations

import random

import numpy as np
import pytest

from pbx.media import g711
from pbx.media.codecs import encoder
from pbx.media.concealment import Concealment
from pbx.media.playout import FRAME
from pbx.media.voice import Voice

FRAME_S = 0.02
LEAD = 10


def vowel(seconds: float, pitch_hz: float = 120.0, rate_hz: int = 8000) -> g711.Samples:
    """A voiced sound: harmonics of a pitch that wavers a little."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    phase = 2 * np.pi * np.cumsum(pitch_hz * (1 + 0.02 * np.sin(6 * np.pi * time))) / rate_hz
    wave = sum(np.sin(k * phase) / k**1.5 for k in range(1, int(3400 / pitch_hz)))
    return np.rint(wave / np.abs(wave).max() * 8000).astype(np.int16)


def heard(voice: Voice, frames: list[bytes], lost: set[int]) -> g711.Samples:
    """What comes out, aligned with what went in."""
    out = []
    for n, frame in enumerate(frames):
        if n not in lost:
            voice.packet(7, n * FRAME, frame, n * FRAME_S)
        samples = voice.frame(n * FRAME_S + 0.005)
        out.append(
            samples if samples is not None else np.zeros(FRAME * (len(out[-1]) // FRAME if out else 1), np.int16)
        )
    sound = np.concatenate(out)
    return sound[int(np.flatnonzero(sound)[0]) :]


def level_db(samples: np.ndarray) -> float:
    return 20 * np.log10(np.sqrt(np.mean(samples.astype(float) ** 2)) + 1)


def steepest(samples: np.ndarray) -> int:
    return int(np.abs(np.diff(samples.astype(np.int32))).max())


@pytest.mark.parametrize("pitch_hz", [75, 120, 190])
def test_five_percent_loss_is_concealed_with_energy_and_without_clicks(pitch_hz: float):
    said = g711.decode(g711.encode(vowel(6, pitch_hz), "PCMU"), "PCMU")
    frames = [g711.encode(said[at : at + FRAME], "PCMU") for at in range(0, len(said), FRAME)]
    chance = random.Random(f"loss {pitch_hz}")
    lost = {n for n in range(LEAD, len(frames)) if chance.random() < 0.05}
    out = heard(Voice("PCMU"), frames, lost)
    assert len(lost) > 8
    singly = [n for n in lost if n - 1 not in lost and (n + 1) * FRAME <= len(out)]
    for n in singly:
        here = slice(n * FRAME, (n + 1) * FRAME)
        assert abs(level_db(out[here]) - level_db(said[here])) < 3, f"frame {n}"
    assert steepest(out) <= 1.25 * steepest(said)
    error = out.astype(float) - said[: len(out)]
    assert 10 * np.log10(np.mean(said.astype(float) ** 2) / np.mean(error**2)) > 12


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_without_loss_every_sample_comes_out_as_it_went_in(codec: str):
    said = g711.decode(g711.encode(vowel(2), codec), codec)
    frames = [g711.encode(said[at : at + FRAME], codec) for at in range(0, len(said), FRAME)]
    out = heard(Voice(codec), frames, set())
    begun = int(np.flatnonzero(said)[0])
    assert np.array_equal(out, said[begun : begun + len(out)])


def test_wideband_is_concealed_at_its_own_rate():
    said = vowel(3, rate_hz=16_000)
    encode = encoder("G722", 16_000)
    frames = [encode(said[at : at + 2 * FRAME]) for at in range(0, len(said), 2 * FRAME)]
    whole = heard(Voice("G722", 16_000), frames, set())
    holed = heard(Voice("G722", 16_000), frames, {40, 80, 81})
    assert len(whole) == len(holed)
    for n in (40, 80):
        here = slice(2 * n * FRAME, 2 * (n + 1) * FRAME)
        assert abs(level_db(holed[here]) - level_db(whole[here])) < 3
    assert steepest(holed) <= 1.5 * steepest(whole)


def test_what_is_made_up_fades_to_silence_in_60_ms_and_what_follows_leads_in():
    past = vowel(0.06)
    hole = Concealment(past, 8000)
    levels = [level_db(hole.next(80)) for _ in range(6)]
    assert abs(levels[0] - level_db(past)) < 2
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] < levels[0] - 12
    assert hole.is_over
    assert not hole.next(FRAME).any()
    back = hole.mended(np.full(FRAME, 8000, np.int16))
    assert back[0] < 500
    assert back[-1] == 8000
    assert steepest(back) < 300


@pytest.mark.parametrize("past", [np.zeros(480, np.int16), np.full(480, 32767, np.int16), np.ones(3, np.int16)])
def test_a_hole_after_silence_after_a_full_scale_or_after_next_to_nothing_is_filled(past: g711.Samples):
    hole = Concealment(past, 8000)
    made = hole.next(480)
    assert made.dtype == np.int16
    assert len(made) == 480
    assert abs(int(made[0]) - int(past[-1])) < 9000


def test_who_says_nothing_costs_nothing_and_is_nothing():
    voice = Voice("PCMU")
    assert voice.frame(1.0) is None
    voice.packet(7, 0, g711.encode(vowel(0.02), "PCMU"), 1.0)
    out = [voice.frame(1.005 + n * FRAME_S) for n in range(12)]
    assert [frame is None for frame in out[:2]] == [True, True]
    assert out[2] is not None
    assert out[-1] is None


@pytest.mark.parametrize("ppm", [-1000, 1000])
def test_a_far_end_whose_clock_drifts_is_followed_without_loss_and_without_clicks(ppm: int):
    said = g711.encode(vowel(60), "PCMU")
    voice, chance, out, waiting = Voice("PCMU"), random.Random("drift"), [], 0
    arrivals = sorted((n * FRAME_S * (1 + ppm / 1e6) + chance.random() * 0.03, n) for n in range(3000))
    for beat in range(2950):
        now = beat * FRAME_S + 0.005
        while arrivals[waiting][0] <= now:
            at, n = arrivals[waiting]
            voice.packet(7, n * FRAME, said[n * FRAME : (n + 1) * FRAME], at)
            waiting += 1
        frame = voice.frame(now)
        out += [] if frame is None else [frame]
        assert voice.playout.depth <= 6 * FRAME
    assert voice.playout.late == 0
    assert len(out) > 2940
    assert steepest(np.concatenate(out)) <= 1.25 * steepest(g711.decode(said, "PCMU"))
