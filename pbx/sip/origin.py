"""What our requests say of us: the Via they carry, where we are reached, their Call-ID, and our proof when asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pbx.domain.registrations import host_and_port
from pbx.sip.address import Peer
from pbx.sip.arrival import MAGIC
from pbx.sip.digest import Credentials, answer_challenge
from pbx.sip.message import Request, Response
from pbx.sip.uri import BadUri, NameAddr


class Origin:
    """One stack's own end. `local` maps a transport to the (host, port) we tell others."""

    def __init__(self, local: Mapping[str, tuple[str, int]], token: Callable[[int], str], user_agent: str) -> None:
        self._local = dict(local)
        self._token = token
        self.user_agent = ("User-Agent", user_agent)

    def via(self, peer: Peer) -> str:
        """Return a Via with a new branch for a request to `peer`."""
        sent_by = host_and_port(*self._local[peer.transport])
        return f"SIP/2.0/{peer.transport.upper()} {sent_by};branch={MAGIC}{self._token(20)};rport"

    def contact(self, local: NameAddr, peer: Peer, *, secure: bool = False) -> str:
        """The URI others reach us by: user of our address, our host and port; sips: in a `secure` dialog (§8.1.1.8)."""
        where = host_and_port(*self._local[peer.transport])
        try:
            user = local.user
        except BadUri:
            user = ""
        tail = "" if secure or peer.transport == "udp" else f";transport={peer.transport}"
        return f"{'sips' if secure else 'sip'}:{user + '@' if user else ''}{where}{tail}"

    def call_id(self, peer: Peer) -> str:
        return f"{self._token(24)}@{host_and_port(*self._local[peer.transport]).rpartition(':')[0]}"

    def request(
        self, method: str, uri: str, peer: Peer, headers: list[tuple[str, str]], body: bytes, content_type: str
    ) -> Request:
        """Return a request that begins with its Via and says whose it is."""
        made = [("Via", self.via(peer)), ("Max-Forwards", "70"), *headers, self.user_agent]
        if content_type:
            made.append(("Content-Type", content_type))
        return Request(method, uri, made, body)

    def proven(self, response: Response, request: Request, credentials: Credentials) -> Request | None:
        """Return the request again with the challenge answered, next CSeq, own branch; None when it cannot be."""
        asked, answered = ("WWW-Authenticate", "Authorization")
        if response.status == 407:
            asked, answered = ("Proxy-Authenticate", "Proxy-Authorization")
        value = answer_challenge(response.all(asked), credentials, request.method, request.uri, self._token(16))
        previous = request.get(answered)
        stale = any("stale=true" in challenge.lower() for challenge in response.all(asked))
        if value is None or (previous is not None and not stale):
            return None
        return self.repeated(request, {answered: value})

    def repeated(self, request: Request, changed: Mapping[str, str]) -> Request:
        """Return the request again as a new one: own branch, next CSeq, some headers changed or added."""
        headers = []
        for name, text in request.headers:
            if name == "Via":
                via = request.via
                headers.append((name, self.via(Peer(via.transport, via.host.strip("[]"), via.port or 5060))))
            elif name == "CSeq":
                headers.append((name, f"{request.cseq.number + 1} {request.method}"))
            elif name not in changed:
                headers.append((name, text))
        headers += changed.items()
        return Request(request.method, request.uri, headers, request.body)
