"""Bodies: one type, or several parts of their own types (RFC 5621), read by octets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

UNDECIPHERABLE = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"]{1,70})"|([^";\s]{1,70}))', re.IGNORECASE)
_FOLD = re.compile(rb"\r?\n[ \t]+")
_REQUIRED = re.compile(r"handling\s*=\s*\"?required", re.IGNORECASE)
_DEEPEST = 4
"""Multipart bodies inside one another that are opened."""


class Part(NamedTuple):
    kind: str
    """Media type, lower case, without parameters."""
    required: bool
    """Whether it says that one who does not understand it must refuse the whole (RFC 5621 §8). Silence would mean the
    same by the RFC; handsets attach locations and display hints without a word, so here it means optional."""
    body: bytes


def media_type(value: str | None) -> str:
    return (value or "").partition(";")[0].strip().lower()


def parts(body: bytes, content_type: str, deep: int = _DEEPEST) -> Iterator[Part]:
    """The parts of a body, nested ones opened; a body of one type is one part. Broken parts are left out."""
    kind = media_type(content_type)
    if not kind.startswith("multipart/"):
        yield Part(kind, False, body)
        return
    found = _BOUNDARY.search(content_type)
    if found is None:
        return
    line = b"--" + (found[1] or found[2]).encode("utf-8", "surrogateescape")
    for piece in (b"\r\n" + body).split(b"\r\n" + line)[1:]:
        if piece.startswith(b"--"):
            return
        head, _, inner = piece.lstrip(b" \t").removeprefix(b"\r\n").partition(b"\r\n\r\n")
        lines = _FOLD.sub(b" ", head).decode("utf-8", "surrogateescape").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        typed = headers.get("content-type", headers.get("c", "text/plain"))
        inside = media_type(typed)
        if inside.startswith("multipart/") and deep:
            yield from parts(inner, typed, deep - 1)
        else:
            yield Part(inside, bool(_REQUIRED.search(headers.get("content-disposition", ""))), inner)


def sdp_of(body: bytes, content_type: str | None) -> bytes | None:
    """Return the session description of a body, also out of a multipart one; None when there is none."""
    if not body:
        return None
    for part in parts(body, content_type or "application/sdp"):
        if part.kind == "application/sdp":
            return part.body if part.body is body else part.body.rstrip(b"\r\n") + b"\r\n"
    return None


def is_described(body: bytes, content_type: str) -> bool:
    return sdp_of(body, content_type) is not None


def required_types(body: bytes, content_type: str) -> list[str]:
    """Types of the parts that say they must be understood."""
    return [part.kind for part in parts(body, content_type) if part.required]
