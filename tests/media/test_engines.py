"""What every engine promises, asked of the virtual and the real one alike: two of them talk to each other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count

import pytest
import pytest_asyncio

from pbx.media.engine import (
    Closed,
    FlowChanged,
    Heard,
    MediaAddress,
    Music,
    PlayFinished,
    Prompts,
    Recording,
    RecordingFinished,
    RemoteMedia,
    Signature,
    Silence,
    SoundMissing,
    SourceLatched,
    Tone,
    ToneRecognised,
)
from pbx.media.sdp import SUITES
from tests.media.two_engines import Call, RealRoom, Room, VirtualRoom

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.no_cover,  # what runs here is covered elsewhere; measuring doubles the time
]
_NUMBERS = count(1)


@pytest_asyncio.fixture(
    params=["virtual", pytest.param("real", marks=pytest.mark.realtime)], scope="module", loop_scope="module"
)
async def room(request, tmp_path_factory) -> AsyncIterator[Room]:
    if request.param == "virtual":
        yield VirtualRoom()
        return
    real = RealRoom(tmp_path_factory.mktemp("recordings"))
    await real.start()
    yield real
    await real.close()


@pytest_asyncio.fixture(loop_scope="module")
async def call(room: Room) -> AsyncIterator[Call]:
    made = Call(room, 0, 1, f"call-{next(_NUMBERS)}")
    yield made
    made.close()


async def test_both_ends_hear_the_other_s_signature(call: Call):
    call.engines[0].play(call.legs[0], Signature("101"))
    call.engines[1].play(call.legs[1], Signature("102"))
    assert await call.hears(1, "signature:101")
    assert await call.hears(0, "signature:102")
    latched = call.last(0, SourceLatched)
    assert (latched.codec, latched.port % 2) == ("PCMU", 0)


async def test_a_signature_is_heard_over_alaw_too(room: Room):
    call = Call(room, 0, 1, "alaw", codecs=("PCMA",))
    call.engines[0].play(call.legs[0], Signature("101"))
    assert await call.hears(1, "signature:101")
    assert call.last(1, SourceLatched).codec == "PCMA"
    call.close()


async def test_a_signature_is_heard_over_g722_too(room: Room):
    call = Call(room, 0, 1, "g722", codecs=("G722",))
    call.engines[0].play(call.legs[0], Signature("101"))
    assert await call.hears(1, "signature:101")
    assert call.last(1, SourceLatched).codec == "G722"
    call.close()


@pytest.mark.parametrize("suite", SUITES)
async def test_an_encrypted_signature_is_heard_and_a_wrong_key_opens_nothing(room: Room, suite: str):
    call = Call(room, 0, 1, f"srtp-{suite}", keys=(suite, "A" * 40, "B" * 40))
    call.engines[0].play(call.legs[0], Signature("101"))
    call.engines[0].send_digits(call.legs[0], "5")
    assert await call.hears(1, "signature:101")
    assert await call.room.wait(5, lambda: call.keys(1) == "5")
    call.negotiate(keys=(suite, "C" * 40, "B" * 40), mine=(suite, "B" * 40, "D" * 40))
    call.engines[0].play(call.legs[0], Tone("busy"))
    assert await call.room.wait(8, lambda: [it.flow for it in call.told(1, FlowChanged)][-1:] == ["nothing"])
    assert "tone:busy" not in call.heard(1)
    call.close()
    told = (await call.tells(1, Closed)).statistics
    assert told.encrypted
    assert told.rubbish > 0


async def test_prompts_are_heard_by_name_one_after_another_and_their_end_is_told(call: Call):
    call.engines[0].play(call.legs[0], Prompts(("digit-4", "digit-1")), "said")
    finished = await call.tells(0, PlayFinished)
    assert finished == PlayFinished(call.legs[0], "said")
    await call.hears(1, "prompt:digit-1")
    assert call.heard(1) == ["prompt:digit-4", "prompt:digit-1"]


async def test_a_prompt_that_does_not_exist_ends_and_harms_nobody(call: Call):
    call.engines[0].play(call.legs[0], Prompts(("no-such-prompt", "digit-1")), "said")
    assert await call.hears(1, "prompt:digit-1")
    assert await call.tells(0, PlayFinished)


async def test_repeated_prompts_go_on(call: Call):
    call.engines[0].play(call.legs[0], Prompts(("digit-4", "digit-1"), repeat=True))
    assert await call.room.wait(6, lambda: call.heard(1).count("prompt:digit-4") == 2)
    assert call.last(0, PlayFinished) is None


@pytest.mark.parametrize("sound", [Music("default"), Music("laval"), Tone("ringback"), Tone("busy"), Silence()])
async def test_endless_sounds_are_heard_by_name(call: Call, sound):
    call.engines[0].play(call.legs[0], sound)
    assert await call.hears(1, sound.label)


async def test_a_tone_of_the_network_is_told_when_its_cadence_has_been_heard_and_not_before(call: Call):
    call.engines[0].play(call.legs[0], Tone("reorder"))
    assert await call.hears(1, "tone:reorder")
    assert call.last(1, ToneRecognised) is None
    assert (await call.tells(1, ToneRecognised)).tone == "reorder"


async def test_a_beep_ends_by_itself(call: Call):
    call.engines[0].play(call.legs[0], Tone("beep"), "beep")
    assert (await call.tells(0, PlayFinished)).token == "beep"
    assert await call.hears(1, "tone:beep")


async def test_playing_replaces_what_plays_and_its_end_is_not_told(call: Call):
    call.engines[0].play(call.legs[0], Prompts(("queue-welcome",)), "first")
    assert await call.hears(1, "prompt:queue-welcome")
    call.engines[0].play(call.legs[0], Prompts(("digit-7",)), "second")
    assert await call.tells(0, PlayFinished)
    assert await call.hears(1, "prompt:digit-7")
    assert call.last(0, PlayFinished).token == "second"


async def test_keys_arrive_in_order_and_once(call: Call):
    call.engines[0].play(call.legs[0], Signature("101"))
    call.engines[0].send_digits(call.legs[0], "42#")
    call.engines[1].send_digits(call.legs[1], "7")
    assert await call.room.wait(5, lambda: (call.keys(1), call.keys(0)) == ("42#", "7"))
    await call.room.wait(0.3)
    assert (call.keys(1), call.keys(0)) == ("42#", "7")


async def test_without_telephone_event_no_key_is_sent(room: Room):
    names = ("no-event-a", "no-event-b")
    addresses = [engine.open(name) for engine, name in zip(room.engines, names, strict=False)]
    for at, name in enumerate(names):
        far = addresses[1 - at]
        room.engines[at].connect(name, RemoteMedia(far.host, far.port, "PCMU", 0, None, "sendrecv"))
    room.engines[0].send_digits(names[0], "5")
    await room.wait(0.4)
    assert not [event for event in room.events[1] if getattr(event, "digit", "") and event.leg == names[1]]
    for engine, name in zip(room.engines, names, strict=False):
        engine.close(name)


async def test_on_hold_the_held_side_is_not_heard_and_the_holder_is(call: Call):
    call.engines[0].play(call.legs[0], Signature("101"))
    call.engines[1].play(call.legs[1], Signature("102"))
    assert await call.hears(0, "signature:102")
    call.negotiate("sendonly")
    call.engines[0].play(call.legs[0], Music("default"))
    assert await call.hears(1, "moh:default")
    before = len(call.heard(0))
    call.engines[1].play(call.legs[1], Tone("busy"))
    await call.room.wait(0.5)
    assert call.heard(0)[before:] == []
    call.negotiate()
    assert await call.hears(0, "tone:busy")


async def test_a_recording_holds_what_was_said_and_plays_it_back(call: Call):
    name = f"vm-{call.legs[1]}"
    call.engines[1].record(call.legs[1], name, max_s=30, silence_s=5)
    call.engines[0].play(call.legs[0], Signature("101"))
    assert await call.hears(1, "signature:101")
    await call.room.wait(1.2)
    call.engines[0].send_digits(call.legs[0], "#")
    kept = await call.tells(1, RecordingFinished)
    assert (kept.recording, kept.reason, kept.heard) == (name, "key", "signature:101")
    assert 1.0 < kept.seconds < 4.0
    call.engines[0].play(call.legs[0], Silence())
    call.engines[1].play(call.legs[1], Recording(name), "played")
    assert await call.hears(0, "signature:101")
    assert (await call.tells(1, PlayFinished)).token == "played"


async def test_recordings_and_prompts_are_spoken_in_one_breath_and_from_any_second_on(call: Call):
    name = f"vm-{call.legs[1]}"
    call.engines[1].record(call.legs[1], name, max_s=2, silence_s=5)
    call.engines[0].play(call.legs[0], Signature("101"))
    await call.tells(1, RecordingFinished)
    call.engines[0].play(call.legs[0], Silence())
    spoken = Prompts(("digit-4", Recording(name, from_s=1.5), "digit-1"))
    call.engines[1].play(call.legs[1], spoken, "played")
    assert await call.hears(0, "prompt:digit-1")
    assert (await call.tells(1, PlayFinished)).token == "played"
    assert call.heard(0)[0] == "prompt:digit-4"
    assert call.last(1, SoundMissing) is None


async def test_a_recording_that_is_gone_is_told_and_something_else_heard_in_its_place(call: Call):
    call.engines[0].play(call.legs[0], Recording("vm-nowhere"), "nothing")
    assert (await call.tells(0, PlayFinished)).token == "nothing"
    missing = await call.tells(0, SoundMissing)
    assert missing.recording == "vm-nowhere"
    assert missing.reason
    gone = Recording("vm-nowhere", instead="digit-7")
    call.engines[0].play(call.legs[0], Prompts(("digit-4", gone, "digit-1")), "played")
    assert await call.hears(1, "prompt:digit-1")
    assert call.heard(1) == ["prompt:digit-4", "prompt:digit-7", "prompt:digit-1"]


async def test_a_recording_ends_in_silence_without_the_silence(call: Call):
    call.engines[1].record(call.legs[1], f"vm-{call.legs[1]}", max_s=30, silence_s=1)
    call.engines[0].play(call.legs[0], Prompts(("digit-4", "digit-1")))
    kept = await call.tells(1, RecordingFinished)
    assert kept.reason == "silence"
    assert 0.5 < kept.seconds < 1.4
    assert kept.heard.startswith("prompt:digit-")


async def test_a_recording_of_nobody_is_empty(call: Call):
    call.engines[1].record(call.legs[1], f"vm-{call.legs[1]}", max_s=30, silence_s=0.5)
    kept = await call.tells(1, RecordingFinished)
    assert (kept.reason, kept.seconds, kept.heard) == ("silence", 0.0, "silence")


async def test_a_recording_ends_at_its_limit(call: Call):
    call.engines[0].play(call.legs[0], Signature("103"))
    assert await call.hears(1, "signature:103")
    call.engines[1].record(call.legs[1], f"vm-{call.legs[1]}", max_s=0.8, silence_s=5)
    kept = await call.tells(1, RecordingFinished)
    assert (kept.reason, kept.heard) == ("limit", "signature:103")
    assert kept.seconds == pytest.approx(0.8, abs=0.12)


async def test_a_recording_is_kept_when_the_caller_hangs_up(room: Room):
    call = Call(room, 0, 1, f"call-{next(_NUMBERS)}")
    call.engines[0].play(call.legs[0], Signature("102"))
    call.engines[1].record(call.legs[1], f"vm-{call.legs[1]}", max_s=30, silence_s=5)
    assert await call.hears(1, "signature:102")
    await room.wait(0.6)
    call.close()
    kept = await call.tells(1, RecordingFinished)
    assert (kept.reason, kept.heard) == ("hangup", "signature:102")


async def test_closing_tells_the_figures_once(room: Room):
    call = Call(room, 0, 1, f"call-{next(_NUMBERS)}")
    call.engines[0].play(call.legs[0], Signature("101"))
    await room.wait(1.1)
    call.close()
    call.close()
    sender = (await call.tells(0, Closed)).statistics
    receiver = (await call.tells(1, Closed)).statistics
    assert sender.codec == receiver.codec == "PCMU"
    assert 45 <= sender.sent <= 65
    assert (sender.received, sender.mos) == (0, 1.0), "one-way audio shows"
    assert sender.sent - 5 <= receiver.received <= sender.sent
    assert receiver.lost == 0
    assert receiver.mos > 4.3
    assert 1.0 < receiver.seconds < 2.5
    await room.wait(0.2)
    assert len([event for event in room.events[1] if isinstance(event, Closed) and event.leg == call.legs[1]]) == 1


async def test_what_arrives_is_told_apart_and_one_way_shows(call: Call):
    call.engines[0].play(call.legs[0], Signature("101"))
    assert (await call.tells(1, FlowChanged)).flow == "flowing"
    assert (await call.tells(0, FlowChanged)).flow == "nothing"


async def test_a_far_end_that_keeps_silent_is_told_from_one_that_is_gone(call: Call):
    call.engines[0].play(call.legs[0], Silence())
    assert await call.room.wait(
        12, lambda: [event.flow for event in call.told(1, FlowChanged)] == ["flowing", "silence"]
    )
    call.engines[0].stop(call.legs[0])
    assert await call.room.wait(6, lambda: call.last(1, FlowChanged).flow == "nothing")


async def test_a_sound_that_stops_arriving_is_not_heard_any_more(call: Call):
    call.engines[0].play(call.legs[0], Signature("101"))
    assert await call.hears(1, "signature:101")
    call.engines[0].stop(call.legs[0])
    assert await call.hears(1, "silence")
    call.engines[0].play(call.legs[0], Signature("101"))
    assert await call.room.wait(4, lambda: call.last(1, Heard).sound == "signature:101")


async def test_a_leg_that_is_opened_twice_keeps_its_port(room: Room):
    first = room.engines[0].open("twice")
    assert room.engines[0].open("twice") == first
    room.engines[0].close("twice")


async def test_a_port_is_given_back(room: Room):
    before = room.engines[0].live()
    for _ in range(40):
        assert isinstance(room.engines[0].open("brief"), MediaAddress)
        room.engines[0].close("brief")
    await room.wait(0.2)
    assert room.engines[0].live() == before


async def test_commands_to_a_leg_that_is_gone_do_nothing(room: Room):
    engine = room.engines[0]
    engine.open("gone")
    engine.close("gone")
    engine.connect("gone", RemoteMedia("127.0.0.1", 9, "PCMU", 0, 101, "sendrecv"))
    engine.play("gone", Tone("dial"))
    engine.stop("gone")
    engine.bridge("gone", "gone")
    engine.unbridge("gone", "gone")
    engine.join("gone", "gone")
    engine.leave("gone")
    engine.announce("gone", Tone("beep"))
    engine.record("gone", "gone", max_s=1, silence_s=1)
    engine.stop_record("gone")
    engine.send_digits("gone", "1")
    engine.listen("gone")
    engine.close("gone")
    await room.wait(0.2)
    told = [type(event).__name__ for event in room.events[0] if getattr(event, "leg", "") == "gone"]
    assert told == ["Closed"]


# --- relay --------------------------------------------------------------------------------------------


class Relayed:
    """Two calls through the switch's engine, bridged: outer ends 0 and 1."""

    def __init__(self, room: Room, *, codecs: tuple[tuple[str, ...], tuple[str, ...]] = (("PCMU",), ("PCMU",))) -> None:
        self.room, number = room, next(_NUMBERS)
        self.one = Call(room, 0, 1, f"relay-{number}-one", codecs=codecs[0])
        self.two = Call(room, 0, 1, f"relay-{number}-two", codecs=codecs[1])
        self.switch = room.engines[1]
        self.inner = (self.one.legs[1], self.two.legs[1])
        self.switch.bridge(*self.inner)

    def speak(self) -> None:
        for call, party in ((self.one, "101"), (self.two, "102")):
            call.engines[0].play(call.legs[0], Signature(party))

    async def talk(self) -> bool:
        return await self.one.hears(0, "signature:102") and await self.two.hears(0, "signature:101")

    def close(self) -> None:
        self.one.close()
        self.two.close()


