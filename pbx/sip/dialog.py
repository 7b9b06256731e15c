"""A dialog: what two ends share of a call, whatever passes in it (RFC 3261 §12)."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import TYPE_CHECKING

from pbx.sip.address import Peer
from pbx.sip.message import Malformed, Request, Response
from pbx.sip.uri import BadUri, NameAddr, parse_name_addr, parse_uri

if TYPE_CHECKING:
    from pbx.sip.stack import Stack

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, REFER, NOTIFY, SUBSCRIBE, REGISTER"
ALLOW_OUTSIDE = f"{ALLOW}, MESSAGE, PUBLISH"
"""What a server takes that is not in a call."""
SUPPORTED = "100rel, replaces, timer"
_ADDRESS = re.compile(r"(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\])\Z")


def is_secure(uri: str, peer: Peer) -> bool:
    """Whether the Contact of a dialog begun with `uri` must be a sips: URI (§8.1.1.8, §12.1.1)."""
    return uri[:5].lower() == "sips:" and peer.transport == "tls"


class Phase(Enum):
    NEW = auto()
    EARLY = auto()
    UP = auto()
    LEAVING = auto()
    """Hung up before our 200 was acknowledged: the BYE waits for that (RFC 3261 §15)."""
    OVER = auto()


class Dialog:
    """Who, where to, by which routes, and in which order; `peer` is the flow it came by."""

    def __init__(self, stack: Stack, request: Request, peer: Peer, local: NameAddr, remote: NameAddr) -> None:
        self.stack = stack
        self.request = request
        """The INVITE it began with."""
        self.peer = peer
        self.call_id = request.call_id
        self.local = local
        self.remote = remote
        self.remote_target = request.uri
        self.routes: list[str] = []
        self.phase = Phase.NEW

    @property
    def id(self) -> str:
        return f"{self.call_id}/{self.local.tag}"

    @property
    def over(self) -> bool:
        return self.phase in (Phase.LEAVING, Phase.OVER)

    @property
    def contact(self) -> str:
        return self.stack.origin.contact(self.local, self.peer, secure=is_secure(self.request.uri, self.peer))

    def in_dialog(self, method: str, *, cseq: int, body: bytes = b"", kind: str = "") -> Request:
        """Build a request of this dialog (§12.2.1.1); a strict first route becomes the Request-URI."""
        target, routes = self.remote_target, list(self.routes)
        if routes and ";lr" not in routes[0].lower():
            target, routes = parse_name_addr(routes[0]).uri, [*routes[1:], f"<{self.remote_target}>"]
        headers = [("Via", self.stack.origin.via(self.peer)), *[("Route", route) for route in routes]]
        headers += [("Max-Forwards", "70"), ("From", str(self.local)), ("To", str(self.remote))]
        headers += [("Call-ID", self.call_id), ("CSeq", f"{cseq} {method}"), self.stack.origin.user_agent]
        if kind:
            headers.append(("Content-Type", kind))
        return Request(method, target, headers, body)

    def next_hop(self) -> Peer:
        """Where requests of this dialog go: the first route when it names an address, else back along the flow the
        dialog came by (symmetric, as NAT needs; RFC 5626 in spirit)."""
        if self.routes:
            try:
                route = parse_uri(self.routes[0].strip().strip("<>").partition(">")[0])
            except BadUri:
                return self.peer
            if _ADDRESS.match(route.host):
                port = route.port or (5061 if route.transport == "tls" else 5060)
                return Peer(route.transport, route.host.strip("[]"), port)
        return self.peer

    def refresh_target(self, message: Request | Response) -> None:
        contacts = message.all("Contact")
        if contacts:
            try:
                self.remote_target = parse_name_addr(contacts[0]).uri
            except BadUri as error:
                raise Malformed(400, f"bad Contact: {error}") from None
