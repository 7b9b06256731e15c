"""What is played, heard and measured on RTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pbx.events.base import Event


@dataclass(frozen=True, slots=True)
class PromptPlayed(Event):
    """The switch began to play something to a leg."""

    kind: ClassVar[str] = "rtp.playing"
    call: str
    leg: str
    device: str
    source: str
    """`prompt:<names joined by +>`, `moh:<class>` or `tone:<name>`."""


@dataclass(frozen=True, slots=True)
class PromptMissing(Event):
    """A recording that was to be played is gone from the disk, or no sound; what stands in for it is heard."""

    kind: ClassVar[str] = "rtp.prompt_missing"
    call: str
    leg: str
    device: str
    recording: str
    reason: str


@dataclass(frozen=True, slots=True)
class MediaStarted(Event):
    kind: ClassVar[str] = "rtp.started"
    call: str
    leg: str
    device: str
    codec: str
    address: str


@dataclass(frozen=True, slots=True)
class MediaHeard(Event):
    """What the relay recognised in received payloads of a leg, i.e. what that party *says*."""

    kind: ClassVar[str] = "rtp.heard"
    call: str
    leg: str
    device: str
    sound: str
    """`signature:<party>`, `tone:<name>`, `silence` or `unknown`."""


@dataclass(frozen=True, slots=True)
class MediaTone(Event):
    """A party sends a tone of the telephone network: recognised by its frequencies and its cadence."""

    kind: ClassVar[str] = "rtp.tone"
    call: str
    leg: str
    device: str
    tone: str
    """`ringback`, `busy`, `reorder`, `sit-intercept`, …: a name of `pbx.media.tone_plan`."""


@dataclass(frozen=True, slots=True)
class MediaFlow(Event):
    """What arrives from a leg's far end is of another kind now."""

    kind: ClassVar[str] = "rtp.flow"
    call: str
    leg: str
    device: str
    flow: str
    """`flowing`, `silence`, `nothing`, `wrong-source` or `wrong-codec`."""
    detail: str


@dataclass(frozen=True, slots=True)
class MediaTwoWay(Event):
    """Packets arrive from both parties of a conversation."""

    kind: ClassVar[str] = "rtp.two_way"
    call: str
    device: str
    other: str


@dataclass(frozen=True, slots=True)
class MediaOneWay(Event):
    """One party of a conversation is not heard, and why; the other one is."""

    kind: ClassVar[str] = "rtp.one_way"
    call: str
    device: str
    """Who is not heard."""
    heard: str
    flow: str
    detail: str


@dataclass(frozen=True, slots=True)
class MediaPath(Event):
    """Which way the media of a conversation goes from now on; told where direct media is wanted."""

    kind: ClassVar[str] = "rtp.path"
    call: str
    device: str
    other: str
    path: str
    """`direct` or `relayed`."""
    why: str


@dataclass(frozen=True, slots=True)
class MediaQuality(Event):
    """How a leg's far end receives us, by its own word (RTCP)."""

    kind: ClassVar[str] = "rtp.quality"
    call: str
    leg: str
    device: str
    lost: float
    """Ratio since its report before."""
    jitter_ms: float
    round_trip_ms: float | None
    mos: float


@dataclass(frozen=True, slots=True)
class QualityReported(Event):
    """What a phone itself says of a call it had (RFC 6035); figures it does not give are None."""

    kind: ClassVar[str] = "rtp.reported"
    call: str
    """Empty when it names no dialog this device had with us of late."""
    leg: str
    device: str
    report: str
    """`session`, `interval` or `alert`."""
    sip_call_id: str
    codec: str
    lost_percent: float | None
    discarded_percent: float | None
    jitter_ms: float | None
    buffer_ms: float | None
    round_trip_ms: float | None
    mos_listening: float | None
    mos_conversational: float | None


@dataclass(frozen=True, slots=True)
class DigitReceived(Event):
    kind: ClassVar[str] = "rtp.dtmf"
    call: str
    leg: str
    device: str
    digit: str
    method: str
    """`rfc4733`, `inband` or `info`."""


@dataclass(frozen=True, slots=True)
class MediaReport(Event):
    """Receiver statistics of a leg, published when it ends."""

    kind: ClassVar[str] = "rtp.stopped"
    call: str
    leg: str
    device: str
    codec: str
    received: int
    sent: int
    lost: int
    jitter_ms: float
    mos: float | None
    """None of a leg that ended as a fax over T.38, and where the engine sees no losses."""
    seconds: float
    round_trip_ms: float | None = None
    far_lost: float | None = None
    """Ratio of our packets the far end missed last, by its own word (RTCP)."""
    strangers: int = 0
    """Packets of others than the far end, dropped."""
    misfits: int = 0
    """Packets of a codec nobody agreed, dropped."""
    encrypted: bool = False
    """It was SRTP."""
    dscp: int | None = None
    """How its packets were marked when they came (46 is EF); None when none was looked at."""
