"""Refusing bytes that may be no message: what can be found in them is answered, without state (RFC 3261 §8.2.7)."""

from __future__ import annotations

import re
import zlib

from pbx.sip.message import REASONS, Malformed

_RAW = re.compile(rb"(?im)^(via|v|from|f|to|t|call-id|i|cseq)[ \t]*:[ \t]*([^\r\n]*(?:\r?\n[ \t]+[^\r\n]*)*)")
_SENT_BY = re.compile(rb"\s*SIP\s*/\s*\d+\.\d+\s*/\s*\w+\s+[^\s;]")


def refusal(data: bytes, error: Malformed) -> bytes | None:
    """Return the answer to bytes that could not be served; None where none is owed, or nobody can be told.

    It has what of Via, From, To, Call-ID and CSeq can be found. The tag of To is the same for every repetition.
    """
    if not error.status or data.lstrip(b"\r\n")[:12].upper().startswith((b"SIP/", b"ACK ")):
        return None
    lines: list[bytes] = []
    head = data.partition(b"\r\n\r\n")[0][:8192]
    found = [(name.lower(), value) for name, value in _RAW.findall(head)]
    if not any(name in (b"via", b"v") and _SENT_BY.match(value) for name, value in found):
        return None
    for name, value in found:
        text = name + b": " + b" ".join(value.split())
        if name in (b"to", b"t") and b"tag" not in value.lower():
            text += b";tag=%08x" % zlib.crc32(head)
        lines.append(text + b"\r\n")
    lines += [f"{name}: {value}\r\n".encode("utf-8", "surrogateescape") for name, value in error.headers]
    status = b"SIP/2.0 %d %s\r\n" % (error.status, told(error).encode())
    return b"".join([status, *lines, b"Content-Length: 0\r\n\r\n"])


def told(error: Malformed) -> str:
    """The reason phrase of a refusal: its status in words, and what is wrong."""
    why = re.sub(r"[^ -~]", "?", error.reason)[:80]
    return f"{REASONS.get(error.status, 'Error')} ({why})"
