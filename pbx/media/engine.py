"""What the switch and every simulated phone command: one interface over three engines.

Commands are synchronous and never block; what comes of them arrives as media events. `LocalEngine` talks to a worker
process, `VirtualEngine` sends media as coarse segments over the virtual wire, `RtpengineEngine` asks a daemon. A leg
is named by its owner.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, NamedTuple, Protocol

from pbx.domain.sounds import Music as Music
from pbx.domain.sounds import Prompts as Prompts
from pbx.domain.sounds import Recording as Recording
from pbx.domain.sounds import Signature as Signature
from pbx.domain.sounds import Silence as Silence
from pbx.domain.sounds import Sound as Sound
from pbx.domain.sounds import Tone as Tone


class NoMediaPort(Exception):
    """Every port is taken; the call is owed 503."""


@dataclass(frozen=True, slots=True)
class MediaAddress:
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """Base64 of master key and salt each way (RFC 4568 §6.1)."""

    suite: str
    ours: str = field(repr=False)
    """What we seal with."""
    theirs: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class T38:
    """What a party says of its fax over IP (ITU-T T.38 annex D)."""

    bit_rate: int = 14_400
    largest: int = 400
    """Octets of a datagram it takes (`T38FaxMaxDatagram`)."""
    version: int = 0


FAX = "T38"
"""In the place of a codec."""


class RemoteMedia(NamedTuple):
    """What an offer and its answer settled, seen from us."""

    host: str
    port: int
    codec: str
    """`PCMU`, `PCMA` or `G722`; `T38` for fax, which is no sound."""
    payload_type: int
    event_type: int | None
    """Payload type of telephone-event, None when it was not negotiated."""
    direction: str
    """Ours: `sendrecv`, `sendonly`, `recvonly` or `inactive`."""
    ptime_ms: int = 20
    rtcp_port: int = 0
    """Where the far end takes RTCP (RFC 3605); 0 is the port above its media."""
    rtcp_mux: bool = False
    """RTP and RTCP share a port (RFC 5761)."""
    keys: SrtpKeys | None = None
    """SRTP; None is plain RTP."""
    fax: T38 | None = None
    """UDPTL instead of RTP."""
    signalled: str = ""
    """The host its signalling comes from: another one than `host` shows a NAT between. Empty when unknown."""
    any_port: bool = False
    """It is behind a NAT though the hosts are the same: its media may come from any port."""

    @property
    def sends(self) -> bool:
        return self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        return self.direction in ("sendrecv", "recvonly")


@dataclass(frozen=True, slots=True)
class MediaStatistics:
    """Receiver figures of a leg (RFC 3550 §6.4, E-model of G.107)."""

    codec: str
    received: int
    sent: int
    lost: int
    jitter_ms: float
    mos: float | None
    """None where nobody can tell: of a fax over T.38, and where the engine sees no losses."""
    seconds: float
    round_trip_ms: float | None = None
    """By RTCP; None when the far end sent none."""
    far_lost: float | None = None
    """Ratio of our packets the far end missed last, by its own word (RTCP)."""
    far_jitter_ms: float | None = None
    strangers: int = 0
    """Packets from any other source than the far end: dropped."""
    misfits: int = 0
    """Packets of another codec than the one agreed: dropped."""
    rubbish: int = 0
    """Datagrams that are no RTP, or SRTP that does not open."""
    encrypted: bool = False
    dscp: int | None = None
    """How the far end's packets were marked when they came here; None when none was looked at."""


class MediaEvent:
    __slots__ = ()


@dataclass(frozen=True, slots=True)
class PlayFinished(MediaEvent):
    leg: str
    token: str


@dataclass(frozen=True, slots=True)
class SoundMissing(MediaEvent):
    """What was to be played is not there; the sound that stands in for it, or nothing, is heard."""

    leg: str
    recording: str
    reason: str


KeyMethod = Literal["rfc4733", "inband"]
"""Telephone-event packets, or the two tones themselves."""


@dataclass(frozen=True, slots=True)
class DigitPressed(MediaEvent):
    leg: str
    digit: str
    method: KeyMethod = "rfc4733"


@dataclass(frozen=True, slots=True)
class RecordingFinished(MediaEvent):
    leg: str
    recording: str
    seconds: float
    """Without the silence it ended with."""
    reason: str
    """`key`, `silence`, `limit`, `stopped` or `hangup`."""
    heard: str
    """What was recognised in it, e.g. `signature:101`, else `unknown` or `silence`."""
    problem: str = ""
    """Why nothing of it could be kept, e.g. a full disk."""


@dataclass(frozen=True, slots=True)
class SourceLatched(MediaEvent):
    """The first valid packet after an offer/answer: this is where the far end sends from."""

    leg: str
    host: str
    port: int
    codec: str


Flow = Literal["flowing", "silence", "nothing", "wrong-source", "wrong-codec"]
"""What arrives at a leg: sound; packets of silence; no packets; only a stranger's; only of a codec nobody agreed."""


@dataclass(frozen=True, slots=True)
class FlowChanged(MediaEvent):
    """What arrives at a leg is of another kind now."""

    leg: str
    flow: Flow
    detail: str
    """What came instead, e.g. `from 192.0.2.9:4000 instead of 192.0.2.1:4000`."""


@dataclass(frozen=True, slots=True)
class StrangerIgnored(MediaEvent):
    """Somebody else sends to a leg; told once after each offer/answer."""

    leg: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class FarEndReported(MediaEvent):
    """How the far end receives us, by its own word (RTCP, RFC 3550 §6.4)."""

    leg: str
    lost: float
    """Ratio since its report before."""
    jitter_ms: float
    round_trip_ms: float | None
    mos: float


