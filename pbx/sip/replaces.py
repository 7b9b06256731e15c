"""Replaces: the dialog a new party takes over (RFC 3891), as a header or inside a Refer-To URI (RFC 3261 §19.1.1)."""

from __future__ import annotations

from dataclasses import dataclass

from pbx.sip.uri import unescape


@dataclass(frozen=True, slots=True)
class Replaces:
    """A dialog as whoever receives this knows it: `to_tag` is the receiver's own tag, `from_tag` the other's."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False

    def __str__(self) -> str:
        tail = ";early-only" if self.early_only else ""
        return f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}{tail}"


def parse_replaces(value: str) -> Replaces | None:
    """Return the dialog a Replaces value names, None when it lacks a part of one."""
    call_id, *params = (part.strip() for part in value.split(";"))
    tags = dict(param.partition("=")[::2] for param in params)
    to_tag, from_tag = tags.get("to-tag", ""), tags.get("from-tag", "")
    if not (call_id and to_tag and from_tag):
        return None
    return Replaces(call_id, to_tag, from_tag, "early-only" in tags)


def replaces_in(uri_headers: str) -> str | None:
    """Return the Replaces value of a URI's headers (`Replaces=abc%3Bto-tag%3Dx…&…`), None when there is none."""
    for part in uri_headers.split("&"):
        name, _, value = part.partition("=")
        if name.lower() == "replaces":
            return unescape(value)
    return None
