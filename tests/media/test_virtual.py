"""What only the virtual engine has: segments, a lossy wire, and few enough events for a plan of 45 calls."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.media.engine import (
    Closed,
    FarEndReported,
    FlowChanged,
    Heard,
    NoMediaPort,
    PlayFinished,
    Prompts,
    RecordingFinished,
    RemoteMedia,
    Signature,
    SourceLatched,
    Tone,
)
from pbx.media.ports import QUARANTINE_S
from pbx.media.segment import Segment, unpack
from pbx.media.virtual import FIRST_PORT, LAST_PORT, VirtualEngine
from tests.media.two_engines import Call, VirtualRoom

SOURCE = ("10.0.0.0", 16_384)


def talking(deliver=lambda data: True, **engine) -> Call:
    call = Call(VirtualRoom(2, deliver, **engine), 0, 1, "call")
    call.engines[0].play(call.legs[0], Signature("101"))
    call.engines[1].play(call.legs[1], Signature("102"))
    return call


async def figures(call: Call, end: int):
    call.close()
    return (await call.tells(end, Closed)).statistics


@given(
    st.builds(
        Segment,
        source=st.integers(0, 0xFFFFFFFF),
        sequence=st.integers(0, 1 << 20),
        payload_type=st.integers(0, 127),
        label=st.from_regex(r"[a-z]{0,10}(:[a-zA-Z0-9+-]{1,20})?", fullmatch=True),
        first=st.integers(0, 1 << 20),
        last=st.integers(0, 1 << 20),
        digit=st.sampled_from(["", "1", "#"]),
        event=st.integers(0, 1 << 52),
        sent_us=st.integers(0, 1 << 40),
        sealed=st.sampled_from(["", "0123456789ab"]),
        fax=st.text(max_size=20),
        again_s=st.integers(0, 60_000).map(lambda ms: ms / 1000),
        reported=st.integers(0, 0xFFFFFFFF),
        expected=st.integers(0, 1 << 20),
        arrived=st.integers(0, 1 << 20),
        jitter_us=st.integers(0, 1 << 20),
    )
)
def test_a_segment_reads_as_it_was_packed(segment):
    assert unpack(segment.pack()) == segment


@given(st.binary(max_size=80) | st.text().map(lambda text: f"VM1\t{text}".encode()))
def test_whatever_hits_a_port_harms_nothing(data):
    engine = VirtualEngine("10.0.0.1", lambda *_: None, lambda name: 1.0)
    address = engine.open("a")
    engine.receive(data, SOURCE, address.port, 0.0)
    engine.receive(data, SOURCE, address.port + 2, 0.0)
    engine.connect("a", RemoteMedia(*SOURCE, "PCMU", 0, 101, "sendrecv"))
    engine.receive(data, SOURCE, address.port, 1.0)
    assert not [event for event in engine.take_events() if isinstance(event, Heard)]


async def test_a_minute_of_talk_costs_two_segments_a_second_each_way():
    call = talking()
    await call.room.wait(60)
    assert call.room.datagrams < 2 * 60 * 2 + 20
    assert (call.heard(0), call.heard(1)) == (["signature:102"], ["signature:101"])
    assert (await figures(call, 1)).received == pytest.approx(3000, abs=30)


async def test_where_days_are_to_be_cheap_ten_minutes_of_talk_cost_few_segments_and_nothing_is_missed():
    call = talking(longest_beat_s=30.0)
    await call.room.wait(600)
    assert call.room.datagrams < 80
    assert [event.flow for event in call.told(1, FlowChanged)] == ["flowing"]
    call.engines[0].play(call.legs[0], Tone("busy"))
    assert await call.hears(1, "tone:busy")
    call.engines[0].stop(call.legs[0])
    assert await call.room.wait(6, lambda: call.last(1, FlowChanged).flow == "nothing")
    assert (await figures(call, 0)).received == pytest.approx(30_000, abs=400)


async def test_where_days_are_to_be_cheap_a_far_end_gone_without_a_word_is_missed_when_its_next_segment_is():
    gone = []
    call = talking(lambda data: not gone, longest_beat_s=8.0)
    await call.room.wait(100)
    gone.append(True)
    assert await call.room.wait(8 + 4, lambda: call.last(1, FlowChanged).flow == "nothing")


async def test_on_a_steady_wire_a_minute_of_talk_costs_its_reports_and_every_packet_is_counted():
    call = talking(is_steady=lambda: True)
    await call.room.wait(57.3)
    assert call.room.datagrams < 2 * 13
    told = await figures(call, 1)
    assert (told.received, told.sent, told.lost) == (pytest.approx(2865, abs=3), pytest.approx(2865, abs=3), 0)


async def test_when_a_steady_wire_is_no_longer_what_fails_is_noticed_as_soon_as_ever():
    fate = {"steady": True, "cut": False}
    call = talking(lambda data: not fate["cut"], is_steady=lambda: fate["steady"])
    await call.room.wait(6)
    for engine in call.engines:
        engine.hasten()
    fate["steady"] = False
    await call.room.wait(3)
    assert [event.flow for event in call.told(1, FlowChanged)] == ["flowing"]
    fate["cut"] = True
    assert await call.room.wait(3.5, lambda: call.last(1, FlowChanged).flow == "nothing")


async def test_what_goes_on_is_heard_at_once_by_who_settles_anew():
    call = talking(is_steady=lambda: True)
    await call.room.wait(1.2)
    call.negotiate()
    await call.room.wait(0.1)
    assert (call.heard(0)[-1], call.heard(1)[-1]) == ("signature:102", "signature:101")
    await call.room.wait(60)
    assert {event.flow for event in call.told(1, FlowChanged)} == {"flowing"}


async def test_a_voice_that_goes_on_is_no_silence_in_a_recording():
    call = talking(is_steady=lambda: True)
    await call.room.wait(1)
    call.engines[1].record(call.legs[1], "note", max_s=60, silence_s=2)
    await call.room.wait(9)
    call.engines[0].stop(call.legs[0])
    finished = await call.tells(1, RecordingFinished, within_s=4)
    assert (finished.reason, finished.seconds, finished.heard) == (
        "silence", pytest.approx(9, abs=0.1), "signature:101"
    )  # fmt: skip


async def test_of_who_is_no_more_nothing_comes_although_it_was_to_go_on():
    call = talking(is_steady=lambda: True)
    await call.room.wait(1.2)
    call.engines[0].die()
    assert await call.room.wait(3.5, lambda: call.last(1, FlowChanged).flow == "nothing")


async def test_loss_on_the_wire_shows_in_the_figures_and_in_the_estimate():
    chance = Random(7)
    call = talking(lambda data: chance.random() >= 0.1)
    await call.room.wait(120)
    told = await figures(call, 1)
    ratio = told.lost / (told.received + told.lost)
    assert 0.04 < ratio < 0.17
    assert 1.0 < told.mos < 3.3


async def test_each_end_says_every_five_seconds_how_it_receives_the_other():
    chance, lossy = Random(7), []
    call = talking(lambda data: not (lossy and b"signature:101" in data) or chance.random() >= 0.2)
    await call.room.wait(2.6)
    lossy.append(True)
    await call.room.wait(60)
    by_the_second, by_the_first = call.told(0, FarEndReported), call.told(1, FarEndReported)
    assert (len(by_the_second), len(by_the_first)) == (pytest.approx(12, abs=2), pytest.approx(12, abs=3))
    assert by_the_second[0].lost == 0
    assert 0.1 < sum(told.lost for told in by_the_second[1:]) / len(by_the_second[1:]) < 0.3
    assert [told.lost for told in by_the_first] == [0.0] * len(by_the_first)
    assert all(told.round_trip_ms == pytest.approx(10, abs=0.1) for told in by_the_first)
    assert (by_the_second[0].mos > 4.3, min(told.mos for told in by_the_second) < 3) == (True, True)
    assert (await figures(call, 0)).far_lost == by_the_second[-1].lost


async def test_one_way_audio_shows():
    call = talking(lambda data: b"signature:102" not in data)
    assert not await call.hears(0, "signature:102")
    assert call.heard(1) == ["signature:101"]
    call.close()
    mute = (await call.tells(0, Closed)).statistics
    heard = (await call.tells(1, Closed)).statistics
    assert (mute.received, mute.mos) == (0, 1.0)
    assert heard.received > 100


async def test_a_change_lost_on_the_wire_is_heard_with_the_next_beat():
    lossy = {"on": False}
    call = talking(lambda data: not lossy["on"])
    await call.room.wait(1.1)
    lossy["on"] = True
    call.engines[0].play(call.legs[0], Tone("busy"))
    await call.room.wait(0.1)
    lossy["on"] = False
    assert await call.hears(1, "tone:busy", within_s=0.6)


async def test_a_key_survives_the_loss_of_two_of_its_three_copies():
    seen = []

    def third_only(data: bytes) -> bool:
        segment = unpack(data)
        if segment is None or not segment.digit:
            return True
        seen.append(segment.event)
        return seen.count(segment.event) == 3

    call = talking(third_only)
    call.engines[0].send_digits(call.legs[0], "11")
    await call.room.wait(1)
    assert call.keys(1) == "11"


async def test_a_stranger_is_not_heard_once_the_far_end_is_latched():
    call = talking()
    assert await call.hears(1, "signature:101")
    stranger = Segment(99, 1, 0, "signature:999", 0, 10)
    call.room.inject(1, stranger.pack(), ("10.0.0.99", 16_384), call.last(0, SourceLatched).port)
    await call.room.wait(0.2)
    assert call.heard(1) == ["signature:101"]


async def test_another_codec_than_the_one_settled_is_not_heard():
    room = VirtualRoom(2)
    address = room.engines[1].open("a")
    room.engines[1].listen("a")
    room.engines[1].connect("a", RemoteMedia(*SOURCE, "PCMU", 0, 101, "sendrecv"))
    room.inject(1, Segment(5, 1, 8, "signature:101", 0, 10).pack(), SOURCE, address.port)
    await room.wait(1.5)
    latched, flow = room.events[1]
    assert isinstance(latched, SourceLatched)
    assert flow == FlowChanged("a", "wrong-codec", "payload type 8 instead of PCMU (0) from 10.0.0.0:16384")


async def test_audio_before_the_answer_is_heard_once_the_answer_is_known():
    room = VirtualRoom(2)
    address = room.engines[1].open("a")
    room.engines[1].listen("a")
    room.inject(1, Segment(5, 1, 0, "signature:101", 0, 10).pack(), SOURCE, address.port)
    await room.wait(0.1)
    assert room.events[1] == []
    room.engines[1].connect("a", RemoteMedia(*SOURCE, "PCMU", 0, 101, "sendrecv"))
    await room.wait(0.1)
    assert [event.sound for event in room.events[1] if isinstance(event, Heard)] == ["signature:101"]


async def test_late_and_doubled_segments_count_once():
    room = VirtualRoom(2)
    address = room.engines[1].open("a")
    room.engines[1].connect("a", RemoteMedia(*SOURCE, "PCMU", 0, 101, "sendrecv"))
    for sequence in (1, 3, 3, 2):
        segment = Segment(5, sequence, 0, "signature:101", (sequence - 1) * 25, sequence * 25)
        room.inject(1, segment.pack(), SOURCE, address.port)
    room.engines[1].close("a")
    await room.wait(0)
    told = next(event for event in room.events[1] if isinstance(event, Closed)).statistics
    assert (told.received, told.lost) == (50, 25)


def test_when_every_port_is_taken_there_is_none_until_one_is_given_back():
    engine = VirtualEngine("10.0.0.1", lambda *_: None, lambda name: 1.0)
    ports = [engine.open(f"leg-{at}").port for at in range((LAST_PORT - FIRST_PORT) // 2)]
    assert len(set(ports)) == len(ports)
    assert all(port % 2 == 0 for port in ports)
    engine.open("last")
    with pytest.raises(NoMediaPort):
        engine.open("too-many")
    engine.close("leg-7")
    with pytest.raises(NoMediaPort, match="rest"):
        engine.open("too-soon")
    engine.at(QUARANTINE_S)
    assert engine.open("again").port == ports[7]


async def test_what_a_leg_hears_already_is_told_when_it_begins_to_listen():
    room = VirtualRoom(2)
    address = room.engines[1].open("a")
    room.engines[1].connect("a", RemoteMedia(*SOURCE, "PCMU", 0, 101, "sendrecv"))
    room.inject(1, Segment(5, 1, 0, "moh:default", 0, 10).pack(), SOURCE, address.port)
    await room.wait(0)
    room.engines[1].listen("a")
    await room.wait(0)
    assert room.events[1][-1] == Heard("a", "moh:default")


async def test_prompts_take_as_long_as_the_shipped_files():
    call = Call(VirtualRoom(2), 0, 1, "call")
    call.engines[0].play(call.legs[0], Prompts(("digit-1", "digit-2")), "said")
    assert not await call.room.wait(0.9, lambda: False)
    assert call.last(0, PlayFinished) is None
    await call.room.wait(0.1)
    assert call.last(0, PlayFinished).token == "said"
