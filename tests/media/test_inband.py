"""Keys heard as tones: what must be one (Q.24), and what must not."""

from __future__ import annotations

import numpy as np
import pytest

from pbx.media import g711
from pbx.media.codecs import transcoder
from pbx.media.inband import KeyEar
from pbx.media.prompts import catalogue
from pbx.media.sounds_made import music_frames, signature_frames, tone_frames, tone_names

KEYPAD = {key: (low, high) for low, row in zip((697, 770, 852, 941), ("123A", "456B", "789C", "*0#D"), strict=True)
          for key, high in zip(row, (1209, 1336, 1477, 1633), strict=True)}  # fmt: skip


def dialled(
    keys: str, *, on_ms: int = 60, off_ms: int = 60, level_db: float = -13, twist_db: float = 0, off: float = 1.0,
    noise_db: float | None = None,
) -> bytes:  # fmt: skip
    """Return keys as µ-law; `level_db` of each tone below full scale, `off` the factor of its frequencies."""
    parts = [np.zeros(400)]
    for key in keys:
        time = np.arange(on_ms * 8) / 8000
        low, high = KEYPAD[key]
        peak = 32_000 * 10 ** (level_db / 20)
        wave = np.sin(2 * np.pi * low * off * time) + 10 ** (twist_db / 20) * np.sin(2 * np.pi * high * off * time)
        parts += [wave * peak, np.zeros(off_ms * 8)]
    whole = np.concatenate(parts)
    if noise_db is not None:
        whole = whole + np.random.default_rng(4).standard_normal(len(whole)) * 32_000 * 10 ** (noise_db / 20)
    return g711.encode(np.clip(whole, -32768, 32767).astype(np.int16), "PCMU")


def heard(sound: bytes) -> str:
    ear = KeyEar()
    return "".join(key for at in range(0, len(sound), 160) for key in ear.feed(sound[at : at + 160]))


ALL = "1234567890*#ABCD"


@pytest.mark.parametrize(
    "how",
    [
        {}, {"on_ms": 50, "off_ms": 50}, {"on_ms": 40, "off_ms": 40}, {"level_db": -25}, {"level_db": -3},
        {"twist_db": 3.9}, {"twist_db": -6}, {"off": 1.015}, {"off": 0.985}, {"noise_db": -32}, {"on_ms": 2000},
    ],
)  # fmt: skip
def test_every_key_is_heard_once(how):
    assert heard(dialled(ALL, **how)) == ALL


def test_the_same_key_twice_is_two_keys():
    assert heard(dialled("5550000")) == "5550000"


@pytest.mark.parametrize("how", [{"on_ms": 12}, {"level_db": -45}, {"twist_db": 9}, {"twist_db": -14}, {"off": 1.05}])
def test_what_no_keypad_sends_is_no_key(how):
    assert heard(dialled(ALL, **how)) == ""


def test_a_lost_packet_does_not_split_a_key():
    sound = dialled("7", on_ms=200)
    assert heard(sound[:1200] + sound[1360:]) == "7"


@pytest.mark.parametrize("codec", ["PCMA", "G722"])
def test_a_key_is_heard_through_another_codec(codec):
    to, back = transcoder("PCMU", codec), transcoder(codec, "PCMU")
    assert to is not None
    assert back is not None
    sound = dialled("159#", on_ms=80)
    sound += b"\xff" * (-len(sound) % 160)
    assert heard(b"".join(back(to(sound[at : at + 160])) for at in range(0, len(sound), 160))) == "159#"


def test_no_prompt_tone_music_or_signature_is_a_key():
    sounds = [b"".join(catalogue.frames(name)) for name in catalogue.names()]
    sounds += [b"".join(tone_frames(name)) for name in tone_names()]
    sounds += [b"".join(music_frames("default")), b"".join(signature_frames("101"))]
    assert [heard(sound) for sound in sounds if heard(sound)] == []


def test_a_payload_of_any_length_is_taken():
    ear = KeyEar()
    assert [ear.feed(b"\xff" * length) for length in (0, 1, 50, 480)] == [[], [], [], []]
