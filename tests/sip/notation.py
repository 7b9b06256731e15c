"""Torture messages, kept in the notation their RFCs write them in (RFC 4475 §2): one file of text, exact to the byte.

A line ends with CRLF. Lines between `<allOneLine>` and its end are one, `<repeat count=N>x</repeat>` is x that often,
`<hex>0D</hex>` the octets named. `=== name section title` begins a message, which runs to the next such line.
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent / "torture"
_ONE_LINE = re.compile(rb"<allOneLine>\r\n(.*?)\r\n</allOneLine>", re.DOTALL)
_REPEAT = re.compile(rb"<repeat count=(\d+)>(.*?)</repeat>")
_HEX = re.compile(rb"<hex>([0-9A-F]*)</hex>")


def messages(name: str) -> dict[str, bytes]:
    """Return the messages of `rfc4475` or `rfc5118` by their names, in the order of the RFC."""
    found: dict[str, list[bytes]] = {}
    lines: list[bytes] = []
    for line in (FOLDER / f"{name}.txt").read_bytes().split(b"\n")[:-1]:
        if line.startswith(b"=== "):
            lines = found.setdefault(line.split()[1].decode(), [])
        else:
            lines.append(line)
    return {name: _octets(lines) for name, lines in found.items()}


def _octets(lines: list[bytes]) -> bytes:
    text = b"".join(line + b"\r\n" for line in lines)
    text = _ONE_LINE.sub(lambda m: m[1].replace(b"\r\n", b""), text)
    text = _REPEAT.sub(lambda m: m[2] * int(m[1]), text)
    return _HEX.sub(lambda m: bytes.fromhex(m[1].decode()), text)
