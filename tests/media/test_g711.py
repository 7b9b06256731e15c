from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.media import g711

EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)
EVERY_CODE = bytes(range(256))
# SHA-256 of what the common reference implementation gives for every sample and every code.
ENCODED = {
    "PCMU": "81d633c9e6972a18c74a58720b96cb8ca0bdd096d4060b646dd708c3b846019a",
    "PCMA": "38488f6fd710f4686360edc4d38639f96c491595ef93f8eb8d62d5e07ca6ce7b",
}
DECODED = {
    "PCMU": "3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827",
    "PCMA": "e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174",
}


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_every_sample_has_the_code_of_the_reference(codec):
    assert hashlib.sha256(g711.encode(EVERY_SAMPLE, codec)).hexdigest() == ENCODED[codec]


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_every_code_has_the_sample_of_the_reference(codec):
    decoded = g711.decode(EVERY_CODE, codec).astype("<i2").tobytes()
    assert hashlib.sha256(decoded).hexdigest() == DECODED[codec]


def test_silence_is_zero():
    for codec, octet in g711.SILENCE.items():
        assert abs(int(g711.decode(octet, codec)[0])) <= 8


@given(st.binary(max_size=400))
def test_what_went_through_a_law_once_goes_through_again_unharmed(payload):
    once = g711.transcode(g711.transcode(payload, "PCMU", "PCMA"), "PCMA", "PCMU")
    assert g711.transcode(g711.transcode(once, "PCMU", "PCMA"), "PCMA", "PCMU") == once


@given(st.binary(max_size=400))
def test_transcoding_keeps_the_loudness_within_a_step(payload):
    before = g711.decode(payload, "PCMU").astype(int)
    after = g711.decode(g711.transcode(payload, "PCMU", "PCMA"), "PCMA").astype(int)
    assert np.all(np.abs(after - before) <= np.maximum(np.abs(before) // 16, 16))


def test_the_same_law_costs_nothing():
    payload = bytes(160)
    assert g711.transcode(payload, "PCMU", "PCMU") is payload