@pytest_asyncio.fixture(loop_scope="module")
async def relayed(room: Room) -> AsyncIterator[Relayed]:
    made = Relayed(room)
    made.speak()
    yield made
    made.close()


async def test_bridged_parties_hear_each_other_and_the_switch_hears_both(relayed: Relayed):
    assert await relayed.talk()
    assert await relayed.one.hears(1, "signature:101")
    assert await relayed.two.hears(1, "signature:102")


async def test_bridged_parties_of_different_laws_hear_each_other(room: Room):
    relayed = Relayed(room, codecs=(("PCMU",), ("PCMA",)))
    relayed.speak()
    assert await relayed.talk()
    relayed.close()


async def test_keys_cross_the_bridge_once_and_the_switch_sees_them(relayed: Relayed):
    assert await relayed.talk()
    relayed.one.engines[0].send_digits(relayed.one.legs[0], "31")
    assert await relayed.room.wait(5, lambda: relayed.two.keys(0) == "31")
    await relayed.room.wait(0.3)
    assert (relayed.one.keys(1), relayed.two.keys(0), relayed.one.keys(0)) == ("31", "31", "")


async def test_playing_covers_the_bridge_until_it_is_stopped(relayed: Relayed):
    assert await relayed.talk()
    relayed.switch.play(relayed.inner[0], Music("toronto"))
    assert await relayed.one.hears(0, "moh:toronto")
    assert relayed.two.heard(0)[-1] == "signature:101", "the other side is not covered"
    relayed.switch.stop(relayed.inner[0])
    assert await relayed.one.hears(0, "signature:102")


