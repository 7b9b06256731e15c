"""The engine of the real world: a worker process carries the media, this side tells it what to do.

Commands are datagrams of a SOCK_SEQPACKET pair and never block; ports are bound by the worker beforehand, so that
`open` has one to give at once.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from pbx.media import words
from pbx.media.engine import (
    Capability,
    FaxTask,
    MediaAddress,
    MediaEvent,
    NoMediaPort,
    RemoteMedia,
    Sound,
    WorkerBack,
    WorkerLost,
)
from pbx.media.fax import spandsp
from pbx.media.ports import Ports

MUSIC = ("default", "toronto", "laval")
"""Music the ears of an engine know unless told more."""
_START_S = 30.0
_STOP_S = 5.0
_ASKED_EVERY_S = 0.75
_UNANSWERED = 4
"""Questions without an answer: the worker hangs. Counted, so that a pause of our own is not taken for one of its."""
_LIVES_S = 10.0
"""A worker that lived so long died of an accident: the next one starts at once."""
_LONGEST_PAUSE_S = 30.0
_BUFFER = 1 << 20


class LocalEngine:
    """Implements `pbx.media.engine.Engine` over one worker process; `start` it first and `shut` it at the end."""

    def __init__(
        self,
        host: str,
        *,
        recordings: Path,
        on_events: Callable[[], None],
        parties: Sequence[str] = (),
        music: Sequence[str] = MUSIC,
        ports: int = 1200,
        fax_speed: int = 1,
        program: str = "pbx.media.worker",
    ) -> None:
        """Media at `host`; `on_events` runs when `take_events` has something; `parties` are known by their voice.

        `fax_speed`: how much faster than real time T.38 goes, between machines that all keep it; `program` is the
        worker's module.
        """
        self._program = program
        self.told: Callable[[words.Words], None] = lambda said: None
        """Takes what a worker of another kind says beside media events (`note`)."""
        self.capabilities = frozenset(Capability) - ({Capability.FAX} if spandsp.unavailable() else set())
        self._host = host
        self._recordings = recordings
        self._on_events = on_events
        self._parties = tuple(parties)
        self._music = tuple(music)
        self._ports = ports
        self._fax_speed = fax_speed
        self._taps: Path | None = None
        self._free = Ports()
        self._open: dict[str, int] = {}
        self._events: list[MediaEvent] = []
        self._waiting: deque[words.Words] = deque()
        self._blocked = False
        """The worker has not read yet what it was told."""
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._again: asyncio.TimerHandle | None = None
        self._asking: asyncio.TimerHandle | None = None
        self._unanswered = 0
        self._begun_at = self._lost_at = 0.0
        self._pause_s = 0.0
        self._up = False
        """The worker has said which ports it has."""
        self._ready: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # --- life -----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the worker and wait for its ports; OSError or TimeoutError when it does not come up."""
        self._loop = loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        self._begin(loop)
        try:
            async with asyncio.timeout(_START_S):
                await self._ready
        except BaseException:
            await self.shut()
            raise

    async def shut(self) -> None:
        """End the worker; legs still open are dropped without a word."""
        if self._again is not None:
            self._again.cancel()
        self._flush()
        self._hang_up()
        process, self._process = self._process, None
        if process is not None:
            await asyncio.to_thread(_end, process)

    @property
    def runs(self) -> bool:
        """The worker is there and has its ports."""
        return self._up and self._socket is not None

    @property
    def pid(self) -> int:
        """Of the worker; 0 before it was started."""
        return self._process.pid if self._process is not None else 0

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            ours.setblocking(False)
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._program, str(theirs.fileno())], pass_fds=[theirs.fileno()]
            )
        self._socket, self._begun_at = ours, loop.time()
        loop.add_reader(ours, self._readable)
        self._tell(
            "start",
            host=self._host,
            recordings=str(self._recordings),
            parties=self._parties,
            music=self._music,
            ports=self._ports,
            fax_speed=self._fax_speed,
        )
        if self._taps is not None:
            self.tap(self._taps)
        self._flush()

    def _ask(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ask the worker for a sign of life; one that hangs is as good as dead, and ended to be replaced."""
        if self._unanswered >= _UNANSWERED:
            self._lost(f"the media worker did not answer for {_UNANSWERED * _ASKED_EVERY_S:.0f} s")
            return
        self._unanswered += 1
        self._tell("answer")
        self._asking = loop.call_later(_ASKED_EVERY_S, self._ask, loop)

    # --- commands -------------------------------------------------------------------------------------

    def at(self, now: float) -> None:
        """The worker reads its own clock."""

    def open(self, leg: str) -> MediaAddress:
        if leg in self._open:
            return MediaAddress(self._host, self._open[leg])
        if self._socket is None or self._loop is None:
            raise NoMediaPort("the media worker is not running")
        port = self._open[leg] = self._free.take(self._loop.time())
        self._tell("open", leg=leg, port=port)
        return MediaAddress(self._host, port)

    def connect(self, leg: str, remote: RemoteMedia) -> None:
        self._tell_leg("connect", leg, remote=words.remote_words(remote))

    def play(self, leg: str, sound: Sound, token: str = "") -> None:
        self._tell_leg("play", leg, sound=words.sound_words(sound), token=token)

    def stop(self, leg: str) -> None:
        self._tell_leg("stop", leg)

    def bridge(self, a: str, b: str) -> None:
        self._tell_leg("bridge", a, other=b)

    def unbridge(self, a: str, b: str) -> None:
        self._tell_leg("unbridge", a, other=b)

    def join(self, leg: str, room: str) -> None:
        self._tell_leg("join", leg, room=room)

    def leave(self, leg: str) -> None:
        self._tell_leg("leave", leg)

    def announce(self, room: str, sound: Sound) -> None:
        self._tell("announce", leg="", room=room, sound=words.sound_words(sound))

    def record(self, leg: str, recording: str, *, max_s: float, silence_s: float, end_keys: str = "#") -> None:
        self._tell_leg("record", leg, recording=recording, max_s=max_s, silence_s=silence_s, end_keys=end_keys)

    def record_both(self, a: str, b: str, recording: str) -> None:
        self._tell_leg("record_both", a, other=b, recording=recording)

    def stop_record(self, leg: str) -> None:
        self._tell_leg("stop_record", leg)

    def send_digits(self, leg: str, digits: str) -> None:
        self._tell_leg("send_digits", leg, digits=digits)

    def fax(self, leg: str, task: FaxTask) -> None:
        self._tell_leg("fax", leg, task=asdict(task))

    def listen(self, leg: str) -> None:
        self._tell_leg("listen", leg)

    def close(self, leg: str) -> None:
        """Give the port back, to rest before it is taken again."""
        port = self._open.get(leg)
        if port is not None and self._loop is not None:
            self._tell_leg("close", leg)
            del self._open[leg]
            self._free.give_back(port, self._loop.time())

    def tell(self, command: str, **more: object) -> None:
        """Give a command that only a worker of another kind knows."""
        self._tell(command, leg="", **more)

    def take_events(self) -> list[MediaEvent]:
        """Whoever asks has said what it had to say: it goes out together, before any SIP that follows from it."""
        self._flush()
        events, self._events = self._events, []
        return events

    def tap(self, folder: Path | None) -> None:
        """Keep the packets of each leg that is opened from now on (`pbx.media.tap`); None keeps no more."""
        self._taps = folder
        self._tell("tap", folder=str(folder or ""))

    def live(self) -> int:
        return len(self._open)

    # --- the pair -------------------------------------------------------------------------------------

    def _tell_leg(self, command: str, leg: str, **more: object) -> None:
        if leg in self._open:
            self._tell(command, leg=leg, **more)

    def _tell(self, command: str, **more: object) -> None:
        if self._socket is None:
            return
        self._waiting.append({"do": command, **more})
        if len(self._waiting) == 1 and self._loop is not None:
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        pair, loop = self._socket, self._loop
        if pair is None or loop is None:
            return
        while self._waiting:
            datagram, count = words.together(self._waiting)
            try:
                pair.send(datagram)
            except BlockingIOError:
                self._blocked = True
                loop.add_writer(pair, self._flush)
                return
            except OSError:
                self._waiting.clear()  # the worker is gone: the reader says so, not in the middle of a command
                break
            for _ in range(count):
                self._waiting.popleft()
        if self._blocked:
            self._blocked = False
            loop.remove_writer(pair)

    def _readable(self) -> None:
        pair = self._socket
        while pair is not None and pair is self._socket:
            try:
                data = pair.recv(words.LARGEST)
            except BlockingIOError:
                break
            except OSError as problem:
                self._lost(str(problem))
                return
            if not data:
                self._lost("the media worker ended")
                return
            for said in words.apart(data):
                self._told(said)
        if self._events:
            self._on_events()

    def _told(self, said: words.Words) -> None:
        self._unanswered = 0
        if "answered" in said:
            return
        if "note" in said:
            self.told(said)
            return
        if "ports" not in said:
            self._events.append(words.event_of(said))
            return
        self._free.add(said["ports"])
        self._up = True
        if self._loop is not None:
            self._ask(self._loop)
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)
        elif self._loop is not None:
            self._events.append(WorkerBack(round(self._loop.time() - self._lost_at, 3)))

    def _lost(self, reason: str) -> None:
        """The worker has died: every leg with it. Another takes its place, at once if this one had lived a while."""
        loop = self._loop
        assert loop is not None
        came_up, self._up = self._up, False
        self._hang_up()
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(OSError(f"the media worker did not start: {reason}"))
            return
        if came_up:
            self._lost_at = loop.time()
            self._events.append(WorkerLost(reason))
            self._on_events()
        lived = loop.time() - self._begun_at
        self._pause_s = 0.0 if lived > _LIVES_S else min(max(1.0, 2 * self._pause_s), _LONGEST_PAUSE_S)
        self._again = loop.call_later(self._pause_s, self._begin, loop)

    def _hang_up(self) -> None:
        pair, self._socket = self._socket, None
        if self._asking is not None:
            self._asking.cancel()
        self._unanswered = 0
        self._open.clear()
        self._free.clear()
        self._waiting.clear()
        self._blocked = False
        if pair is not None and self._loop is not None:
            self._loop.remove_reader(pair)
            self._loop.remove_writer(pair)
            pair.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a worker that has been hung up on."""
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
