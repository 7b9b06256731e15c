"""A leg as the exchange has it: what was negotiated, what it sends, what it has received."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from pbx.media import ears, telephone_event
from pbx.media.codecs import OPUS, Coding, ticks, transcoder
from pbx.media.conversation import Side
from pbx.media.engine import MediaStatistics, RemoteMedia
from pbx.media.fax.terminal import Terminal
from pbx.media.flow import Watch
from pbx.media.inband import KeyEar
from pbx.media.latch import Address, Latch
from pbx.media.quality import Receiver, mos_g711
from pbx.media.recorder import Recorder
from pbx.media.reports import FRAME_MS, Reports, Sent, buffer_ms_for
from pbx.media.room import Member, Room
from pbx.media.srtp import Guard
from pbx.media.stream import Stream
from pbx.media.tap import Tap

Frames = Iterator[bytes]
_LONGEST_PAYLOAD, _LONGEST_OPUS = 480, 1275
"""60 ms: nobody sends more. A frame of Opus is never longer (RFC 6716 §3.4)."""
_NONE = -1
"""No payload type, no SSRC."""


@dataclass(slots=True, eq=False)
class Leg:
    """Owned by its exchange."""

    name: str
    port: int
    stream: Stream
    reports: Reports
    opened_at: float
    watch: Watch
    remote: RemoteMedia | None = None
    latch: Latch = field(default_factory=lambda: Latch("", 0))
    source: Address | None = None
    """Where its packets come from, as latched."""
    target: Address | None = None
    """Where to send; None while nothing may be sent."""
    hears: bool = False
    audio_type: int = _NONE
    event_type: int = _NONE
    other: Leg | None = None
    """The leg it is bridged to."""
    room: Room | None = None
    """The room it is in, and what it is there."""
    member: Member | None = None
    across: Coding | None = None
    """Makes its payloads those of the other's codec; None when they are alike."""
    opened: Coding | None = None
    """Makes its payloads mu-law for all who listen, where an octet is not an 8000th of a second; else None."""
    to_ulaw: Coding | None = None
    """Makes its payloads mu-law, for those who listen here."""
    from_ulaw: Coding | None = None
    """Makes sounds of our own its codec's."""
    guard: Guard | None = None
    """SRTP."""
    # sending
    frames: Frames | None = None
    token: str = ""
    fresh: bool = False
    keys: deque[str] = field(default_factory=deque)
    key: Iterator[tuple[bool, bytes]] | None = None
    key_gap: int = 0
    """Beats still to go before the next key."""
    ticks: int = 1
    """Of its RTP clock, to one of 8000 Hz."""
    # receiving
    longest: int = _LONGEST_PAYLOAD
    """Octets of a payload."""
    receiver: Receiver = field(default_factory=Receiver)
    ssrc: int = _NONE
    last: bytes = b""
    """Payload that arrived last."""
    earlier: tuple[int, int] = (0, 0)
    """Received and lost of the sources before this one."""
    dscp: int | None = None
    """Of a packet of the far end, the last one looked at."""
    rubbish: int = 0
    strangers: int = 0
    misfits: int = 0
    events: telephone_event.KeyReceiver = field(default_factory=telephone_event.KeyReceiver)
    listener: ears.Recogniser | None = None
    recorder: Recorder | Side | None = None
    key_ear: KeyEar | None = None
    """Hears keys as tones where no telephone-event was agreed."""
    tap: Tap | None = None
    """Keeps its packets as evidence."""
    attentive: bool = False
    """Somebody here listens: ears, a recorder, a fax machine, or who waits for keys."""
    # fax
    is_fax: bool = False
    """UDPTL is agreed instead of RTP."""
    fax_target: Address | None = None
    """Where UDPTL goes."""
    terminal: Terminal | None = None
    """The fax machine that has it."""
    datagrams: int = 0
    """Of UDPTL, received."""

    def connect(self, remote: RemoteMedia, now: float) -> None:
        """Take what was negotiated; latching begins again."""
        self._put_by()
        self.is_fax = remote.fax is not None
        if not self.is_fax and (self.remote is None or remote.codec != self.remote.codec):
            opus = remote.codec == OPUS
            self.opened = transcoder(OPUS, "PCMU") if opus else None
            self.to_ulaw = None if opus else transcoder(remote.codec, "PCMU")
            self.from_ulaw = transcoder("PCMU", remote.codec)
            self.ticks = self.stream.ticks = self.reports.ticks = ticks(remote.codec)
            self.longest = _LONGEST_OPUS if opus else _LONGEST_PAYLOAD
        if remote.keys is None:
            self.guard = None
        elif self.guard is None or self.guard.keys != remote.keys:  # the same keys go on counting (RFC 3711 §3.3.1)
            self.guard = Guard(remote.keys)
        self.remote = remote
        self.latch = Latch(remote.host, remote.port, remote.signalled, any_port=remote.any_port)
        self.source = None
        self.hears = remote.receives
        self.audio_type = remote.payload_type
        self.event_type = _NONE if remote.event_type is None else remote.event_type
        self.watch = Watch(now, f"{remote.codec} ({remote.payload_type}) from {remote.host}:{remote.port}")
        if self.tap is not None:
            self.tap.agreed(self.port, remote, now)
        if self.event_type != _NONE or self.is_fax:
            self.key_ear = None
        elif self.key_ear is None:
            self.key_ear = KeyEar()
        if self.recorder is not None:
            self.recorder.tune(self.codec)
        if self.member is not None and self.member.voice.codec != self.codec:
            self.member.tune(self.codec)
        self.attend()
        self.retarget()

    def attend(self) -> None:
        """Who listens is news."""
        self.attentive = not (
            self.listener is None and self.recorder is None and self.key_ear is None and self.member is None
            and self.terminal is None
        )  # fmt: skip

    def retarget(self) -> None:
        """The far end's address is news."""
        remote = self.remote
        self.source = self.latch.source
        target = self.latch.target if remote is not None and remote.sends and remote.port else None
        self.target, self.fax_target = (None, target) if self.is_fax else (target, None)

    def turn_to(self, ssrc: int) -> None:
        """Another source speaks: its numbers have nothing to do with those before."""
        if self.ssrc != _NONE:
            self.earlier = (self.earlier[0] + self.receiver.received, self.earlier[1] + self.receiver.lost)
        self.ssrc, self.receiver = ssrc, Receiver()

    @property
    def codec(self) -> str:
        """What those who listen here get of it: mu-law until that is settled, and of Opus."""
        return self.remote.codec if self.remote is not None and self.opened is None and not self.is_fax else "PCMU"

    @property
    def covered(self) -> bool:
        """Something of ours is sent: what is relayed has to wait."""
        return self.frames is not None or self.key is not None

    @property
    def wants_beats(self) -> bool:
        return bool(
            self.frames is not None
            or self.keys
            or self.key is not None
            or self.recorder is not None
            or self.room is not None
            or self.terminal is not None
        )

    @property
    def control_target(self) -> Address | None:
        """Where RTCP goes."""
        remote = self.remote
        if remote is None or not remote.port or self.is_fax:
            return None
        host, port = self.latch.target
        if remote.rtcp_mux:
            return host, port
        if remote.rtcp_port and (host, port) == (remote.host, remote.port):
            return host, remote.rtcp_port
        return host, port + 1

    def control_admits(self, source: Address) -> bool:
        """RTCP is taken from where the far end must send it: anybody could end its statistics otherwise."""
        return source == self.control_target or self.latch.is_behind(source)

    @property
    def received(self) -> int:
        return self.earlier[0] + self.receiver.received

    def sent(self, now: float) -> Sent:
        return Sent(self.stream.sent, self.stream.octets, self.stream.timestamp_at(now))

    def figures(self, now: float) -> MediaStatistics:
        """RFC 3550 figures over every source of the leg, and the E-model's estimate of them."""
        self._put_by()
        received, lost = self.received + self.datagrams, self.earlier[1] + self.receiver.lost
        far, trip_ms, jitter_ms = self.reports.far, self.reports.round_trip_ms, self.receiver.jitter_ms
        delay_ms = (trip_ms or 0.0) / 2 + buffer_ms_for(jitter_ms) + FRAME_MS
        mos = mos_g711(lost / (received + lost), delay_ms, self.receiver.burst_ratio) if received else 1.0
        return MediaStatistics(
            self.remote.codec if self.remote is not None else "",
            received,
            self.stream.sent,
            lost,
            round(jitter_ms, 3),
            None if self.is_fax else mos,
            round(now - self.opened_at, 3),
            None if trip_ms is None else round(trip_ms, 1),
            None if far is None else round(far.lost, 4),
            None if far is None else round(far.jitter_ms, 3),
            self.strangers,
            self.misfits,
            self.rubbish,
            self.guard is not None,
            self.dscp,
        )

    def _put_by(self) -> None:
        self.strangers += self.watch.strangers
        self.misfits += self.watch.misfits
        self.watch.strangers = self.watch.misfits = 0
