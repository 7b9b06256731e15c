"""Debian's rtpengine in user space between parties of ours: what the engine promises, asked of the daemon."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from pbx.media import ears, sdp, wav
from pbx.media.engine import (
    Closed,
    DigitPressed,
    FlowChanged,
    Heard,
    MediaEvent,
    Music,
    NoMediaPort,
    PlayFinished,
    Prompts,
    Recording,
    RecordingFinished,
    RemoteMedia,
    Signature,
    SoundMissing,
    SourceLatched,
    Tone,
    WorkerBack,
    WorkerLost,
)
from pbx.media.local import LocalEngine
from pbx.media.rtpengine import RtpengineEngine
from tests.media.rtpengine_daemon import daemon, free_port

pytestmark = [pytest.mark.soak, pytest.mark.asyncio(loop_scope="module")]
PARTIES = ("101", "102")
PATIENCE_S = 20.0
_NUMBERS = count(1)


class Bench:
    """The engine under test, and one of ours in which the parties are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.keys = free_port(), free_port()
        self._news = asyncio.Event()
        (folder / "kept").mkdir()
        self.engine = RtpengineEngine(
            ("127.0.0.1", self.port), ("127.0.0.1", self.keys),
            folder=folder / "sounds", recordings=folder / "kept", on_events=self._news.set,
        )  # fmt: skip
        self.parties = LocalEngine(
            "127.0.0.1", recordings=folder / "parties", on_events=self._news.set, parties=PARTIES, ports=40
        )
        self.told: list[MediaEvent] = []
        self.heard: list[MediaEvent] = []

    async def wait(self, until, seconds: float = PATIENCE_S) -> bool:
        try:
            async with asyncio.timeout(seconds):
                while not self._fulfilled(until):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return self._fulfilled(until)
        return True

    def _fulfilled(self, until) -> bool:
        self.told += self.engine.take_events()
        self.heard += self.parties.take_events()
        return until()

    def of(self, kind, leg: str) -> list:
        return [event for event in self.told + self.heard if isinstance(event, kind) and event.leg == leg]

    async def hears(self, leg: str, sound: str) -> bool:
        return await self.wait(lambda: [event.sound for event in self.of(Heard, leg)][-1:] == [sound])


class Party:
    """Somebody at a leg of rtpengine."""

    def __init__(self, bench: Bench, codec: str = "PCMU", events: int | None = 101) -> None:
        self.bench, number = bench, next(_NUMBERS)
        self.leg, self.ear = f"leg-{number}", f"ear-{number}"
        house, own = bench.engine.open(self.leg), bench.parties.open(self.ear)
        bench.parties.listen(self.ear)
        kind = sdp.PAYLOAD_TYPES[codec]
        self.remote = RemoteMedia(own.host, own.port, codec, kind, events, "sendrecv", signalled="127.0.0.1")
        bench.engine.connect(self.leg, self.remote)
        bench.parties.connect(self.ear, self.remote._replace(port=house.port))

    def speak(self, party: str) -> None:
        self.bench.parties.play(self.ear, Signature(party))

    def close(self) -> None:
        self.bench.engine.close(self.leg)
        self.bench.parties.close(self.ear)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    folder = tmp_path_factory.mktemp("rtpengine")
    made = Bench(folder)
    with daemon(folder, made.port, made.keys):
        await asyncio.gather(made.engine.start(), made.parties.start())
        yield made
        await asyncio.gather(made.engine.shut(), made.parties.shut())


def talking(bench: Bench, *codecs: str) -> tuple[Party, Party]:
    one, two = (Party(bench, codec) for codec in codecs or ("PCMU", "PCMU"))
    bench.engine.bridge(one.leg, two.leg)
    one.speak("101")
    two.speak("102")
    return one, two


async def both_hear(bench: Bench, one: Party, two: Party) -> bool:
    return await bench.hears(one.ear, "signature:102") and await bench.hears(two.ear, "signature:101")


@pytest.mark.parametrize("codecs", [("PCMU", "PCMU"), ("PCMU", "PCMA"), ("G722", "PCMU"), ("G722", "G722")])
async def test_bridged_parties_hear_each_other_whatever_they_speak(bench: Bench, codecs):
    one, two = talking(bench, *codecs)
    assert await both_hear(bench, one, two)
    assert await bench.wait(lambda: bool(bench.of(SourceLatched, one.leg)))
    assert bench.of(SourceLatched, one.leg)[0].codec == codecs[0]
    assert await bench.wait(lambda: [e.flow for e in bench.of(FlowChanged, one.leg)][-1:] == ["flowing"])
    one.close()
    two.close()
    assert await bench.wait(lambda: bool(bench.of(Closed, one.leg)) and bool(bench.of(Closed, two.leg)))
    figures = bench.of(Closed, one.leg)[0].statistics
    assert figures.received > 0
    assert figures.codec == codecs[0]


async def test_a_party_keeps_its_port_whomever_it_talks_to(bench: Bench):
    one, two = talking(bench)
    assert await both_hear(bench, one, two)
    bench.engine.unbridge(one.leg, two.leg)
    three = Party(bench)
    three.speak("102")
    two.speak("101")
    bench.engine.bridge(one.leg, three.leg)
    assert await bench.hears(three.ear, "signature:101")
    assert await bench.wait(lambda: [e.sound for e in bench.of(Heard, one.ear)].count("signature:102") >= 1)
    for party in (one, two, three):
        party.close()


