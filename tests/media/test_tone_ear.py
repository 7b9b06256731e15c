"""Network tones by frequency and cadence: recognised as the line leaves them, and nothing else taken for one."""

from __future__ import annotations

import numpy as np
import pytest

from pbx.media import ears, g711
from pbx.media.codecs import transcoder
from pbx.media.prompts import catalogue
from pbx.media.sounds_made import music_frames, signature_frames
from pbx.media.tone_ear import ToneEar
from pbx.media.tone_plan import PATTERNS, TONES, sure_after_s

RATE_HZ = 8000
LATE_S = 0.4
"""A burst must be seen to be over, and five times a second is when one looks."""
NAMES = tuple(dict.fromkeys(pattern.name for pattern in PATTERNS))


def wave(bursts, level_dbm0: float, seconds: float, *, twist_db: float = 0.0, off: float = 0.0) -> np.ndarray:
    """A tone as a network makes it, of its own and not by our generator: phases run on, each tone has its level."""
    peak = 32_124 * 10 ** ((level_dbm0 - 3.17) / 20)
    parts, at = [], 0
    while at < seconds * RATE_HZ:
        for hertz, lasts_s in bursts:
            count = round(lasts_s * RATE_HZ)
            time = (at + np.arange(count)) / RATE_HZ
            made = np.zeros(count)
            for number, frequency in enumerate(hertz):
                gain = 10 ** ((twist_db if number else 0.0) / 20)
                made += peak * gain * np.sin(2 * np.pi * frequency * (1 + off) * time + number)
            parts.append(made)
            at += count
    return np.concatenate(parts)[: int(seconds * RATE_HZ)]


def made(name: str, *, gain_db: float = 0.0, snr_db: float | None = None, later_s: float = 0.0, **how) -> np.ndarray:
    level, bursts = TONES[name]
    clean = wave(bursts, level + gain_db, 2 * sure_after_s(name) + 2, **how)
    clean = np.concatenate([np.zeros(int(later_s * RATE_HZ)), clean])
    if snr_db is None:
        return clean
    loud = np.sqrt(np.mean(clean[clean != 0] ** 2))
    return clean + np.random.default_rng(7).standard_normal(len(clean)) * loud * 10 ** (-snr_db / 20)


def coded(samples: np.ndarray) -> bytes:
    data = g711.encode(np.clip(samples, -32768, 32767).astype(np.int16), "PCMU")
    return data + b"\xff" * (-len(data) % 160)


def frames(data: bytes) -> list[bytes]:
    return [data[at : at + 160] for at in range(0, len(data), 160)]


def heard(data: bytes) -> list[tuple[float, str]]:
    """What is recognised, and when."""
    ear = ToneEar()
    found = [(20 * at / 1000, ear.feed(frame)) for at, frame in enumerate(frames(data))]
    return [(at_s, name) for at_s, name in found if name]


def names(data: bytes) -> list[str]:
    return [name for _, name in heard(data)]


LINES = {
    "as it is": {},
    "far away": {"gain_db": -18.0},
    "loud": {"gain_db": 6.0},
    "higher stronger": {"twist_db": 6.0},
    "higher weaker": {"twist_db": -6.0},
    "sharp": {"off": 0.005},
    "flat": {"off": -0.005},
    "noisy": {"snr_db": 12.0},
    "in the middle of a frame": {"later_s": 0.3137},
}


@pytest.mark.parametrize("name", NAMES)
def test_a_tone_is_recognised_once_and_as_soon_as_it_is_sure_whatever_the_line_does(name):
    for line, how in LINES.items():
        found = heard(coded(made(name, **how)))
        after = sure_after_s(name) + how.get("later_s", 0.0)
        assert [one for _, one in found[:1]] == [name], line
        assert after <= found[0][0] + 0.05 <= after + LATE_S, line
        # A stutter ends in the steady dial tone, which is one of its own.
        assert {one for _, one in found[1:]} <= ({"dial"} if name == "stutter" else set()), line


