"""rtpengine's control protocol: a cookie, a space, a bencoded dictionary; one datagram each way.

A request that is repeated with its cookie is answered again and done once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Fields = Mapping[str, Any]
Value = bytes | int | list[Any] | dict[str, Any]
_DEEPEST = 32


class BadReply(ValueError):
    """Octets that are no reply of rtpengine."""


def pack(cookie: str, fields: Fields) -> bytes:
    """Write a request; TypeError for values that are no text, octets, number, list or mapping."""
    return cookie.encode() + b" " + _encoded(fields)


def unpack(data: bytes) -> tuple[str, dict[str, Any]]:
    """Return cookie and fields of a reply, texts as octets; BadReply."""
    cookie, space, body = data.partition(b" ")
    if not space:
        raise BadReply("a reply has a cookie and a space")
    value, at = _value(body, 0, 0)
    if not isinstance(value, dict) or at != len(body):
        raise BadReply("a reply is one dictionary")
    return cookie.decode("utf-8", "replace"), value


def _encoded(value: object) -> bytes:
    match value:
        case bytes():
            return b"%d:%s" % (len(value), value)
        case str():
            return _encoded(value.encode())
        case bool():
            raise TypeError("bencode has no truth values")
        case int():
            return b"i%de" % value
        case Mapping():
            return b"d" + b"".join(_encoded(key) + _encoded(value[key]) for key in sorted(value)) + b"e"
        case Sequence():
            return b"l" + b"".join(map(_encoded, value)) + b"e"
    raise TypeError(f"bencode has no {type(value).__name__}")


def _value(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    """Return the value at a place, and the place behind it."""
    if depth > _DEEPEST:
        raise BadReply("nested too deep")
    match data[at : at + 1]:
        case b"i":
            return _number(data, at + 1, b"e")
        case b"l":
            listed: list[Any] = []
            at += 1
            while data[at : at + 1] != b"e":
                item, at = _value(data, at, depth + 1)
                listed.append(item)
            return listed, at + 1
        case b"d":
            fields: dict[str, Any] = {}
            at += 1
            while data[at : at + 1] != b"e":
                name, at = _text(data, at)
                fields[name.decode("utf-8", "replace")], at = _value(data, at, depth + 1)
            return fields, at + 1
        case _:
            return _text(data, at)


def _text(data: bytes, at: int) -> tuple[bytes, int]:
    length, at = _number(data, at, b":")
    if not 0 <= length <= len(data) - at:
        raise BadReply(f"a text of {length} octets does not end")
    return data[at : at + length], at + length


def _number(data: bytes, at: int, end: bytes) -> tuple[int, int]:
    to = data.find(end, at, at + 24)
    digits = data[at:to] if to >= 0 else b""
    if not digits.lstrip(b"-").isdigit():
        raise BadReply(f"no number at {at}: {data[at : at + 8]!r}")
    return int(digits), to + 1
