"""Legs and what goes between them: the worker without its sockets.

Packets and the clock come in, packets and media events go out. Relaying happens on arrival; sounds of our own, keys
and the ends of recordings go by the 20 ms beat of a leg.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from pbx.media import ears, g711, rtp, telephone_event, wav
from pbx.media.engine import (
    Closed,
    DigitPressed,
    Heard,
    MediaEvent,
    MediaStatistics,
    PlayFinished,
    Prompts,
    Recording,
    RecordingFinished,
    RemoteMedia,
    Silence,
    Sound,
    SourceLatched,
    Tone,
)
from pbx.media.quality import Receiver, mos_g711
from pbx.media.recorder import Recorder
from pbx.media.stream import Stream

Address = tuple[str, int]
Frames = Iterator[bytes]
_NAME = re.compile(r"[\w][\w.+-]{0,120}\Z")
_LONGEST_PAYLOAD = 480
"""60 ms: nobody sends more."""


@dataclass(slots=True)
class Leg:
    name: str
    port: int
    stream: Stream
    opened_at: float
    remote: RemoteMedia | None = None
    latched: Address | None = None
    other: str = ""
    """The leg it is bridged to."""
    # sending
    frames: Frames | None = None
    token: str = ""
    fresh: bool = False
    keys: deque[str] = field(default_factory=deque)
    key: Iterator[tuple[bool, bytes]] | None = None
    key_gap: int = 0
    """Beats still to go before the next key."""
    # receiving
    receiver: Receiver = field(default_factory=Receiver)
    ssrc: int = -1
    earlier: tuple[int, int] = (0, 0)
    """Received and lost of the sources before this one."""
    transit: float | None = None
    events: telephone_event.KeyReceiver = field(default_factory=telephone_event.KeyReceiver)
    listener: ears.Recogniser | None = None
    recorder: Recorder | None = None

    @property
    def target(self) -> Address | None:
        """Where to send: the address its packets come from, before that the one it named."""
        remote = self.remote
        if remote is None or not remote.sends:
            return None
        return self.latched or (remote.host, remote.port)


class Exchange:
    """Every leg of one engine. Times are monotonic seconds."""

    def __init__(
        self,
        send: Callable[[int, bytes, Address], None],
        report: Callable[[MediaEvent], None],
        recordings: Path,
        knowledge: ears.Knowledge,
        chance: Callable[[int], int],
    ) -> None:
        """`send(port, data, to)` puts a datagram on the wire; `chance(n)` returns n random bits (RFC 3550 §8.1)."""
        self._send, self._report = send, report
        self._recordings = recordings
        self._knowledge = knowledge
        self._chance = chance
        self._legs: dict[str, Leg] = {}
        self._by_port: dict[int, Leg] = {}

    # --- commands -------------------------------------------------------------------------------------

    def open(self, name: str, port: int, now: float) -> None:
        stream = Stream(self._chance(32), self._chance(16), self._chance(32))
        self._legs[name] = self._by_port[port] = Leg(name, port, stream, now)

    def connect(self, name: str, remote: RemoteMedia) -> None:
        leg = self._legs[name]
        leg.remote, leg.latched = remote, None
        if leg.listener is not None:
            leg.listener = ears.Recogniser(self._knowledge)

    def play(self, name: str, sound: Sound, token: str) -> None:
        leg = self._legs[name]
        leg.token, leg.fresh = token, True
        try:
            leg.frames = self._frames(sound)
        except ValueError:
            leg.frames = iter(())  # nobody recorded it: over at once, so that the call goes on

    def stop(self, name: str) -> None:
        self._legs[name].frames = None

    def bridge(self, a: str, b: str) -> None:
        one, two = self._legs[a], self._legs[b]
        one.other, two.other = b, a

    def unbridge(self, a: str, b: str) -> None:
        for name, other in ((a, b), (b, a)):
            leg = self._legs.get(name)
            if leg is not None and leg.other == other:
                leg.other = ""

    def record(self, name: str, recording: str, now: float, *, max_s: float, silence_s: float, end_keys: str) -> None:
        leg = self._legs[name]
        self._finish(leg, "stopped")
        leg.recorder = Recorder(
            recording, now, max_s=max_s, silence_s=silence_s, end_keys=end_keys, knowledge=self._knowledge
        )

    def stop_record(self, name: str) -> None:
        self._finish(self._legs[name], "stopped")

    def send_digits(self, name: str, digits: str) -> None:
        self._legs[name].keys.extend(digit for digit in digits.upper() if digit in telephone_event.KEYS)

    def listen(self, name: str) -> None:
        leg = self._legs[name]
        if leg.listener is None:
            leg.listener = ears.Recogniser(self._knowledge)
        elif leg.listener.heard:
            self._report(Heard(name, leg.listener.heard))

    def close(self, name: str, now: float) -> None:
        leg = self._legs.pop(name, None)
        if leg is None:
            return
        self._finish(leg, "hangup")
        del self._by_port[leg.port]
        other = self._legs.get(leg.other)
        if other is not None and other.other == name:
            other.other = ""
        received, lost = leg.earlier[0] + leg.receiver.received, leg.earlier[1] + leg.receiver.lost
        mos = mos_g711(lost / (received + lost)) if received else 1.0
        codec = leg.remote.codec if leg.remote is not None else ""
        figures = MediaStatistics(
            codec,
            received,
            leg.stream.sent,
            lost,
            round(leg.receiver.jitter_ms, 3),
            mos,
            round(now - leg.opened_at, 3),
        )
        self._report(Closed(name, figures))

    def live(self) -> int:
        return len(self._legs)

    # --- packets --------------------------------------------------------------------------------------

    def receive(self, port: int, data: bytes, source: Address, now: float) -> None:
        """Take whatever arrived at a port; what is no RTP of this call is dropped."""
        leg = self._by_port.get(port)
        packet = rtp.read(data)
        if leg is None or packet is None or leg.remote is None:
            return
        remote = leg.remote
        is_event = packet.payload_type == remote.event_type
        if not is_event and packet.payload_type != remote.payload_type:
            return
        if not packet.payload or len(packet.payload) > _LONGEST_PAYLOAD or not self._from_far_end(leg, source, remote):
            return
        if not remote.receives:
            return
        self._count(leg, packet, is_event, now)
        other = self._legs.get(leg.other)
        if is_event:
            self._keys(leg, leg.events.packet(packet.ssrc, packet.timestamp, packet.payload, now))
            if other is not None:
                self._relay_event(leg, other, packet, now)
            return
        if other is not None:
            self._relay(leg, other, packet, remote.codec, now)
        if leg.listener is None and leg.recorder is None:
            return
        payload = g711.transcode(packet.payload, remote.codec, "PCMU")
        if leg.listener is not None:
            heard = leg.listener.feed(payload)
            if heard:
                self._report(Heard(leg.name, heard))
        if leg.recorder is not None:
            leg.recorder.packet(packet, payload, now)

    def _from_far_end(self, leg: Leg, source: Address, remote: RemoteMedia) -> bool:
        """Latch to the first source after an offer/answer, but the address the far end named has precedence."""
        if leg.latched == source:
            return True
        if leg.latched is not None and source != (remote.host, remote.port):
            return False
        leg.latched = source
        self._report(SourceLatched(leg.name, *source, remote.codec))
        return True

    def _count(self, leg: Leg, packet: rtp.Packet, is_event: bool, now: float) -> None:
        if packet.ssrc != leg.ssrc:
            if leg.ssrc >= 0:
                leg.earlier = (leg.earlier[0] + leg.receiver.received, leg.earlier[1] + leg.receiver.lost)
            leg.ssrc, leg.receiver, leg.transit = packet.ssrc, Receiver(), None
        timestamp = packet.timestamp
        if is_event and leg.transit is not None:
            # A key's packets share one timestamp: they say nothing about jitter.
            timestamp = round(now * 8000 - leg.transit)
        else:
            leg.transit = now * 8000 - timestamp
        leg.receiver.packet(packet.sequence, timestamp, now)

    def _relay(self, leg: Leg, other: Leg, packet: rtp.Packet, codec: str, now: float) -> None:
        target = other.target
        if target is None or other.remote is None or other.frames is not None or other.key is not None:
            return
        payload = g711.transcode(packet.payload, codec, other.remote.codec)
        self._send(other.port, other.stream.relay(leg.name, packet, other.remote.payload_type, payload, now), target)

    def _relay_event(self, leg: Leg, other: Leg, packet: rtp.Packet, now: float) -> None:
        target = other.target
        if target is None or other.remote is None or other.frames is not None or other.key is not None:
            return
        kind = other.remote.event_type
        if kind is not None:
            self._send(other.port, other.stream.relay(leg.name, packet, kind, packet.payload, now, event=True), target)

    def _keys(self, leg: Leg, keys: list[str]) -> None:
        for key in keys:
            if leg.recorder is not None and key in leg.recorder.end_keys:
                self._finish(leg, "key")
            self._report(DigitPressed(leg.name, key))

    # --- the beat -------------------------------------------------------------------------------------

    def beat(self, port: int, now: float) -> None:
        """20 ms have passed for the leg at a port."""
        leg = self._by_port.get(port)
        if leg is None:
            return
        frame, fresh = self._next_frame(leg), leg.fresh
        leg.fresh = leg.fresh and frame is None
        if leg.events.waiting:
            self._keys(leg, leg.events.due(now))
        if leg.recorder is not None:
            over = leg.recorder.due(now)
            if over:
                self._finish(leg, over)
        remote, target = leg.remote, leg.target
        if remote is None or target is None:
            leg.keys.clear()
            leg.key = None
            return
        if (leg.keys or leg.key is not None) and self._send_key(leg, remote, target, now):
            return
        if frame is not None:
            payload = g711.transcode(frame, "PCMU", remote.codec)
            self._send(leg.port, leg.stream.own(remote.payload_type, payload, now, fresh=fresh), target)

    def _send_key(self, leg: Leg, remote: RemoteMedia, target: Address, now: float) -> bool:
        """Send the next packet of a key; False when this beat has none."""
        if remote.event_type is None:
            leg.keys.clear()
            return False
        if leg.key_gap:
            leg.key_gap -= 1
            return False
        if leg.key is None:
            leg.key = telephone_event.packets(leg.keys.popleft())
        step = next(leg.key, None)
        if step is None:
            # 60 ms of our own sound part two keys (RFC 4733 §2.5.1.2): this beat is the first of them.
            leg.key, leg.key_gap = None, telephone_event.GAP_PACKETS - 1
            return False
        self._send(leg.port, leg.stream.event(remote.event_type, step[1], now, first=step[0]), target)
        return True

    def _next_frame(self, leg: Leg) -> bytes | None:
        if leg.frames is None:
            return None
        frame = next(leg.frames, None)
        if frame is None:
            leg.frames = None
            self._report(PlayFinished(leg.name, leg.token))
        return frame

    def _frames(self, sound: Sound) -> Frames:
        """ValueError for a prompt or tone that does not exist."""
        match sound:
            case Prompts(names=names, repeat=repeat):
                listed = [frame for name in names for frame in ears.frames_of(f"prompt:{name}")]
                return _again(listed) if repeat and listed else iter(listed)
            case Tone(name="beep"):
                return iter(ears.frames_of(sound.label))
            case Silence():
                return _again([ears.SILENT_FRAME])
            case Recording(name=name):
                return iter(self._recorded(name))
        self._knowledge.learn(sound.label)
        return _again(ears.frames_of(sound.label))

    # --- recordings -----------------------------------------------------------------------------------

    def _path(self, name: str) -> Path | None:
        return self._recordings / f"{name}.wav" if _NAME.match(name) else None

    def _recorded(self, name: str) -> list[bytes]:
        """Return the frames of an earlier recording, none when there is no such file."""
        path = self._path(name)
        try:
            samples = wav.read_wav(path) if path is not None else b""
        except (OSError, wav.BadWav):
            return []
        samples += b"\xff" * (-len(samples) % ears.FRAME)
        return [samples[at : at + ears.FRAME] for at in range(0, len(samples), ears.FRAME)]

    def _finish(self, leg: Leg, reason: str) -> None:
        it, leg.recorder = leg.recorder, None
        if it is None:
            return
        samples, heard = it.samples, it.heard
        path = self._path(it.name)
        try:
            if path is None:
                raise OSError("not a name for a file")
            wav.write_wav(path, samples)
        except OSError:
            samples, heard = b"", "silence"  # nothing was kept: the owner treats it as no message
        self._report(RecordingFinished(leg.name, it.name, len(samples) / 8000, reason, heard))


def _again(frames: list[bytes] | tuple[bytes, ...]) -> Frames:
    for at in count():
        yield frames[at % len(frames)]
