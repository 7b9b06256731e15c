"""Sound files and spoken text become G.711, and what is neither is told."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from lab.prompts import sounds, speech
from lab.prompts.sounds import NoSound, read_sound
from lab.prompts.speech import NoSpeech, speak
from pbx.media.g711 import decode
from tests.conftest import need


def tone(seconds=1.0, rate=16_000, channels=1, kind="WAV", subtype=None, hertz=440.0):
    at = np.arange(round(seconds * rate)) / rate
    wave = np.sin(2 * np.pi * hertz * at) * 0.5
    file = io.BytesIO()
    soundfile.write(file, np.column_stack([wave] * channels), rate, format=kind, subtype=subtype)
    return file.getvalue()


def loudest_hertz(samples):
    wave = decode(samples, "PCMU").astype(np.float64)
    return float(np.argmax(np.abs(np.fft.rfft(wave))) * 8000 / len(wave))


@pytest.mark.parametrize(
    "given",
    [
        {}, {"rate": 8000, "subtype": "ULAW"}, {"rate": 8000, "subtype": "ALAW"}, {"subtype": "PCM_24"},
        {"subtype": "FLOAT"}, {"rate": 44_100, "channels": 2}, {"rate": 48_000, "kind": "OGG"},
        {"rate": 44_100, "kind": "MP3"}, {"rate": 32_000, "kind": "FLAC"},
    ],
)  # fmt: skip
def test_a_tone_is_the_same_tone_whatever_file_it_comes_in(given):
    samples = read_sound(tone(**given))
    assert len(samples) / 8000 == pytest.approx(1.0, abs=0.08)
    assert loudest_hertz(samples) == pytest.approx(440, abs=2)
    assert np.abs(decode(samples, "PCMU")).max() == pytest.approx(16_384, rel=0.15)


def test_what_would_fold_over_is_filtered_out():
    assert np.abs(decode(read_sound(tone(hertz=6000)), "PCMU")[400:-400]).max() < 200


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "it is none of WAV, MP3"),
        (b"RIFF\x00\x00\x00\x00WAVEjunk", "it is none of"),
        (b"%PDF-1.4 no sound at all" * 50, "it is none of"),
        (tone(0.01), "it lasts 0.0 s"),
        (tone(601, rate=8000, subtype="ULAW"), "it lasts 601 s; 600 s are the most"),
    ],
)
def test_what_is_no_sound_to_be_kept_is_told(octets, why):
    with pytest.raises(NoSound, match=why):
        read_sound(octets)


def test_half_a_file_is_half_a_sound_or_none():
    for kind in ("WAV", "MP3", "OGG", "FLAC"):
        whole = tone(2.0, rate=44_100, kind=kind)
        try:
            assert len(read_sound(whole[: len(whole) // 2])) < 2.2 * 8000
        except NoSound:
            continue


async def test_text_is_spoken():
    need("flite")
    samples = await speak("Welcome to Acme. -o /etc/passwd; $(reboot)\n")
    assert 1.0 < len(samples) / 8000 < 10.0


@pytest.mark.parametrize("text", ["", "  \n", "a" * 2001])
async def test_a_text_has_a_length(text):
    with pytest.raises(NoSound, match="1 to 2000 characters"):
        await speak(text)


async def test_without_an_engine_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert speech.engine() == ""
    with pytest.raises(NoSpeech, match="install flite or espeak-ng"):
        await speak("Hello")


def test_there_is_a_largest_file():
    with pytest.raises(NoSound, match="20 MB"):
        read_sound(bytes(sounds.MOST_BYTES + 1))
