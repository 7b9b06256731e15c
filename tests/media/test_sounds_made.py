from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from pbx.media import g711, sounds_made
from pbx.media.prompts import catalogue, texts


def heard(frames: tuple[bytes, ...]) -> np.ndarray:
    return g711.decode(b"".join(frames), "PCMU").astype(float)


def strongest(wave: np.ndarray, count: int) -> list[float]:
    """The frequencies of the strongest peaks."""
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    hertz = np.fft.rfftfreq(len(wave), 1 / 8000)
    found = []
    for _ in range(count):
        at = int(np.argmax(spectrum))
        found.append(float(hertz[at]))
        spectrum[np.abs(hertz - hertz[at]) < 25] = 0
    return sorted(found)


@pytest.mark.parametrize(
    ("name", "hertz"),
    [("dial", [350, 440]), ("ringback", [440, 480]), ("busy", [480, 620]), ("reorder", [480, 620]), ("beep", [1000])],
)
def test_a_tone_has_the_frequencies_of_the_tone_plan(name, hertz):
    wave = heard(sounds_made.tone_frames(name))[:2000]
    assert strongest(wave, len(hertz)) == pytest.approx(hertz, abs=4)


def test_a_special_information_tone_rises_in_three_steps():
    wave = heard(sounds_made.tone_frames("sit-intercept"))
    parts = (wave[:2100], wave[2300:4300], wave[4500:7300])
    assert [strongest(part, 1)[0] for part in parts] == pytest.approx([913.8, 1370.6, 1776.7], abs=5)


@pytest.mark.parametrize(("name", "on_s", "off_s"), [("busy", 0.5, 0.5), ("reorder", 0.25, 0.25), ("ringback", 2, 4)])
def test_a_tone_has_the_cadence_of_the_tone_plan(name, on_s, off_s):
    wave = np.abs(heard(sounds_made.tone_frames(name)))
    on = int(on_s * 8000)
    assert wave[:on].mean() > 300
    assert wave[on:].max() <= 8
    assert len(wave) == pytest.approx((on_s + off_s) * 8000, abs=160)


def test_a_tone_has_the_level_of_the_tone_plan():
    wave = heard(sounds_made.tone_frames("milliwatt"))
    level = 20 * np.log10(np.sqrt(np.mean(wave**2)) / (32_124 / np.sqrt(2))) + 3.17
    assert level == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize("name", ["dial", "milliwatt"])
def test_a_continuous_tone_does_not_click_where_it_starts_over(name):
    wave = heard(sounds_made.tone_frames(name) * 2)
    steps = np.abs(np.diff(wave))
    seam = len(wave) // 2 - 1
    assert steps[seam] <= steps.max() * 1.01
    assert strongest(wave[seam - 2000 : seam + 2000], 1)[0] == pytest.approx(
        strongest(wave[: 4000], 1)[0], abs=4
    )  # fmt: skip


def test_an_unknown_tone_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match="ringback"):
        sounds_made.tone_frames("fanfare")


def test_music_is_eight_seconds_of_its_own_for_every_class():
    pieces = {name: sounds_made.music_frames(name) for name in ("default", "toronto", "laval")}
    assert {len(frames) for frames in pieces.values()} == {400}
    for one, other in combinations(pieces.values(), 2):
        assert not set(one) & set(other), "ears could not tell them apart"
    assert all(np.abs(heard(frames)).max() < 8000 for frames in pieces.values())


def test_signatures_of_two_parties_have_nothing_in_common():
    one, other = sounds_made.signature_wave("101"), sounds_made.signature_wave("102")
    alike = np.fft.irfft(np.fft.rfft(one) * np.conj(np.fft.rfft(other)))
    assert np.max(np.abs(alike)) / (np.linalg.norm(one) * np.linalg.norm(other)) < 0.1


def test_a_signature_is_the_same_whenever_it_is_made():
    before = sounds_made.signature_frames("101")
    sounds_made.signature_frames.cache_clear()
    sounds_made.signature_wave.cache_clear()
    assert sounds_made.signature_frames("101") == before


def test_every_prompt_with_a_text_ships_and_nothing_else():
    assert {path.stem for path in catalogue.FOLDER.iterdir()} == set(texts.TEXTS)
    assert sum(path.stat().st_size for path in catalogue.FOLDER.iterdir()) < 3_000_000


@pytest.mark.parametrize("name", catalogue.names())
def test_a_prompt_is_speech_of_a_sensible_length_and_level(name):
    wave = heard(catalogue.frames(name))
    assert 0.2 < catalogue.seconds_of(name) < 12
    assert len(wave) == round(catalogue.seconds_of(name) * 8000)
    assert 12_000 < np.abs(wave).max() < 20_000


def test_a_prompt_nobody_recorded_is_a_second_of_silence():
    assert catalogue.text_of("no-such-prompt") == ""
    assert catalogue.text_of("goodbye") == "Goodbye."
    assert catalogue.seconds_of("no-such-prompt") == 1.0
    assert set(b"".join(catalogue.frames("no-such-prompt"))) == {0xFF}
