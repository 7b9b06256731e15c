"""Messages spoilt on purpose, by a seed: the same seed spoils the same way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

_TOKENS = (
    b"\r\n", b"\n", b"\r", b":", b";", b",", b"<", b">", b'"', b"\\", b"%00", b"%", b"\x00", b"\xff\xfe", b"=", b"@",
    b" ", b"\t", b"\r\n ", b"sip:", b"sips:", b"tel:", b"[::1]", b"SIP/2.0", b"branch=", b";tag=", b"z9hG4bK",
    b"v: x\r\n", b"l: 0\r\n", b"*", b"a" * 300, b"0" * 50, "ß😀".encode(), b"a=rtpmap:0 ", b"m=audio 0 RTP/AVP\r\n",
    b"c=IN IP6 ::\r\n", b"a=sendonly\r\n", b"a=crypto:1 x inline:y\r\n",
)  # fmt: skip
_NUMBERS = (b"0", b"-1", b"1", b"255", b"65535", b"65536", b"2147483648", b"4294967296", b"1e9", b"9" * 40, b"",
            "²".encode(), b"9" * 5000)  # fmt: skip
_NUMBER = re.compile(rb"\d+")


def spoilt(chance: Random, message: bytes, others: Sequence[bytes]) -> bytes:
    """Return the message after one to four of: octets changed, cut, doubled, moved; tokens and numbers put in."""
    data = message
    for _ in range(chance.randint(1, 4)):
        data = chance.choice(_WAYS)(chance, data, others)
    return data[:65_507]


def _flip(chance: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def _insert(chance: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + chance.choice(_TOKENS) + data[at:]


def _delete(chance: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + data[at + chance.randint(1, 30) :]


def _truncate(chance: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    return data[: chance.randint(0, len(data))]


def _number(chance: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    found = list(_NUMBER.finditer(data))
    if not found:
        return data
    one = chance.choice(found)
    return data[: one.start()] + chance.choice(_NUMBERS) + data[one.end() :]


def _line_again(chance: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    lines = data.split(b"\r\n")
    lines.insert(chance.randint(0, len(lines)), chance.choice(lines))
    return b"\r\n".join(lines)


def _line_gone(chance: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    lines = data.split(b"\r\n")
    del lines[chance.randrange(len(lines))]
    return b"\r\n".join(lines)


def _line_moved(chance: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    lines = data.split(b"\r\n")
    lines.insert(chance.randrange(len(lines)), lines.pop(chance.randrange(len(lines))))
    return b"\r\n".join(lines)


def _line_of_another(chance: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    lines = data.split(b"\r\n")
    lines[chance.randrange(len(lines))] = chance.choice(chance.choice(others).split(b"\r\n"))
    return b"\r\n".join(lines)


def _joined(chance: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other = chance.choice(others)
    return data[: chance.randint(0, len(data))] + other[chance.randint(0, len(other)) :]


_WAYS = (
    _flip, _flip, _insert, _insert, _delete, _truncate, _number, _number, _line_again, _line_gone, _line_moved,
    _line_of_another, _joined,
)  # fmt: skip
