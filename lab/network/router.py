"""A site's router as datagrams meet it: address translation, its timeouts, and the meddling that breaks telephony.

Mappings and filters are those of RFC 4787: `restricted` maps a port of the inside to one port for everybody and lets
in only whom it has written to, `symmetric` has a mapping for each destination. Hairpins are not carried.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from lab.wire import Packet
from pbx.sip.address import Peer

NAT_PMP_PORT = 5351
LARGEST_UNFRAGMENTED = 1472
"""Bytes of a UDP payload that fit a frame of Ethernet over IPv4."""
_FIRST_PORT, _LAST_PORT = 20_000, 60_000
_LENGTH = re.compile(rb"(?im)^(content-length|l)([ \t]*:[ \t]*)\d+")


@dataclass(frozen=True, slots=True)
class RouterTraits:
    nat: Literal["restricted", "symmetric"] = "restricted"
    udp_timeout_s: float = 300.0
    """How long a mapping lives without a datagram from inside (RFC 4787 REQ-5: two minutes at least)."""
    rewrites_sip: bool = False
    """Has an application-layer gateway: inside addresses in SIP and SDP become the outside's, and back."""
    strips_marks: bool = False
    """Sets every DSCP to best effort."""
    drops_fragments: bool = False
    blocks: bool = False
    """Carries no UDP at all."""


@dataclass(slots=True)
class RouterCounts:
    """What became of datagrams, by fate."""

    outward: int = 0
    inward: int = 0
    refused: int = 0
    """From outside, to no mapping or from a stranger to it."""
    rewritten: int = 0
    dropped: int = 0
    """Fragments, or everything where UDP is blocked."""


@dataclass(slots=True)
class _Mapping:
    inside: Peer
    port: int
    used_at: float
    partners: dict[Peer, float] = field(default_factory=dict)


class Router:
    """Stands between hosts for which `inside` holds and all others; `public` is its address outside."""

    def __init__(
        self,
        inside: Callable[[str], bool],
        public: str,
        traits: RouterTraits | None = None,
        *,
        gateway: str = "",
    ) -> None:
        """`gateway` is its address inside, where it tells `public` (NAT-PMP, RFC 6886 §3.2); empty: it tells nobody."""
        self.inside, self.public, self.gateway = inside, public, gateway
        self.traits = traits or RouterTraits()
        self.counts = RouterCounts()
        self._by_inside: dict[tuple[Peer, Peer | None], _Mapping] = {}
        self._by_port: dict[int, _Mapping] = {}
        self._next_port = _FIRST_PORT

    def carry(self, packet: Packet, now: float) -> Packet | None:
        """Return the packet as it goes on; itself when it does not pass here, None when it goes no further."""
        from_inside, to_inside = self.inside(packet.source.host), self.inside(packet.to.host)
        outward = from_inside and not to_inside
        if to_inside and not from_inside:
            self.counts.refused += 1  # a private address, which nobody outside has a way to
            return None
        if not outward and packet.to.host != self.public:
            return packet
        if self._drops(packet):
            self.counts.dropped += 1
            return None
        carried = self._outward(packet, now) if outward else self._inward(packet, now)
        if carried is not None and self.traits.strips_marks:
            carried = carried._replace(dscp=0)
        return carried

    def answer(self, packet: Packet) -> bytes | None:
        """Return what the gateway itself answers to a datagram to its inside address."""
        if packet.to != Peer("udp", self.gateway, NAT_PMP_PORT) or packet.data != b"\x00\x00":
            return None
        return struct.pack("!BBHI4B", 0, 128, 0, 0, *map(int, self.public.split(".")))

    def _drops(self, packet: Packet) -> bool:
        if packet.to.transport != "udp":
            return False
        return self.traits.blocks or (self.traits.drops_fragments and len(packet.data) > LARGEST_UNFRAGMENTED)

    def _outward(self, packet: Packet, now: float) -> Packet:
        self.counts.outward += 1
        mapping = self._mapping(packet, now)
        mapping.used_at = mapping.partners[packet.to] = now
        source = Peer(packet.source.transport, self.public, mapping.port)
        data = self._rewritten(packet.data, packet.source, source)
        return packet._replace(source=source, data=data)

    def _inward(self, packet: Packet, now: float) -> Packet | None:
        mapping = self._by_port.get(packet.to.port)
        if mapping is None or not self._alive(mapping, now) or packet.source not in mapping.partners:
            self.counts.refused += 1
            return None
        self.counts.inward += 1
        data = self._rewritten(packet.data, packet.to, mapping.inside)
        return packet._replace(to=mapping.inside, data=data)

    def _mapping(self, packet: Packet, now: float) -> _Mapping:
        key = (packet.source, packet.to if self.traits.nat == "symmetric" else None)
        mapping = self._by_inside.get(key)
        if mapping is None or not self._alive(mapping, now):
            mapping = self._by_inside[key] = _Mapping(packet.source, self._free_port(packet.source.port, now), now)
            self._by_port[mapping.port] = mapping
        return mapping

    def _alive(self, mapping: _Mapping, now: float) -> bool:
        """Mappings of streams do not time out here: TCP keeps what is open for hours (RFC 5382 REQ-5)."""
        return mapping.inside.transport != "udp" or now - mapping.used_at < self.traits.udp_timeout_s

    def _free_port(self, wanted: int, now: float) -> int:
        """The inside's own port where nobody has it; a symmetric router never keeps it."""
        held = self._by_port.get(wanted)
        if self.traits.nat == "restricted" and (held is None or not self._alive(held, now)):
            return wanted
        while (held := self._by_port.get(self._next_port)) is not None and self._alive(held, now):
            self._next_port = self._next_port + 1 if self._next_port < _LAST_PORT else _FIRST_PORT
        return self._next_port

    def _rewritten(self, data: bytes, old: Peer, new: Peer) -> bytes:
        """What a gateway that believes it knows SIP does, its Content-Length made good."""
        if not self.traits.rewrites_sip or b"SIP/2.0" not in data[:256]:
            return data
        changed = re.sub(_whole(f"{old.host}:{old.port}"), f"{new.host}:{new.port}".encode(), data)
        changed = re.sub(_whole(old.host), new.host.encode(), changed)
        if changed == data:
            return data
        self.counts.rewritten += 1
        body = changed.partition(b"\r\n\r\n")[2]
        return _LENGTH.sub(lambda found: found[1] + found[2] + b"%d" % len(body), changed, count=1)


def _whole(address: str) -> bytes:
    """A pattern for an address that is no part of a longer one."""
    return rb"(?<![\d.])" + re.escape(address).encode() + rb"(?!\d|\.\d)"
