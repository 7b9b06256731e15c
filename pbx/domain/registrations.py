"""Where devices are reached: transport addresses, and the contacts they have registered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peer:
    """One end of a transport; `str(peer)` is `udp:127.0.0.1:5060`."""

    transport: str
    """`udp`, `tcp` or `tls`."""
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.transport}:{self.host}:{self.port}"

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
