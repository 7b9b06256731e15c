"""Two legs of one worker talk over loopback, through real sockets."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from pbx.media import ears, rtp, sounds_made, wav
from pbx.media.engine import (
    Closed,
    DigitPressed,
    FarEndReported,
    Faulted,
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
    Silence,
    SourceLatched,
    StrangerIgnored,
    Tone,
    WorkerBack,
    WorkerLost,
)
from pbx.media.local import LocalEngine
from pbx.media.prompts import catalogue

pytestmark = pytest.mark.realtime
HOST = "127.0.0.1"
PATIENCE_S = 8.0


class Line:
    """An engine, and everything it has said."""

    def __init__(self, recordings: Path, ports: int = 8) -> None:
        self.recordings = recordings
        self.said: list[MediaEvent] = []
        self._more = asyncio.Event()
        self.engine = LocalEngine(
            HOST, recordings=recordings, on_events=self._woken, parties=("101", "102"), ports=ports
        )

    def tell(self) -> None:
        """Let the worker know what it was commanded, as an owner does that is done with an input."""
        self._woken()

    def _woken(self) -> None:
        self.said += self.engine.take_events()
        self._more.set()

    async def until(self, wanted: Callable[[MediaEvent], bool]) -> MediaEvent:
        """Return the first event that fits, of those said already or to come."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for event in self.said:
                    if wanted(event):
                        return event
                self._more.clear()
                await self._more.wait()

    async def hears(self, leg: str, sound: str) -> None:
        await self.until(lambda event: event == Heard(leg, sound))

    def connect(self, leg: str, to: int, codec: str = "PCMU", direction: str = "sendrecv") -> None:
        number = 0 if codec == "PCMU" else 8
        self.engine.connect(leg, RemoteMedia(HOST, to, codec, number, 101, direction))

    def pair(self, a: str, b: str, codec: str = "PCMU") -> None:
        """Open two legs whose far ends are each other."""
        one, two = self.engine.open(a), self.engine.open(b)
        self.connect(a, two.port, codec)
        self.connect(b, one.port, codec)
        self.engine.listen(a)
        self.engine.listen(b)


@pytest_asyncio.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    made = Line(tmp_path / "recordings")
    await made.engine.start()
    yield made
    await made.engine.shut()


async def test_both_parties_hear_each_other(line: Line) -> None:
    line.pair("a", "b")
    line.engine.play("a", Signature("101"))
    line.engine.play("b", Signature("102"))
    await line.hears("a", "signature:102")
    await line.hears("b", "signature:101")
    assert any(isinstance(event, SourceLatched) and event.leg == "a" for event in line.said)


async def test_prompts_are_heard_by_name_one_after_another(line: Line) -> None:
    line.pair("a", "b", "PCMA")
    line.engine.play("a", Prompts(("digit-4", "digit-7")), "said")
    await line.until(lambda event: event == PlayFinished("a", "said"))
    await line.hears("b", "prompt:digit-7")
    heard = [event.sound for event in line.said if isinstance(event, Heard) and event.leg == "b"]
    assert heard == ["prompt:digit-4", "prompt:digit-7"]


async def test_keys_arrive_once_each_and_in_order(line: Line) -> None:
    line.pair("a", "b")
    line.engine.play("a", Signature("101"))
    line.engine.send_digits("a", "16#")
    await line.until(lambda event: event == DigitPressed("b", "#"))
    assert [event.digit for event in line.said if isinstance(event, DigitPressed)] == ["1", "6", "#"]


async def test_a_call_through_the_switch_is_relayed_and_transcoded(line: Line) -> None:
    line.engine.open("switch-a")
    line.engine.open("switch-b")
    ports = {leg: line.engine.open(leg).port for leg in ("switch-a", "switch-b", "a", "b")}
    line.connect("a", ports["switch-a"])
    line.connect("switch-a", ports["a"])
    line.connect("b", ports["switch-b"], "PCMA")
    line.connect("switch-b", ports["b"], "PCMA")
    line.engine.bridge("switch-a", "switch-b")
    for leg in ("a", "b"):
        line.engine.listen(leg)
    line.engine.play("a", Signature("101"))
    line.engine.play("b", Signature("102"))
    await line.hears("b", "signature:101")
    await line.hears("a", "signature:102")
    line.engine.send_digits("a", "5")
    await line.until(lambda event: event == DigitPressed("b", "5"))
    # What the switch plays covers the relay, until it stops.
    line.engine.play("switch-b", Music("laval"))
    await line.hears("b", "moh:laval")
    line.said.clear()
    line.engine.stop("switch-b")
    await line.hears("b", "signature:101")
    line.engine.unbridge("switch-a", "switch-b")
    line.engine.play("switch-b", Tone("reorder"))
    await line.hears("b", "tone:reorder")


