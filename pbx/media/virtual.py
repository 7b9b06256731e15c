"""Media in the virtual world: coarse segments instead of packets, over the same impaired wire (media.md 9).

A segment tells what its sender sounds like from now on and how many packets went by since the one before; it is sent
at every change and twice a second. Nothing here reads call state: who hears whom follows from what arrives at a port.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field, replace

from pbx.clock import FOREVER
from pbx.media.engine import (
    Closed,
    DigitPressed,
    FlowChanged,
    Heard,
    MediaAddress,
    MediaEvent,
    MediaStatistics,
    Music,
    PlayFinished,
    Prompts,
    Recording,
    RecordingFinished,
    RemoteMedia,
    Signature,
    Silence,
    Sound,
    SourceLatched,
    StrangerIgnored,
    Tone,
)
from pbx.media.flow import LOOK_S, Watch
from pbx.media.latch import IN_A_ROW, Latch
from pbx.media.ports import Ports
from pbx.media.quality import mos_g711

BEAT_S = 0.5
"""How often a sender repeats what it sounds like."""
PACKETS_PER_S = 50
FIRST_PORT = 16_384
LAST_PORT = 32_766
DIGIT_S = 0.16
"""One key: 100 ms of event and 60 ms of gap (RFC 4733 §2.5.1.2)."""
DIGIT_COPIES = 3
_BEEP_S = 0.4


@dataclass(frozen=True, slots=True)
class Segment:
    """What crosses the virtual wire; packed as text, so that the wire carries bytes as it does for SIP."""

    source: int
    """The sender's SSRC."""
    sequence: int
    payload_type: int
    label: str
    first: int
    """Packets sent before this segment."""
    last: int
    """Packets sent with it."""
    digit: str = ""
    event: int = 0
    """Number of the key, so that its copies count once."""
    sealed: str = ""
    """Digest of the SRTP key it is sealed with; empty for plain RTP."""

    def pack(self) -> bytes:
        parts = (
            self.source,
            self.sequence,
            self.payload_type,
            self.label,
            self.first,
            self.last,
            self.digit,
            self.event,
            self.sealed,
        )
        return ("VM1\t" + "\t".join(map(str, parts))).encode()


def unpack(data: bytes) -> Segment | None:
    """Read a segment; None for anything else that hits a media port."""
    parts = data.decode("utf-8", "replace").split("\t")
    if len(parts) != 10 or parts[0] != "VM1":
        return None
    try:
        source, sequence, payload, first, last, event = (int(parts[at]) for at in (1, 2, 3, 5, 6, 8))
    except ValueError:
        return None
    return Segment(source, sequence, payload, parts[4], first, last, parts[7], event, parts[9])


