"""The worker's legs without sockets: packets in, packets and events out."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.media import ears, g711, rtcp, rtp, sounds_made, telephone_event, wav
from pbx.media.engine import (
    Closed,
    DigitPressed,
    FarEndReported,
    FlowChanged,
    Heard,
    MediaEvent,
    PlayFinished,
    Prompts,
    Recording,
    RecordingFinished,
    RemoteMedia,
    Signature,
    SourceLatched,
    StrangerIgnored,
    Tone,
)
from pbx.media.exchange import Exchange
from tests.media.archives import keep_at_once

NEAR, FAR = 4000, 5000
FAR_END = ("192.0.2.1", 6000)
OTHER_END = ("192.0.2.2", 7000)
KNOWLEDGE = ears.Knowledge(["prompt:goodbye", "tone:busy", "signature:101", "signature:102"])


class Bench:
    """An exchange with two legs: `near` speaks µ-law, `far` A-law and another number for keys."""

    def __init__(self, recordings: Path) -> None:
        self.sent: list[tuple[int, rtp.Packet, tuple[str, int]]] = []
        self.controls: list[tuple[int, bytes, tuple[str, int]]] = []
        self.said: list[MediaEvent] = []
        self.woken: list[int] = []
        self.sequence = 0
        self.now = 100.0
        self.exchange = Exchange(
            self._send, self.said.append, recordings, keep_at_once, KNOWLEDGE, lambda bits: (1 << bits) - 2,
            self.woken.append,
        )  # fmt: skip
        self.exchange.open("near", NEAR, self.now)
        self.exchange.open("far", FAR, self.now)
        self.exchange.connect("near", RemoteMedia(*FAR_END, "PCMU", 0, 101, "sendrecv"), self.now)
        self.exchange.connect("far", RemoteMedia(*OTHER_END, "PCMA", 8, 96, "sendrecv"), self.now)

    def _send(self, port: int, data: bytes, to: tuple[str, int]) -> None:
        if rtcp.is_control(data):
            self.controls.append((port, data, to))
            return
        packet = rtp.read(data)
        assert packet is not None
        self.sent.append((port, packet, to))

    def arrives(
        self, payload: bytes, sequence: int, *, kind: int = 0, ssrc: int = 7, timestamp: int | None = None,
        source: tuple[str, int] = FAR_END, port: int = NEAR,
    ) -> None:  # fmt: skip
        at = sequence * 160 if timestamp is None else timestamp
        self.exchange.receive(port, rtp.pack(kind, sequence, at, ssrc, payload), source, self.now)

    def beats(self, count: int, port: int = NEAR) -> None:
        for _ in range(count):
            self.now += 0.02
            self.exchange.beat(port, self.now)

    def key(self, digit: str, sequence: int, timestamp: int) -> None:
        for at, (_, payload) in enumerate(telephone_event.packets(digit)):
            self.arrives(payload, sequence + at, kind=101, timestamp=timestamp)

    def closed(self, leg: str) -> Closed:
        self.exchange.close(leg, self.now)
        last = self.said[-1]
        assert isinstance(last, Closed)
        return last


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


VOICE = sounds_made.signature_frames("101")


def test_sequence_and_timestamp_go_on_across_the_wrap_whatever_plays(bench: Bench) -> None:
    bench.exchange.play("near", Signature("101"), "")
    bench.beats(3)
    bench.exchange.play("near", Tone("busy"), "")
    bench.beats(2)
    packets = [packet for _, packet, _ in bench.sent]
    assert [packet.sequence for packet in packets] == [65534, 65535, 0, 1, 2]
    assert {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(packets)} == {160}
    assert [packet.marker for packet in packets] == [True, False, False, True, False]
    assert len({packet.ssrc for packet in packets}) == 1


def test_a_pause_shows_in_the_timestamps(bench: Bench) -> None:
    bench.exchange.play("near", Signature("101"), "")
    bench.beats(1)
    bench.exchange.stop("near")
    bench.beats(49)
    bench.exchange.play("near", Signature("101"), "")
    bench.beats(1)
    first, second = (packet for _, packet, _ in bench.sent)
    assert (second.timestamp - first.timestamp) & 0xFFFFFFFF == 50 * 160
    assert second.sequence == (first.sequence + 1) & 0xFFFF


def test_a_prompt_ends_once_and_a_repeated_one_never(bench: Bench) -> None:
    frames = len(ears.frames_of("prompt:goodbye"))
    bench.exchange.play("near", Prompts(("goodbye",)), "t")
    bench.beats(frames + 5)
    assert bench.said == [PlayFinished("near", "t")]
    assert len(bench.sent) == frames
    bench.exchange.play("near", Prompts(("goodbye",), repeat=True), "for ever")
    bench.beats(3 * frames)
    assert PlayFinished("near", "for ever") not in bench.said


def test_relayed_packets_keep_their_gaps_and_change_their_law(bench: Bench) -> None:
    bench.exchange.bridge("near", "far")
    for sequence in (10, 11, 14, 13):
        bench.arrives(VOICE[sequence], sequence)
    out = [packet for port, packet, to in bench.sent if port == FAR and to == OTHER_END]
    steps = [(packet.sequence - out[0].sequence) & 0xFFFF for packet in out]
    assert steps == [0, 1, 4, 3]
    assert [(packet.timestamp - out[0].timestamp) & 0xFFFFFFFF for packet in out] == [160 * step for step in steps]
    assert {packet.payload_type for packet in out} == {8}
    assert out[0].payload != VOICE[10]
    assert out[0].ssrc != 7


def test_a_new_speaker_goes_on_where_the_old_one_stopped(bench: Bench) -> None:
    bench.exchange.bridge("near", "far")
    bench.arrives(VOICE[0], 1000)
    bench.now += 0.02
    bench.arrives(VOICE[1], 42, ssrc=8, timestamp=99)
    first, second = (packet for _, packet, _ in bench.sent)
    assert second.sequence == (first.sequence + 1) & 0xFFFF
    assert (second.timestamp - first.timestamp) & 0xFFFFFFFF == 160
    assert second.marker


def test_what_plays_covers_the_relay(bench: Bench) -> None:
    bench.exchange.bridge("near", "far")
    bench.exchange.play("far", Tone("busy"), "")
    bench.arrives(VOICE[0], 1)
    assert bench.sent == []
    bench.exchange.stop("far")
    bench.arrives(VOICE[1], 2)
    bench.exchange.unbridge("far", "near")
    bench.arrives(VOICE[2], 3)
    assert len(bench.sent) == 1


def test_relayed_keys_get_the_other_sides_payload_type_and_count_once(bench: Bench) -> None:
    bench.exchange.bridge("near", "far")
    bench.key("5", 1, 160)
    bench.key("5", 9, 1600)
    assert [event for event in bench.said if isinstance(event, DigitPressed)] == [DigitPressed("near", "5")] * 2
    assert {packet.payload_type for _, packet, _ in bench.sent} == {96}
    assert len(bench.sent) == 16


def test_a_key_that_lost_its_end_still_counts(bench: Bench) -> None:
    bench.arrives(bytes((3, 10, 0, 160)), 1, kind=101, timestamp=5)
    bench.beats(10)
    assert bench.said[-1] == DigitPressed("near", "3")


def test_keys_are_sent_60_ms_apart_and_silence_our_sound(bench: Bench) -> None:
    bench.exchange.play("near", Signature("101"), "")
    bench.exchange.send_digits("near", "1#x")
    bench.beats(20)
    kinds = [packet.payload_type for _, packet, _ in bench.sent]
    assert kinds == [101] * 8 + [0] * 3 + [101] * 8 + [0]
    events = [packet for _, packet, _ in bench.sent if packet.payload_type == 101]
    assert [packet.payload[0] for packet in events] == [1] * 8 + [11] * 8
    assert len({packet.timestamp for packet in events}) == 2
    assert (bench.sent[19][1].timestamp - events[8].timestamp) & 0xFFFFFFFF == 8 * 160


def test_without_telephone_events_keys_are_heard_as_tones(bench: Bench) -> None:
    time = np.arange(800) / 8000
    wave = (np.sin(2 * np.pi * 852 * time) + np.sin(2 * np.pi * 1336 * time)) * 6000
    sound = g711.encode(wave.astype(np.int16), "PCMU")
    frames = [sound[at : at + 160] for at in range(0, 800, 160)]
    for sequence, frame in enumerate(frames):
        bench.arrives(frame, sequence)
    bench.exchange.connect("near", RemoteMedia(*FAR_END, "PCMU", 0, None, "sendrecv"), bench.now)
    for sequence, frame in enumerate(frames, start=100):
        bench.arrives(frame, sequence)
    assert [event for event in bench.said if isinstance(event, DigitPressed)] == [DigitPressed("near", "8", "inband")]


def test_without_telephone_events_no_key_is_sent(bench: Bench) -> None:
    bench.exchange.connect("near", RemoteMedia(*FAR_END, "PCMU", 0, None, "sendrecv"), bench.now)
    bench.exchange.send_digits("near", "12")
    bench.beats(20)
    assert bench.sent == []


@pytest.mark.parametrize(
    ("direction", "sends", "receives"), [("recvonly", 0, 1), ("sendonly", 1, 0), ("inactive", 0, 0)]
)
def test_a_direction_stops_what_it_forbids(bench: Bench, direction: str, sends: int, receives: int) -> None:
    bench.exchange.connect("near", RemoteMedia(*FAR_END, "PCMU", 0, 101, direction), bench.now)
    bench.exchange.play("near", Signature("101"), "")
    bench.beats(1)
    bench.arrives(VOICE[0], 1)
    assert len(bench.sent) == sends
    assert bench.closed("near").statistics.received == receives


BEHIND_NAT = RemoteMedia("192.168.1.20", 11780, "PCMU", 0, 101, "sendrecv", signalled="198.51.100.9")


def test_behind_a_nat_packets_go_where_they_come_from(bench: Bench) -> None:
    bench.exchange.connect("near", BEHIND_NAT, bench.now)
    for sequence in range(4):
        bench.arrives(VOICE[0], sequence, source=("198.51.100.9", 9999))
    bench.exchange.play("near", Signature("101"), "")
    bench.beats(1)
    assert bench.said == [SourceLatched("near", "198.51.100.9", 9999, "PCMU")]
    assert bench.sent[-1][2] == ("198.51.100.9", 9999)


def test_a_stranger_is_neither_heard_nor_sent_anything(bench: Bench) -> None:
    bench.exchange.bridge("near", "far")
    bench.arrives(VOICE[0], 1)
    for sequence in range(300):
        bench.arrives(VOICE[0], sequence, source=("203.0.113.1", 1))
        bench.arrives(VOICE[1], sequence, source=(FAR_END[0], FAR_END[1] + 2), ssrc=8)
    bench.exchange.play("near", Signature("101"), "")
    bench.beats(3)
    assert [to for port, _, to in bench.sent if port == NEAR] == [FAR_END] * 3
    assert len([port for port, _, _ in bench.sent if port == FAR]) == 1
    assert [event for event in bench.said if isinstance(event, StrangerIgnored)] == [
        StrangerIgnored("near", "203.0.113.1", 1)
    ]
    assert bench.closed("near").statistics.strangers == 600


def test_what_arrives_is_told_apart(bench: Bench) -> None:
    def passes(seconds: float, **how: Any) -> list[str]:
        """Half a second of packets and a look, again and again; return what was told."""
        bench.said.clear()
        for _ in range(int(seconds / 0.5)):
            for _ in range(25 if how else 0):
                bench.sequence += 1
                bench.arrives(sequence=bench.sequence, **how)
            bench.now += 0.5
            bench.exchange.look(bench.now)
        return [event.flow for event in bench.said if isinstance(event, FlowChanged) and event.leg == "near"]

    assert passes(2.5) == ["nothing"]
    assert passes(1, payload=VOICE[0]) == ["flowing"]
    assert passes(6, payload=ears.SILENT_FRAME) == ["silence"]
    assert passes(1, payload=VOICE[0], kind=18) == ["wrong-codec"]
    assert bench.said[-1].detail == "payload type 18 instead of PCMU (0) from 192.0.2.1:6000"
    assert passes(1, payload=VOICE[0], source=OTHER_END) == ["wrong-source"]
    assert bench.said[-1].detail == "from 192.0.2.2:7000 instead of PCMU (0) from 192.0.2.1:6000"
    assert passes(1, payload=VOICE[0]) == ["flowing"]
    assert bench.closed("near").statistics.misfits == 50


def test_reports_of_both_ends_measure_loss_and_the_way_there_and_back(bench: Bench) -> None:
    bench.exchange.play("near", Signature("101"), "")
    bench.beats(3)
    for sequence in (1, 2, 4):
        bench.arrives(VOICE[0], sequence)
    bench.now += 8
    bench.exchange.look(bench.now)
    ((port, data, to),) = bench.controls
    assert (port, to) == (NEAR + 1, (FAR_END[0], FAR_END[1] + 1))
    report, names, extended = rtcp.read(data) or ()
    assert (report.packets, report.octets) == (3, 480)
    assert (report.blocks[0].ssrc, report.blocks[0].lost, report.blocks[0].fraction) == (7, 1, 0.25)
    assert len(names.cnames[0][1]) == 24
    assert extended.metrics[0].mos_listening < 4
    # The far end answers 100 ms later: half of that on the way, as it says.
    bench.now += 0.1
    block = rtcp.Block(report.ssrc, 0.5, 9, 1, 80, rtcp.middle(report.ntp), 65536 // 20)
    answer = rtcp.pack([rtcp.Report(7, (block,))])
    bench.exchange.receive_control(NEAR + 1, answer, ("203.0.113.1", FAR_END[1] + 1), bench.now)
    assert not [event for event in bench.said if isinstance(event, FarEndReported)], "a stranger's word"
    bench.exchange.receive_control(NEAR + 1, answer, (FAR_END[0], FAR_END[1] + 1), bench.now)
    told = bench.said[-1]
    assert isinstance(told, FarEndReported)
    assert (told.lost, told.jitter_ms) == (0.5, 10.0)
    assert told.round_trip_ms == pytest.approx(50, abs=0.2)
    assert told.mos < 2
    assert bench.closed("near").statistics.round_trip_ms == told.round_trip_ms
    assert isinstance((rtcp.read(bench.controls[-1][1]) or ())[-1], rtcp.Goodbye)


def test_media_and_reports_share_a_port_where_that_was_agreed(bench: Bench) -> None:
    shared = RemoteMedia(*FAR_END, "PCMU", 0, 101, "sendrecv", rtcp_mux=True)
    bench.exchange.connect("near", shared, bench.now)
    bench.arrives(VOICE[0], 1)
    bench.exchange.play("near", Signature("101"), "")
    bench.beats(1)
    bench.now += 8
    bench.exchange.look(bench.now)
    ((port, data, to),) = bench.controls
    assert (port, to) == (NEAR, FAR_END)
    report = (rtcp.read(data) or ())[0]
    block = rtcp.Block(report.ssrc, 0.0, 0, 1, 0, rtcp.middle(report.ntp), 0)
    bench.exchange.receive(NEAR, rtcp.pack([rtcp.Report(7, (block,))]), FAR_END, bench.now)
    assert isinstance(bench.said[-1], FarEndReported)
    assert bench.closed("near").statistics.rubbish == 0


def test_ears_say_each_change_once(bench: Bench) -> None:
    bench.exchange.listen("near")
    frames = [*VOICE[:3], *[ears.SILENT_FRAME] * 25, *ears.frames_of("tone:busy")[:40], *VOICE[3:5]]
    for sequence, frame in enumerate(frames):
        bench.arrives(frame, sequence)
    heard = [event.sound for event in bench.said if isinstance(event, Heard)]
    assert heard == ["signature:101", "silence", "tone:busy", "signature:101"]
    bench.exchange.listen("near")
    assert bench.said[-1] == Heard("near", "signature:101")


def test_a_recording_is_laid_down_by_timestamp_and_what_is_lost_is_concealed(bench: Bench, tmp_path: Path) -> None:
    bench.exchange.record("near", "vm-1", bench.now, max_s=10, silence_s=1, end_keys="#")
    for arriving in ((0,), (1,), (), (), (4, 3)):  # the third is lost, two change places
        for sequence in arriving:
            bench.arrives(VOICE[sequence], sequence)
        bench.beats(1)
    for sequence in range(5, 9):
        bench.arrives(ears.SILENT_FRAME, sequence)
        bench.beats(1)
    bench.beats(61)
    assert RecordingFinished("near", "vm-1", 0.1, "silence", "signature:101") in bench.said
    kept = wav.read_wav(tmp_path / "vm-1.wav")
    first, second, lost, fourth, fifth = (kept[at : at + 160] for at in range(0, 800, 160))
    assert (first, second, fifth) == (VOICE[0], VOICE[1], VOICE[4])
    assert not ears.is_silence(lost)
    assert fourth[80:] == VOICE[3][80:]
    bench.exchange.play("far", Recording("vm-1"), "played")
    bench.beats(6, FAR)
    assert bench.said[-1] == PlayFinished("far", "played")
    assert len([port for port, _, _ in bench.sent if port == FAR]) == 5


@pytest.mark.parametrize("how", ["limit", "key", "stopped", "hangup"])
def test_a_recording_says_why_it_ended(bench: Bench, how: str) -> None:
    bench.exchange.record("near", "vm-2", bench.now, max_s=0.5, silence_s=9, end_keys="*")
    bench.arrives(VOICE[0], 1)
    match how:
        case "limit":
            bench.beats(26)
        case "key":
            bench.key("*", 2, 320)
        case "stopped":
            bench.exchange.stop_record("near", bench.now)
        case "hangup":
            bench.exchange.close("near", bench.now)
    (done,) = (event for event in bench.said if isinstance(event, RecordingFinished))
    assert (done.reason, done.seconds, done.heard) == (how, 0.02, "signature:101")


def test_no_recording_leaves_its_folder(bench: Bench, tmp_path: Path) -> None:
    bench.exchange.record("near", "../escaped", bench.now, max_s=5, silence_s=5, end_keys="")
    bench.arrives(VOICE[0], 1)
    bench.exchange.stop_record("near", bench.now)
    assert RecordingFinished("near", "../escaped", 0.0, "stopped", "silence", "not a name for a file") in bench.said
    assert not (tmp_path.parent / "escaped.wav").exists()
    bench.exchange.play("near", Recording("../escaped"), "nothing")
    bench.beats(1)
    assert bench.said[-1] == PlayFinished("near", "nothing")


def test_figures_tell_loss_over_every_source(bench: Bench) -> None:
    for sequence in (1, 2, 4):
        bench.arrives(VOICE[0], sequence)
    for sequence in (900, 903):
        bench.arrives(VOICE[0], sequence, ssrc=8)
    bench.now += 2
    figures = bench.closed("near").statistics
    assert (figures.received, figures.lost, figures.seconds) == (5, 3, 2.0)
    assert 1 < figures.mos < 3


def test_closing_a_bridged_leg_frees_the_other(bench: Bench) -> None:
    bench.exchange.bridge("near", "far")
    bench.exchange.close("far", bench.now)
    bench.exchange.close("far", bench.now)
    bench.arrives(VOICE[0], 1)
    assert bench.exchange.live() == 1
    assert bench.sent == []


@given(data=st.binary(max_size=1500), source=st.sampled_from([FAR_END, OTHER_END, ("203.0.113.7", 7)]))
def test_no_datagram_breaks_an_exchange(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, source: tuple[str, int]
) -> None:
    bench = Bench(tmp_path_factory.getbasetemp())
    bench.exchange.bridge("near", "far")
    bench.exchange.listen("near")
    bench.exchange.receive(NEAR, data, source, bench.now)
    bench.exchange.receive(NEAR, b"\x80\x00" + data, source, bench.now)
    bench.exchange.receive(NEAR, b"\x80\x65" + data, source, bench.now)
    bench.exchange.receive(1, data, source, bench.now)
    assert bench.exchange.live() == 2


def meeting(bench: Bench) -> int:
    """Let both legs meet in a room; return what it is woken by."""
    bench.exchange.connect("far", RemoteMedia(*OTHER_END, "PCMU", 0, 101, "sendrecv"), bench.now)
    for name in ("near", "far"):
        bench.exchange.join(name, "room")
    (room,) = [key for key in bench.woken if key < 0]
    return room


def test_a_room_beats_while_somebody_is_in_it_and_never_after(bench: Bench) -> None:
    exchange, room = bench.exchange, meeting(bench)
    assert exchange.beat(room, bench.now)
    assert exchange.beat(NEAR, bench.now)
    exchange.leave("near")
    exchange.close("far", bench.now)
    assert not exchange.beat(room, bench.now)
    assert not exchange.beat(NEAR, bench.now)
    exchange.announce("room", Tone("beep"))
    exchange.announce("room", Tone("of the spheres"))
    exchange.join("near", "room")
    assert not exchange.beat(room, bench.now), "a room of that name is another one"


def test_a_party_on_hold_and_one_whose_keys_are_sent_keep_their_place_in_the_room(bench: Bench) -> None:
    room = meeting(bench)

    def goes_on(count: int) -> list[rtp.Packet]:
        bench.sent.clear()
        for _ in range(count):
            bench.sequence += 1
            bench.arrives(VOICE[bench.sequence % 50], bench.sequence)
            bench.exchange.beat(room, bench.now)
            bench.beats(1, FAR)
        return [packet for port, packet, _ in bench.sent if port == FAR]

    assert goes_on(20)[-1].payload in VOICE
    bench.exchange.send_digits("far", "5")
    assert {packet.payload_type for packet in goes_on(12)} == {0, 101}
    bench.exchange.connect("far", RemoteMedia(*OTHER_END, "PCMU", 0, 101, "recvonly"), bench.now)
    assert goes_on(5) == []
    bench.exchange.connect("far", RemoteMedia(*OTHER_END, "PCMU", 0, 101, "sendrecv"), bench.now)
    assert goes_on(5)[-1].payload in VOICE
