"""One codec's sound as another's."""

from __future__ import annotations

import numpy as np
import pytest

from pbx.media import g711
from pbx.media.codecs import CODECS, common_first, transcoder


def heard_through(*codecs: str) -> float:
    """Pass half a second of 1 kHz from one codec to the next; return the share of it in what comes out as µ-law."""
    time = np.arange(4000) / 8000
    payload = g711.encode((np.sin(2 * np.pi * 1000 * time) * 8000).astype(np.int16), "PCMU")
    frames = [payload[at : at + 160] for at in range(0, 4000, 160)]
    for source, target in zip(("PCMU", *codecs), (*codecs, "PCMU"), strict=True):
        coding = transcoder(source, target)
        frames = frames if coding is None else [coding(frame) for frame in frames]
    samples = g711.decode(b"".join(frames), "PCMU")[800:].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    at = round(1000 * len(samples) / 8000)
    return float(spectrum[at - 3 : at + 4].sum() / spectrum.sum())


@pytest.mark.parametrize("codecs", [("PCMA",), ("G722",), ("G722", "PCMA"), ("PCMA", "G722")])
def test_a_tone_survives_every_way_round(codecs):
    assert heard_through(*codecs) > 0.99


def test_every_codec_has_frames_of_160_octets():
    for codec in CODECS:
        coding = transcoder("PCMU", codec)
        assert len(b"\xff" * 160 if coding is None else coding(b"\xff" * 160)) == 160


def test_alike_needs_no_transcoding():
    assert all(transcoder(codec, codec) is None for codec in CODECS)


def test_what_the_other_party_speaks_comes_first():
    assert common_first(CODECS, ("G722", "OPUS", "PCMA")) == ("G722", "PCMA", "PCMU")
    assert common_first(CODECS, ()) == CODECS


@pytest.mark.parametrize("payload", [b"", b"\0", b"\xff" * 480])
def test_any_payload_is_decoded(payload):
    for codec in CODECS[1:]:
        coding = transcoder(codec, "PCMU")
        assert coding is not None
        assert len(coding(payload)) == len(payload)
