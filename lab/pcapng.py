"""SIP messages as a pcapng file that tshark and Wireshark read (draft-ietf-opsawg-pcapng).

The switch keeps messages, not frames: IP, UDP and TCP headers are made here, with good checksums, so every tool that
dissects a capture dissects this one. Each packet carries our caption as its comment. `tls_secrets` (lines of an
NSSKEYLOGFILE) go into the file too: merged with a capture of the wire, that capture can be read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from pbx.domain.registrations import Peer

_SECTION, _INTERFACE, _PACKET, _SECRETS = 0x0A0D0D0A, 1, 6, 10
_RAW_IP = 101
"""LINKTYPE_RAW: the packet begins with its IP header."""
_TLS_KEY_LOG = 0x544C534B
_COMMENT, _APPLICATION, _NAME, _RESOLUTION = 1, 4, 2, 9
_UDP, _TCP = 17, 6
_LONGEST = 60_000
"""Bytes of a message in one packet: an IP packet holds no more than 65,535."""
_ACK_PUSH = 0x18
_TRAFFIC_CLASS = 24 << 2
"""CS3, what phones mark signalling with (RFC 4594), without ECN."""

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Packet:
    at_s: float
    """POSIX seconds."""
    source: Peer
    target: Peer
    payload: bytes
    comment: str = ""


def pcapng(packets: Iterable[Packet], application: str, tls_secrets: bytes = b"") -> bytes:
    """Return one section with one interface, packets in the order given; hosts are IP addresses, else ValueError."""
    parts = [
        _block(_SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1), [(_APPLICATION, application.encode())]),
        _block(_INTERFACE, struct.pack("<HHI", _RAW_IP, 0, 0), [(_NAME, b"switchroom"), (_RESOLUTION, b"\x06")]),
    ]
    if tls_secrets:
        parts.append(_block(_SECRETS, struct.pack("<II", _TLS_KEY_LOG, len(tls_secrets)) + _padded(tls_secrets)))
    sent: dict[tuple[Peer, Peer], int] = {}
    parts += (
        _enhanced_packet(packet, packet.payload[start : start + _LONGEST], sent)
        for packet in packets
        for start in range(0, max(len(packet.payload), 1), _LONGEST)
    )
    return b"".join(parts)


def _enhanced_packet(packet: Packet, payload: bytes, sent: dict[tuple[Peer, Peer], int]) -> bytes:
    source, target = ip_address(packet.source.host), ip_address(packet.target.host)
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
    data = _ip_header(source, target, protocol, len(segment)) + segment
    stamp = round(packet.at_s * 1e6)
    head = struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, len(data), len(data))
    return _block(_PACKET, head + _padded(data), [(_COMMENT, packet.comment.encode())] if packet.comment else [])


def _ip_header(source: Address, target: Address, protocol: int, length: int) -> bytes:
    if source.version == 6:
        head = struct.pack(">IHBB", 6 << 28 | _TRAFFIC_CLASS << 20, length, protocol, 64)
        return head + source.packed + target.packed
    head = struct.pack(">BBHHHBBH", 0x45, _TRAFFIC_CLASS, 20 + length, 0, 0, 64, protocol, 0)
    head += source.packed + target.packed
    return head[:10] + struct.pack(">H", _checksum(head)) + head[12:]


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _block(kind: int, body: bytes, options: Sequence[tuple[int, bytes]] = ()) -> bytes:
    for code, value in options:
        body += struct.pack("<HH", code, len(value)) + _padded(value)
    if options:
        body += struct.pack("<HH", 0, 0)
    length = 12 + len(body)
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