async def test_hold_stops_what_is_sent(line: Line) -> None:
    line.pair("a", "b")
    line.engine.play("a", Signature("101"))
    await line.hears("b", "signature:101")
    port = line.engine.open("b").port
    line.connect("a", port, direction="inactive")
    line.engine.play("a", Prompts(("goodbye",)), "unheard")
    await line.until(lambda event: event == PlayFinished("a", "unheard"))
    line.engine.play("a", Signature("101"))
    line.connect("a", port)
    line.engine.play("a", Silence())
    await line.hears("b", "silence")
    assert Heard("b", "prompt:goodbye") not in line.said


async def test_a_leg_bridged_to_itself_echoes(line: Line) -> None:
    line.pair("a", "b")
    line.engine.bridge("b", "b")
    line.engine.play("a", Signature("101"))
    await line.hears("a", "signature:101")


async def test_a_message_is_recorded_recognised_and_played_back(line: Line) -> None:
    line.pair("a", "b")
    line.engine.play("a", Tone("beep"), "beeped")
    await line.until(lambda event: event == PlayFinished("a", "beeped"))
    line.engine.play("b", Signature("102"))
    await line.hears("a", "signature:102")
    line.engine.record("a", "vm-1", max_s=0.6, silence_s=5)
    done = await line.until(lambda event: isinstance(event, RecordingFinished))
    assert isinstance(done, RecordingFinished)
    assert (done.reason, done.heard) == ("limit", "signature:102")
    assert 0.5 <= done.seconds <= 0.6
    assert len(wav.read_wav(line.recordings / "vm-1.wav")) == round(done.seconds * 8000)
    line.engine.play("b", Silence())
    line.engine.play("a", Recording("vm-1"), "played")
    await line.until(lambda event: event == PlayFinished("a", "played"))
    await line.hears("b", "signature:102")


async def test_a_full_disk_is_told_and_the_call_goes_on(line: Line) -> None:
    line.pair("a", "b")
    line.engine.play("b", Signature("102"))
    await line.hears("a", "signature:102")
    # No file of the worker may grow beyond a kilobyte from now on.
    resource.prlimit(line.engine.pid, resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))
    line.engine.record("a", "vm-full", max_s=0.6, silence_s=5)
    done = await line.until(lambda event: isinstance(event, RecordingFinished))
    assert isinstance(done, RecordingFinished)
    assert (done.seconds, done.heard, done.reason) == (0.0, "silence", "limit")
    assert "File too large" in done.problem
    assert list(line.recordings.iterdir()) == [], "no half file is left"
    line.engine.play("b", Signature("101"))
    await line.hears("a", "signature:101")


async def test_a_disk_that_takes_its_time_makes_no_call_stutter(line: Line) -> None:
    line.pair("a", "b")
    line.engine.play("b", Signature("102"))
    await line.hears("a", "signature:102")
    # Opening a pipe for writing waits until somebody reads: a disk that does not answer.
    stuck = line.recordings / "vm-stuck.tmp"
    os.mkfifo(stuck)
    line.engine.record("a", "vm-stuck", max_s=0.3, silence_s=5)
    line.engine.record("b", "vm-after", max_s=0.1, silence_s=5)
    line.engine.play("a", Prompts(("digit-4",)), "said")
    await line.until(lambda event: event == PlayFinished("a", "said"))
    await line.hears("b", "prompt:digit-4")
    assert not [event for event in line.said if isinstance(event, RecordingFinished) and event.recording == "vm-stuck"]
    reader = os.open(stuck, os.O_RDONLY | os.O_NONBLOCK)
    done = await line.until(lambda event: isinstance(event, RecordingFinished) and event.recording == "vm-stuck")
    os.close(reader)
    assert isinstance(done, RecordingFinished)
    assert (done.seconds, done.reason) == (0.0, "limit")
    assert done.problem
    await line.until(lambda event: isinstance(event, RecordingFinished) and event.recording == "vm-after")


