"""Ears behind a foreign telephone: what it recorded, decoded and no longer cut where packets were, is recognised."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lab.softphones.listening import DecodedKnowledge, Listener
from lab.softphones.program import write_voice
from lab.softphones.recording import Recording
from pbx.media import g711
from pbx.media.ears import FRAME, frames_of

HEARABLE = ["signature:101", "signature:231", "prompt:digit-1", "prompt:digit-2", "tone:beep"]


@pytest.fixture(scope="module")
def knowledge() -> DecodedKnowledge:
    return DecodedKnowledge(HEARABLE)


def decoded(*labels: str, frames: int = 30) -> bytes:
    """Sound as a phone has it after decoding, in mu-law once more: one zero instead of two."""
    octets = b"".join(b"".join(frames_of(label)[:frames]) for label in labels)
    return g711.encode(g711.decode(octets, "PCMU"), "PCMU")


def heard(listener: Listener, octets: bytes, portion: int = 700) -> Sequence[str]:
    return [sound for at in range(0, len(octets), portion) for sound in listener.feed(octets[at : at + portion])]


@pytest.mark.parametrize("shift", [0, 1, 79, 159])
def test_prompts_are_heard_wherever_a_frame_begins(knowledge, shift):
    sound = b"\xff" * shift + decoded("prompt:digit-1", "prompt:digit-2")
    assert heard(Listener(knowledge), sound) == ["prompt:digit-1", "prompt:digit-2"]


def test_a_gap_in_the_middle_is_got_over(knowledge):
    one = decoded("prompt:digit-1", frames=20)
    sound = one[: 7 * FRAME] + b"\xff" * 33 + one[7 * FRAME :] + decoded("tone:beep")
    assert heard(Listener(knowledge), sound) == ["prompt:digit-1", "tone:beep"]


def test_a_voice_is_known_by_its_signature(knowledge):
    assert heard(Listener(knowledge), decoded("signature:101", frames=50)[57:]) == ["signature:101"]


def test_when_nothing_comes_any_more_it_is_silent_once(knowledge):
    listener = Listener(knowledge)
    heard(listener, decoded("prompt:digit-1"))
    assert listener.cease() == ["silence"]
    assert listener.cease() == []


def test_what_a_softphone_says_is_its_own_signature(tmp_path, knowledge):
    recording = Recording(write_voice(tmp_path / "voice.wav", "231"))
    assert heard(Listener(knowledge), recording.take()[: 50 * FRAME]) == ["signature:231"]


def pcm(path: Path, samples: Sequence[int], *, rate: int = 8000, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.asarray(samples, "<i2").tobytes())
    return path


def test_a_recording_is_read_as_it_grows(tmp_path):
    path = tmp_path / "heard.wav"
    recording = Recording(path)
    assert recording.take() == b""
    path.write_bytes(b"\x00" * 44 + np.asarray([1000, -1000], "<i2").tobytes())  # linphone's header comes last
    assert recording.take() == g711.encode(np.asarray([1000, -1000], np.int16), "PCMU")
    with path.open("ab") as file:
        file.write(np.asarray([500], "<i2").tobytes() + b"\x01")  # half a sample waits for its other half
    assert recording.take() == g711.encode(np.asarray([500], np.int16), "PCMU")


def test_a_recording_that_is_begun_anew_is_read_from_its_beginning(tmp_path):
    path = pcm(tmp_path / "dump.wav", range(0, 8000, 8))
    recording = Recording(path)
    assert len(recording.take()) == 1000
    pcm(path, [4000] * 10)
    assert recording.take() == g711.encode(np.full(10, 4000, np.int16), "PCMU")


def test_one_side_of_a_faster_recording_is_taken(tmp_path):
    path = pcm(tmp_path / "stereo.wav", [1000, 7, 2, 7, 2000, 7, 2, 7], rate=16_000, channels=2)
    assert Recording(path).take() == g711.encode(np.asarray([1000, 2000], np.int16), "PCMU")
