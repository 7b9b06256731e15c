"""Phones that register, leave or are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pbx.events.base import Event


@dataclass(frozen=True, slots=True)
class DeviceRegistered(Event):
    kind: ClassVar[str] = "registration.added"
    device: str
    """Authentication user, which is the device id, e.g. `101` or `101a`."""
    extension: str
    contact: str
    address: str
    """`transport:host:port` the REGISTER came from."""
    expires_s: int
    user_agent: str


@dataclass(frozen=True, slots=True)
class DeviceRefreshed(DeviceRegistered):
    kind: ClassVar[str] = "registration.refreshed"


@dataclass(frozen=True, slots=True)
class DeviceUnregistered(Event):
    kind: ClassVar[str] = "registration.removed"
    device: str
    extension: str
    contact: str


@dataclass(frozen=True, slots=True)
class RegistrationExpired(Event):
    kind: ClassVar[str] = "registration.expired"
    device: str
    extension: str
    contact: str


@dataclass(frozen=True, slots=True)
class RegistrationRefused(Event):
    kind: ClassVar[str] = "registration.refused"
    device: str
    address: str
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class GuessingSlowed(Event):
    """Too many wrong answers: from now on a few attempts a second are looked at, the rest are told to come later."""

    kind: ClassVar[str] = "registration.slowed"
    by: str
    """`address`, `user`, or `user at address` for a user who has a phone there."""
    name: str
    address: str
