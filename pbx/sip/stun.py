"""STUN Binding (RFC 8489): a phone's ping from behind NAT, answered on the SIP port (RFC 5626 §4.4.2); its asking."""

from __future__ import annotations

import ipaddress
import struct

_COOKIE = 0x2112A442
_REQUEST, _SUCCESS, _XOR_MAPPED_ADDRESS = 0x0001, 0x0101, 0x0020


def binding_answer(data: bytes, host: str, port: int) -> bytes | None:
    """Return the answer to a Binding request that came from `host` and `port`; None when `data` is no such request."""
    if len(data) < 20:
        return None
    kind, length, cookie = struct.unpack_from("!HHI", data)
    if kind != _REQUEST or cookie != _COOKIE or length != len(data) - 20:
        return None
    identity = data[8:20]
    address = ipaddress.ip_address(host.partition("%")[0])
    mask = struct.pack("!I", _COOKIE) + identity
    masked = bytes(octet ^ key for octet, key in zip(address.packed, mask, strict=False))
    value = struct.pack("!BBH", 0, 1 if address.version == 4 else 2, port ^ _COOKIE >> 16) + masked
    attribute = struct.pack("!HH", _XOR_MAPPED_ADDRESS, len(value)) + value
    return struct.pack("!HHI", _SUCCESS, len(attribute), _COOKIE) + identity + attribute


def binding_request(identity: bytes) -> bytes:
    """Return a Binding request of a transaction, twelve octets that nobody can guess."""
    return struct.pack("!HHI", _REQUEST, 0, _COOKIE) + identity


def mapped_address(data: bytes) -> tuple[str, int] | None:
    """Return the address that a Binding answer reports; None when `data` reports none."""
    if len(data) < 20 or data[:2] != struct.pack("!H", _SUCCESS):
        return None
    at = 20
    while at + 4 <= len(data):
        kind, length = struct.unpack_from("!HH", data, at)
        value = data[at + 4 : at + 4 + length]
        if kind == _XOR_MAPPED_ADDRESS and len(value) == length in (8, 20):
            mask = struct.pack("!I", _COOKIE) + data[8:20]
            address = bytes(octet ^ key for octet, key in zip(value[4:], mask, strict=False))
            (port,) = struct.unpack_from("!H", value, 2)
            return str(ipaddress.ip_address(address)), port ^ _COOKIE >> 16
        at += 4 + length + -length % 4
    return None