async def test_prompts_are_heard_by_name_and_their_end_is_told(bench: Bench):
    party = Party(bench)
    bench.engine.play(party.leg, Prompts(("digit-1", "digit-2")), "said")
    assert await bench.wait(lambda: bool(bench.of(PlayFinished, party.leg)))
    assert bench.of(PlayFinished, party.leg)[0].token == "said"
    assert [e.sound for e in bench.of(Heard, party.ear) if e.sound.startswith("prompt:")] == [
        "prompt:digit-1",
        "prompt:digit-2",
    ]
    party.close()


async def test_what_is_played_covers_the_bridge_until_it_is_stopped(bench: Bench):
    one, two = talking(bench)
    assert await both_hear(bench, one, two)
    bench.engine.play(one.leg, Music("default"))
    assert await bench.hears(one.ear, "moh:default")
    assert not await bench.wait(lambda: [e.sound for e in bench.of(Heard, one.ear)][-1] != "moh:default", 2.0)
    bench.engine.stop(one.leg)
    assert await bench.hears(one.ear, "signature:102")
    one.close()
    two.close()


async def test_a_sound_before_the_party_is_known_is_heard_once_it_is(bench: Bench):
    number = next(_NUMBERS)
    leg, ear = f"leg-{number}", f"ear-{number}"
    house, own = bench.engine.open(leg), bench.parties.open(ear)
    bench.engine.play(leg, Tone("ringback"))
    bench.parties.listen(ear)
    remote = RemoteMedia(own.host, own.port, "PCMA", 8, 101, "sendrecv", signalled="127.0.0.1")
    bench.parties.connect(ear, remote._replace(port=house.port))
    bench.engine.connect(leg, remote)
    assert await bench.hears(ear, "tone:ringback")
    bench.engine.close(leg)
    bench.parties.close(ear)


@pytest.mark.parametrize(("ours", "theirs"), [(101, 101), (96, 101)])
async def test_keys_are_told_and_reach_the_other_once(bench: Bench, ours, theirs):
    one, two = Party(bench, events=ours), Party(bench, events=theirs)
    bench.engine.bridge(one.leg, two.leg)
    one.speak("101")
    two.speak("102")
    assert await both_hear(bench, one, two)
    bench.parties.send_digits(one.ear, "4#")
    assert await bench.wait(lambda: "".join(e.digit for e in bench.of(DigitPressed, one.leg)) == "4#")
    assert await bench.wait(lambda: "".join(e.digit for e in bench.of(DigitPressed, two.ear)) == "4#")
    assert not await bench.wait(lambda: len(bench.of(DigitPressed, two.ear)) > 2, 0.5)
    one.close()
    two.close()


async def test_keys_of_ours_are_sent_into_a_conversation(bench: Bench):
    one, two = talking(bench)
    assert await both_hear(bench, one, two)
    bench.engine.send_digits(one.leg, "15")
    assert await bench.wait(lambda: "".join(e.digit for e in bench.of(DigitPressed, one.ear)) == "15")
    one.close()
    two.close()


async def test_a_recording_of_earlier_is_played_and_one_that_is_gone_is_told(bench: Bench):
    wav.write_wav(bench.folder / "kept" / "greeting.wav", b"".join(ears.frames_of("prompt:digit-3")))
    party = Party(bench)
    bench.engine.play(party.leg, Recording("greeting"), "own")
    assert await bench.wait(lambda: "prompt:digit-3" in [e.sound for e in bench.of(Heard, party.ear)])
    assert await bench.wait(lambda: [e.token for e in bench.of(PlayFinished, party.leg)] == ["own"])
    bench.engine.play(party.leg, Recording("nowhere", instead="digit-4"), "instead")
    assert await bench.wait(lambda: "prompt:digit-4" in [e.sound for e in bench.of(Heard, party.ear)])
    assert [e.recording for e in bench.of(SoundMissing, party.leg)] == ["nowhere"]
    party.close()


async def test_a_recording_is_refused_with_the_reason(bench: Bench):
    party = Party(bench)
    bench.engine.record(party.leg, "message", max_s=5, silence_s=2)
    assert await bench.wait(lambda: bool(bench.of(RecordingFinished, party.leg)))
    assert "no recordings" in bench.of(RecordingFinished, party.leg)[0].problem
    party.close()


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"{}", b"\xff", json.dumps({"callid": 1}).encode()])
async def test_what_anybody_writes_into_the_log_of_keys_presses_none(bench: Bench, line):
    party = Party(bench)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(line, ("127.0.0.1", bench.keys))
    assert not await bench.wait(lambda: bool(bench.of(DigitPressed, party.leg)), 0.3)
    party.close()


async def test_every_port_comes_back(bench: Bench):
    before = bench.engine.live()
    parties = [Party(bench) for _ in range(8)]
    assert bench.engine.live() == before + 8
    for party in parties:
        party.close()
    assert bench.engine.live() == before


async def test_a_daemon_that_dies_ends_the_calls_and_one_that_comes_back_serves_the_next(tmp_path: Path):
    made = Bench(tmp_path)
    with daemon(tmp_path, made.port, made.keys):
        await asyncio.gather(made.engine.start(), made.parties.start())
        Party(made)
    try:
        assert await made.wait(lambda: any(isinstance(event, WorkerLost) for event in made.told))
        assert not made.engine.runs
        assert made.engine.live() == 0
        with pytest.raises(NoMediaPort, match="not there"):
            made.engine.open("another")
        with daemon(tmp_path, made.port, made.keys):
            assert await made.wait(lambda: any(isinstance(event, WorkerBack) for event in made.told))
            one, two = talking(made)
            assert await both_hear(made, one, two)
    finally:
        await asyncio.gather(made.engine.shut(), made.parties.shut())


async def test_without_a_daemon_the_start_says_so(tmp_path: Path):
    made = Bench(tmp_path)
    with pytest.raises(OSError, match="no rtpengine answers at 127"):
        await made.engine.start()