async def test_a_prompt_over_the_bridge_uncovers_it_when_it_ends(relayed: Relayed):
    assert await relayed.talk()
    relayed.switch.play(relayed.inner[0], Prompts(("digit-5",)), "said")
    assert await relayed.one.hears(0, "prompt:digit-5")
    assert await relayed.one.hears(0, "signature:102")


async def test_without_the_bridge_nobody_is_heard(relayed: Relayed):
    assert await relayed.talk()
    relayed.switch.unbridge(*relayed.inner)
    relayed.two.engines[0].play(relayed.two.legs[0], Tone("busy"))
    assert await relayed.two.hears(1, "tone:busy")
    assert "tone:busy" not in relayed.one.heard(0)


async def test_closing_one_leg_ends_the_bridge(room: Room):
    relayed = Relayed(room)
    relayed.speak()
    assert await relayed.talk()
    await room.wait(0.6)
    relayed.two.close()
    figures = (await relayed.two.tells(0, Closed)).statistics
    assert figures.received > 5
    assert figures.lost == 0
    relayed.switch.play(relayed.inner[0], Music("default"))
    assert await relayed.one.hears(0, "moh:default")
    relayed.one.close()


# --- rooms --------------------------------------------------------------------------------------------


class Together:
    """Calls through the switch's engine into one room, of these codecs; each party speaks its signature."""

    def __init__(self, room: Room, codecs: tuple[str, ...]) -> None:
        number = next(_NUMBERS)
        self.name, self.switch = f"room-{number}", room.engines[1]
        self.calls = [Call(room, 0, 1, f"{self.name}-{at}", codecs=(codec,)) for at, codec in enumerate(codecs)]
        for at, call in enumerate(self.calls):
            self.switch.join(call.legs[1], self.name)
            self.speak(at)

    def speak(self, at: int) -> None:
        self.calls[at].engines[0].play(self.calls[at].legs[0], Signature(f"10{at + 1}"))

    def keep_silent(self, at: int) -> None:
        self.calls[at].engines[0].play(self.calls[at].legs[0], Silence())

    async def all_hear(self, *sounds: str) -> bool:
        """Each hears its sound: `23` stands for the signatures of the second and third party together."""
        labels = ["signature:" + "+".join(f"10{digit}" for digit in sound) for sound in sounds]
        return all([await call.hears(0, label, 8) for call, label in zip(self.calls, labels, strict=False)])

    def close(self) -> None:
        for call in self.calls:
            call.close()


