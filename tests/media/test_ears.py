from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.media import ears, g711, sounds_made
from pbx.media.prompts import catalogue

PARTIES = ("101", "102", "14165550142", "emergency")
KNOWLEDGE = ears.Knowledge(
    [
        *(f"prompt:{name}" for name in catalogue.names()),
        *(f"tone:{name}" for name in sounds_made.tone_names()),
        *(f"moh:{name}" for name in ("default", "toronto", "laval")),
        *(f"signature:{party}" for party in PARTIES),
    ]
)


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
@pytest.mark.parametrize(
    "label", ["prompt:attendant-welcome", "prompt:digit-0", "tone:ringback", "tone:reorder", "moh:laval"]
)
def test_a_sound_is_heard_from_beginning_to_end_through_either_law(label: str, law: str) -> None:
    listening = ears.Recogniser(KNOWLEDGE)
    for frame in ears.frames_of(label):
        listening.feed(g711.transcode(g711.transcode(frame, "PCMU", law), law, "PCMU"))
        assert listening.heard == label
    assert listening.mostly == label


def test_every_frame_of_every_prompt_is_its_own() -> None:
    for name in catalogue.names():
        label = f"prompt:{name}"
        assert {KNOWLEDGE.label_of(frame) for frame in ears.frames_of(label)} == {label}


@given(shift=st.integers(1, 7999), party=st.sampled_from(PARTIES), gain=st.floats(0.3, 1.4), noise=st.integers(0, 400))
def test_a_signature_is_recognised_wherever_it_starts_and_however_loud(
    shift: int, party: str, gain: float, noise: int
) -> None:
    loop = np.roll(sounds_made.signature_wave(party), shift)[: ears.WINDOW_FRAMES * 160] * gain
    loop = loop + np.random.default_rng(shift).standard_normal(len(loop)) * noise
    window = g711.encode(np.clip(loop, -32768, 32767).astype(np.int16), "PCMU")
    assert KNOWLEDGE.voice_in(window) == f"signature:{party}"


def test_a_party_nobody_told_of_is_unknown_until_it_is_learnt() -> None:
    knowledge = ears.Knowledge(["signature:101"])
    strange = sounds_made.signature_frames("stranger")
    listening = ears.Recogniser(knowledge)
    for frame in strange:
        listening.feed(frame)
    assert listening.heard == "unknown"
    knowledge.learn("signature:stranger")
    assert listening.feed(strange[0]) == "signature:stranger"


def test_ears_that_know_nobody_hear_noise_and_silence() -> None:
    listening = ears.Recogniser(ears.Knowledge())
    assert listening.mostly == "silence"
    said = [listening.feed(frame) for frame in sounds_made.signature_frames("101")]
    assert [word for word in said if word] == ["unknown"]
    said = [listening.feed(ears.SILENT_FRAME) for _ in range(30)]
    assert [word for word in said if word] == ["silence"]


def test_a_short_pause_is_no_silence() -> None:
    listening = ears.Recogniser(KNOWLEDGE)
    listening.feed(sounds_made.signature_frames("101")[0])
    assert not any(listening.feed(ears.SILENT_FRAME) for _ in range(ears.SILENCE_FRAMES - 1))
    assert listening.feed(ears.SILENT_FRAME) == "silence"


@pytest.mark.parametrize("label", ["tone:klaxon", "recording:x", ""])
def test_a_sound_that_does_not_exist_cannot_be_learnt(label: str) -> None:
    with pytest.raises(ValueError):
        KNOWLEDGE.learn(label)
