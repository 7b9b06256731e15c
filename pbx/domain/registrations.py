"""Where devices are reached: transport addresses, and the contacts they have registered."""

from __future__ import annotations

from dataclasses import dataclass


def host_and_port(host: str, port: int) -> str:
    """`127.0.0.1:5060`, and an IPv6 address in its brackets (RFC 5952 §6)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class Peer:
    """One end of a transport; `str(peer)` is `udp:127.0.0.1:5060`."""

    transport: str
    """`udp`, `tcp` or `tls`."""
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.transport}:{host_and_port(self.host, self.port)}"

    @property
    def reliable(self) -> bool:
        return self.transport != "udp"


@dataclass(frozen=True, slots=True)
class Binding:
    """One contact of a device (RFC 3261 §10)."""

    device: str
    extension: str
    contact: str
    peer: Peer
    """Where the REGISTER came from: requests go back along that flow."""
    expires_at: float
    """POSIX seconds."""
    call_id: str
    cseq: int
    instance: str
    user_agent: str
