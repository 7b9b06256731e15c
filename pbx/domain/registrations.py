"""Where devices are reached: transport addresses, the contacts they have registered, and what they watch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple


def host_and_port(host: str, port: int) -> str:
    """`127.0.0.1:5060`, and an IPv6 address in its brackets (RFC 5952 §6)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Peer(NamedTuple):
    """One end of a transport; `str(peer)` is `udp:127.0.0.1:5060`."""

    transport: str
    """`udp`, `tcp` or `tls`."""
    host: str
    port: int

    @lru_cache(maxsize=4096)  # noqa: B019 - it keeps addresses, nothing that lives
    def __str__(self) -> str:
        return f"{self.transport}:{host_and_port(self.host, self.port)}"

    @property
    def reliable(self) -> bool:
        return self.transport != "udp"


class Binding(NamedTuple):
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
    path: str = ""
    """The proxies it is reached through, first one first, a line each (RFC 3327)."""

    @property
    def routes(self) -> list[tuple[str, str]]:
        """The Route headers of a request to it."""
        return [("Route", proxy) for proxy in self.path.splitlines()]


@dataclass(frozen=True, slots=True)
class KeptSubscription:
    """One subscription of a device to a state of ours, as it outlives the process (RFC 6665)."""

    call_id: str
    local: str
    """Our end as a From value, with the tag that tells subscriptions of one Call-ID apart."""
    remote: str
    device: str
    package: str
    resource: str
    """Whose state: an extension, a device, as the package has it."""
    target: str
    routes: str
    """Record-Route values, a line each."""
    peer: Peer
    event: str
    accept: str
    expires_at: float
    """POSIX seconds."""
    cseq: int
    """Of our newest NOTIFY when this was written."""
    remote_cseq: int
    version: int
    """Of the newest document when this was written."""
