"""The engine of others: rtpengine carries the media, this side tells it what to do over its `ng` protocol.

For more media than one machine's worker carries. What it cannot do is not among its `capabilities`: it recognises no
sounds, mixes no conferences, and leaves no recording that could be played back. Requests never block; ports are asked
for beforehand, so that `open` has one to give at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import socket
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

from pbx.media import ears, ng, recordings, sdp, wav
from pbx.media.engine import (
    Capability,
    Closed,
    DigitPressed,
    Faulted,
    FaxTask,
    FlowChanged,
    MediaAddress,
    MediaEvent,
    MediaStatistics,
    Music,
    NoMediaPort,
    PlayFinished,
    Prompts,
    RecordingFinished,
    RemoteMedia,
    Signature,
    Silence,
    Sound,
    SoundMissing,
    SourceLatched,
    Tone,
    WorkerBack,
    WorkerLost,
)
from pbx.media.flow import LOOK_S, Watch
from pbx.media.rtpengine_call import HOUSE, PARTY, Fields, Reply, RtpengineLeg, first_offer
from pbx.media.telephone_event import KEYS

_REPEAT_S = (0.25, 0.5, 1.0, 2.0)
"""Until an answer comes; after the last one rtpengine is not there."""
_START_S = 10.0
_SPARE = 32
"""Ports in hand."""
_RENEW_S = 600.0
"""A call nobody has answered is given up by rtpengine after an hour."""
_KEY_S = 0.16
_KEY_MS = 100
_FOR_EVER = 1_000_000
_GONE: Reply = {"result": b"error", "error-reason": b"no answer"}


class RtpengineEngine:
    """Implements `pbx.media.engine.Engine` over a running rtpengine; `start` it first and `shut` it at the end."""

    capabilities = frozenset[Capability]()

    def __init__(
        self,
        daemon: tuple[str, int],
        keys: tuple[str, int],
        *,
        folder: Path,
        recordings: Path,
        on_events: Callable[[], None],
    ) -> None:
        """`daemon` is its `--listen-ng`, `keys` its `--dtmf-log-dest`; sounds are put into `folder`, which it reads."""
        self._daemon, self._keys_at = daemon, keys
        self._folder, self._recordings = folder, recordings
        self._on_events = on_events
        self._legs: dict[str, RtpengineLeg] = {}
        self._by_call: dict[str, RtpengineLeg] = {}
        self._spare: deque[tuple[str, MediaAddress, float]] = deque()
        self._asked_for = 0
        self._events: list[MediaEvent] = []
        self._control: _Asking | None = None
        self._log: asyncio.DatagramTransport | None = None
        self._nowhere: socket.socket | None = None
        self._canary = ""
        """A call that is there as long as this rtpengine is."""
        self._canary_at = 0.0
        self._up = False
        self._lost_at = 0.0
        self._ready: asyncio.Future[None] | None = None
        self._beat: asyncio.TimerHandle | None = None

    # --- life -----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Find rtpengine and take the first ports; OSError says when it is not there."""
        loop = asyncio.get_running_loop()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._ready = loop.create_future()
        self._nowhere = socket.socket(socket.AF_INET6 if ":" in self._daemon[0] else socket.AF_INET, socket.SOCK_DGRAM)
        self._nowhere.bind((self._keys_at[0], 0))
        try:
            _, self._control = await loop.create_datagram_endpoint(_Asking, remote_addr=self._daemon)
            self._log, _ = await loop.create_datagram_endpoint(
                lambda: _Listening(self._key_logged), local_addr=self._keys_at
            )
            self._greet()
            async with asyncio.timeout(_START_S):
                await self._ready
        except TimeoutError:
            await self.shut()
            raise OSError(f"no rtpengine answers at {self._daemon[0]}:{self._daemon[1]}") from None
        except BaseException:
            await self.shut()
            raise

    async def shut(self) -> None:
        """Give every port back; legs still open are dropped without a word."""
        if self._beat is not None:
            self._beat.cancel()
        control, self._control = self._control, None
        if control is not None:
            for call in [*self._by_call, *(call for call, _, _ in self._spare), self._canary]:
                control.tell(_deletion(call))
            control.close()
        if self._log is not None:
            self._log.close()
        if self._nowhere is not None:
            self._nowhere.close()
        self._forget()

    @property
    def runs(self) -> bool:
        """rtpengine is there and has ports for us."""
        return self._up

    # --- commands -------------------------------------------------------------------------------------

    def at(self, now: float) -> None:
        """rtpengine reads its own clock."""

    def open(self, leg: str) -> MediaAddress:
        known = self._legs.get(leg)
        if known is not None:
            return known.address
        if not self._spare:
            raise NoMediaPort("rtpengine has given no port yet" if self._up else "rtpengine is not there")
        call, address, _ = self._spare.popleft()
        now = self._now
        made = RtpengineLeg(leg, call, address, now, Watch(now, ""))
        self._legs[leg] = self._by_call[call] = made
        self._stock_up()
        return address

    def connect(self, leg: str, remote: RemoteMedia) -> None:
        it = self._legs.get(leg)
        if it is None:
            return
        first, it.remote = it.remote is None, remote
        it.watch = Watch(self._now, f"{remote.codec} ({remote.payload_type}) from {remote.host}:{remote.port}")
        it.latched = None
        self._describe(it)
        if it.other is not None:
            self._describe(it.other)
        if first and it.sound is not None:
            self._begin(it)

    def play(self, leg: str, sound: Sound, token: str = "") -> None:
        it = self._legs.get(leg)
        if it is None:
            return
        playing = it.sound is not None and it.remote is not None
        it.sound, it.token, it.plays = sound, token, it.plays + 1
        if playing:
            self._then(it, lambda: it.fields("stop media", from_tag=PARTY))
        if it.remote is not None:
            self._begin(it)

    def stop(self, leg: str) -> None:
        it = self._legs.get(leg)
        if it is not None and it.sound is not None:
            it.sound, it.plays = None, it.plays + 1
            self._then(it, lambda: it.fields("stop media", from_tag=PARTY))
            self._uncover(it)

    def bridge(self, a: str, b: str) -> None:
        one, two = self._legs.get(a), self._legs.get(b)
        if one is not None and two is not None:
            one.other, two.other = two, one
            self._describe(one)
            self._describe(two)

    def unbridge(self, a: str, b: str) -> None:
        for name, other in ((a, b), (b, a)):
            it = self._legs.get(name)
            if it is not None and it.other is not None and it.other.name == other:
                it.other = None
                self._describe(it)

    def join(self, leg: str, room: str) -> None:
        """Nothing: it mixes no conferences, and says so among its capabilities."""

    def leave(self, leg: str) -> None:
        """Nothing, as `join`."""

    def announce(self, room: str, sound: Sound) -> None:
        """Nothing, as `join`."""

    def record(self, leg: str, recording: str, *, max_s: float, silence_s: float, end_keys: str = "#") -> None:
        """It keeps none that could be played back: over at once, and why."""
        self._report(RecordingFinished(leg, recording, 0.0, "stopped", "silence", "rtpengine keeps no recordings"))

    def record_both(self, a: str, b: str, recording: str) -> None:
        """As `record`."""
        self._report(RecordingFinished(a, recording, 0.0, "stopped", "", "rtpengine keeps no recordings"))

    def stop_record(self, leg: str) -> None:
        """Nothing is recorded."""

    def send_digits(self, leg: str, digits: str) -> None:
        it = self._legs.get(leg)
        if it is None:
            return
        for at, digit in enumerate(digit for digit in digits.upper() if digit in KEYS):
            press = partial(it.fields, "play DTMF", from_tag=HOUSE, code=digit, duration=_KEY_MS)
            asyncio.get_running_loop().call_later(at * _KEY_S, self._then, it, press)

    def fax(self, leg: str, task: FaxTask) -> None:
        """Nothing: it has no fax machines, and says so among its capabilities."""

    def listen(self, leg: str) -> None:
        """Nothing: it has no ears, and says so among its capabilities."""

    def close(self, leg: str) -> None:
        it = self._legs.pop(leg, None)
        if it is None:
            return
        if it.other is not None and it.other.other is it:
            it.other.other = None
            self._describe(it.other)
        it.other = None
        it.steps.clear()
        self._then(it, partial(it.fields, "query"), lambda reply: self._note(it, reply))
        self._then(it, lambda: _deletion(it.call), lambda reply: self._deleted(it))
        it.gone = True

    def take_events(self) -> list[MediaEvent]:
        events, self._events = self._events, []
        return events

    def live(self) -> int:
        return len(self._legs)

    # --- requests, one leg's in their order -----------------------------------------------------------

    def _then(
        self, leg: RtpengineLeg, request: Callable[[], Fields], take: Callable[[Reply], None] | None = None
    ) -> None:
        if leg.gone:
            return
        leg.steps.append((request, take or (lambda reply: self._expect_ok(leg, reply))))
        if not leg.waits:
            self._next(leg)

    def _next(self, leg: RtpengineLeg) -> None:
        if leg.steps and self._control is not None:
            request, take = leg.steps.popleft()
            leg.waits = True
            self._control.ask(request(), partial(self._answered, leg, take))

    def _answered(self, leg: RtpengineLeg, take: Callable[[Reply], None], reply: Reply) -> None:
        leg.waits = False
        take(reply)
        if not leg.waits:
            self._next(leg)

    def _expect_ok(self, leg: RtpengineLeg, reply: Reply) -> None:
        self._check(leg, reply)

    def _check(self, leg: RtpengineLeg, reply: Reply) -> bool:
        if reply.get("result") == b"ok":
            return True
        if self._up and not leg.gone:
            self._report(Faulted(f"rtpengine, {leg.name}: {_reason(reply)}"))
        return False

    def _describe(self, leg: RtpengineLeg) -> None:
        """Say what both sides of a leg are now; our own matters once the party is known."""
        if leg.remote is None:
            return
        self._then(leg, lambda: leg.offer(self._at_nowhere))
        self._then(leg, leg.answer, partial(self._settled, leg))

    def _settled(self, leg: RtpengineLeg, reply: Reply) -> None:
        if not self._check(leg, reply):
            return
        house = _address(reply)
        if house is not None and house != leg.house:
            leg.house = house
            if leg.other is not None:
                self._describe(leg.other)

    # --- sounds ---------------------------------------------------------------------------------------

    def _begin(self, leg: RtpengineLeg) -> None:
        sound, play = leg.sound, leg.plays
        assert sound is not None
        try:
            path = self._file(leg, sound)
        except (OSError, ValueError) as problem:
            self._report(SoundMissing(leg.name, sound.label, str(problem)))
            path = None
        endless = not isinstance(sound, Prompts | recordings.Recording) and sound != Tone("beep")
        endless = endless or (isinstance(sound, Prompts) and sound.repeat)
        if path is None:
            self._later(0.0, partial(self._finished, leg, play))
            return
        # What is relayed waits while something of ours is played.
        self._then(leg, lambda: leg.fields("block media", from_tag=HOUSE))
        more = {"repeat_times": _FOR_EVER} if endless else {}
        self._then(
            leg,
            lambda: leg.fields("play media", from_tag=PARTY, file=str(path), **more),
            partial(self._playing, leg, play, endless),
        )

    def _playing(self, leg: RtpengineLeg, play: int, endless: bool, reply: Reply) -> None:
        if not self._check(leg, reply):
            self._later(0.0, partial(self._finished, leg, play))
        elif not endless:
            self._later(int(reply.get("duration", 0)) / 1000, partial(self._finished, leg, play))

    def _finished(self, leg: RtpengineLeg, play: int) -> None:
        if leg.plays != play or leg.gone or leg.sound is None:
            return
        leg.sound = None
        self._uncover(leg)
        self._report(PlayFinished(leg.name, leg.token))

    def _uncover(self, leg: RtpengineLeg) -> None:
        self._then(leg, lambda: leg.fields("unblock media", from_tag=HOUSE))

    def _file(self, leg: RtpengineLeg, sound: Sound) -> Path | None:
        """Write what a sound is, once; None for one that has no length. OSError, ValueError for one nobody knows."""
        match sound:
            case Prompts(names=names):
                octets = b"".join(self._spoken(leg, name) for name in names)
            case recordings.Recording():
                octets = self._spoken(leg, sound)
            case Silence():
                octets = ears.SILENT_FRAME * 50
            case Tone() | Music() | Signature():
                octets = b"".join(ears.frames_of(sound.label))
        if not octets:
            return None
        path = self._folder / f"{hashlib.sha256(octets).hexdigest()[:32]}.wav"
        if not path.exists():
            wav.write_wav(path, octets)
        return path

    def _spoken(self, leg: RtpengineLeg, spoken: str | recordings.Recording) -> bytes:
        if isinstance(spoken, str):
            return b"".join(ears.frames_of(f"prompt:{spoken}"))
        try:
            return recordings.octets(self._recordings, spoken)
        except (OSError, wav.BadWav) as problem:
            self._report(SoundMissing(leg.name, spoken.name, str(problem)))
            return b"".join(ears.frames_of(f"prompt:{spoken.instead}")) if spoken.instead else b""

    # --- what it tells --------------------------------------------------------------------------------

    def _key_logged(self, data: bytes) -> None:
        """A line of its log of keys: JSON, by whoever can send to that port. Only what fits a leg counts."""
        try:
            line = json.loads(data)
            leg, tag, event = self._by_call.get(line["callid"]), line["source_tag"], int(line["event"])
        except (ValueError, TypeError, KeyError):
            return
        if leg is None or leg.gone or tag != PARTY or not 0 <= event < len(KEYS):
            return
        self._report(DigitPressed(leg.name, KEYS[event]))
        if leg.hands_keys_on and leg.other is not None:
            self.send_digits(leg.other.name, KEYS[event])

    def _look(self, leg: RtpengineLeg, reply: Reply) -> None:
        if reply.get("result") != b"ok" or leg.remote is None or leg.gone:
            return
        self._note(leg, reply)
        if leg.received and leg.source != leg.latched:
            leg.latched = leg.source
            self._report(SourceLatched(leg.name, *leg.source, leg.remote.codec))
        if leg.remote.receives:
            news = leg.watch.look(leg.received, False, self._now)
            if news is not None:
                self._report(FlowChanged(leg.name, *news))

    def _note(self, leg: RtpengineLeg, reply: Reply) -> None:
        counted = _counted(reply)
        if counted is not None:
            leg.received, leg.sent, leg.source = counted

    def _deleted(self, leg: RtpengineLeg) -> None:
        self._by_call.pop(leg.call, None)
        codec = leg.remote.codec if leg.remote is not None else ""
        seconds = round(self._now - leg.opened_at, 3)
        self._report(Closed(leg.name, MediaStatistics(codec, leg.received, leg.sent, 0, 0.0, None, seconds)))

    # --- whether it is there --------------------------------------------------------------------------

    def _greet(self) -> None:
        """Make the call that tells this rtpengine from one that was started after it."""
        self._canary, self._canary_at = f"switchroom-{secrets.token_hex(8)}", self._now
        if self._control is not None:
            self._control.ask(first_offer(self._canary, self._at_nowhere), self._greeted)

    def _greeted(self, reply: Reply) -> None:
        if reply.get("result") == b"ok":
            self._stock_up()
        self._look_later()

    def _look_later(self) -> None:
        self._beat = self._later(2 * LOOK_S, self._look_round)

    def _look_round(self) -> None:
        control, now = self._control, self._now
        if control is None:
            return
        if not self._up and not self._asked_for:
            self._greet()
            return
        for leg in self._legs.values():
            if leg.remote is not None and not leg.waits:
                self._then(leg, partial(leg.fields, "query"), partial(self._look, leg))
        if now - self._canary_at > _RENEW_S:
            control.tell(_deletion(self._canary))
            self._greet()
            return
        while self._spare and now - self._spare[0][2] > _RENEW_S:
            control.tell(_deletion(self._spare.popleft()[0]))
        self._stock_up()
        control.ask({"command": "query", "call-id": self._canary}, self._seen)

    def _seen(self, reply: Reply) -> None:
        if self._up and reply.get("result") != b"ok":
            self._forget()
            self._lost_at = self._now
            self._report(WorkerLost(f"rtpengine: {_reason(reply)}"))
        self._look_later()

    def _stock_up(self) -> None:
        control = self._control
        while control is not None and len(self._spare) + self._asked_for < _SPARE:
            self._asked_for += 1
            call = f"switchroom-{secrets.token_hex(8)}"
            control.ask(first_offer(call, self._at_nowhere), partial(self._stocked, call))

    def _stocked(self, call: str, reply: Reply) -> None:
        self._asked_for -= 1
        address = _address(reply)
        if address is None:
            if reply is not _GONE and not self._asked_for and not self._spare:
                self._report(Faulted(f"rtpengine gives no port: {_reason(reply)}"))
            return
        self._spare.append((call, address, self._now))
        if self._up:
            return
        self._up = True
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)
        else:
            self._report(WorkerBack(round(self._now - self._lost_at, 3)))

    def _forget(self) -> None:
        """It is gone, and every call with it."""
        self._up = False
        for leg in self._by_call.values():
            leg.gone = True
        self._legs.clear()
        self._by_call.clear()
        self._spare.clear()

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def _at_nowhere(self) -> MediaAddress:
        assert self._nowhere is not None
        host, port = self._nowhere.getsockname()[:2]
        return MediaAddress(host, port)

    def _later(self, seconds: float, do: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, do)

    def _report(self, event: MediaEvent) -> None:
        """Told from the loop, never within a command: who commands asks for events himself."""
        self._events.append(event)
        self._later(0.0, self._on_events)


