"""A room's sums: everybody but oneself, at the right rate, without clipping; silence costs nothing."""

from __future__ import annotations

import numpy as np
import pytest

from pbx.media import g711
from pbx.media.codecs import decoder, encoder
from pbx.media.playout import FRAME
from pbx.media.room import MOST_SPEAKERS, Member, Room

FRAME_S = 0.02
CODEC_DELAY = 3 * FRAME


def tone(hertz: float, seconds: float = 1.0, peak: float = 6000, rate_hz: int = 8000) -> g711.Samples:
    return np.rint(peak * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(np.int16)


class Meeting:
    """Parties in a room: `says` what each speaks, `hears` what came back to each, decoded."""

    def __init__(self, *codecs: str) -> None:
        self.room = Room(-1)
        self.codecs = codecs
        self.members: list[Member] = [self.room.join(codec) for codec in codecs]
        self.payloads: list[list[bytes]] = []

    def goes_on(self, *said: g711.Samples | None) -> list[g711.Samples]:
        """Let each party say its samples (None: nothing arrives); return what each was sent."""
        coders = [encoder(codec, _rate(codec)) for codec in self.codecs]
        ears = [decoder(codec, _rate(codec)) for codec in self.codecs]
        heard: list[list[g711.Samples]] = [[] for _ in self.members]
        for n in range(
            min(len(x) // (FRAME * _rate(c) // 8000) for x, c in zip(said, self.codecs, strict=True) if x is not None)
        ):
            for at, (member, samples) in enumerate(zip(self.members, said, strict=True)):
                if samples is not None:
                    step = FRAME * member.factor
                    payload = coders[at](samples[n * step : (n + 1) * step])
                    member.voice.packet(7, n * FRAME, payload, n * FRAME_S)
            self.room.round(n * FRAME_S + 0.005)
            self.payloads.append([self.room.heard_by(member) for member in self.members])
            for at, payload in enumerate(self.payloads[-1]):
                heard[at].append(ears[at](payload))
        return [np.concatenate(frames) for frames in heard]


def _rate(codec: str) -> int:
    return 16_000 if codec == "G722" else 8000


def snr_db(heard: g711.Samples, wanted: np.ndarray) -> float:
    """Of what was heard against what should have been, at the delay that fits best; beginning and end left out."""
    best = -99.0
    middle = heard[2000:-2000].astype(float)
    for delay in range(800):
        reference = wanted[2000 - delay : 2000 - delay + len(middle)].astype(float)
        error = np.mean((middle - reference) ** 2)
        best = max(best, 10 * np.log10(np.mean(reference**2) / max(error, 1e-9)))
    return best


def level_at(sound: g711.Samples, hertz: float, rate_hz: int) -> float:
    """Level of one frequency, in dB over a sample of 1."""
    middle = sound[rate_hz // 4 : rate_hz * 3 // 4].astype(float)
    wave = np.exp(-2j * np.pi * hertz * np.arange(len(middle)) / rate_hz)
    return float(20 * np.log10(abs(middle @ wave) * 2 / len(middle) + 1e-9))


def test_each_hears_the_sum_of_the_others_as_well_as_its_law_can_tell():
    voices = [tone(437), tone(811), tone(1327)]
    heard = Meeting("PCMU", "PCMA", "PCMU").goes_on(*voices)
    for at, sound in enumerate(heard):
        others = [voice.astype(float) for n, voice in enumerate(voices) if n != at]
        assert snr_db(sound, others[0] + others[1]) > 33
        own = (437, 811, 1327)[at]
        assert level_at(sound, own, 8000) < level_at(voices[at], own, 8000) - 40, "it does not hear itself"


def test_wide_parties_hear_each_other_wide_and_the_narrow_one_only_what_its_band_holds():
    heard = Meeting("G722", "G722", "PCMU").goes_on(
        tone(5200, rate_hz=16_000) + tone(700, rate_hz=16_000), None, tone(1500)
    )
    wide, narrow = heard[1], heard[2]
    sent = level_at(tone(700), 700, 8000)
    assert abs(level_at(wide, 5200, 16_000) - sent) < 2
    assert abs(level_at(wide, 700, 16_000) - sent) < 1
    assert abs(level_at(wide, 1500, 16_000) - sent) < 1, "what is narrow comes at its level"
    assert abs(level_at(narrow, 700, 8000) - sent) < 1
    assert level_at(narrow, 2800, 8000) < sent - 40, "what lies above does not fold back"
    assert level_at(heard[0], 700, 16_000) < sent - 35


def test_a_din_is_made_softer_not_cut_off():
    loud = tone(503, 2.0, peak=30_000)
    heard = Meeting(*["PCMU"] * 4).goes_on(loud, loud.copy(), loud.copy(), None)
    sound = heard[3][8000:]
    assert np.abs(sound).max() <= 32_124
    fundamental, third = level_at(sound, 503, 8000), level_at(sound, 1509, 8000)
    assert third < fundamental - 30
    assert fundamental > level_at(loud, 503, 8000) - 1.5


def test_the_level_comes_back_when_the_din_is_over():
    meeting = Meeting("PCMU", "PCMU", "PCMU")
    loud = np.concatenate((tone(503, 1.0, peak=30_000), tone(503, 3.0, peak=3000)))
    heard = meeting.goes_on(loud, loud, None)
    assert abs(level_at(heard[2][-8000:], 503, 8000) - level_at(2 * tone(503, peak=3000), 503, 8000)) < 0.5


def test_of_many_the_loudest_are_heard():
    count = MOST_SPEAKERS + 2
    hertz = [300 + 150 * n for n in range(count)]
    voices = [tone(f, 1.0, peak=500 + 250 * n) for n, f in enumerate(hertz)]
    heard = Meeting(*["PCMU"] * (count + 1)).goes_on(*voices, None)
    levels = [level_at(heard[-1], f, 8000) for f in hertz]
    assert max(levels[:2]) < 35
    assert min(levels[2:]) > 45


def test_listeners_share_one_sum_and_its_coding():
    meeting = Meeting("PCMU", "PCMU", "PCMA", "PCMU", "PCMA")
    meeting.goes_on(tone(700), None, None, None, None)
    last = meeting.payloads[-1]
    assert last[1] is last[3]
    assert last[2] is last[4]
    assert last[1] != last[2]


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_where_nobody_speaks_there_is_silence_also_while_noise_arrives(codec: str):
    meeting = Meeting(codec, codec, codec)
    noise = np.random.default_rng(1).integers(-30, 30, 16_000).astype(np.int16)
    meeting.goes_on(noise, None, None)
    assert meeting.payloads[0] == [g711.SILENCE[codec] * FRAME] * 3
    assert meeting.payloads[-1] == [g711.SILENCE[codec] * FRAME] * 3


def test_what_is_announced_is_heard_over_what_is_said_once_and_in_order():
    meeting = Meeting("PCMU", "PCMU")
    first = [g711.encode(tone(600)[at : at + FRAME], "PCMU") for at in range(0, 1600, FRAME)]
    second = [g711.encode(tone(1800)[at : at + FRAME], "PCMU") for at in range(0, 1600, FRAME)]
    meeting.room.announce(iter(first))
    meeting.room.announce(iter(second))
    heard = meeting.goes_on(tone(1100), None)
    assert (meeting.payloads[0][0], meeting.payloads[10][0]) == (first[0], second[0])
    assert snr_db(heard[1], np.concatenate((tone(1100), np.zeros(0)))) > 0
    assert meeting.payloads[20][0] == g711.SILENCE["PCMU"] * FRAME


def test_who_speaks_another_codec_from_now_on_is_heard_and_hears_in_it():
    meeting = Meeting("PCMU", "PCMA")
    meeting.goes_on(tone(700), tone(900))
    meeting.members[1].tune("G722")
    meeting.codecs = ("PCMU", "G722")
    heard = meeting.goes_on(tone(700), tone(900, rate_hz=16_000))
    assert snr_db(heard[0], tone(900)) > 20
    assert level_at(heard[1], 700, 16_000) > level_at(tone(700), 700, 8000) - 2


def test_who_is_alone_hears_silence_and_who_leaves_is_gone_from_the_sum():
    meeting = Meeting("PCMU", "PCMU", "PCMU")
    meeting.goes_on(tone(700), tone(900), None)
    meeting.room.leave(meeting.members.pop(0))
    meeting.codecs = ("PCMU", "PCMU")
    heard = meeting.goes_on(tone(900), None)
    assert level_at(heard[1], 700, 8000) < 20
    assert snr_db(heard[1], tone(900)) > 33
