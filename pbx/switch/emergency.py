"""911 and 933 from a call: the desk is rung and told where the caller is, people on site are told that it happened.

The notification carries what the law asks for (47 CFR 9.16): that 911 was dialled, the callback number, the location.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pbx.callflow import routing
from pbx.callflow.question import EmergencyLocation
from pbx.domain.destinations import ToEmergency
from pbx.domain.kept import Notice
from pbx.domain.tenancy import mail_addresses
from pbx.events import EmergencyAddressMissing, EmergencyCalled
from pbx.switch.dialling import dial_trunk, shown_to

if TYPE_CHECKING:
    from pbx.switch.calls import Call
    from pbx.switch.switch import Switch

LOCATION_HEADER = "X-Switchroom-Location"
SPOKEN = ("PCMU",)
"""Emergency trunks take G.711u and nothing else (domain-features 3), whatever the telephone speaks."""


def dial_emergency(switch: Switch, call: Call, code: str) -> str | None:
    """Ring the desk for `code`; the notification goes out whatever becomes of the call."""
    user = call.asked.caller_extension
    found = routing.emergency_location(switch.directory, call.asked.caller_device or user)
    line = " ".join(found.line.split())
    switch.publish(EmergencyCalled(call.id, code, call.asked.caller_device, user, found.callback, line))
    if code == "911":
        _tell_people_on_site(switch, call, found)
    shown = shown_to(switch, call, ToEmergency(code="933" if code == "933" else "911"))
    desk = routing.emergency_desk(switch.directory, found, code)
    return dial_trunk(switch, call, desk, desk, shown, [(LOCATION_HEADER, line)], codecs=SPOKEN)


def warn_of_missing_address(switch: Switch, device: str) -> None:
    """A device is in use from which an emergency call would have no address: better told now than then (K06)."""
    found = routing.emergency_location(switch.directory, device)
    if not found.level and device in switch.directory.devices_by_id:
        extension = switch.directory.devices_by_id[device].extension
        switch.publish(EmergencyAddressMissing(device, extension, found.callback))


def _tell_people_on_site(switch: Switch, call: Call, found: EmergencyLocation) -> None:
    directory, device = switch.directory, call.asked.caller_device
    user = directory.users_by_extension.get(call.asked.caller_extension)
    known = directory.devices_by_id.get(device)
    stands_at = directory.users_by_extension.get(known.home) if known else user
    site = directory.sites_by_name.get(stands_at.site) if stands_at else None
    contacts = (site.emergency_contacts if site else "") or directory.domain.emergency_contacts
    if not contacts:
        return
    zone = directory.zone_of_user(user) if user else directory.domain.time_zone
    who = f"{user.name}, extension {user.extension}" if user else "a caller from outside"
    when = switch.now.wall.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S %Z")
    text = (
        f"911 was dialled.\n\nWhen: {when}\nWho: {who}\nTelephone: {device or 'unknown'}\n"
        f"Callback number: {found.callback or 'unknown'}\nLocation: {found.line}\nCall: {call.id}\n"
    )
    subject = f"911 dialled by {who}"
    switch.notices.queue(Notice("", "", "", mail_addresses(contacts), subject, text))
