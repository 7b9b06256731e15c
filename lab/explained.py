"""A device as provisioning sees it: its files, and every setting with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from pbx.clock import Moment
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from provisioning_server.coverage import why_not
from provisioning_server.overlay import Scalar
from provisioning_server.respond import Office, explain, file_names, unused, written
from provisioning_server.sheet import CannotRender


@dataclass(frozen=True, slots=True)
class SettingView:
    name: str
    value: Scalar
    origin: str
    """The layer that decides, e.g. `site Laval`."""
    overrides: tuple[tuple[str, Scalar], ...]
    """What the layers below say, nearest first."""
    written: bool
    """Whether the family's files, as they are now, hold it."""


@dataclass(frozen=True, slots=True)
class DeviceView:
    device: str
    extension: str
    family: str
    model: str
    mac: str
    port: int
    files: tuple[str, ...]
    settings: tuple[SettingView, ...]
    unused: tuple[tuple[str, str], ...]
    """Names set for the box that its family writes nowhere, each with why."""
    fault: str
    """Why its files cannot be written; empty when they can."""


def explained(office: Office, directory: Directory, device: Device, now: Moment) -> DeviceView:
    """Return the device with every setting explained; no password and no token."""
    try:
        told, idle, fault = written(office, directory, device, now), unused(office, directory, device, now), ""
    except CannotRender as error:
        told, idle, fault = set(), [], str(error)
    return DeviceView(
        device.id,
        device.extension,
        device.family,
        device.model,
        device.mac or "",
        device.port,
        tuple(file_names(office, device)),
        tuple(
            SettingView(value.name, value.value, value.layer, tuple(reversed(value.stack[:-1])), value.name in told)
            for value in explain(office, directory, device, now)
        ),
        tuple((name, why_not(office.families.by_id[device.family], name)) for name in idle),
        fault,
    )
