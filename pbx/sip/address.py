"""Transport addresses: where a message came from and where one goes."""

from __future__ import annotations

import re

from pbx.domain.registrations import Peer as Peer

_PEER = re.compile(r"(?:(?P<transport>[a-z]+):)?(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^:\[\]]+)):(?P<port>\d{1,5})")


def parse_peer(text: str) -> Peer:
    """Read `udp:host:port` or `host:port`, an IPv6 host in brackets; ValueError names the text."""
    found = _PEER.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 65536:
        raise ValueError(f"{text!r} is no address: transport:host:port")
    return Peer(found["transport"] or "udp", found["six"] or found["host"], int(found["port"]))
