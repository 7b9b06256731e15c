"""Routing: what was dialled → the first destination, with the record of every rule tried. Pure."""

from __future__ import annotations

from pbx.callflow.question import (
    MAX_HOPS,
    Asked,
    AttendantRoute,
    CallerId,
    EmergencyLocation,
    Forward,
    Presence,
    QueueRoute,
    Ringing,
    RingPlan,
    Route,
    UserRoute,
)
from pbx.clock import Moment
from pbx.domain.destinations import Destination
from pbx.domain.directory import Directory

__all__ = [
    "MAX_HOPS",
    "Asked",
    "AttendantRoute",
    "CallerId",
    "EmergencyLocation",
    "Forward",
    "Presence",
    "QueueRoute",
    "RingPlan",
    "Ringing",
    "Route",
    "UserRoute",
    "caller_id_for",
    "destination_of_extension",
    "emergency_location",
    "music_of",
    "resolve_attendant",
    "resolve_queue",
    "resolve_user",
    "route",
]


def route(directory: Directory, asked: Asked, presence: Presence, at: Moment) -> Route:
    """Return the first destination of `asked` and why. Never raises; what leads nowhere is a `HangUp`."""
    raise NotImplementedError


def resolve_user(directory: Directory, extension: str, asked: Asked, presence: Presence, at: Moment) -> UserRoute:
    """Return what the answering rules of `extension` do with the call now."""
    raise NotImplementedError


def resolve_attendant(directory: Directory, extension: str, menu: str, at: Moment) -> AttendantRoute | None:
    """Return the menu to enter: `menu` itself, but for the first menu (or `main`) the closed one outside opening hours.

    None when there is no such attendant or menu.
    """
    raise NotImplementedError


def resolve_queue(directory: Directory, extension: str, presence: Presence) -> QueueRoute | None:
    """Tell whether a caller may join the queue and which agents can be offered. None when there is no such queue."""
    raise NotImplementedError


def destination_of_extension(directory: Directory, extension: str) -> Destination | None:
    """Return the user, queue or attendant with that extension (also for dial-by-extension), or None."""
    raise NotImplementedError


def caller_id_for(directory: Directory, asked: Asked, destination: Destination) -> CallerId:
    """Return what `destination` is shown of the caller: inside the extension, outside the most specific number."""
    raise NotImplementedError


def emergency_location(directory: Directory, device: str) -> EmergencyLocation:
    """Return callback number and location of `device` (id): the most specific of device, user, site, domain."""
    raise NotImplementedError


def music_of(directory: Directory, extension: str) -> str:
    """Return the music-on-hold class a party held or queued by `extension` hears: queue, site, then domain."""
    raise NotImplementedError
