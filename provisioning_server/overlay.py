"""Layers of settings: every value knows which layer it comes from, and what each other layer says (provisioning 3.3).

defaults ← vendor ← family ← model ← firmware ← domain ← site ← group ← user ← device ← one-shot; the later layer wins,
`!unset` removes. The firmware is what the request's User-Agent says; a group is a department.

Names are those of provisioning 3.4. What belongs to a line is `lines.N.<leaf>`, or `lines.*.<leaf>` for every line;
within one layer the numbered name wins. Keys are `keys.K.<leaf>`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from provisioning_server.families import Families
from provisioning_server.manifest import Family

Scalar = str | int | bool
UNSET = "!unset"
_SRTP = {"opportunistic": "optional", "yes": "required"}


class Layer(NamedTuple):
    name: str
    """`site Toronto`, `device 101`: what it is and which."""
    settings: Mapping[str, Scalar]


class Value(NamedTuple):
    """A setting with its origin."""

    name: str
    value: Scalar
    layer: str
    stack: tuple[tuple[str, Scalar], ...]
    """What each layer that speaks of it says, lowest first."""


class LineLayer(NamedTuple):
    """What one layer says of lines, by leaf."""

    every: dict[str, Scalar]
    own: dict[str, dict[str, Scalar]]
    """Of a line by its number; wins over `every`."""


@dataclass(frozen=True, slots=True)
class ServedAt:
    """Where the phones find everything."""

    sip_host: str
    sip_port: int
    base_url: str
    """`http://host:port/p`, without a slash at the end."""
    ntp: str = ""
    """Time server; empty for the SIP host."""
    sips_port: int = 0
    """Where SIP over TLS is served; 0 for nowhere."""
    ca_url: str = ""
    """Where phones fetch the certificate of the authority they are to trust; empty when there is none."""
    secure_url: str = ""
    """As `base_url`, by HTTPS; empty where that is not served."""
    tftp_url: str = ""
    """`tftp://host`, with a port that is not 69; told where phones may fetch by nothing else."""


def layers(
    families: Families,
    family: Family,
    directory: Directory,
    at: ServedAt,
    *,
    device: Device | None,
    model: str = "",
    version: str = "",
) -> list[Layer]:
    """Return the layers, lowest first; without a device those below the site, as a common file has them."""
    model = device.model if device else model
    shared = shared_layers(families, family, directory, at, model=model, version=version)
    return shared if device is None else [*shared, *own_layers(directory, device, at)]


def shared_layers(
    families: Families, family: Family, directory: Directory, at: ServedAt, *, model: str, version: str
) -> list[Layer]:
    """Return the layers below the site: the same for every line of a box."""
    known = family.models.get(model)
    domain: dict[str, Scalar] = {
        "time.zone": directory.domain.time_zone,
        "network.ntp": at.ntp or at.sip_host,
        "lines.*.domain": directory.domain.name,
        "lines.*.server.host": at.sip_host,
        "lines.*.server.port": at.sip_port,
        "remote_control.allow": at.sip_host,
    }
    if at.ca_url:
        domain["security.ca_url"] = at.ca_url
    return [
        Layer("defaults", families.defaults),
        Layer(f"vendor {family.vendor}", family.vendor_settings),
        Layer(f"family {family.id}", family.settings),
        Layer(f"model {known.model}" if known else "model", known.settings if known else {}),
        *(Layer(f"firmware {version}", some.settings) for some in family.firmware if some.covers(version)),
        Layer("domain", domain | directory.settings.get("domain", {})),
    ]


def own_layers(directory: Directory, device: Device, at: ServedAt) -> list[Layer]:
    """Return the layers from the site up, those of one line."""
    user = directory.users_by_extension.get(device.extension)
    site = directory.sites_by_name.get(user.site) if user else None
    of_site: dict[str, Scalar] = {"time.zone": site.time_zone} if site and site.time_zone else {}
    of_user: dict[str, Scalar] = {"time.zone": user.time_zone} if user and user.time_zone else {}
    line = f"lines.{device.port}"
    name = user.name if user else device.extension
    of_user |= {f"{line}.display_name": name, f"{line}.label": f"{device.extension} {name}"}
    if user and not user.call_waiting:
        of_user[f"{line}.call_waiting"] = False
    of_device: dict[str, Scalar] = {
        f"{line}.enabled": True,
        f"{line}.user": device.id,
        f"{line}.auth_user": device.id,
        f"{line}.transport": device.transport,
    }
    if device.transport == "tls" and at.sips_port:
        of_device[f"{line}.server.port"] = at.sips_port
    if device.srtp != "no":
        of_device[f"{line}.srtp"] = _SRTP[device.srtp]
    if device.label:
        of_device[f"{line}.label"] = device.label
    own = directory.settings
    site_name = site.name if site else ""
    return [
        Layer(f"site {site_name}".strip(), of_site | (own.get(f"site:{site_name}", {}) if site else {})),
        *(
            [Layer(f"group {user.department}", own.get(f"group:{user.department}", {}))]
            if user and user.department
            else []
        ),
        Layer(f"user {device.extension}", of_user | own.get(f"user:{device.extension}", {})),
        Layer(f"device {device.id}", of_device | device.settings),
    ]


def box_values(stack: Sequence[Layer]) -> dict[str, Value]:
    """Merge what is of the whole box, by canonical name."""
    return _merged([Layer(layer.name, _of_the_box(layer.settings)) for layer in stack])


def line_values(stack: Sequence[Layer], number: int) -> dict[str, Value]:
    """Merge what is of line `number`, by the full name `lines.N.<leaf>`."""
    return _merged([Layer(layer.name, _of_line(layer.settings, number)) for layer in stack])


def of_the_box(stack: Sequence[Layer]) -> dict[str, Scalar]:
    """Merge as `box_values` does, without the origins; what is said of lines is there too, and nobody asks for it."""
    found: dict[str, Scalar] = {}
    for layer in stack:
        found.update(layer.settings)
    return _set(found)


def of_lines(stack: Sequence[Layer]) -> list[LineLayer]:
    """Return what the layers say of lines, told apart once for all the lines of a box."""
    return [said for layer in stack if (said := _of_lines(layer.settings)) is not None]


def of_line(stack: Sequence[LineLayer], number: int) -> dict[str, Scalar]:
    """Merge what is of line `number`, by leaf, as `line_values` does."""
    found: dict[str, Scalar] = {}
    for every, own in stack:
        found.update(every)
        found.update(own.get(str(number), {}))
    return _set(found)


def _set(found: dict[str, Scalar]) -> dict[str, Scalar]:
    if UNSET not in found.values():
        return found
    return {name: value for name, value in found.items() if value != UNSET}


def _of_lines(settings: Mapping[str, Scalar]) -> LineLayer | None:
    every: dict[str, Scalar] = {}
    own: dict[str, dict[str, Scalar]] = {}
    for name, value in settings.items():
        if not name.startswith("lines."):
            continue
        number, _, leaf = name[6:].partition(".")
        if number == "*":
            every[leaf] = value
        else:
            own.setdefault(number, {})[leaf] = value
    return LineLayer(every, own) if every or own else None


def _merged(stack: Sequence[Layer]) -> dict[str, Value]:
    said: dict[str, list[tuple[str, Scalar]]] = {}
    for layer in stack:
        for name, value in layer.settings.items():
            said.setdefault(name, []).append((layer.name, value))
    return {
        name: Value(name, entries[-1][1], entries[-1][0], tuple(entries))
        for name, entries in said.items()
        if entries[-1][1] != UNSET
    }


def _of_the_box(settings: Mapping[str, Scalar]) -> dict[str, Scalar]:
    return {name: value for name, value in settings.items() if not name.startswith("lines.")}


def _of_line(settings: Mapping[str, Scalar], number: int) -> dict[str, Scalar]:
    every, own = "lines.*.", f"lines.{number}."
    found = {own + name[8:]: value for name, value in settings.items() if name.startswith(every)}
    return found | {name: value for name, value in settings.items() if name.startswith(own)}