@dataclass(frozen=True, slots=True)
class Heard(MediaEvent):
    """What a leg's far end sounds like from now on.

    `signature:<party>` (several at once: `signature:<party>+<party>`, in order) |
    `prompt:<name>` | `moh:<class>` | `tone:<name>` | `silence` | `unknown`
    """

    leg: str
    sound: str


@dataclass(frozen=True, slots=True)
class ToneRecognised(MediaEvent):
    """A leg's far end sends a tone of the network, by its frequencies and its cadence (`pbx.media.tone_plan`)."""

    leg: str
    tone: str


@dataclass(frozen=True, slots=True)
class FaxTask:
    """What a fax machine is to do in its call."""

    document: str
    """Names the pages to send, or those that come: a TIFF of G3 or G4."""
    sends: bool = False
    calls: bool = False
    """It is at the calling end, which says CNG."""
    station: str = ""
    """What it calls itself (T.30 CSI, TSI): digits, `+` and blanks, 20 at most."""
    error_correction: bool = True
    """ECM (T.30 annex A)."""
    pages: int = 0
    """Of what is sent."""


FaxSignal = Literal["cng", "preamble"]
"""CNG of a machine that calls, the V.21 preamble of one that answers."""


@dataclass(frozen=True, slots=True)
class FaxSensed(MediaEvent):
    """A leg's far end is a fax machine, by what it sounds like; told once a task."""

    leg: str
    signal: FaxSignal


@dataclass(frozen=True, slots=True)
class FaxFinished(MediaEvent):
    leg: str
    document: str
    pages: int
    """Sent and confirmed, or received."""
    problem: str
    """Empty when all went well."""
    station: str
    """What the far end calls itself."""
    bit_rate: int
    error_correction: bool
    over: str
    """`T.38` or `G.711`."""


@dataclass(frozen=True, slots=True)
class Closed(MediaEvent):
    leg: str
    statistics: MediaStatistics


@dataclass(frozen=True, slots=True)
class WorkerLost(MediaEvent):
    """The media process died; every leg is gone."""

    reason: str


@dataclass(frozen=True, slots=True)
class Faulted(MediaEvent):
    """A fault of our own in the media process, contained to one packet or beat; each is told once."""

    reason: str


@dataclass(frozen=True, slots=True)
class WorkerBack(MediaEvent):
    """Another media process took its place: new legs have sound again."""

    seconds: float
    """Without one."""


class Capability(Enum):
    """What an engine may lack: whoever needs it asks first."""

    EARS = "recognises sounds, network tones and keys that are tones"
    RECORDING = "keeps what a party says"
    CONFERENCES = "mixes several parties"
    ENCRYPTION = "speaks SRTP"
    FIGURES = "measures loss, jitter and the quality that follows"
    FAX = "sends and receives faxes, and relays T.38"


class Engine(Protocol):
    capabilities: frozenset[Capability]

    def at(self, now: float) -> None:
        """Tell the moment the following commands belong to."""
        ...

    def open(self, leg: str) -> MediaAddress:
        """Take a port for a leg, or return the one it has; NoMediaPort when none is left."""
        ...

    def connect(self, leg: str, remote: RemoteMedia) -> None:
        """Say what was negotiated; again after each offer/answer, which re-opens latching."""
        ...

    def play(self, leg: str, sound: Sound, token: str = "") -> None:
        """Play to the leg's far end instead of what plays; finite sounds end with PlayFinished."""
        ...

    def stop(self, leg: str) -> None: ...

    def bridge(self, a: str, b: str) -> None:
        """Relay both ways; playing to either leg covers the relay until stopped."""
        ...

    def unbridge(self, a: str, b: str) -> None: ...

    def join(self, leg: str, room: str) -> None:
        """Let the leg's party and everybody in the room hear each other; playing to the leg covers that until stopped.

        A room is there while somebody is in it; a leg is in one at most, and then in no bridge.
        """
        ...

    def leave(self, leg: str) -> None:
        """Leave the room it is in; does nothing when it is in none."""
        ...

    def announce(self, room: str, sound: Sound) -> None:
        """Let everybody in a room hear a sound that ends, over what is said and after what is being announced."""
        ...

    def record(self, leg: str, recording: str, *, max_s: float, silence_s: float, end_keys: str = "#") -> None: ...

    def record_both(self, a: str, b: str, recording: str) -> None:
        """Record what two far ends say, a channel each, until `stop_record` of either, or until either is closed.

        RecordingFinished is of `a`, its `heard` empty; a pause is silence and ends nothing.
        """
        ...

    def stop_record(self, leg: str) -> None: ...

    def send_digits(self, leg: str, digits: str) -> None:
        """Send RFC 4733 events to the leg's far end, one after another."""
        ...

    def fax(self, leg: str, task: FaxTask) -> None:
        """Let a fax machine have the leg, over whatever is negotiated; FaxFinished tells the end.

        When sound becomes T.38, or the other way round, it begins anew.
        """
        ...

    def listen(self, leg: str) -> None:
        """Recognise what the leg's far end sounds like: Heard at every change, ToneRecognised once a tone is sure."""
        ...

    def close(self, leg: str) -> None:
        """Give the port back; Closed tells the figures. Closing twice does nothing."""
        ...

    def take_events(self) -> list[MediaEvent]: ...

    def live(self) -> int:
        """Count of open legs."""
        ...
