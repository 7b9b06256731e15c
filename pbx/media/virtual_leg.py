"""A leg of the virtual world: what was negotiated, what it sounds like, what it has heard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pbx.media.engine import RemoteMedia, Sound
from pbx.media.flow import Watch
from pbx.media.latch import Latch
from pbx.media.reports import INTERVAL_S, FarFigures, far_figures

if TYPE_CHECKING:
    from pbx.media.virtual_fax import VirtualFax

Parts = Iterator[tuple[str, float]]
"""Of a sound: the label of each part and how many seconds it lasts, `inf` for what does not end."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording of the virtual world."""

    seconds: float
    heard: str


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
    """What the last segment said, and until when that holds by itself."""
    said_until: float = 0.0
    label: str = ""
    event: int = 0
    # receiving
    latch: Latch = field(default_factory=lambda: Latch("", 0))
    watch: Watch = field(default_factory=lambda: Watch(0.0, ""))
    strangers: int = 0
    misfits: int = 0
    rubbish: int = 0
    arrived: int = 0
    """Grows while packets of the far end arrive."""
    promised: float = 0.0
    """Until then the far end said that it goes on as before."""
    look_due: float = 0.0
    """When what arrives is looked at next."""
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
    early: tuple[bytes, tuple[str, int]] | None = None
    """What arrived before the answer did: real audio goes on, so its next packet would come 20 ms later."""
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
