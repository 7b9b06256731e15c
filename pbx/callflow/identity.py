"""Who calls: the caller in words, what the callee is shown, where an emergency caller is (domain-features 1.8, 3)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from pbx.callflow.question import Asked, CallerId, EmergencyLocation
from pbx.domain.destinations import Destination, ToEmergency, ToExternal, ToService, ToSupport, ToUser
from pbx.domain.devices import Device
from pbx.domain.dialplan import normal_number
from pbx.domain.directory import Directory
from pbx.domain.emergency import EmergencyAddress
from pbx.domain.tenancy import Domain, Site, User

CNAM_LENGTH = 15
"""Longest caller name a trunk carries, ASCII only (domain-features 1.8)."""

ECRC = "ECRC"
"""Location of a caller without an address: the national emergency call response centre has to ask."""

_WORD_LENGTH = 64


def plain(text: str) -> str:
    """Return what a peer sent as short printable ASCII, fit for a record."""
    return text.encode("ascii", "backslashreplace").decode()[:_WORD_LENGTH]


def calling_user(directory: Directory, asked: Asked) -> User | None:
    """Return the user who calls, None from outside."""
    device = directory.devices_by_id.get(asked.caller_device)
    return directory.users_by_extension.get(asked.caller_extension or (device.extension if device else ""))


def caller_in_words(asked: Asked) -> str:
    if asked.outside:
        return plain(normal_number(asked.caller_number)) or "anonymous"
    return plain(asked.caller_device or asked.caller_extension)


def caller_id_for(directory: Directory, asked: Asked, destination: Destination) -> CallerId:
    """Return what `destination` is shown of the caller: inside the extension, outside the most specific number.

    A caller from outside keeps the own number wherever the call goes; a caller whose number nobody set has none.
    """
    user = calling_user(directory, asked)
    match destination:
        case ToEmergency():
            location = emergency_location(directory, asked.caller_device or asked.caller_extension)
            return CallerId(location.callback, location.caller_name)
        case ToExternal() | ToSupport() | ToService() if user is not None:
            return CallerId(_number_outside(directory, asked.caller_device, user), _name_outside(directory, user))
    if asked.private:
        return CallerId("", "Anonymous")
    if user is not None:
        return CallerId(user.extension, user.name)
    number = normal_number(asked.caller_number)
    return CallerId(number, asked.caller_name or _known_as(directory, destination, number))


def forwarder_shown(directory: Directory, extension: str) -> CallerId | None:
    """Return what is shown of a user whose rules sent a call outside, None when that is the caller's matter."""
    user = directory.users_by_extension.get(extension)
    if user is None or (user.forwarded_caller_id or directory.domain.platform.forwarded_caller_id) == "original":
        return None
    return CallerId(_number_outside(directory, "", user), _name_outside(directory, user))


def _known_as(directory: Directory, destination: Destination, number: str) -> str:
    """The name a caller without one has among the contacts."""
    contact = directory.contact_of(destination.extension if isinstance(destination, ToUser) else "", number)
    return contact.name if contact else ""


def cnam(name: str) -> str:
    """Return `name` as a trunk carries it: ASCII, at most 15 characters."""
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return folded[:CNAM_LENGTH].rstrip()


def emergency_location(directory: Directory, device: str) -> EmergencyLocation:
    """Return callback number and location of `device` (id): the most specific of device, user, site, domain.

    A level owns a location by naming an address, or by an emergency caller ID that is an address's callback number.
    Without any, the callback is the most specific number there is and the line says `ECRC`.
    """
    known = directory.devices_by_id.get(device)
    user = directory.users_by_extension.get(known.extension if known else device)
    name = user.name if user else ""
    # A telephone stands where it stands, whoever has logged in there.
    stands_at = directory.users_by_extension.get(known.home) if known else user
    callbacks: list[str] = []
    for level, owner in _levels(directory, known, stands_at):
        address = _address_of(directory, owner)
        if address is not None:
            return EmergencyLocation(address.callback, name or address.caller_name, address.line, level)
        callbacks += [number for number in (owner.emergency_caller_id, owner.caller_id) if number]
    return EmergencyLocation(callbacks[0] if callbacks else "", name, ECRC, "")


def emergency_desk(directory: Directory, location: EmergencyLocation, code: str) -> str:
    """Return which desk a call for `code` comes to; who has no address comes to the national call centre's operator."""
    if code == "933":
        return "emergency-933"
    asks = directory.domain.platform.emergency_flow == "operator" or not location.level
    return "emergency-operator" if asks else "emergency-911"


def _levels(
    directory: Directory, device: Device | None, user: User | None
) -> Iterator[tuple[str, Device | User | Site | Domain]]:
    """The owners of a caller's settings, most specific first; what a telephone shows is of no use to a guest."""
    if device is not None and (user is None or user.extension == device.home):
        yield "device", device
    if user is not None:
        yield "user", user
        if user.site in directory.sites_by_name:
            yield "site", directory.sites_by_name[user.site]
    yield "domain", directory.domain


def _address_of(directory: Directory, owner: Device | User | Site | Domain) -> EmergencyAddress | None:
    named = directory.addresses_by_key.get(owner.emergency_address)
    return named or directory.addresses_by_callback.get(owner.emergency_caller_id or "")


def _name_outside(directory: Directory, user: User) -> str:
    """The name a user is shown by: own, as set or as spelt; for whom has none, the site's, then the domain's."""
    site = directory.sites_by_name.get(user.site)
    return user.caller_id_name or cnam(user.name) or (site.caller_id_name if site else "") or (
        directory.domain.caller_id_name)  # fmt: skip


def _number_outside(directory: Directory, device: str, user: User) -> str:
    levels = _levels(directory, directory.devices_by_id.get(device), user)
    return next((owner.caller_id for _, owner in levels if owner.caller_id), "")
