"""What a request's arrival says: where its answers go, which transaction it is of, by which way it came. Pure."""

from __future__ import annotations

import re
import zlib

from pbx.sip.address import Peer
from pbx.sip.message import CSeq, Request, Via

MAGIC = "z9hG4bK"
"""What the branch of a sender that obeys RFC 3261 begins with (§8.1.1.7)."""
_RPORT = re.compile(r";\s*rport(\s*=\s*\d*)?", re.IGNORECASE)
_RECEIVED = re.compile(r";\s*received\s*=[^;,\s]*", re.IGNORECASE)


def mark_via(request: Request, source: Peer) -> Via:
    """Write `received` and `rport` into the topmost Via (RFC 3261 §18.2.1, RFC 3581 §4); return it as it came."""
    via = request.via
    for at, (name, value) in enumerate(request.headers):
        if name != "Via":
            continue
        top, comma, rest = value.partition(",")
        marked = top.rstrip()
        if "rport" in via.params:
            marked = _RPORT.sub(f";rport={source.port}", marked, count=1)
        if "rport" in via.params or via.host.strip("[]") != source.host:
            marked = _RECEIVED.sub("", marked) + f";received={source.host}"
        request.headers[at] = (name, marked + comma + rest)
        break
    return via


def server_key(request: Request, via: Via, cseq: CSeq) -> tuple[str, ...]:
    """The transaction a request is of: RFC 3261 §17.2.3, and what tells apart the requests of stock pyVoIP.

    It repeats a branch with the next CSeq, and begins its Call-IDs and branches anew whenever it is started: then
    only the From tag, which ACK and CANCEL share with their INVITE, says that this is another call.
    """
    method = "INVITE" if request.method == "ACK" else request.method
    if via.branch.startswith(MAGIC) and len(via.branch) > len(MAGIC):
        sent_by = f"{via.host}:{via.port}"
        return ("server", via.branch, sent_by, request.from_.tag, str(cseq.number), method)
    return ("server", request.call_id, request.from_.tag, via.host, str(cseq.number), method)


def answers_go_to(via: Via, source: Peer) -> Peer:
    """Return where the responses to a request go (RFC 3261 §18.2.2, RFC 3581 §4).

    Without `rport` that is the port the Via names, for phones that send from one port and listen at another; but a
    sender behind NAT, which its Via gives away by another address, is only reached where it came from.
    """
    if source.reliable or "rport" in via.params or via.host.strip("[]") != source.host:
        return source
    return Peer(source.transport, source.host, via.port or 5060)


def path_of(request: Request) -> tuple[str, ...] | None:
    """What every copy of a forked request has in common; None for one that cannot merge (RFC 3261 §8.2.2.2)."""
    sender = request.from_.tag
    if not sender or request.to.tag or request.method == "CANCEL":
        return None
    return (request.call_id, sender, str(request.cseq.number), request.method)


def steady_tag(request: Request, via: Via) -> str:
    """A To tag that is the same for every repetition of a request refused without state (RFC 3261 §8.2.7)."""
    same = f"{via.branch} {request.get('Call-ID')}".encode("utf-8", "surrogateescape")
    return f"{zlib.crc32(same):08x}"
