"""Opus: passed on as it is between two who speak it, made 8 kHz for everybody and everything else."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pbx.media import ears, g711, rtp, sdp, telephone_event
from pbx.media.codecs import CODECS, OPUS, decoder, encoder, has_opus, transcoder
from pbx.media.engine import MediaAddress, RemoteMedia, Tone
from pbx.media.exchange import Exchange
from pbx.media.negotiation import Negotiation
from pbx.media.stream import Stream
from tests.media.archives import keep_at_once

WIDE = (*CODECS, OPUS)
HERE = MediaAddress("192.0.2.1", 4000)
FAR, OTHER = ("192.0.2.7", 5000), ("192.0.2.8", 6000)


@pytest.fixture(autouse=True)
def opus() -> None:
    if not has_opus():
        pytest.skip("libopus is not installed (apt-get install libopus0)")


def party(number: int = 1) -> Negotiation:
    return Negotiation("no", lambda digits: "0" * digits, WIDE)


# --- what is agreed ---------------------------------------------------------------------------------------------------


def test_opus_is_offered_last_with_keys_by_its_own_clock():
    text = party().offer(HERE).decode()
    assert "m=audio 4000 RTP/AVP 0 8 9 111 101 110" in text
    assert "a=rtpmap:111 opus/48000/2" in text
    assert "a=rtpmap:110 telephone-event/48000" in text


def test_without_the_extra_it_is_neither_offered_nor_taken():
    plain = Negotiation("no", lambda digits: "0" * digits)
    assert b"opus" not in plain.offer(HERE)
    with pytest.raises(sdp.BadSdp, match="no common codec"):
        plain.answer(sdp.offer(MediaAddress(*FAR), codecs=(OPUS,)), HERE)


@pytest.mark.parametrize(("liked", "codec", "events"), [("", "PCMU", 101), (OPUS, OPUS, 110)])
def test_it_is_taken_where_the_other_party_speaks_it_and_nothing_has_to_be_coded(liked, codec, events):
    offered = sdp.offer(MediaAddress(*FAR), codecs=(OPUS, "PCMU"))
    one = party()
    answered = one.answer(offered, HERE, liked=liked)
    assert one.remote is not None
    assert (one.remote.codec, one.remote.event_type) == (codec, events)
    assert sdp.settle(sdp.parse_sdp(offered), sdp.parse_sdp(answered)).codec == codec


def test_keys_by_another_clock_than_the_sound_s_are_not_agreed():
    offered = sdp.offer(MediaAddress(*FAR), codecs=(OPUS,)).replace(b"a=rtpmap:110 telephone-event/48000\r\n", b"")
    one = party()
    assert b"telephone-event" not in one.answer(offered, HERE)
    assert one.remote is not None
    assert one.remote.event_type is None


def test_a_number_of_its_own_is_answered_with_that_number():
    offered = sdp.offer(MediaAddress(*FAR), codecs=(OPUS,)).replace(b"111", b"96")
    one = party()
    assert b"a=rtpmap:96 opus/48000/2" in one.answer(offered, HERE)
    assert one.remote is not None
    assert one.remote.payload_type == 96


# --- what it sounds like ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [160, 320, 480])
def test_what_is_coded_is_heard_again(count):
    to, back = encoder(OPUS, 8000), decoder(OPUS, 8000)
    wave = (8000 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)).astype(np.int16)
    whole = len(wave) // count * count
    heard = np.concatenate([back(to(wave[at : at + count])) for at in range(0, whole, count)])
    assert len(heard) == whole
    spectrum = np.abs(np.fft.rfft(heard[2000:6000] * np.hanning(4000)))
    assert np.argmax(spectrum) * 2 == pytest.approx(440, abs=4)


def test_a_payload_that_is_no_opus_is_silence():
    assert not decoder(OPUS, 8000)(b"\xff\xff\xff").any()


@pytest.mark.parametrize("codec", CODECS)
def test_a_signature_is_recognised_from_any_codec_through_opus(codec):
    knowledge = ears.Knowledge(["signature:101"])
    to, back = transcoder(codec, OPUS), transcoder(OPUS, "PCMU")
    made = transcoder("PCMU", codec)
    assert to is not None
    assert back is not None
    listening = ears.Recogniser(knowledge)
    for frame in ears.frames_of("signature:101") * 2:
        listening.feed(back(to(frame if made is None else made(frame))))
    assert listening.heard == "signature:101"


# --- what goes over the wire ------------------------------------------------------------------------------------------


class House:
    """An exchange of two legs; the far ends are this test."""

    def __init__(self, tmp_path, *remotes: RemoteMedia) -> None:
        self.sent: list[tuple[int, bytes]] = []
        self.told: list[object] = []
        knowledge = ears.Knowledge(["signature:101", "tone:busy"])
        self.exchange = Exchange(
            lambda port, data, to: None if 192 <= data[1] <= 223 else self.sent.append((port, data)),
            self.told.append, tmp_path, keep_at_once, knowledge, lambda bits: 5, lambda port: None,
        )  # fmt: skip
        for number, remote in enumerate(remotes):
            self.exchange.open(f"leg-{number}", 4000 + 2 * number, 0.0)
            self.exchange.connect(f"leg-{number}", remote, 0.0)
            self.exchange.listen(f"leg-{number}")

    def out(self, port: int) -> list[rtp.Packet]:
        found = [rtp.read(data) for at, data in self.sent if at == port]
        return [packet for packet in found if packet is not None]


def far(codec: str, at: tuple[str, int]) -> RemoteMedia:
    kind, events = {OPUS: (111, 110), "PCMU": (0, 101)}[codec]
    return RemoteMedia(*at, codec, kind, events, "sendrecv")


def said(codec: str, frames: int) -> list[bytes]:
    made = transcoder("PCMU", codec)
    source = (ears.frames_of("signature:101") * 3)[:frames]
    return [frame if made is None else made(frame) for frame in source]


def spoken(house: House, port: int, codec: str, at: tuple[str, int], payloads: list[bytes]) -> None:
    """Send payloads as RTP, 20 ms apart."""
    stream = Stream(77, 100, 1000)
    stream.ticks = 6 if codec == OPUS else 1
    for number, payload in enumerate(payloads):
        now = 1.0 + number * 0.02
        house.exchange.receive(port, stream.own(111 if codec == OPUS else 0, payload, now), at, now)


def test_between_two_who_speak_it_the_octets_pass_untouched_by_its_own_clock(tmp_path):
    house = House(tmp_path, far(OPUS, FAR), far(OPUS, OTHER))
    house.exchange.bridge("leg-0", "leg-1")
    payloads = said(OPUS, 50)
    spoken(house, 4000, OPUS, FAR, payloads)
    packets = house.out(4002)
    assert [packet.payload for packet in packets] == payloads
    steps = {two.timestamp - one.timestamp & 0xFFFFFFFF for one, two in pairwise(packets)}
    assert steps == {960}
    assert [getattr(event, "sound", "") for event in house.told if getattr(event, "leg", "") == "leg-0"][-1] == (
        "signature:101"
    )


@pytest.mark.parametrize(("one", "two", "step"), [(OPUS, "PCMU", 160), ("PCMU", OPUS, 960)])
def test_where_one_does_not_speak_it_its_sound_is_turned_and_its_clock_too(tmp_path, one, two, step):
    house = House(tmp_path, far(one, FAR), far(two, OTHER))
    house.exchange.bridge("leg-0", "leg-1")
    spoken(house, 4000, one, FAR, said(one, 60))
    packets = house.out(4002)
    assert {b.timestamp - a.timestamp & 0xFFFFFFFF for a, b in pairwise(packets)} == {step}
    back = transcoder(two, "PCMU")
    listening = ears.Recogniser(ears.Knowledge(["signature:101"]))
    for packet in packets:
        listening.feed(packet.payload if back is None else back(packet.payload))
    assert listening.heard == "signature:101"


def test_sounds_of_ours_and_keys_go_by_its_clock(tmp_path):
    house = House(tmp_path, far(OPUS, FAR))
    house.exchange.play("leg-0", Tone("busy"), "")
    for beat in range(10):
        house.exchange.beat(4000, 1.0 + beat * 0.02)
    house.exchange.send_digits("leg-0", "5")
    for beat in range(10, 20):
        house.exchange.beat(4000, 1.0 + beat * 0.02)
    packets = house.out(4000)
    sound = [packet for packet in packets if packet.payload_type == 111][:10]
    assert {b.timestamp - a.timestamp & 0xFFFFFFFF for a, b in pairwise(sound)} == {960}
    keys = [packet.payload for packet in packets if packet.payload_type == 110]
    assert [int.from_bytes(payload[2:4], "big") for payload in keys[:5]] == [960, 1920, 2880, 3840, 4800]


def test_a_key_that_crosses_has_its_duration_by_the_other_s_clock(tmp_path):
    house = House(tmp_path, far(OPUS, FAR), far("PCMU", OTHER))
    house.exchange.bridge("leg-0", "leg-1")
    stream = Stream(77, 100, 1000)
    stream.ticks = 6
    for number, (first, payload) in enumerate(telephone_event.packets("7")):
        now = 1.0 + number * 0.02
        wide = telephone_event.rescaled(payload, 6, 1)
        house.exchange.receive(4000, stream.event(110, wide, now, first=first), FAR, now)
    durations = [int.from_bytes(packet.payload[2:4], "big") for packet in house.out(4002)]
    assert durations[:5] == [160, 320, 480, 640, 800]
    assert [event.digit for event in house.told if hasattr(event, "digit")] == ["7"]


def test_a_recording_of_who_speaks_it_is_what_was_said(tmp_path):
    house = House(tmp_path, far(OPUS, FAR))
    house.exchange.record("leg-0", "message", 1.0, max_s=10, silence_s=5, end_keys="#")
    payloads = said(OPUS, 100)
    stream = Stream(77, 100, 1000)
    stream.ticks = 6
    for number, payload in enumerate(payloads):
        now = 1.0 + number * 0.02
        house.exchange.receive(4000, stream.own(111, payload, now), FAR, now)
        house.exchange.beat(4000, now + 0.01)
    house.exchange.stop_record("leg-0", 3.2)
    finished = [event for event in house.told if hasattr(event, "recording")]
    assert [(event.heard, round(event.seconds)) for event in finished] == [("signature:101", 2)]
    assert g711.decode((tmp_path / "message.wav").read_bytes()[44:], "PCMU").any()
