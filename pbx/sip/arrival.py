"""What a request's arrival says: where its answers go, which transaction it is of, by which way it came. Pure."""

from __future__ import annotations

import re
import zlib

from pbx.sip.address import Peer
from pbx.sip.message import Malformed, Request, Response, Via, parse

MAGIC = "z9hG4bK"
"""What the branch of a sender that obeys RFC 3261 begins with (§8.1.1.7)."""
_END_OF_LINE = "\n"
"""Between the parts of a key: no part of a message's head has one."""
_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}
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
        asked = "rport" in via.params
        if asked and marked.endswith(";rport"):  # as most phones write it
            marked = f"{marked}={source.port}"
        elif asked:
            marked = _RPORT.sub(f";rport={source.port}", marked, count=1)
        if asked or via.host.strip("[]") != source.host:
            if "received" in via.params:
                marked = _RECEIVED.sub("", marked)
            marked += f";received={source.host}"
        marked += comma + rest
        request.headers[at] = (name, marked)
        if request.first is not None:
            request.first["Via"] = marked
        break
    return via


def server_key(request: Request, via: Via) -> str:
    """The transaction a request is of: RFC 3261 §17.2.3, and what tells apart the requests of stock pyVoIP.

    It repeats a branch with the next CSeq, and begins its Call-IDs and branches anew whenever it is started: then
    only the From tag, which ACK and CANCEL share with their INVITE, says that this is another call.
    """
    method = "INVITE" if request.method == "ACK" else request.method
    if via.branch.startswith(MAGIC) and len(via.branch) > len(MAGIC):
        return f"{via.branch}\n{via.host}:{via.port}\n{request.from_.tag}\n{request.cseq.number}\n{method}"
    return f"{request.call_id}\n{via.host}\n{request.from_.tag}\n{request.cseq.number}\n{method}"


def invite_of(key: str) -> str:
    """The transaction that a CANCEL is for, by the CANCEL's own."""
    return f"{key.rpartition(_END_OF_LINE)[0]}\nINVITE"


def client_key(branch: str, method: str) -> str:
    return f"{branch}\n{method}"


def answers_go_to(via: Via, source: Peer) -> Peer:
    """Return where the responses to a request go (RFC 3261 §18.2.2, RFC 3581 §4).

    Without `rport` that is the port the Via names, for phones that send from one port and listen at another; but a
    sender behind NAT, which its Via gives away by another address, is only reached where it came from.
    """
    if source.reliable or "rport" in via.params or via.host.strip("[]") != source.host:
        return source
    return Peer(source.transport, source.host, via.port or _PORTS["udp"])


def answered_anew(data: bytes, gone: Peer) -> Peer:
    """Return where an answer goes whose connection is gone: to the port at which its sender says it listens, at the
    address it came from (RFC 3261 §18.2.2). For whatever else these octets are, that is `gone` itself."""
    try:
        answer = parse(data)
        via = answer.via
    except Malformed:
        return gone
    if not isinstance(answer, Response):
        return gone
    return Peer(gone.transport, gone.host, via.port or _PORTS[gone.transport])


def path_of(request: Request) -> str:
    """What every copy of a forked request has in common; empty for one that cannot merge (RFC 3261 §8.2.2.2)."""
    sender = request.from_.tag
    if not sender or request.to.tag or request.method == "CANCEL":
        return ""
    return f"{request.call_id}\n{sender}\n{request.cseq.number}\n{request.method}"


def steady_tag(request: Request, via: Via) -> str:
    """A To tag that is the same for every repetition of a request refused without state (RFC 3261 §8.2.7)."""
    same = f"{via.branch} {request.get('Call-ID')}".encode("utf-8", "surrogateescape")
    return f"{zlib.crc32(same):08x}"
