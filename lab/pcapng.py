"""SIP messages as a pcapng file that tshark and Wireshark read (draft-ietf-opsawg-pcapng).

The switch keeps messages, not frames: IP, UDP and TCP headers are made here, with good checksums, so every tool that
dissects a capture dissects this one. Each packet carries our caption as its comment. `tls_secrets` (lines of an
NSSKEYLOGFILE) go into the file too, before all packets: with a capture of the wire put behind it (`mergecap -a`), that
capture can be read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from pbx.domain.registrations import Peer

_SECTION, _INTERFACE, _PACKET, _SECRETS = 0x0A0D0D0A, 1, 6, 10
_RAW_IP = 101
"""LINKTYPE_RAW: the packet begins with its IP header."""
_UPPER_PDU = 252
"""LINKTYPE_WIRESHARK_UPPER_PDU: the packet is a message without transport, after tags that say whose and whereto."""
_DISSECTOR, _HOSTS, _PORT_TYPE, _PORTS, _OVER_TCP = 12, {4: (20, 21), 6: (22, 23)}, 24, (25, 26), 2
_TLS_KEY_LOG = 0x544C534B
_COMMENT, _APPLICATION, _NAME, _RESOLUTION = 1, 4, 2, 9
_UDP, _TCP = 17, 6
_LONGEST = 60_000
"""Bytes of a message in one packet: an IP packet holds no more than 65,535."""
_ACK_PUSH = 0x18

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Packet:
    at_s: float
    """POSIX seconds."""
    source: Peer
    target: Peer
    payload: bytes
    comment: str = ""
    dissector: str = ""
    """Given, the payload is a message without transport for that dissector of Wireshark's."""
    dscp: int = 24
    """CS3, what phones mark signalling with (RFC 4594)."""


def pcapng(packets: Iterable[Packet], application: str, tls_secrets: bytes = b"") -> bytes:
    """Return one section with one interface, packets in the order given; hosts are IP addresses, else ValueError."""
    parts = [
        _block(_SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1), [(_APPLICATION, application.encode())]),
        _interface(_RAW_IP, b"switchroom"),
        _interface(_UPPER_PDU, b"switchroom, inside TLS"),
    ]
    if tls_secrets:
        parts.append(_block(_SECRETS, struct.pack("<II", _TLS_KEY_LOG, len(tls_secrets)) + _padded(tls_secrets)))
    sent: dict[tuple[Peer, Peer], int] = {}
    parts += (
        _packet(packet, packet.payload[start : start + _LONGEST], sent)
        for packet in packets
        for start in range(0, max(len(packet.payload), 1), _LONGEST)
    )
    return b"".join(parts)


def _interface(link_type: int, name: bytes) -> bytes:
    return _block(_INTERFACE, struct.pack("<HHI", link_type, 0, 0), [(_NAME, name), (_RESOLUTION, b"\x06")])


def _packet(packet: Packet, payload: bytes, sent: dict[tuple[Peer, Peer], int]) -> bytes:
    """What was inside TLS is no segment of the connection: beside a capture of the wire it would be taken for one."""
    dissector = packet.dissector or ("sip" if packet.source.transport == "tls" else "")
    data = _upper_pdu(packet, dissector, payload) if dissector else _datagram(packet, payload, sent)
    stamp = round(packet.at_s * 1e6)
    head = struct.pack("<IIIII", int(bool(dissector)), stamp >> 32, stamp & 0xFFFFFFFF, len(data), len(data))
    return _block(_PACKET, head + _padded(data), [(_COMMENT, packet.comment.encode())] if packet.comment else [])


def _upper_pdu(packet: Packet, dissector: str, payload: bytes) -> bytes:
    source, target = _address(packet.source.host), _address(packet.target.host)
    from_host, to_host = _HOSTS[source.version]
    from_port, to_port = _PORTS
    tags = [
        (_DISSECTOR, _named(dissector)), (from_host, source.packed), (to_host, target.packed),
        (_PORT_TYPE, struct.pack(">I", _OVER_TCP)), (from_port, struct.pack(">I", packet.source.port)),
        (to_port, struct.pack(">I", packet.target.port)), (0, b""),
    ]  # fmt: skip
    return b"".join(struct.pack(">HH", tag, len(value)) + value for tag, value in tags) + payload


def _named(dissector: str) -> bytes:
    """Padded to four octets, as the tags behind it want it."""
    name = dissector.encode() + b"\0"
    return name + b"\0" * (-len(name) % 4)


def _datagram(packet: Packet, payload: bytes, sent: dict[tuple[Peer, Peer], int]) -> bytes:
    source, target = _address(packet.source.host), _address(packet.target.host)
    ports = struct.pack(">HH", packet.source.port, packet.target.port)
    if packet.source.transport == "udp":
        protocol, at = _UDP, 6
        segment = ports + struct.pack(">HH", 8 + len(payload), 0) + payload
    else:
        protocol, at = _TCP, 16
        flow, back = (packet.source, packet.target), (packet.target, packet.source)
        numbers = struct.pack(">IIBBHHH", sent.get(flow, 1), sent.get(back, 1), 5 << 4, _ACK_PUSH, 65535, 0, 0)
        sent[flow] = sent.get(flow, 1) + len(payload)
        segment = ports + numbers + payload
    pseudo = source.packed + target.packed + struct.pack(">IBBBB", len(segment), 0, 0, 0, protocol)
    segment = segment[:at] + struct.pack(">H", _checksum(pseudo + segment) or 0xFFFF) + segment[at + 2 :]
    return _ip_header(source, target, protocol, len(segment), packet.dscp << 2) + segment


def _ip_header(source: Address, target: Address, protocol: int, length: int, traffic_class: int) -> bytes:
    if source.version == 6:
        head = struct.pack(">IHBB", 6 << 28 | traffic_class << 20, length, protocol, 64)
        return head + source.packed + target.packed
    head = struct.pack(">BBHHHBBH", 0x45, traffic_class, 20 + length, 0, 0, 64, protocol, 0)
    head += source.packed + target.packed
    return head[:10] + struct.pack(">H", _checksum(head)) + head[12:]


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071): adding with the carry brought round is counting modulo 65,535."""
    if len(data) % 2:
        data += b"\0"
    number = int.from_bytes(data, "big")
    total = number % 0xFFFF
    if not total and number:
        total = 0xFFFF
    return ~total & 0xFFFF


@lru_cache(1024)
def _address(host: str) -> Address:
    return ip_address(host)


def _block(kind: int, body: bytes, options: Sequence[tuple[int, bytes]] = ()) -> bytes:
    for code, value in options:
        body += struct.pack("<HH", code, len(value)) + _padded(value)
    if options:
        body += struct.pack("<HH", 0, 0)
    length = 12 + len(body)
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
