"""What a lab is told at its start: addresses, where its state is kept, who stands on its floor."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lab.addresses import PortPlan
from lab.mail.relay import Relay
from lab.phones.boot import BootPace
from pbx.switch.settings import SwitchSettings
from provisioning_server.bans import Network


@dataclass(frozen=True, slots=True)
class LabSettings:
    host: str = "127.0.0.1"
    console_host: str = ""
    """Where the console listens; empty: as `host` when that is a loopback address, else 127.0.0.1."""
    console_password: str = field(default="", repr=False)
    """Of the lab engineer."""
    console_open: bool = True
    """On a loopback address whoever has not logged in is the lab engineer."""
    console_names: tuple[str, ...] = ()
    ports: PortPlan = field(default_factory=PortPlan)
    media_ports: int = 400
    """Pairs of ports of each media process, one a leg."""
    fax_speed: int = 1
    """How much faster than real time T.38 goes."""
    rtpengine: tuple[tuple[str, int], tuple[str, int]] | None = None
    """Its control address and ours for its log of keys; None for a media process of our own."""
    data: Path | None = None
    """Where the state is kept; None for a folder that goes with the lab."""
    secret_file: Path | None = None
    """Where the installation's secret is; None for the data folder."""
    reseed: bool = False
    """Take the seed's configuration even where the store keeps one."""
    phones: bool = True
    """Whether the seed's phones and its carrier stand on the floor."""
    pyvoip: bool = True
    pace: BootPace = field(default_factory=BootPace)
    sip: SwitchSettings = field(default_factory=SwitchSettings)
    """The carrier is put in by the lab."""
    relay: Relay | None = None
    """Where mail goes; None for the lab's own outbox, which keeps it."""
    mail_from: str = ""
    """Sender of mail; empty: `switchroom@` and the domain."""
    proxies: tuple[Network, ...] = ()
    """Whose X-Forwarded-For provisioning believes."""
    tls_key_log: bool = False
    """Write the secrets of TLS connections beside the certificates, readable by the owner alone."""
