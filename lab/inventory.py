"""The lab's hardware: which boxes stand on the bench, made from the directory's devices, and what DHCP tells each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from lab.phones.chassis import Extension
from lab.phones.families import FAMILIES
from lab.phones.family import Box, Family
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from provisioning_server.families import shipped_families

Told = Literal["http", "tftp", "nothing"]
PYVOIP_FAMILY = "generic/json"


@dataclass(frozen=True, slots=True)
class Station:
    """One box on the bench, with its place on the wall and the devices its lines are."""

    family: Family
    model: str
    mac: str
    extensions: tuple[Extension, ...]
    told: Told
    """What discovery tells it: its HTTP URL or the TFTP server; or nothing, so that it asks the network by SIP PnP or,
    where its family does not or nobody answers, its maker's redirect service."""

    @property
    def device(self) -> str:
        """Its first device: the box's name."""
        return self.extensions[0].device

    @property
    def is_pyvoip(self) -> bool:
        """In the real world a pyVoIP phone, in the virtual one simulated like the others."""
        return self.family.name == PYVOIP_FAMILY

    def box(self, typed_url: str = "") -> Box:
        return Box(self.family.name, self.model, self.mac, self.family.default_firmware, typed_url=typed_url)


def stations(
    directory: Directory,
    *,
    tftp: Collection[str] = (),
    untold: Collection[str] = (),
    physical: Collection[str] = (),
) -> list[Station]:
    """Return the boxes of every device whose family the lab can imitate; devices that share a MAC share a box.

    `tftp` and `untold` are extensions whose phones are told a TFTP server, or nothing at all; `physical` are devices
    that stand there themselves and need no imitation.
    """
    boxes: dict[str, list[Device]] = {}
    for device in directory.devices:
        if device.family in FAMILIES and device.id not in physical:
            boxes.setdefault(device.mac or device.id, []).append(device)
    made = []
    for devices in boxes.values():
        devices.sort(key=lambda device: device.port)
        first = devices[0]
        made.append(
            Station(
                FAMILIES[first.family],
                first.model,
                first.mac or "",
                tuple(_extension(directory, device) for device in devices),
                _told({device.extension for device in devices}, tftp, untold),
            )
        )
    return made


def _told(extensions: set[str], tftp: Collection[str], untold: Collection[str]) -> Told:
    if not extensions.isdisjoint(untold):
        return "nothing"
    return "tftp" if not extensions.isdisjoint(tftp) else "http"


def device_rows(directory: Directory) -> list[dict[str, str | int]]:
    """Return what a list of the domain's devices shows of each; no secrets."""
    return [
        {
            "device": device.id,
            "extension": device.extension,
            "name": _extension(directory, device).name,
            "family": device.family,
            "model": device.model,
            "mac": device.mac or "",
            "port": device.port,
        }
        for device in directory.devices
    ]


def resync_words(family: str, *, reboot: bool = False) -> str:
    """The Event of a NOTIFY that makes a phone of that family fetch its configuration, or start again."""
    known = shipped_families().by_id.get(family)
    if known is None:
        return f"check-sync;reboot={'true' if reboot else 'false'}"
    return known.reboot if reboot else known.resync


def key_names(family: str) -> Mapping[str, str]:
    """What is written on the keys of its phones, as far as it is known."""
    known = shipped_families().by_id.get(family)
    return {str(key): name for key, name in known.key_names.items()} if known is not None else {}


def resync_body(family: str, *, reboot: bool = False) -> bytes:
    """What such a NOTIFY carries beside its Event; empty for nearly every maker."""
    known = shipped_families().by_id.get(family)
    text = (known.reboot_body if reboot else known.resync_body) if known is not None else ""
    return text.replace("\n", "\r\n").encode()


def dhcp_answer(station: Station, url: str) -> dict[int, str]:
    """What the lab's DHCP server tells this box: the URL in the option its family looks at first."""
    return {station.family.dhcp_options[0]: url} if station.family.dhcp_options and url else {}


def _extension(directory: Directory, device: Device) -> Extension:
    user = directory.users_by_extension.get(device.extension)
    return Extension(
        device.id,
        device.extension,
        user.name if user is not None else "",
        user.site if user is not None else "",
        device.port,
        device.fax,
    )