async def test_rubbish_by_the_thousand_leaves_the_worker_as_it_was(line: Line) -> None:
    line.pair("a", "b")
    line.engine.play("a", Signature("101"))
    await line.hears("b", "signature:101")
    ports = [line.engine.open(leg).port for leg in ("a", "b")]
    chance = Random(4000)
    before = len(os.listdir(f"/proc/{line.engine.pid}/fd"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rubbish:
        for number in range(4000):
            head = chance.choice([b"", b"\x80\x00", b"\x80\xc8\x00\x06", b"\xbf\xff", b"\x81\xcf"])
            data = head + chance.randbytes(chance.randrange(300))
            rubbish.sendto(data, (HOST, ports[number % 2] + (number % 3 == 0)))
    line.engine.play("a", Signature("103"))
    await line.hears("b", "signature:103")
    assert len(os.listdir(f"/proc/{line.engine.pid}/fd")) == before
    assert not [event for event in line.said if isinstance(event, Faulted | WorkerLost)]


async def test_packets_are_marked_and_the_mark_is_read(line: Line) -> None:
    line.pair("a", "b")
    line.engine.play("a", Prompts(("queue-welcome",)), "said")
    await line.until(lambda event: event == PlayFinished("a", "said"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((HOST, 0))
        phone.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0x68)
        port = line.engine.open("c").port
        line.connect("c", phone.getsockname()[1])
        line.engine.listen("c")
        line.tell()  # the worker is told before anything arrives
        for sequence, frame in enumerate((*ears.frames_of("tone:busy"), *sounds_made.signature_frames("101")[:3])):
            phone.sendto(rtp.pack(0, sequence, sequence * 160, 9, frame), (HOST, port))
        await line.hears("c", "signature:101")
    for leg in "abc":
        line.engine.close(leg)
    await line.until(lambda event: isinstance(event, Closed) and event.leg == "c")
    marks = {event.leg: event.statistics.dscp for event in line.said if isinstance(event, Closed)}
    assert marks["c"] == 26, "AF31, as that phone marks"
    assert (marks["a"], marks["b"]) == (None, 46), "EF, as we mark; nothing was sent to the other one"


async def test_a_key_ends_a_recording(line: Line) -> None:
    line.pair("a", "b")
    line.engine.record("a", "vm-2", max_s=9, silence_s=9)
    line.engine.send_digits("b", "#")
    done = await line.until(lambda event: isinstance(event, RecordingFinished))
    assert done == RecordingFinished("a", "vm-2", 0.0, "key", "silence")


async def test_closing_a_leg_tells_its_figures_and_frees_its_port(line: Line) -> None:
    line.pair("a", "b")
    line.engine.play("a", Prompts(("digit-8",)), "said")
    await line.until(lambda event: event == PlayFinished("a", "said"))
    line.engine.close("a")
    line.engine.close("a")
    line.engine.close("b")
    await line.until(lambda event: isinstance(event, Closed) and event.leg == "b")
    frames = len(catalogue.frames("digit-8"))
    one, two = (event.statistics for event in line.said if isinstance(event, Closed))
    assert (one.sent, one.received, one.mos) == (frames, 0, 1.0)
    assert (two.received, two.lost, two.codec) == (frames, 0, "PCMU")
    assert two.mos > 4
    assert line.engine.live() == 0


async def test_rubbish_at_a_port_is_harmless(line: Line) -> None:
    line.pair("a", "b")
    port = line.engine.open("b").port
    loop = asyncio.get_running_loop()
    rubbish, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=(HOST, port))
    for data in (b"", b"\x80", b"\xbf" + b"\xff" * 40, b"INVITE sip:x SIP/2.0\r\n\r\n", os.urandom(1400)):
        rubbish.sendto(data)
    rubbish.close()
    line.engine.play("a", Prompts(("no-such-prompt",)), "over")
    await line.until(lambda event: event == PlayFinished("a", "over"))
    line.engine.play("a", Signature("101"))
    await line.hears("b", "signature:101")


async def test_ports_run_out_and_come_back(line: Line) -> None:
    for number in range(8):
        assert line.engine.open(str(number)).port % 2 == 0
    with pytest.raises(NoMediaPort):
        line.engine.open("one too many")
    line.engine.close("3")
    with pytest.raises(NoMediaPort, match="rest"):
        line.engine.open("too soon")


async def test_a_dead_worker_is_told_and_takes_every_leg_with_it(line: Line) -> None:
    line.pair("a", "b")
    os.kill(line.engine.pid, signal.SIGKILL)
    await line.until(lambda event: isinstance(event, WorkerLost))
    assert line.engine.live() == 0
    line.engine.play("a", Signature("101"))
    with pytest.raises(NoMediaPort):
        line.engine.open("c")


async def test_another_worker_takes_the_place_of_a_dead_one(line: Line) -> None:
    line.pair("a", "b")
    dead = line.engine.pid
    os.kill(dead, signal.SIGKILL)
    back = await line.until(lambda event: isinstance(event, WorkerBack))
    assert isinstance(back, WorkerBack)
    assert line.engine.pid != dead
    line.pair("c", "d")
    line.engine.play("c", Signature("101"))
    await line.hears("d", "signature:101")


async def test_a_worker_that_hangs_is_noticed_within_five_seconds_and_replaced(line: Line) -> None:
    line.pair("a", "b")
    hung, begun = line.engine.pid, time.monotonic()
    os.kill(hung, signal.SIGSTOP)
    assert await line.until(lambda event: isinstance(event, WorkerLost)) == WorkerLost(
        "the media worker did not answer for 3 s"
    )
    assert time.monotonic() - begun < 5
    assert (line.engine.live(), line.engine.runs) == (0, False)
    await line.until(lambda event: isinstance(event, WorkerBack))
    assert line.engine.runs
    assert line.engine.pid != hung
    line.pair("c", "d")
    line.engine.play("c", Signature("101"))
    await line.hears("d", "signature:101")


async def test_both_ends_report_to_each_other(line: Line) -> None:
    line.pair("a", "b")
    line.engine.play("a", Signature("101"))
    line.engine.play("b", Signature("102"))
    told = await line.until(lambda event: isinstance(event, FarEndReported) and event.round_trip_ms is not None)
    assert isinstance(told, FarEndReported)
    assert told.lost == 0
    assert 0 <= (told.round_trip_ms or 0) < 500


async def test_three_hundred_packets_of_a_stranger_are_neither_heard_nor_answered(line: Line) -> None:
    line.pair("a", "b")
    line.engine.play("a", Signature("101"))
    await line.hears("b", "signature:101")
    port = line.engine.open("b").port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((HOST, 0))
        stranger.setblocking(False)
        for sequence, frame in enumerate((sounds_made.signature_frames("103") * 6)[:300]):
            stranger.sendto(rtp.pack(0, sequence, sequence * 160, 9, frame), (HOST, port))
        ignored = await line.until(lambda event: isinstance(event, StrangerIgnored))
        assert ignored == StrangerIgnored("b", *stranger.getsockname())
        line.engine.play("b", Signature("102"))
        await line.hears("a", "signature:102")
        with pytest.raises(BlockingIOError):
            stranger.recv(2000)
    line.engine.close("b")
    closed = await line.until(lambda event: isinstance(event, Closed) and event.leg == "b")
    assert isinstance(closed, Closed)
    assert closed.statistics.strangers >= 200, "the rest found the buffer of the socket full"
    assert {event.sound for event in line.said if isinstance(event, Heard) and event.leg == "b"} == {"signature:101"}


async def test_a_worker_that_cannot_bind_does_not_start(tmp_path: Path) -> None:
    engine = LocalEngine("192.0.2.1", recordings=tmp_path, on_events=lambda: None, ports=2)
    with pytest.raises(OSError, match="did not start"):
        await engine.start()


def test_every_known_sound_has_frames_of_its_own() -> None:
    knowledge = ears.Knowledge(f"prompt:{name}" for name in catalogue.names())
    for name in catalogue.names():
        frames = ears.frames_of(f"prompt:{name}")
        known = [frame for frame in frames if knowledge.label_of(frame) == f"prompt:{name}"]
        assert len(known) == len(frames), name
