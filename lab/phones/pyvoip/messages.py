"""pyVoIP's message with a tolerant reading: any case, compact names, folding, repeated headers, foreign SDP lines."""

from __future__ import annotations

import re
from typing import Any

from lab.phones.pyvoip.stock import SIP

METHODS = ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "NOTIFY", "INFO", "REFER", "MESSAGE", "SUBSCRIBE", "UPDATE")

_COMPACT = {
    "v": "Via", "f": "From", "t": "To", "i": "Call-ID", "m": "Contact", "l": "Content-Length", "c": "Content-Type",
    "e": "Content-Encoding", "s": "Subject", "k": "Supported", "o": "Event",
}  # fmt: skip
_SPELLINGS = {
    name.lower(): name
    for name in (
        "Via", "From", "To", "Call-ID", "CSeq", "Contact", "Content-Length", "Content-Type", "Expires", "Event",
        "Record-Route", "WWW-Authenticate", "Proxy-Authenticate",
    )
}  # fmt: skip
_READ_BY_PYVOIP = frozenset({"From", "To", "CSeq", "Contact", "Call-ID", "Content-Type", "Content-Length"})
_AUDIO_READ = ("v", "o", "s", "c", "t", "m", "a")
_KNOWN_PAYLOADS = frozenset({"0", "8"})


class Message(SIP.SIPMessage):  # type: ignore[misc]
    """`lines` holds every header in order as (name, value), unfolded; `sdp_direction` the last a= direction."""

    lines: list[tuple[str, str]]
    sdp_direction: str
    code: int
    method: str
    raw: bytes
    type: Any
    headers: dict[str, Any]
    body: dict[str, Any]

    def parse(self, data: bytes) -> None:
        head, _, body = data.partition(b"\r\n\r\n")
        text = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "replace"))
        heading, *raw = text.split("\r\n")
        self.heading = heading.encode()
        self.lines = [_header(line) for line in raw if ":" in line]
        self.sdp_direction = "sendrecv"
        first, _, rest = heading.partition(" ")
        if first == "SIP/2.0":
            self.type = SIP.SIPMessageType.RESPONSE
            self.code = int(rest.partition(" ")[0])
            self.status = _status(self.code)
        elif first in METHODS and rest.endswith("SIP/2.0"):
            self.type = SIP.SIPMessageType.MESSAGE
            self.method = first
        else:
            raise SIP.SIPParseError(f"neither a request nor a response: {heading[:40]!r}")
        for name in ("Call-ID", "CSeq", "From", "To"):
            if not self.value(name):
                raise SIP.SIPParseError(f"no {name}")
        self.parse_header("Via", [via.strip() for value in self.values("Via") for via in value.split(",")])
        for name, value in self.lines:
            if name in _READ_BY_PYVOIP and name not in self.headers:
                self.parse_header(name, value)
        if "sdp" in self.value("Content-Type").lower():
            self.headers["Content-Type"] = "application/sdp"  # pyVoIP compares it with nothing else
            self._read_sdp(body)

    def value(self, name: str) -> str:
        """Return the first header of that name, or an empty string."""
        return next((value for key, value in self.lines if key == name), "")

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.lines if key == name]

    @property
    def call_id(self) -> str:
        return self.value("Call-ID")

    @property
    def cseq(self) -> tuple[int, str]:
        number, _, method = self.value("CSeq").partition(" ")
        return int(number), method.strip()

    @property
    def contact_uri(self) -> str:
        match = re.search(r"<([^>]+)>", self.value("Contact"))
        return match[1] if match else self.value("Contact").partition(";")[0].strip()

    def _read_sdp(self, body: bytes) -> None:
        """Keep the first audio line, its connection and what pyVoIP can name; a line it chokes on is skipped."""
        sections = 0
        for line in body.decode("utf-8", "replace").splitlines():
            key, equals, value = line.partition("=")
            if not equals or key not in _AUDIO_READ:
                continue
            if key == "m":
                sections += 1
                value = value.replace("RTP/AVPF", "RTP/AVP").replace("RTP/SAVPF", "RTP/SAVP")
            if sections > 1:
                break
            if key == "c":
                self.body.pop("c", None)  # the media's own connection replaces the session's
            if key == "a" and value in ("sendrecv", "sendonly", "recvonly", "inactive"):
                self.sdp_direction = value
            try:
                self.parse_body(key, value)
            except (KeyError, IndexError, ValueError, UnboundLocalError):
                continue
        for media in self.body.get("m", []):
            media["methods"] = [
                payload
                for payload in media["methods"]
                if payload in _KNOWN_PAYLOADS
                or media["attributes"][payload].get("rtpmap", {}).get("name") == "telephone-event"
            ]

    @property
    def has_audio(self) -> bool:
        media = self.body.get("m", [])
        return bool(media and self.body.get("c") and any(payload in _KNOWN_PAYLOADS for payload in media[0]["methods"]))


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    name = name.strip()
    name = _COMPACT.get(name.lower(), name)
    return _SPELLINGS.get(name.lower(), name), value.strip()


def _status(code: int) -> Any:
    """pyVoIP's enumeration knows only registered codes; another one means its class (RFC 3261 §8.1.3.2)."""
    try:
        return SIP.SIPStatus(code)
    except ValueError:
        return SIP.SIPStatus(code // 100 * 100)