@pytest.mark.parametrize("name", NAMES)
def test_a_tone_is_recognised_through_a_law_g722_and_two_lost_frames_of_a_hundred(name):
    data = coded(made(name))
    assert names(g711.transcode(g711.transcode(data, "PCMU", "PCMA"), "PCMA", "PCMU"))[:1] == [name]
    to, back = transcoder("PCMU", "G722"), transcoder("G722", "PCMU")
    assert to is not None
    assert back is not None
    assert names(b"".join(back(to(frame)) for frame in frames(data)))[:1] == [name]
    lost = np.random.default_rng(3).random(len(data) // 160) < 0.02
    said = frames(data)
    said = [said[at - 1] if at and gone else said[at] for at, gone in enumerate(lost)]
    assert names(b"".join(said))[:1] == [name]


def test_the_other_codings_of_an_information_tone_are_of_the_same_kind():
    pause = ((), 1.0)
    reorder = (((985.2,), 0.274), ((1370.6,), 0.38), ((1776.7,), 0.38), pause)
    no_circuit = (((913.8,), 0.38), ((1370.6,), 0.38), ((1776.7,), 0.38), pause)
    assert names(coded(wave(reorder, -24, 3))) == ["sit-reorder"]
    assert names(coded(wave(no_circuit, -24, 3))) == ["sit-no-circuit"]


@pytest.mark.parametrize(("name", "gap_s"), [("sit-vacant", 0.004), ("sit-intercept", 0.004), ("sit", 0.03)])
def test_the_gaps_that_are_allowed_between_segments_do_no_harm(name, gap_s):
    bursts = [step for burst in TONES[name][1] for step in (burst, ((), gap_s))]
    assert names(coded(wave(bursts, -24, 3))) == [name]


def test_an_announcement_right_after_an_information_tone_does_not_hide_it():
    tone = coded(made("sit-intercept")[: int(0.93 * RATE_HZ)])
    assert names(tone + b"".join(catalogue.frames("not-in-service"))) == ["sit-intercept"]


@pytest.mark.parametrize(
    ("what", "bursts"),
    [
        ("busy of another cadence", (((480, 620), 1.0), ((), 0.5))),
        ("one burst of busy", (((480, 620), 0.5), ((), 8.0))),
        ("half a ringback", (((440, 480), 1.0), ((), 4.0))),
        ("a tone of no plan", (((480, 700), 0.5), ((), 0.5))),
        ("one of a pair", (((620,), 0.5), ((), 0.5))),
        ("three falling tones", (((1776.7,), 0.38), ((1370.6,), 0.274), ((913.8,), 0.274), ((), 1.0))),
        ("a short whistle", (((425,), 0.8), ((), 6.0))),
        ("an answering machine's beep", (((1000,), 0.4), ((), 5.0))),
        ("a call waiting tone", TONES["call-waiting"][1]),
    ],
)
def test_what_is_nearly_a_tone_is_none(what, bursts):
    assert names(coded(wave(bursts, -20, 10))) == [], what


def test_a_pair_out_of_balance_or_buried_in_noise_is_none():
    assert names(coded(made("busy", twist_db=-16))) == []
    assert names(coded(made("busy", snr_db=-6))) == []


def voices(seed: int, seconds: float) -> np.ndarray:
    """Speech-like: a gliding pitch with its harmonics under three wandering formants, in syllables."""
    chance = np.random.default_rng(seed)
    parts: list[np.ndarray] = []
    while sum(map(len, parts)) < seconds * RATE_HZ:
        count = int(chance.uniform(0.08, 0.6) * RATE_HZ)
        time = np.arange(count) / RATE_HZ
        pitch = chance.uniform(80, 320) * (1 + chance.uniform(-0.1, 0.1) * time)
        phase = 2 * np.pi * np.cumsum(pitch) / RATE_HZ
        formants = [chance.uniform(*band) for band in ((300, 900), (900, 2200), (2200, 3300))]
        made = np.zeros(count)
        for harmonic in range(1, int(3400 / pitch.mean())):
            loud = sum(np.exp(-(((harmonic * pitch.mean() - f) / 180) ** 2)) for f in formants)
            made += (loud + 0.02) * np.sin(harmonic * phase)
        swell = np.sin(np.pi * np.arange(count) / count) ** 0.5
        parts += [made * swell, np.zeros(int(chance.uniform(0.02, 0.4) * RATE_HZ))]
    whole = np.concatenate(parts)
    return whole / np.abs(whole).max() * chance.uniform(2000, 20000)


def test_no_speech_music_signature_key_or_noise_is_a_tone():
    every = {name: b"".join(catalogue.frames(name)) for name in catalogue.names()}
    sounds = dict(every)
    sounds |= {f"{name}, fast": data[::2] for name, data in every.items()}
    sounds["every prompt in a row"] = b"".join(every.values())
    sounds |= {f"music {name}": b"".join(music_frames(name)) * 3 for name in ("default", "toronto", "laval")}
    sounds["signature"] = b"".join(signature_frames("101")) * 10
    sounds["noise"] = coded(np.random.default_rng(1).standard_normal(20 * RATE_HZ) * 3000)
    keys = [((low, high), 0.1) for low in (697, 770, 852, 941) for high in (1209, 1336, 1477, 1633)]
    sounds["keys"] = coded(wave([step for key in keys for step in (key, ((), 0.1))], -10, 6.4))
    sounds |= {f"voice {seed}": coded(voices(seed, 20.0)) for seed in range(6)}
    assert {what: names(data) for what, data in sounds.items() if names(data)} == {}


def test_a_tone_that_is_over_is_recognised_again_when_it_comes_back():
    busy, quiet = coded(made("busy")[: int(2.5 * RATE_HZ)]), ears.SILENT_FRAME * 150
    assert names(busy + quiet + busy) == ["busy", "busy"]


def test_one_tone_after_another_is_told_of_each():
    ringback, busy = coded(made("ringback")[: int(4 * RATE_HZ)]), coded(made("busy"))
    assert names(ringback + busy) == ["ringback", "busy"]


def test_a_payload_of_any_length_is_taken():
    ear = ToneEar()
    data = coded(made("reorder"))
    found, at = [], 0
    for length in [0, 1, 80, 240, 480] * 40:
        found.append(ear.feed(data[at : at + length]))
        at += length
    assert [name for name in found if name] == ["reorder"]


def test_ears_hear_a_foreign_tone_through_its_pauses_by_name():
    """The frames are not ours: cadence alone tells, and a pause of it is no silence."""
    listening = ears.Recogniser(ears.Knowledge())
    said = [(listening.feed(frame), listening.take_tone()) for frame in frames(coded(made("eu-busy")))]
    assert [tone for _, tone in said if tone] == ["eu-busy"]
    assert [sound for sound, _ in said if sound][-1] == "tone:eu-busy"
    assert listening.heard == "tone:eu-busy"
    for _ in range(80):
        listening.feed(ears.SILENT_FRAME)
    assert listening.heard == "silence"


def test_what_is_known_to_be_something_else_breaks_a_cadence():
    listening = ears.Recogniser(ears.Knowledge(["prompt:not-in-service"]))
    burst = frames(coded(made("busy")[:RATE_HZ]))
    for _ in range(4):
        for frame in (*burst[:50], *ears.frames_of("prompt:not-in-service")[:25]):
            listening.feed(frame)
    assert listening.take_tone() == ""