@pytest.mark.parametrize("codecs", [("PCMU", "PCMA", "G722"), ("G722", "G722", "PCMU")])
async def test_in_a_room_each_hears_the_two_others_and_never_itself(room: Room, codecs: tuple[str, ...]):
    together = Together(room, codecs)
    assert await together.all_hear("23", "13", "12")
    for at, call in enumerate(together.calls, start=1):
        assert not [sound for sound in call.heard(0) if f"10{at}" in sound]
        assert await call.hears(1, f"signature:10{at}"), "the switch hears who speaks, apart from the others"
    together.close()


async def test_who_leaves_a_room_is_not_heard_there_any_more_nor_hears_anybody(room: Room):
    together = Together(room, ("PCMU", "PCMU", "PCMU"))
    assert await together.all_hear("23", "13", "12")
    together.switch.leave(together.calls[2].legs[1])
    assert await together.all_hear("2", "1")
    assert await together.calls[2].hears(0, "silence")
    together.calls[1].close()
    assert await together.calls[0].hears(0, "silence")
    together.close()


async def test_what_is_played_to_one_covers_the_room_and_what_is_announced_reaches_all(room: Room):
    together = Together(room, ("PCMU", "PCMU"))
    assert await together.all_hear("2", "1")
    together.switch.play(together.calls[0].legs[1], Music("default"))
    assert await together.calls[0].hears(0, "moh:default")
    assert together.calls[1].heard(0)[-1] == "signature:101"
    together.switch.stop(together.calls[0].legs[1])
    assert await together.all_hear("2", "1")
    together.keep_silent(0)
    together.keep_silent(1)
    assert [await call.hears(0, "silence", 8) for call in together.calls] == [True, True]
    together.switch.announce(together.name, Prompts(("digit-4",)))
    together.switch.announce(together.name, Tone("beep"))
    for call in together.calls:
        assert await call.hears(0, "tone:beep")
        assert call.heard(0)[-2:] == ["prompt:digit-4", "tone:beep"]
    together.close()


async def test_a_leg_is_in_a_room_or_in_a_bridge(room: Room):
    together = Together(room, ("PCMU", "PCMU", "PCMU"))
    assert await together.all_hear("23", "13", "12")
    together.switch.bridge(together.calls[0].legs[1], together.calls[1].legs[1])
    assert await together.all_hear("2", "1")
    assert await together.calls[2].hears(0, "silence")
    together.switch.join(together.calls[1].legs[1], together.name)
    assert await together.calls[2].hears(0, "signature:102")
    assert await together.calls[1].hears(0, "signature:103")
    together.close()
