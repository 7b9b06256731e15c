"""Messages: framing only. Every header keeps its raw value; typed fields are read on demand.

`parse` refuses only what cannot be represented; what a representable request lacks is `validate`'s business.
Text is UTF-8 with surrogateescape, so any byte survives a round trip; bodies are bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from pbx.numerals import natural
from pbx.sip.uri import BadUri, NameAddr, parameters, parse_name_addr, split_list

MAX_HEAD = 32_768
"""Bytes of start line and headers a peer may send."""

_COMPACT = {
    "v": "Via", "f": "From", "t": "To", "i": "Call-ID", "m": "Contact", "l": "Content-Length", "c": "Content-Type",
    "s": "Subject", "k": "Supported", "e": "Content-Encoding", "o": "Event", "u": "Allow-Events", "r": "Refer-To",
    "b": "Referred-By", "x": "Session-Expires", "a": "Accept-Contact", "j": "Reject-Contact",
    "d": "Request-Disposition", "y": "Identity", "n": "Identity-Info",
}  # fmt: skip
_USUAL = (
    "Via", "From", "To", "Call-ID", "CSeq", "Contact", "Max-Forwards", "Content-Length", "Content-Type", "Expires",
    "Allow", "Supported", "Require", "Proxy-Require", "User-Agent", "Server", "Route", "Record-Route", "Authorization",
    "Proxy-Authorization", "WWW-Authenticate", "Proxy-Authenticate", "Event", "Accept", "Subscription-State",
    "Refer-To", "Referred-By", "Reason", "Min-Expires", "P-Asserted-Identity", "Privacy", "Retry-After", "Alert-Info",
    "Allow-Events", "Date", "Warning", "Unsupported", "Content-Encoding", "Session-Expires", "Authentication-Info",
    "Accept-Encoding", "Accept-Language", "Call-Info", "Content-Disposition", "Diversion", "Geolocation",
    "History-Info", "Join", "MIME-Version", "Min-SE", "P-Preferred-Identity", "Path", "RAck", "RSeq", "Replaces",
    "Service-Route", "SIP-ETag", "SIP-If-Match", "Target-Dialog", "Timestamp",
)  # fmt: skip
"""Names the code asks for, or that are common: each is kept in this writing, however it came."""
_NAMES = {written: name for name in (*_USUAL, *_COMPACT.values()) for written in (name, name.lower())} | _COMPACT
"""By their usual writing, in lower case, and short."""
_LISTS = frozenset({"Via", "Route", "Record-Route", "Path", "Contact"})
_SINGLE = frozenset({"From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length"})

_REQUEST_LINE = re.compile(r"([!%'*+\-.0-9A-Z_`a-z~]+) ([^\s]+) SIP/2\.0\Z", re.IGNORECASE)
_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-9][0-9]{2})(?: (.*))?\Z", re.IGNORECASE)
_FOLD = re.compile(r"\r?\n[ \t]+")
_NAME = re.compile(r"[!%'*+\-.0-9A-Z_`a-z~]+\Z")
_CSEQ = re.compile(r"(\d{1,10})\s+([!%'*+\-.0-9A-Z_`a-z~]+)\s*\Z")
_SENT_BY = re.compile(
    r"\s*SIP\s*/\s*2\.0\s*/\s*([A-Za-z]+)\s+(\[[0-9A-Fa-f:.]+\]|[^\s;:]+)\s*(?::\s*(\d{1,5}))?\s*\Z", re.IGNORECASE
)


class Malformed(Exception):
    """Someone else's bytes are wrong; `status` is what the peer is owed, 0 for silence, with these headers."""

    def __init__(self, status: int, reason: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = headers


class CSeq(NamedTuple):
    number: int
    method: str


class Via(NamedTuple):
    transport: str
    host: str
    port: int | None
    params: dict[str, str]

    @property
    def branch(self) -> str:
        return self.params.get("branch", "")


class Message:
    """What requests and responses share; `headers` are (canonical name, raw value) in order.

    What identifies a message (Via, From, To, Call-ID, CSeq) is read once, when first asked for: it does not change.
    """

    __slots__ = ("_call_id", "_cseq", "_from", "_to", "_via", "body", "first", "headers", "twice")

    def __init__(self, headers: list[tuple[str, str]], body: bytes) -> None:
        self.headers = headers
        self.body = body
        self.first: dict[str, str] | None = None
        """The first value of each header, of a message that was received."""
        self.twice = ""
        """A header of a received message that stands twice and may not."""
        self._cseq: CSeq | None = None
        self._via: Via | None = None
        self._call_id: str | None = None
        self._from: NameAddr | None = None
        self._to: NameAddr | None = None

    def get(self, name: str) -> str | None:
        """Return the first value of a header by its canonical name."""
        if self.first is not None:
            return self.first.get(name)
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def all(self, name: str) -> list[str]:
        """Return every value; those of comma-separated headers apart."""
        if name in _LISTS:
            return [part for key, value in self.headers if key == name for part in split_list(value)]
        return [value for key, value in self.headers if key == name]

    def tokens(self, name: str) -> list[str]:
        """Return the option tags or tokens of a header such as Supported or Allow."""
        return [part for key, value in self.headers if key == name for part in split_list(value)]

    def need(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise Malformed(400, f"missing {name}")
        return value

    @property
    def call_id(self) -> str:
        if self._call_id is None:
            self._call_id = self.need("Call-ID").strip()
        return self._call_id

    @property
    def cseq(self) -> CSeq:
        if self._cseq is None:
            found = _CSEQ.match(self.need("CSeq").strip())
            if found is None or int(found[1]) >= 2**32:
                raise Malformed(400, "bad CSeq")
            self._cseq = CSeq(int(found[1]), found[2])
        return self._cseq

    @property
    def via(self) -> Via:
        """The topmost Via."""
        if self._via is None:
            self._via = parse_via(split_list(self.need("Via"))[0])
        return self._via

    @property
    def branch(self) -> str:
        """Of the topmost Via."""
        if self._via is None:
            value = self.need("Via")
            _, found, rest = value.partition(";branch=")
            if found and "," not in value and '"' not in value:  # as nearly always: all of it takes ten times as long
                return rest.partition(";")[0].rstrip()
        return self.via.branch

    @property
    def from_(self) -> NameAddr:
        if self._from is None:
            self._from = self.name_addr("From")
        return self._from

    @property
    def to(self) -> NameAddr:
        if self._to is None:
            self._to = self.name_addr("To")
        return self._to

    def shares(self, request: Message) -> None:
        """What was copied from a request needs no second reading (all but Via and To, which may have changed)."""
        self._call_id, self._cseq, self._from = request._call_id, request._cseq, request._from

    def name_addr(self, name: str) -> NameAddr:
        try:
            return parse_name_addr(self.need(name))
        except BadUri as error:
            raise Malformed(400, f"bad {name}: {error}") from None

    def _tail(self) -> bytes:
        lines = [f"{name}: {value}\r\n" for name, value in self.headers if name != "Content-Length"]
        lines.append(f"Content-Length: {len(self.body)}\r\n\r\n")
        return "".join(lines).encode("utf-8", "surrogateescape") + self.body


class Request(Message):
    __slots__ = ("method", "uri")

    def __init__(self, method: str, uri: str, headers: list[tuple[str, str]], body: bytes = b"") -> None:
        super().__init__(headers, body)
        self.method = method
        self.uri = uri

    def __bytes__(self) -> bytes:
        return f"{self.method} {self.uri} SIP/2.0\r\n".encode("utf-8", "surrogateescape") + self._tail()


class Response(Message):
    __slots__ = ("reason", "status")

    def __init__(self, status: int, reason: str, headers: list[tuple[str, str]], body: bytes = b"") -> None:
        super().__init__(headers, body)
        self.status = status
        self.reason = reason

    def __bytes__(self) -> bytes:
        return f"SIP/2.0 {self.status} {self.reason}\r\n".encode("utf-8", "surrogateescape") + self._tail()


def parse_via(text: str) -> Via:
    sent_by, semicolon, params = text.partition(";")
    transport, host, port = _sent_by(sent_by)
    return Via(transport, host, port, dict(parameters(semicolon + params)))


@lru_cache(maxsize=256)
def _sent_by(text: str) -> tuple[str, str, int | None]:
    """Read what stands before the parameters of a Via, which every message of a sender has; the newest are kept."""
    found = _SENT_BY.match(text)
    if found is None or (found[3] and not 0 < int(found[3]) < 65536):
        raise Malformed(400, "bad Via")
    return found[1].lower(), found[2].lower(), int(found[3]) if found[3] else None


def parse(data: bytes) -> Request | Response:
    """Read one message; the body is cut to Content-Length (RFC 3261 §18.3). Malformed when it is none."""
    head, blank, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not blank:
        head, blank, body = head.partition(b"\n\n")
    if len(head) > MAX_HEAD:
        raise Malformed(513, "message too large")
    text = head.decode("utf-8", "surrogateescape")
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    start, *lines = text.split("\r\n") if "\r\n" in text else text.split("\n")
    message = _start(start.rstrip("\r"))
    headers = message.headers
    first: dict[str, str] = {}
    for line in lines:
        written, colon, value = line.partition(":")
        if not colon:
            if not line.strip():
                continue
            raise Malformed(400, f"not a header line: {line[:40]!r}")
        name, value = _NAMES.get(written) or _name(written), value.strip(" \t\r")
        headers.append((name, value))
        if name not in first:
            first[name] = value
        elif name in _SINGLE:
            message.twice = name
    message.first = first
    message.body = _body(first.get("Content-Length"), body)
    return message


def _name(written: str) -> str:
    """Return the name of a header that is written in no usual way."""
    name = written.rstrip(" \t")
    known = _NAMES.get(name.lower())
    if known is None and not _NAME.match(name):
        raise Malformed(400, f"not a header name: {name[:40]!r}")
    return known or name


def _start(line: str) -> Request | Response:
    method, status, rest = _start_line(line)
    return Request(method, rest, []) if method else Response(status, rest, [])


@lru_cache(maxsize=256)
def _start_line(line: str) -> tuple[str, int, str]:
    """Return (method, 0, URI) or ("", status, reason); the newest are kept, most are the same."""
    found = _REQUEST_LINE.match(line)
    if found:
        return found[1], 0, found[2]
    found = _STATUS_LINE.match(line)
    if found:
        return "", int(found[1]), found[2] or ""
    if line[:8].upper().startswith("SIP/"):
        raise Malformed(0, "bad status line")
    if line.rstrip().upper().endswith(("SIP/2.0",)) or "SIP/" not in line.upper():
        raise Malformed(400, "bad request line")
    raise Malformed(505, "not SIP/2.0")


def _body(given: str | None, body: bytes) -> bytes:
    if given is None:
        return body
    if given == "0":
        return b""
    length = natural(given)
    if length is None:
        raise Malformed(400, "bad Content-Length")
    if length > len(body):
        raise Malformed(400, "body shorter than Content-Length")
    return body[:length]


REASONS = {
    100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 183: "Session Progress", 200: "OK", 202: "Accepted",
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Timeout", 410: "Gone",
    412: "Conditional Request Failed", 413: "Request Entity Too Large", 414: "Request-URI Too Long",
    415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 420: "Bad Extension", 421: "Extension Required",
    422: "Session Interval Too Small", 423: "Interval Too Brief", 480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected", 483: "Too Many Hops", 484: "Address Incomplete", 486: "Busy Here",
    487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending",
    493: "Undecipherable", 494: "Security Agreement Required",
    500: "Server Internal Error", 501: "Not Implemented", 503: "Service Unavailable", 504: "Server Time-out",
    505: "Version Not Supported", 513: "Message Too Large", 600: "Busy Everywhere", 603: "Decline",
}  # fmt: skip


def reply_headers(request: Request, to_tag: str = "") -> list[tuple[str, str]]:
    """Return the headers every response copies from its request, raw (RFC 3261 §8.2.6.2)."""
    copied: list[tuple[str, str]] = []
    for name, value in request.headers:
        if name in ("Via", "From", "Call-ID", "CSeq"):
            copied.append((name, value))
        elif name == "To":
            copied.append((name, value if not to_tag or ";tag=" in value.lower() else f"{value};tag={to_tag}"))
    return copied


def reply(
    request: Request,
    status: int,
    reason: str = "",
    *,
    to_tag: str = "",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> Response:
    made = reply_headers(request, to_tag)
    made.extend(headers)
    response = Response(status, reason or REASONS.get(status, "Unknown"), made, body)
    response.shares(request)
    return response