class _Asking(asyncio.DatagramProtocol):
    """Requests and the answers to them; a request is repeated until it is answered."""

    def __init__(self) -> None:
        self._waiting: dict[str, Callable[[Reply], None]] = {}
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        try:
            cookie, reply = ng.unpack(data)
        except ng.BadReply:
            return  # not what it says: asked again
        take = self._waiting.pop(cookie, None)
        if take is not None:
            take(reply)

    def error_received(self, exc: Exception) -> None:
        """Nobody is at the port at the moment (ICMP): the repetitions will tell."""

    def ask(self, fields: Fields, take: Callable[[Reply], None]) -> None:
        cookie = secrets.token_hex(8)
        self._waiting[cookie] = take
        self._send(cookie, ng.pack(cookie, fields), 0)

    def tell(self, fields: Fields) -> None:
        """Ask without waiting for an answer."""
        if self._transport is not None:
            self._transport.sendto(ng.pack(secrets.token_hex(8), fields))

    def close(self) -> None:
        self._waiting.clear()
        if self._transport is not None:
            self._transport.close()

    def _send(self, cookie: str, data: bytes, tries: int) -> None:
        if cookie not in self._waiting or self._transport is None:
            return
        if tries == len(_REPEAT_S):
            self._waiting.pop(cookie)(_GONE)
            return
        self._transport.sendto(data)
        asyncio.get_running_loop().call_later(_REPEAT_S[tries], self._send, cookie, data, tries + 1)


class _Listening(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._take(data)


def _deletion(call: str) -> Fields:
    return {"command": "delete", "call-id": call, "delete-delay": 0}


def _address(reply: Reply) -> MediaAddress | None:
    """Return the address in a reply's description; None when it has none."""
    text = reply.get("sdp")
    if reply.get("result") != b"ok" or not isinstance(text, bytes):
        return None
    try:
        described = sdp.parse_sdp(text)
    except sdp.BadSdp:
        return None
    return MediaAddress(described.host, described.port)


def _counted(reply: Reply) -> tuple[int, int, tuple[str, int]] | None:
    """Return packets of the party, packets of our side, and where the party sends from; None when it does not say."""
    try:
        party, house = (reply["tags"][tag]["medias"][0]["streams"][0] for tag in (PARTY, HOUSE))
        source = (party["endpoint"]["address"].decode(), int(party["endpoint"]["port"]))
        return int(party["stats"]["packets"]), int(house["stats"]["packets"]), source
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        return None


def _reason(reply: Reply) -> str:
    reason = reply.get("error-reason", b"it says nothing of why")
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
