"""Transport addresses: where a message came from and where one goes."""

from __future__ import annotations

from pbx.domain.registrations import Peer as Peer


def parse_peer(text: str) -> Peer:
    """Read `udp:host:port` or `host:port`; ValueError names the text."""
    parts = text.rsplit(":", 2) if text.count(":") >= 2 else ["udp", *text.rsplit(":", 1)]
    if len(parts) != 3 or not parts[2].isdigit() or not 0 < int(parts[2]) < 65536:
        raise ValueError(f"{text!r} is no address: transport:host:port")
    return Peer(parts[0], parts[1], int(parts[2]))
