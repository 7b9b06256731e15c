"""A leg of the virtual world: what was negotiated, what it sounds like, what it has heard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pbx.media.agenda import Appointment
from pbx.media.engine import RemoteMedia, Sound
from pbx.media.flow import Watch
from pbx.media.latch import Latch
from pbx.media.reports import INTERVAL_S, FarFigures, far_figures
from pbx.media.segment import Segment

if TYPE_CHECKING:
    from pbx.media.virtual_fax import VirtualFax

Parts = Iterator[tuple[str, float]]
"""Of a sound: the label of each part and how many seconds it lasts, `inf` for what does not end."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording of the virtual world."""

    seconds: float
    heard: str


PACKETS_PER_S = 50
SOURCES_KEPT = 4


class Arriving(NamedTuple):
    """The newest segment that has come from a source, and until when what it says goes on."""

    segment: Segment
    source: tuple[str, int]
    until: float


@dataclass(slots=True)
class VirtualLeg:
    """Owned by its engine."""

    name: str
    port: int
    ssrc: int
    opened_at: float
    remote: RemoteMedia | None = None
    bridged: str = ""
    room: str = ""
    around: str = ""
    """What the others in its room sound like together; empty outside of one."""
    sound: Sound | None = None
    """What is played to it instead of whom it is bridged to."""
    parts: Parts = field(default_factory=lambda: iter(()))
    """What is left of the sound."""
    saying: str = ""
    """The part of it that plays."""
    play_count: int = 0
    listening: bool = False
    # sending
    sequence: int = 0
    sent: int = 0
    beat_from: float = 0.0
    steady_from: float = 0.0
    """Since when it sounds the same."""
    said: str = ""
    """What the last segment said, when, and until when that holds by itself."""
    said_at: float = 0.0
    said_until: float = 0.0
    ahead: int = 0
    """Packets of whom it is bridged to that have been told, or were before that, and are still to come in a segment."""
    label: str = ""
    beat: Appointment | None = None
    """When it says the same again."""
    event: int = 0
    # receiving
    latch: Latch = field(default_factory=lambda: Latch("", 0))
    watch: Watch = field(default_factory=lambda: Watch(0.0, ""))
    strangers: int = 0
    misfits: int = 0
    rubbish: int = 0
    arrived: int = 0
    """Grows while packets of the far end arrive."""
    promised_at: float = 0.0
    promised: float = 0.0
    """Until then the far end said, then, that it goes on as before."""
    misfit_until: float = 0.0
    stranger_until: float = 0.0
    """The same of packets in a codec nobody agreed, and of a stranger's."""
    look_due: float = 0.0
    """When what arrives is looked at next."""
    look: Appointment | None = None
    source: int = 0
    heard: str = ""
    heard_from: float = 0.0
    first: int = -1
    last: int = 0
    received: int = 0
    highest: int = -1
    codec: str = ""
    transit_s: float = 0.0
    """Of the newest segment, from its sender to here."""
    jitter_s: float = 0.0
    """Of the transit, smoothed (RFC 3550 §6.4.1)."""
    far: FarFigures | None = None
    """How the far end receives us, by its own word."""
    far_due: float = 0.0
    """When its word is asked for next."""
    far_told: tuple[int, int] = (0, 0)
    """Expected and arrived by its word before."""
    events: set[tuple[int, int]] = field(default_factory=set)
    arriving: dict[tuple[str, int], Arriving] = field(default_factory=dict)
    """By source, the newest last. Real audio goes on: whatever is settled anew meets its next packet 20 ms later."""
    fax: VirtualFax | None = None
    """The fax machine that has it."""

    # recording
    conversation: tuple[str, str, str, float] | None = None
    """Both legs that are recorded together, the recording and when it began."""
    recording: str = ""
    recorded_from: float = 0.0
    recorded_voice: str = ""
    recorded_speech_to: float = 0.0
    silence_s: float = 0.0
    end_keys: str = ""

    @property
    def expected(self) -> int:
        """Packets the far end has sent by now, arrived or lost."""
        return max(0, self.last - self.first) if self.first >= 0 else 0

    @property
    def round_trip_ms(self) -> float | None:
        return 2000 * self.transit_s if self.arrived else None

    @property
    def hears_voice(self) -> bool:
        return self.heard not in ("", "silence")

    @property
    def is_settled(self) -> bool:
        """What kind of thing arrives has been told."""
        return self.watch.flow == ("silence" if self.heard == "silence" else "flowing")

    def on_its_way(self, now: float) -> int:
        """Packets that have come since the newest segment, which said that they would; the next one counts them."""
        return max(0, int((min(now, self.promised) - self.promised_at) * PACKETS_PER_S + 1e-6))

    def passed_on(self, now: float) -> int:
        """Packets of whom it is bridged to that have gone since the newest segment."""
        return max(0, int((min(now, self.said_until) - self.said_at) * PACKETS_PER_S + 1e-6))

    def not_told(self, packets: int) -> int:
        """Return how many of these packets of whom it is bridged to have not been told yet."""
        known = min(packets, self.ahead)
        self.ahead -= known
        return packets - known

    def keep(self, arriving: Arriving) -> None:
        self.arriving.pop(arriving.source, None)
        self.arriving[arriving.source] = arriving
        if len(self.arriving) > SOURCES_KEPT:
            del self.arriving[next(iter(self.arriving))]

    def is_told(self, expected: int, arrived: int, jitter_us: int, now: float) -> FarFigures | None:
        """Take the far end's word of how it receives us; return it once an interval (RFC 3550 §6.2)."""
        if now < self.far_due:
            return None
        self.far_due = now + INTERVAL_S
        sent, lost = expected - self.far_told[0], expected - arrived - (self.far_told[0] - self.far_told[1])
        self.far_told = (expected, arrived)
        ratio = min(max(0, lost) / sent, 1.0) if sent > 0 else 0.0
        self.far = far_figures(ratio, jitter_us / 1000, self.round_trip_ms)
        return self.far

    def arrives(self, transit_s: float) -> None:
        """A segment was so long under way."""
        if self.arrived:
            self.jitter_s += (abs(transit_s - self.transit_s) - self.jitter_s) / 16
        self.transit_s = transit_s
