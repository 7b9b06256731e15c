"""What a request that could be read is still owed (RFC 3261 §8.2): apart from parsing, so that the peer gets
the status it deserves and not silence."""

from __future__ import annotations

from pbx.sip.message import Malformed, Request
from pbx.sip.uri import BadUri, parse_uri

SUPPORTED_OPTIONS = frozenset({"replaces", "norefersub"})
_SCHEMES = frozenset({"sip", "sips", "tel", "urn"})


def validate(request: Request) -> None:
    """Raise Malformed with the status the peer is owed; return when the request may be served."""
    for name in ("From", "To", "Call-ID", "CSeq", "Via"):
        request.need(name)
    _unique(request)
    if request.cseq.method != request.method:
        raise Malformed(400, f"CSeq says {request.cseq.method}, the request is {request.method}")
    scheme = request.uri.partition(":")[0].lower()
    if scheme not in _SCHEMES:
        raise Malformed(416, f"scheme {scheme[:20]!r} is not served")
    try:
        parse_uri(request.uri)
    except BadUri as error:
        raise Malformed(400, str(error)) from None
    for value in (request.from_, request.to):
        if not _is_address(value.uri):
            raise Malformed(400, "broken address")
    hops = request.get("Max-Forwards")
    if hops is not None:
        if not hops.isdigit() or int(hops) > 255:
            raise Malformed(400, "bad Max-Forwards")
        if int(hops) == 0 and request.method != "OPTIONS":
            raise Malformed(483, "no hop left")
    if request.method in ("ACK", "CANCEL"):
        return
    unknown = [option for option in request.tokens("Require") if option.lower() not in SUPPORTED_OPTIONS]
    if unknown:
        raise UnknownOptions(unknown)
    _body(request)


class UnknownOptions(Malformed):
    """420 with the options we do not know (RFC 3261 §8.2.2.3)."""

    def __init__(self, options: list[str]) -> None:
        super().__init__(420, f"options not known: {', '.join(options)[:80]}")
        self.options = options


def _unique(request: Request) -> None:
    seen = set()
    for name, _ in request.headers:
        if name in ("From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length"):
            if name in seen:
                raise Malformed(400, f"{name} stands twice")
            seen.add(name)


def _body(request: Request) -> None:
    if not request.body:
        return
    encoding = request.get("Content-Encoding")
    if encoding and encoding.lower() != "identity":
        raise Malformed(415, f"encoding {encoding[:20]!r} is not understood")
    kind = (request.get("Content-Type") or "").partition(";")[0].strip().lower()
    if request.method == "INVITE" and kind not in ("application/sdp", "multipart/mixed", "multipart/alternative"):
        raise Malformed(
            415 if kind else 400, f"an INVITE carries application/sdp, not {kind[:40] or 'an untyped body'}"
        )


def _is_address(uri: str) -> bool:
    try:
        parse_uri(uri)
    except BadUri:
        return False
    return True
