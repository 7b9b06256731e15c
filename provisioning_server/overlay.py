"""Layers of settings: every value knows which layer it comes from, and what each other layer says (provisioning 3.3).

defaults ← vendor ← family ← model ← domain ← site ← user ← device; the later layer wins, `!unset` removes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from provisioning_server.families import Families, Family

Scalar = str | int | bool
UNSET = "!unset"


@dataclass(frozen=True, slots=True)
class Value:
    value: Scalar
    layer: str
    stack: tuple[tuple[str, Scalar], ...]
    """What each layer that speaks of it says, lowest first."""


@dataclass(frozen=True, slots=True)
class ServedAt:
    """Where the phones find everything."""

    sip_host: str
    sip_port: int
    base_url: str
    """`http://host:port/p`, without a slash at the end."""
    ntp: str = ""


def layers(
    families: Families, family: Family, directory: Directory, device: Device, at: ServedAt
) -> list[tuple[str, Mapping[str, Scalar]]]:
    """Return (layer, its settings) lowest first."""
    user = directory.users_by_extension.get(device.extension)
    site = directory.sites_by_name.get(user.site) if user else None
    own = directory.settings
    model = family.models.get(device.model)
    domain: dict[str, Scalar] = {
        "time.zone": directory.domain.time_zone,
        "sip.domain": directory.domain.name,
        "sip.server.host": at.sip_host,
        "sip.server.port": at.sip_port,
        "network.ntp": at.ntp or at.sip_host,
    }
    of_site: dict[str, Scalar] = {"time.zone": site.time_zone} if site and site.time_zone else {}
    of_user: dict[str, Scalar] = {"time.zone": user.time_zone} if user and user.time_zone else {}
    return [
        ("defaults", families.defaults),
        (f"vendor {family.vendor}", family.vendor_settings),
        (f"family {family.id}", family.settings),
        (f"model {device.model}", model.settings if model else {}),
        ("domain", {**domain, **own.get("domain", {})}),
        (f"site {site.name}" if site else "site", {**of_site, **(own.get(f"site:{site.name}", {}) if site else {})}),
        (f"user {device.extension}", {**of_user, **own.get(f"user:{device.extension}", {})}),
        (f"device {device.id}", device.settings),
    ]


def overlay(stack: Sequence[tuple[str, Mapping[str, Scalar]]]) -> dict[str, Value]:
    """Merge the layers; each leaf keeps its origin."""
    said: dict[str, list[tuple[str, Scalar]]] = {}
    for layer, settings in stack:
        for name, value in settings.items():
            said.setdefault(name, []).append((layer, value))
    return {
        name: Value(entries[-1][1], entries[-1][0], tuple(entries))
        for name, entries in said.items()
        if entries[-1][1] != UNSET
    }