@dataclass(slots=True)
class _Leg:
    name: str
    port: int
    ssrc: int
    opened_at: float
    remote: RemoteMedia | None = None
    bridged: str = ""
    sound: Sound | None = None
    play_count: int = 0
    listening: bool = False
    # sending
    sequence: int = 0
    sent: int = 0
    beat_from: float = 0.0
    label: str = ""
    event: int = 0
    # receiving
    latch: Latch = field(default_factory=lambda: Latch("", 0))
    watch: Watch = field(default_factory=lambda: Watch(0.0, ""))
    strangers: int = 0
    misfits: int = 0
    rubbish: int = 0
    arrived: int = 0
    """Segments of the far end."""
    source: int = 0
    heard: str = ""
    heard_at: float = 0.0
    first: int = -1
    last: int = 0
    received: int = 0
    highest: int = -1
    codec: str = ""
    events: set[tuple[int, int]] = field(default_factory=set)
    early: tuple[bytes, tuple[str, int]] | None = None
    """What arrived before the answer did: real audio goes on, so its next packet would come 20 ms later."""
    # recording
    recording: str = ""
    recorded_from: float = 0.0
    recorded_voice: str = ""
    recorded_speech_to: float = 0.0
    silence_s: float = 0.0
    end_keys: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording of the virtual world."""

    seconds: float
    heard: str


class VirtualEngine:
    """Owns the legs of one party in the virtual world."""

    def __init__(
        self,
        host: str,
        send: Callable[[tuple[str, int], tuple[str, int], bytes], None],
        seconds_of: Callable[[str], float],
        recordings: MutableMapping[str, Kept] | None = None,
    ) -> None:
        """`send(from, to, data)` puts a datagram on the wire; `seconds_of` knows the length of a prompt."""
        self._host = host
        self._send = send
        self._seconds_of = seconds_of
        self._recordings = recordings if recordings is not None else {}
        self._legs: dict[str, _Leg] = {}
        self._by_port: dict[int, _Leg] = {}
        self._events: list[MediaEvent] = []
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._now = 0.0
        self._ports = Ports(range(FIRST_PORT, LAST_PORT + 1, 2))

    # --- commands -------------------------------------------------------------------------------------

    def at(self, now: float) -> None:
        self._now = max(self._now, now)

    def open(self, leg: str) -> MediaAddress:
        if (known := self._legs.get(leg)) is not None:
            return MediaAddress(self._host, known.port)
        port = self._ports.take(self._now)
        self._count += 1
        made = _Leg(leg, port, self._count, self._now)
        self._legs[leg] = self._by_port[port] = made
        self._look_later(made)
        return MediaAddress(self._host, port)

    def connect(self, leg: str, remote: RemoteMedia) -> None:
        it = self._legs.get(leg)
        if it is None:
            return
        self._flush(it)
        it.remote, it.codec = remote, remote.codec
        it.latch = Latch(remote.host, remote.port, remote.signalled)
        it.strangers, it.misfits = it.strangers + it.watch.strangers, it.misfits + it.watch.misfits
        it.watch = Watch(self._now, f"{remote.codec} ({remote.payload_type}) from {remote.host}:{remote.port}")
        it.heard = ""
        self._announce(it)
        if it.early is not None:
            (data, source), it.early = it.early, None
            self.receive(data, source, it.port, self._now)

    def play(self, leg: str, sound: Sound, token: str = "") -> None:
        it = self._legs.get(leg)
        if it is None:
            return
        it.sound = sound
        it.play_count += 1
        self._announce(it)
        self._step(it, it.play_count, token, 0)

    def stop(self, leg: str) -> None:
        it = self._legs.get(leg)
        if it is not None and it.sound is not None:
            it.sound = None
            it.play_count += 1
            self._announce(it)

    def bridge(self, a: str, b: str) -> None:
        one, two = self._legs.get(a), self._legs.get(b)
        if one is None or two is None:
            return
        one.bridged, two.bridged = b, a
        self._announce(one)
        self._announce(two)

    def unbridge(self, a: str, b: str) -> None:
        for name, other in ((a, b), (b, a)):
            it = self._legs.get(name)
            if it is not None and it.bridged == other:
                it.bridged = ""
                self._announce(it)

    def record(self, leg: str, recording: str, *, max_s: float, silence_s: float, end_keys: str = "#") -> None:
        it = self._legs.get(leg)
        if it is None:
            return
        it.recording, it.recorded_from, it.silence_s, it.end_keys = recording, self._now, silence_s, end_keys
        it.recorded_voice = it.heard if it.heard not in ("", "silence") else ""
        it.recorded_speech_to = self._now
        self._later(max_s, lambda: self._finish_recording(it, recording, "limit"))
        self._later(silence_s, lambda: self._check_silence(it, recording))

    def stop_record(self, leg: str) -> None:
        it = self._legs.get(leg)
        if it is not None:
            self._finish_recording(it, it.recording, "stopped")

    def send_digits(self, leg: str, digits: str) -> None:
        it = self._legs.get(leg)
        if it is None:
            return
        for at, digit in enumerate(digits):
            it.event += 1
            for copy in range(DIGIT_COPIES):
                self._later(at * DIGIT_S + copy * 0.02, lambda d=digit, e=it.event: self._send_digit(it, d, e))  # type: ignore[misc]

    def listen(self, leg: str) -> None:
        it = self._legs.get(leg)
        if it is not None:
            it.listening = True
            if it.heard:
                self._events.append(Heard(leg, it.heard))

    def close(self, leg: str) -> None:
        it = self._legs.pop(leg, None)
        if it is None:
            return
        self._finish_recording(it, it.recording, "hangup")
        self._flush(it)
        self._by_port.pop(it.port, None)
        self._ports.give_back(it.port, self._now)
        other = self._legs.get(it.bridged)
        if other is not None and other.bridged == leg:
            other.bridged = ""
            self._announce(other)
        expected = it.last - it.first if it.first >= 0 else 0
        lost = max(0, expected - it.received)
        quality = mos_g711(lost / expected if expected else 0.0)
        statistics = MediaStatistics(
            it.codec, it.received, it.sent, lost, 0.0, quality if it.received else 1.0, self._now - it.opened_at,
            strangers=it.strangers + it.watch.strangers, misfits=it.misfits + it.watch.misfits,
            rubbish=it.rubbish, encrypted=it.remote is not None and it.remote.keys is not None,
        )  # fmt: skip
        self._events.append(Closed(leg, statistics))

    def take_events(self) -> list[MediaEvent]:
        events, self._events = self._events, []
        return events

    def live(self) -> int:
        return len(self._legs)

    # --- wire and time --------------------------------------------------------------------------------

    def receive(self, data: bytes, source: tuple[str, int], port: int, now: float) -> None:
        """Take a datagram that arrived at one of our media ports."""
        self.at(now)
        it = self._by_port.get(port)
        segment = unpack(data)
        if it is None or segment is None:
            return
        if it.remote is None:
            it.early = (data, source)
            return
        if segment.sealed != (_digest(it.remote.keys.theirs) if it.remote.keys is not None else ""):
            it.rubbish += 1
            return
        if source != it.latch.source and not self._admitted(it, source, segment):
            return
        if segment.payload_type not in (it.remote.payload_type, it.remote.event_type):
            it.watch.misfits += 1
            it.watch.misfit = segment.payload_type
            return
        if not it.remote.receives:
            return
        if segment.digit:
            self._digit_received(it, segment)
            return
        if segment.sequence <= it.highest:
            return  # late or doubled by the wire
        it.highest = segment.sequence
        it.arrived += 1
        it.received += segment.last - segment.first
        it.last = max(it.last, segment.last)
        it.first = segment.first if it.first < 0 else it.first
        self._hear(it, segment.label)
        self._relay(it, segment)

    def _admitted(self, it: _Leg, source: tuple[str, int], segment: Segment) -> bool:
        assert it.remote is not None
        # A segment stands for many packets: it is as good as a few in a row.
        judged = [it.latch.admits(source, segment.source) for _ in range(IN_A_ROW)]
        if not judged[-1]:
            it.watch.strangers += 1
            it.watch.stranger = f"{source[0]}:{source[1]}"
            if it.watch.strangers == 1:
                self._events.append(StrangerIgnored(it.name, *source))
            return False
        if it.source != segment.source:
            it.source, it.highest, it.first = segment.source, -1, -1 if it.first < 0 else it.first
            it.first, it.last = (segment.first, segment.first) if it.received == 0 else (it.first, it.last)
        self._events.append(SourceLatched(it.name, *source, it.remote.codec))
        return True

    def _look_later(self, it: _Leg) -> None:
        def look() -> None:
            if self._by_port.get(it.port) is not it:
                return
            if it.remote is not None and it.remote.receives:
                news = it.watch.look(it.arrived, it.heard == "silence", self._now)
                if news is not None:
                    self._events.append(FlowChanged(it.name, *news))
                if it.heard not in ("", "silence") and it.watch.stopped(self._now):
                    self._hear(it, "silence")
            self._look_later(it)

        self._later(2 * LOOK_S, look)

    def tick(self, now: float) -> None:
        self.at(now)
        while self._heap and self._heap[0][0] <= now:
            heapq.heappop(self._heap)[2]()

    def next_deadline(self) -> float:
        return self._heap[0][0] if self._heap else FOREVER

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._heap, (self._now + seconds, self._count, do))

    # --- sending --------------------------------------------------------------------------------------

    def _step(self, it: _Leg, play: int, token: str, at: int) -> None:
        """Go on with a finite sound: the next prompt of a list, or the end."""
        sound = it.sound
        if sound is None or it.play_count != play:
            return
        match sound:
            case Prompts(names=names, repeat=repeat):
                if at >= len(names) and not (repeat and names):
                    self._played(it, token)
                    return
                name = names[at % len(names)]
                self._set_label(it, f"prompt:{name}")
                self._later(self._seconds_of(name), lambda: self._step(it, play, token, at + 1))
            case Tone(name="beep") if at == 0:
                self._later(_BEEP_S, lambda: self._step(it, play, token, 1))
            case Tone(name="beep"):
                self._played(it, token)
            case Recording(name=name):
                kept = self._recordings.get(name, Kept(0.0, "silence"))
                if at:
                    self._played(it, token)
                else:
                    self._set_label(it, kept.heard)
                    self._later(kept.seconds, lambda: self._step(it, play, token, 1))
            case Tone() | Music() | Signature() | Silence():
                pass

    def _played(self, it: _Leg, token: str) -> None:
        it.sound = None
        self._announce(it)
        self._events.append(PlayFinished(it.name, token))

    def _announce(self, it: _Leg) -> None:
        """Say what this leg sounds like now; a relayed leg says it when the other one is heard."""
        sound = it.sound
        if sound is None:
            label = "" if not it.bridged else None
        elif isinstance(sound, Prompts):
            label = f"prompt:{sound.names[0]}" if sound.names else ""
        elif isinstance(sound, Recording):
            label = self._recordings.get(sound.name, Kept(0.0, "silence")).heard
        else:
            label = sound.label
        if label is None:
            other = self._legs.get(it.bridged)
            self._set_label(it, "", relayed=other.heard if other is not None else "")
        else:
            self._set_label(it, label)

    def _set_label(self, it: _Leg, label: str, relayed: str = "") -> None:
        self._flush(it)
        it.label = label
        it.beat_from = self._now
        if relayed:
            self._emit(it, relayed, 0)
        if label and it.remote is not None and it.remote.sends:
            self._emit(it, label, 0)
            self._beat(it, label)

    def _beat(self, it: _Leg, label: str) -> None:
        def again() -> None:
            if self._legs.get(it.name) is it and it.label == label and it.beat_from + BEAT_S <= self._now + 1e-9:
                self._flush(it)
                self._beat(it, label)

        self._later(BEAT_S, again)

    def _flush(self, it: _Leg) -> None:
        """Send what was sounding since the last segment."""
        if not it.label or it.remote is None or not it.remote.sends:
            it.beat_from = self._now
            return
        packets = int((self._now - it.beat_from) * PACKETS_PER_S + 1e-6)
        if packets:
            it.beat_from = self._now
            self._emit(it, it.label, packets)

    def _emit(self, it: _Leg, label: str, packets: int) -> None:
        if it.remote is None or not it.remote.sends or it.remote.port == 0:
            return
        it.sequence += 1
        segment = Segment(it.ssrc, it.sequence, it.remote.payload_type, label, it.sent, it.sent + packets)
        it.sent += packets
        self._transmit(it, segment)

    def _send_digit(self, it: _Leg, digit: str, event: int) -> None:
        if it.remote is None or not it.remote.sends or it.remote.event_type is None or it.name not in self._legs:
            return
        segment = Segment(it.ssrc, 0, it.remote.event_type, "", 0, 0, digit, event)
        self._transmit(it, segment)

    def _transmit(self, it: _Leg, segment: Segment) -> None:
        remote = it.remote
        assert remote is not None
        if remote.keys is not None:
            segment = replace(segment, sealed=_digest(remote.keys.ours))
        self._send((self._host, it.port), (remote.host, remote.port), segment.pack())

    # --- receiving ------------------------------------------------------------------------------------

    def _hear(self, it: _Leg, label: str) -> None:
        if it.recording and label not in ("", "silence"):
            it.recorded_speech_to = self._now
            it.recorded_voice = label
        it.heard_at = self._now
        if label == it.heard:
            return
        it.heard = label
        if it.listening and label:
            self._events.append(Heard(it.name, label))

    def _relay(self, it: _Leg, segment: Segment) -> None:
        other = self._legs.get(it.bridged)
        if other is not None and other.sound is None:
            self._emit(other, segment.label, segment.last - segment.first)

    def _digit_received(self, it: _Leg, segment: Segment) -> None:
        key = (segment.source, segment.event)
        other = self._legs.get(it.bridged)
        if other is not None and other.sound is None:
            self._relay_digit(other, segment)
        if key in it.events:
            return
        it.events.add(key)
        if it.recording and segment.digit in it.end_keys:
            self._finish_recording(it, it.recording, "key")
        self._events.append(DigitPressed(it.name, segment.digit))

    def _relay_digit(self, it: _Leg, segment: Segment) -> None:
        if it.remote is None or it.remote.event_type is None or not it.remote.sends:
            return
        copy = Segment(it.ssrc, 0, it.remote.event_type, "", 0, 0, segment.digit, segment.source << 20 | segment.event)
        self._transmit(it, copy)

    def _check_silence(self, it: _Leg, recording: str) -> None:
        if it.recording != recording or it.name not in self._legs:
            return
        quiet = self._now - it.recorded_speech_to
        if quiet + 1e-9 >= it.silence_s:
            self._finish_recording(it, recording, "silence")
        else:
            self._later(it.silence_s - quiet, lambda: self._check_silence(it, recording))

    def _finish_recording(self, it: _Leg, recording: str, reason: str) -> None:
        if not recording or it.recording != recording:
            return
        it.recording = ""
        heard = it.recorded_voice or "silence"
        seconds = (it.recorded_speech_to if reason == "silence" else self._now) - it.recorded_from
        seconds = max(0.0, seconds) if it.recorded_voice else 0.0
        self._recordings[recording] = Kept(seconds, heard)
        self._events.append(RecordingFinished(it.name, recording, round(seconds, 2), reason, heard))


def _digest(key: str) -> str:
    """Name a key without telling it."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]
