"""What a request that could be read is still owed (RFC 3261 §8.2): apart from parsing, so that the peer gets the
status it deserves and not silence.

421 and 494 are owed only by a server that insists on an extension of its own; this one insists on none.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from pbx.numerals import natural
from pbx.sip.bodies import UNDECIPHERABLE, is_described, media_type, required_types
from pbx.sip.message import Malformed, Request
from pbx.sip.tolerances import Tolerance
from pbx.sip.uri import BadUri, parse_uri, split_list

SUPPORTED_OPTIONS = frozenset({"100rel", "norefersub", "path", "replaces", "timer"})
MAX_URI = 2048
MAX_BODY = 32_768
"""Octets of a Request-URI and of a body."""
MIN_SESSION_S = 90
"""The shortest session interval (RFC 4028 §4)."""
BODY_TYPES = "application/sdp, multipart/mixed, multipart/alternative"
_SCHEMES = frozenset({"sip", "sips", "tel", "urn"})
_MANDATORY = ("From", "To", "Call-ID", "CSeq", "Via")


def validate(request: Request) -> Sequence[Tolerance]:
    """Raise Malformed with the status the peer is owed; else return the faults that may be forgiven."""
    has = request.first
    if has is None:
        raise ValueError("what is validated was received")
    if request.twice:
        raise Malformed(400, f"{request.twice} stands twice")
    for name in _MANDATORY:
        if name not in has:
            raise Malformed(400, f"missing {name}")
    if request.cseq.method != request.method:
        raise Malformed(400, f"CSeq says {request.cseq.method}, the request is {request.method}")
    if ";;" in has["Via"]:
        raise Malformed(400, "empty parameters in Via")
    _request_uri(request.uri)
    _addresses(request)
    _hops(request.method, has.get("Max-Forwards"))
    if request.method == "CANCEL":
        return ()
    _extensions(request, has)
    if request.body:
        _body(request, has)
    if request.method == "INVITE" and "Accept" in has:
        _acceptable(has["Accept"])
    if "Date" in has and not has["Date"].rstrip().endswith("GMT"):
        return (Tolerance.DATE_ZONE,)  # RFC 4475 §3.1.2.12; nothing here relies on it
    return ()


@lru_cache(maxsize=1024)
def _request_uri(uri: str) -> None:
    """Return for one that is served; the newest of these are known."""
    if len(uri) > MAX_URI:
        raise Malformed(414, f"a Request-URI of {len(uri)} octets")
    if uri.startswith("<"):
        raise Malformed(400, "the Request-URI stands in angle brackets")
    scheme = uri.partition(":")[0].lower()
    if scheme not in _SCHEMES:
        raise Malformed(416, f"scheme {scheme[:20]!r} is not served")
    try:
        parsed = parse_uri(uri)
    except BadUri as error:
        raise Malformed(400, str(error)) from None
    if parsed.headers:
        raise Malformed(400, "headers in the Request-URI")  # §19.1.1


def _addresses(request: Request) -> None:
    try:
        sender, recipient = request.from_.parsed, request.to.parsed
    except BadUri:
        raise Malformed(400, "broken address") from None
    if request.method != "REGISTER":
        return
    if recipient.scheme not in ("sip", "sips"):
        raise Malformed(400, f"no address of record is a {recipient.scheme[:20]!r} URI")  # §10.2
    if sender.scheme not in _SCHEMES:
        raise Malformed(400, f"a {sender.scheme[:20]!r} URI registers nothing")
    for contact in request.all("Contact"):
        if "<" not in contact and "?" in contact:
            raise Malformed(400, "a Contact with headers stands in angle brackets")  # §20.10


def _hops(method: str, hops: str | None) -> None:
    if hops is None or hops == "70":  # as nearly everybody writes (§8.1.1.6)
        return
    left = natural(hops)
    if left is None or left > 255:
        raise Malformed(400, "bad Max-Forwards")
    if left == 0 and method != "OPTIONS":
        raise Malformed(483, "no hop left")


def _extensions(request: Request, has: dict[str, str]) -> None:
    if "Require" in has:
        unknown = [option for option in request.tokens("Require") if option.lower() not in SUPPORTED_OPTIONS]
        if unknown:
            told = ("Unsupported", ", ".join(unknown))  # §8.2.2.3
            raise Malformed(420, f"options not known: {', '.join(unknown)[:80]}", (told,))
    if "Session-Expires" in has and request.method in ("INVITE", "UPDATE"):
        wanted_s = natural(has["Session-Expires"].partition(";")[0])
        if wanted_s is None:
            raise Malformed(400, "bad Session-Expires")
        if wanted_s < MIN_SESSION_S and "timer" in request.tokens("Supported"):
            raise Malformed(422, "session interval too small", (("Min-SE", str(MIN_SESSION_S)),))


def _body(request: Request, has: dict[str, str]) -> None:
    if len(request.body) > MAX_BODY:
        raise Malformed(413, f"a body of {len(request.body)} octets")
    encoding = has.get("Content-Encoding")
    if encoding and encoding.lower() != "identity":
        raise Malformed(415, f"encoding {encoding[:20]!r} is not understood", (("Accept-Encoding", "identity"),))
    kind = media_type(has.get("Content-Type"))
    if kind in UNDECIPHERABLE:
        raise Malformed(493, "no key of ours opens this body")
    if request.method != "INVITE":
        return
    if not kind:
        raise Malformed(400, "an untyped body")
    if not is_described(request.body, has["Content-Type"]):
        raise Malformed(415, f"an INVITE carries application/sdp, not {kind[:40]}", (("Accept", BODY_TYPES),))
    for part in required_types(request.body, has["Content-Type"]):
        if part != "application/sdp":
            raise Malformed(415, f"a required part of type {part[:40]}", (("Accept", BODY_TYPES),))


def _acceptable(accept: str) -> None:
    kinds = [media_type(kind) for kind in split_list(accept)]
    if kinds and not any(kind in ("application/sdp", "application/*", "*/*", "") for kind in kinds):
        raise Malformed(406, "an answer to an INVITE is application/sdp")
