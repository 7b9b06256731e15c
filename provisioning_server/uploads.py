"""What phones send back: logs, what was changed at the phone, directories, lists of calls.

Off unless `provisioning.uploads` of the device, its user, site or domain says so; then for whoever may have the
device's own file, under the names its maker uses, and no others. What the phone has changed is given back when it asks
for it, so that a refused upload does not lose a user's changes at the next boot (Poly).
"""

from __future__ import annotations

from dataclasses import dataclass

from pbx.domain.directory import Directory
from provisioning_server.families import Families
from provisioning_server.identify import Claim, split_path
from provisioning_server.manifest import Upload

UPLOADS = "provisioning.uploads"
LARGEST = 1024 * 1024
"""Bytes of one upload; a name has room for one, so a box never fills more than its maker has names."""


NOTICE = "notice"
"""Kind of what is read and not kept: a phone says what happens at it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A file of one box."""

    mac: str
    name: str
    """As its maker spells it, with the MAC put in."""
    kind: str
    """`log`, `overrides`, `directory` or `calls`; `notice` for what is not kept."""


def claimed(path: str, families: Families, directory: Directory) -> tuple[Claim, Upload] | None:
    """Return what a path claims among the uploads of all families: that of the MAC's own family, if it has one."""
    token, name = split_path(path)
    found = families.uploads_of(name)
    if not found:
        return None
    mac = found[0][2]
    box = directory.devices_by_mac.get(mac, ())
    own = next((one for one in found if box and one[0].id == box[0].family), None)
    family, upload, _ = own or found[0]
    doubt = "" if own else ("the device is of another family" if box else "unknown MAC")
    return Claim(token, name, mac, family, upload.rule, box if own else (), doubt=doubt), upload


def sent(claim: Claim, upload: Upload) -> Sent:
    return Sent(claim.mac, claim.family.name_of(upload.rule, claim.mac, ""), upload.kind)
