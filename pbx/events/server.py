"""The switchroom itself: configuration, overload, certificates, faults, health."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pbx.events.base import Event


@dataclass(frozen=True, slots=True)
class TimeFrameSwitched(Event):
    """Somebody has switched a time frame at the telephone; the switch's own snapshot has it already."""

    kind: ClassVar[str] = "time_frame.switched"
    call: str
    domain: str
    time_frame: str
    state: str
    """`on`: covers every moment; `off`: none."""
    revision: int


@dataclass(frozen=True, slots=True)
class DirectoryChanged(Event):
    kind: ClassVar[str] = "config.changed"
    domain: str
    revision: int
    what: str


@dataclass(frozen=True, slots=True)
class OverloadBegan(Event):
    """More arrives than can be served: what is new is refused with 503 from now on."""

    kind: ClassVar[str] = "server.overloaded"
    waited_ms: int
    """How long datagrams wait before they are read."""


@dataclass(frozen=True, slots=True)
class OverloadEnded(Event):
    kind: ClassVar[str] = "server.relieved"
    refused: int
    """Requests refused since it began."""


@dataclass(frozen=True, slots=True)
class CertificateUsed(Event):
    """What this server shows over TLS from now on."""

    kind: ClassVar[str] = "tls.certificate"
    names: str
    expires_at: str
    """ISO 8601, UTC."""
    fingerprint: str
    """SHA-256 of the certificate."""


@dataclass(frozen=True, slots=True)
class CertificateEnding(Event):
    """A certificate that is shown or trusted here is about to expire, or has expired."""

    kind: ClassVar[str] = "tls.certificate_ending"
    path: str
    expires_at: str
    """ISO 8601, UTC."""
    days_left: int
    """Negative when it has expired."""


@dataclass(frozen=True, slots=True)
class TlsRefused(Event):
    """No TLS connection came about, or a certificate was not taken into use; told in four parts."""

    kind: ClassVar[str] = "tls.refused"
    address: str
    happened: str
    why: str
    remedy: str
    reference: str


@dataclass(frozen=True, slots=True)
class FaultBegan(Event):
    """Somebody lets a line of the lab be bad, on purpose."""

    kind: ClassVar[str] = "fault.began"
    link: str
    """`everybody`, `site NAME` or `phone DEVICE`."""
    preset: str
    what: str
    for_s: float
    """0 for until it is ended."""


@dataclass(frozen=True, slots=True)
class FaultEnded(Event):
    kind: ClassVar[str] = "fault.ended"
    link: str
    why: str


@dataclass(frozen=True, slots=True)
class ServerFault(Event):
    """A fault of our own, contained to one call or session."""

    kind: ClassVar[str] = "server.error"
    where: str
    call: str
    message: str


@dataclass(frozen=True, slots=True)
class ClockStepped(Event):
    """Somebody has set the clock: what was to last so many seconds lasts so many seconds still."""

    kind: ClassVar[str] = "server.clock"
    by_s: float
    """Positive when it was put forward."""


@dataclass(frozen=True, slots=True)
class HourSet(Event):
    """The lab has set the hour time frames go by; SIP timers and everything kept stay real."""

    kind: ClassVar[str] = "lab.hour"
    at: str
    """ISO 8601, in UTC."""
    rate: float
    """Office seconds a second: 0 paused, 1 as ever."""
    shifted: bool
    """False once the hour is the real one again."""


@dataclass(frozen=True, slots=True)
class HealthChanged(Event):
    """A listener, or what it needs, does its work again or does it no more."""

    kind: ClassVar[str] = "server.health"
    part: str
    ready: bool
    reason: str
    """What is wrong; empty when it is ready."""


@dataclass(frozen=True, slots=True)
class ServerRecovered(Event):
    """What a fault took away is there again."""

    kind: ClassVar[str] = "server.recovered"
    where: str
    message: str
