"""The sound of a leg as a file, a waveform and figures."""

from __future__ import annotations

import json

import pytest

from lab.evidence import sound
from pbx.media import rtp, sounds_made, wav
from pbx.media.codecs import transcoder
from pbx.media.tap import AGREED, CAME, SENT, Tapped

VOICE = (b"".join(sounds_made.signature_frames("101")) * 20)[:16_000]


def agreed(codec: str, payload_type: int) -> Tapped:
    told = {"port": 4000, "codec": codec, "payload_type": payload_type, "sealed": False}
    return Tapped(10.0, AGREED, ("", 0), json.dumps(told).encode())


def spoken(octets: bytes, kind: int = 0, what: int = CAME, lost: range = range(0)) -> list[Tapped]:
    return [
        Tapped(10.0 + at / 50, what, ("192.0.2.1", 6000), rtp.pack(kind, at, at * 160, 7, octets[at * 160 :][:160]))
        for at in range(len(octets) // 160)
        if at not in lost
    ]


def test_each_way_is_laid_down_by_its_timestamps():
    came, sent = sound.ways([agreed("PCMU", 0), *spoken(VOICE), *spoken(VOICE[:1600], what=SENT)])
    assert (came.octets(), sent.octets()) == (VOICE, VOICE[:1600])


def test_what_was_lost_is_silence_and_counted_in_its_second():
    came, _ = sound.ways([agreed("PCMU", 0), *spoken(VOICE, lost=range(60, 70))])
    octets = came.octets()
    assert octets[60 * 160 : 70 * 160] == b"\xff" * 1600
    assert (octets[: 60 * 160], octets[70 * 160 :]) == (VOICE[: 60 * 160], VOICE[70 * 160 :])
    assert [(one.at_s, one.packets, one.lost) for one in came.series] == [(0, 50, 0), (1, 40, 10)]
    assert list(sound.as_csv([("c-1.0", came.series[1])]))[1].startswith("c-1.0,came,1,40,10,")


@pytest.mark.parametrize("codec", ["PCMA", "G722"])
def test_other_codecs_become_mu_law(codec):
    coding = transcoder("PCMU", codec)
    frames = b"".join(coding(VOICE[at : at + 160]) for at in range(0, len(VOICE), 160))
    came, _ = sound.ways([agreed(codec, 9), *spoken(frames, 9)])
    octets = came.octets()
    assert len(octets) == len(VOICE)
    assert min(sound.peaks(octets, 10)) > 50


def test_a_fax_over_t38_and_a_leg_without_an_agreement_have_no_sound():
    assert sound.ways(spoken(VOICE)) is None
    assert sound.ways([agreed("T38", 0), *spoken(VOICE)]) is None


def test_a_waveform_tells_silence_from_speech(tmp_path):
    assert sound.peaks(b"\xff" * 1600 + VOICE[:1600], 2)[0] == 0
    assert sound.peaks(b"\xff" * 1600 + VOICE[:1600], 2)[1] > 50
    assert sound.peaks(b"") == ()
    file = tmp_path / "it.wav"
    file.write_bytes(sound.as_wav(VOICE))
    assert wav.read_wav(file) == VOICE
