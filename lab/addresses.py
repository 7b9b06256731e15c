"""Where a lab listens, and the ready file that says so: one JSON object, written once every listener answers."""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from pbx.domain.registrations import host_and_port
from provisioning_server.pnp import GROUP
from provisioning_server.respond import Office, config_url, file_names

CONSOLE, PROVISIONING, PROVISIONING_TLS, PROVISIONING_CERTIFIED, REDIRECT = 0, 1, 2, 3, 4
SMTP, SIP, SIPS, MIRROR, TFTP = 25, 60, 61, 62, 69
"""Places in the port layout, from its base."""


@dataclass(frozen=True, slots=True)
class PortPlan:
    """Ports wanted; 0 lets the system choose, so that two labs on one machine never clash."""

    console: int = 0
    provisioning: int = 0
    sip: int = 0
    sips: int = 0
    """SIP over TLS."""
    tftp: int = 0
    smtp: int = 0
    """The outbox, which takes all mail."""
    provisioning_tls: int = 0
    provisioning_certified: int = 0
    """Provisioning over TLS with the phone's own certificate."""
    mirror: tuple[int, int, int] = (0, 0, 0)
    """The provider's end of network assessments: SIP, STUN alone, media."""
    redirect: int | None = None
    """Where the makers' redirect services are played; None leaves them alone."""
    pnp: int | None = None
    """Port of the multicast group by which phones ask for their server; None leaves them without an answer."""


def port_plan(base: int) -> PortPlan:
    """Return the layout from `base`, any free ports for 0; ValueError when it does not fit below 65536."""
    if base == 0:
        return PortPlan()
    if not 1024 <= base <= 65535 - TFTP:
        raise ValueError(f"port base {base}: the layout needs ports {base} to {base + TFTP}, from 1024 to 65535")
    return PortPlan(
        base + CONSOLE, base + PROVISIONING, base + SIP, base + SIPS, base + TFTP, base + SMTP,
        base + PROVISIONING_TLS, base + PROVISIONING_CERTIFIED, _three(base),
    )  # fmt: skip


def is_loopback(address: str) -> bool:
    """Return whether an address is of this machine alone; a name is not, but `localhost`."""
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"


def _three(base: int) -> tuple[int, int, int]:
    return base + MIRROR, base + MIRROR + 1, base + MIRROR + 2


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the lab really listens."""

    host: str
    sip_port: int
    provisioning_port: int
    tftp_port: int
    console_port: int = 0
    """0 while no console runs."""
    sips_port: int = 0
    """0 without TLS."""
    ca_file: str = ""
    smtp_port: int = 0
    provisioning_tls_port: int = 0
    provisioning_certified_port: int = 0
    mirror_port: int = 0
    console_host: str = ""
    """Empty: as `host`."""
    redirect_port: int = 0
    """0 when the makers' redirect services are not played."""
    pnp_port: int = 0
    """0 when nobody listens for SIP PnP."""

    @property
    def provisioning_url(self) -> str:
        return f"http://{host_and_port(self.host, self.provisioning_port)}/p"

    @property
    def secure_url(self) -> str:
        return f"https://{host_and_port(self.host, self.provisioning_tls_port)}/p"

    @property
    def certified_url(self) -> str:
        """For phones that show a certificate of their own."""
        return f"https://{host_and_port(self.host, self.provisioning_certified_port)}/p"

    @property
    def ca_url(self) -> str:
        """Where phones fetch the authority they are to trust."""
        return f"http://{host_and_port(self.host, self.provisioning_port)}/ca.pem"

    @property
    def stir_url(self) -> str:
        """Where the certificate is that attestations of numbers are signed with."""
        return f"https://{host_and_port(self.host, self.provisioning_tls_port)}/stir.pem"

    @property
    def tftp_url(self) -> str:
        return f"tftp://{host_and_port(self.host, self.tftp_port)}/"

    @property
    def console_url(self) -> str:
        return f"http://{host_and_port(self.console_host or self.host, self.console_port)}" if self.console_port else ""


def ready_document(at: Listening, directory: Directory, office: Office, *, secrets: bool) -> dict[str, Any]:
    """Return what a script needs to use the lab; passwords and URLs with tokens only with `secrets` (lab seeds)."""
    devices: dict[str, Any] = {}
    for device in directory.devices:
        known: dict[str, Any] = {
            "extension": device.extension,
            "auth_user": device.id,
            "mac": device.mac or "",
            "port": device.port,
            "family": device.family,
            "model": device.model,
            "transport": device.transport,
        }
        if secrets:
            known["password"] = device.password.get_secret_value()
            provisioned = device.family in office.families.by_id
            known["config_url"] = config_url(office, directory, device) if provisioned else ""
            known["config_files"] = _file_urls(office, directory, device) if provisioned else []
        devices[device.id] = known
    return {
        "ready": True,
        "pid": os.getpid(),
        "domain": directory.domain.name,
        "sip": {"host": at.host, "udp": at.sip_port, "tcp": at.sip_port, "tls": at.sips_port},
        "tls": {"ca_file": at.ca_file, "ca_url": at.ca_url if at.ca_file else ""},
        "provisioning": {
            "http": at.provisioning_url,
            "https": at.secure_url,
            "certified": at.certified_url,
            "tftp": {"host": at.host, "port": at.tftp_port},
            "redirect": {"host": at.host, "port": at.redirect_port},
            "pnp": {"group": GROUP, "port": at.pnp_port},
        },
        "smtp": {"host": at.host, "port": at.smtp_port},
        "mirror": {"host": at.host, "port": at.mirror_port},
        "console": at.console_url,
        "devices": devices,
    }


def _file_urls(office: Office, directory: Directory, device: Device) -> list[str]:
    """Where the device's files lie: beside what it is told."""
    folder = config_url(office, directory, device).rpartition("/")[0]
    return [f"{folder}/{name}" for name in file_names(office, device)]


def write_ready(path: Path, document: Mapping[str, Any]) -> None:
    """Write the file whole or not at all, readable by its owner alone: a script waits for its name to appear."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1, sort_keys=True)
        file.write("\n")
    beside.replace(path)
