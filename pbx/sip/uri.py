"""SIP URIs (RFC 3261 §19.1) and name-addr values (§20.10), parsed only when asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

_URI = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):"
    r"(?:(?P<user>[^@:\s<>]*)(?::(?P<password>[^@\s<>]*))?@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:;?\s<>@]+)"
    r"(?::(?P<port>\d{1,5}))?"
    r"(?P<params>(?:;[^?\s<>]*)?)"
    r"(?:\?(?P<headers>[^\s<>]*))?\Z"
)
_NAME_ADDR = re.compile(
    r'\s*(?:"(?P<quoted>[^"\\]*(?:\\.[^"\\]*)*)"|(?P<token>[^<"]*?))\s*<(?P<uri>[^<>]*)>(?P<params>.*)\Z', re.DOTALL
)
_ADDR_SPEC = re.compile(r"\s*(?P<uri>[^\s;<>,\"]+)\s*(?P<params>(?:;.*)?)\Z", re.DOTALL)
_PARAM = re.compile(r';\s*([^\s=;]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s;]*))?')
_QUOTED_OR_SPACED = re.compile(r'[\s"]')
_TAG = re.compile(r"[\w.!%*+`'~-]+")
"""A token (RFC 3261 §25.1), as every tag is."""
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")


class BadUri(ValueError):
    """Text that is no URI, or no name-addr."""


@dataclass(frozen=True, slots=True)
class SipUri:
    scheme: str
    user: str
    """Unescaped."""
    host: str
    """Lower case; IPv6 keeps its brackets."""
    port: int | None
    params: dict[str, str]
    headers: str

    @property
    def transport(self) -> str:
        """`udp` unless a parameter or the scheme says otherwise."""
        return self.params.get("transport", "tls" if self.scheme == "sips" else "udp").lower()


@lru_cache(maxsize=4096)
def parse_uri(text: str) -> SipUri:
    """Parse `text`; BadUri when it is none. tel: and urn: keep their whole text as host."""
    scheme, colon, rest = text.partition(":")
    if colon and scheme.lower() in ("tel", "urn"):
        number, _, params = rest.partition(";")
        return SipUri(scheme.lower(), number, "", None, dict(parameters(";" + params)), "")
    found = _URI.match(text)
    if found is None:
        raise BadUri(f"{text[:80]!r} is no SIP URI")
    port = found["port"]
    if port is not None and not 0 < int(port) < 65536:
        raise BadUri(f"{text[:80]!r} names port {port}")
    return SipUri(
        found["scheme"].lower(),
        unescape(found["user"] or ""),
        found["host"].lower(),
        int(port) if port else None,
        dict(parameters(found["params"])),
        found["headers"] or "",
    )


def unescape(text: str) -> str:
    return _ESCAPE.sub(lambda m: chr(int(m[1], 16)), text) if "%" in text else text


def parameters(text: str) -> list[tuple[str, str]]:
    """Return what stands after the semicolons of a value: names in lower case, quoted values in their quotes."""
    if _QUOTED_OR_SPACED.search(text) is None:  # nearly always; the pattern takes five times as long
        parts = [part.partition("=") for part in text.split(";")[1:]]
        return [(name.lower(), value) for name, _, value in parts if name]
    return [(name.lower(), value) for name, value in _PARAM.findall(text)]


class NameAddr(NamedTuple):
    """`"Ana" <sip:101@acme.lab>;tag=x`: display name, URI text as it came, parameters."""

    uri: str
    display: str = ""
    tag: str = ""
    params: tuple[tuple[str, str], ...] = ()
    """All but the tag."""

    @property
    def parsed(self) -> SipUri:
        return parse_uri(self.uri)

    @property
    def user(self) -> str:
        return self.parsed.user

    def param(self, name: str) -> str | None:
        for key, value in self.params:
            if key == name:
                return value
        return None

    def with_tag(self, tag: str) -> NameAddr:
        return NameAddr(self.uri, self.display, tag, self.params)

    def __str__(self) -> str:
        shown = '"' + self.display.replace("\\", "\\\\").replace('"', '\\"') + '" ' if self.display else ""
        tail = "".join(f";{key}={value}" if value else f";{key}" for key, value in self.params)
        return f"{shown}<{self.uri}>" + (f";tag={self.tag}" if self.tag else "") + tail


def parse_name_addr(text: str) -> NameAddr:
    """Parse a From, To, Contact, Route or Refer-To value; BadUri when it is none.

    A quoted display name is read first, so that `"x <sip:spoof>" <sip:real>` names `real` (RFC 3261 §20).
    """
    address, semicolon, tag = text.rpartition(";tag=")
    if semicolon and _TAG.fullmatch(tag):  # the address is known from other calls, a tag is always new
        known = untagged(address)
        if not known.tag:
            return known.with_tag(tag)
    return untagged(text)


@lru_cache(maxsize=4096)
def untagged(text: str) -> NameAddr:
    """Parse a value from its beginning to its end; the newest are kept."""
    found = _NAME_ADDR.match(text)
    if found is not None:
        quoted = found["quoted"]
        display = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else (found["token"] or "")
    else:
        found = _ADDR_SPEC.match(text)
        display = ""
        if found is None:
            raise BadUri(f"{text[:80]!r} is no address")
    uri = found["uri"].strip()
    params = parameters(found["params"])
    tag = next((value for key, value in params if key == "tag"), "")
    return NameAddr(uri, display, tag, tuple((key, value) for key, value in params if key != "tag"))


def split_list(text: str) -> list[str]:
    """Split a comma-separated header value, not inside quotes or angle brackets (RFC 3261 §7.3.1)."""
    if "," not in text:
        return [text.strip()]
    if '"' not in text and "<" not in text:  # a list of tokens
        return [part for part in map(str.strip, text.split(",")) if part]
    parts, start, quoted, depth, skip = [], 0, False, 0, False
    for at, char in enumerate(text):
        if skip:
            skip = False
        elif char == "\\" and quoted:
            skip = True
        elif char == '"':
            quoted = not quoted
        elif not quoted:
            if char == "<":
                depth += 1
            elif char == ">":
                depth -= 1
            elif char == "," and depth <= 0:
                parts.append(text[start:at].strip())
                start = at + 1
    parts.append(text[start:].strip())
    return [part for part in parts if part]
