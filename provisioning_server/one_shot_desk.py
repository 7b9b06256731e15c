"""What may be said of a box for once: looked at before it is in force, by writing its files with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches

from pbx.clock import Moment
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from pbx.events import OneShotGiven
from provisioning_server.identify import Claim
from provisioning_server.inventory import Refused
from provisioning_server.manifest import FileRule
from provisioning_server.one_shot import OneShot, OneShots
from provisioning_server.overlay import Scalar
from provisioning_server.render import settings_used
from provisioning_server.respond import ENCRYPT, OF_THE_DOOR, Office, sheet_of
from provisioning_server.sheet import CannotRender

MOST_SETTINGS = 64
_FIRMWARE = ("firmware.target", "firmware.share")
_OF_A_LINE = re.compile(r"^lines\.\d+\.")


def one_shot(
    office: Office,
    directory: Directory,
    box: tuple[Device, ...],
    settings: Mapping[str, Scalar],
    by: str,
    now: Moment,
    *,
    until: datetime | None = None,
) -> OneShot:
    """Return what would be in force for a box; Refused says what of it cannot be.

    `until` is aware; None for one fetch of each file that carries it.
    """
    happened = f"nothing is said of {box[0].mac} for once"
    if not settings or len(settings) > MOST_SETTINGS:
        raise Refused(happened, f"{len(settings)} settings are named", f"name one, or up to {MOST_SETTINGS}")
    if until is not None and until <= now.wall:
        raise Refused(
            happened, f"it would end at {until.isoformat(timespec='seconds')}, and it is later", "name a later time"
        )
    doors = sorted({*OF_THE_DOOR, ENCRYPT}.intersection(settings))
    if doors:
        raise Refused(happened, f"{doors[0]} says how a file is given, not what it holds", "set it at the device")
    family = office.families.by_id[box[0].family]
    wish = OneShot(box[0].mac or "", dict(settings), by, tuple(rule.name for rule in family.files), until)
    carry = {rule.name: _written(office, directory, box, rule, wish, now) for rule in family.files}
    known = set().union(*carry.values())
    idle = sorted(name for name in settings if not _stands_in(name, known))
    if idle:
        near = get_close_matches(idle[0], sorted(known), 1, 0.6)
        raise Refused(
            happened, f"{family.id} writes {idle[0]} nowhere",
            f"did you mean {near[0]}?" if near else "see `switchroom provision why`",
        )  # fmt: skip
    return replace(
        wish, files=tuple(file for file, used in carry.items() if any(_stands_in(name, used) for name in settings))
    )


def say_once(
    office: Office, directory: Directory, device: str, settings: Mapping[str, Scalar], now: Moment
) -> OneShotGiven:
    """Put what a plan says of a device's box into force for one fetch; Refused. It does not outlive the process."""
    known = directory.devices_by_id[device]
    box = directory.devices_by_mac.get(known.mac or "", ())
    if not box or known.family not in office.families.by_id:
        raise Refused(f"nothing is said of {device} for once", "it has no box that is provisioned", "name another")
    made = one_shot(office, directory, box, settings, "the plan", now)
    office.one_shots.put(made)
    return OneShotGiven(made.mac, made.by, ", ".join(sorted(settings)), "")


def _written(
    office: Office, directory: Directory, box: tuple[Device, ...], rule: FileRule, wish: OneShot, now: Moment
) -> set[str]:
    """The settings that a file of the box holds when it is written with the wish; empty for everybody's files."""
    if not (rule.is_of_one_device or rule.private):
        return set()
    claim = Claim("", "", wish.mac, office.families.by_id[box[0].family], rule, box, box[0].model)
    try:
        return settings_used(sheet_of(replace(office, one_shots=OneShots([wish])), directory, claim, now))
    except CannotRender as fault:
        raise Refused(f"nothing is said of {wish.mac} for once", str(fault), "mend the setting named") from None


def _stands_in(name: str, used: set[str]) -> bool:
    if name in _FIRMWARE:
        return "firmware.url" in used
    if name.startswith("lines.*."):
        return any(_OF_A_LINE.sub("lines.*.", one) == name for one in used)
    return name in used
