"""The provider's end of an assessment: it says what arrived, as it arrived, and from where.

- STUN Binding requests on two ports: a site whose two answers differ has a symmetric router (RFC 5780 §4.3).
- OPTIONS: where the rest is, and a token; with `X-Answer-After: N` the answer comes N seconds later, which finds out
  whether the router still lets it in.
- INVITE: 500 with what was received in base64, as the SIP ALG detector of iptel/ibc does it; of a large one its digest.
- RTP on the media port that bears the token goes back, with the number of packets received and the mark they had.

Nothing is sent to an address that has not asked, and never more bytes than came but for the answers to SIP.
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import hmac
import struct

from lab.clockwork import VOICE_CLASS
from lab.network.datagrams import Datagram
from pbx.clock import FOREVER
from pbx.numerals import natural
from pbx.sip.address import Peer
from pbx.sip.message import Malformed, Request, parse, reply
from pbx.sip.stun import binding_answer

LONGEST_S = 300
_WAITING, _WAITING_EACH = 256, 16
"""Late answers that may be pending, in all and to one address."""
_LARGE = 1000
"""Bytes of a request whose copy would not fit a datagram."""
RTP_HEAD = 12
STAMP = struct.Struct("!8sIdIB")
"""Token, number, when it was sent, how many the mirror has received of this stream, the mark it saw."""


class Mirror:
    """`ports` are those of SIP, another for STUN alone, and media; `secret` makes the tokens."""

    def __init__(self, ports: tuple[int, int, int], secret: bytes) -> None:
        self._sip, self._other, self._media = ports
        self._secret = secret
        self._out: list[Datagram] = []
        self._late: list[tuple[float, int, Datagram]] = []
        self._order = 0
        self._received: dict[tuple[Peer, int], int] = {}

    def receive(self, datagram: Datagram, now: float) -> None:
        if datagram.port == self._media:
            self._echo(datagram)
            return
        found = binding_answer(datagram.data, datagram.peer.host, datagram.peer.port)
        if found is not None:
            self._out.append(Datagram(datagram.port, datagram.peer, found))
        elif datagram.port == self._sip:
            self._answer(datagram, now)

    def tick(self, now: float) -> None:
        while self._late and self._late[0][0] <= now:
            self._out.append(heapq.heappop(self._late)[2])

    def next_deadline(self) -> float:
        return self._late[0][0] if self._late else FOREVER

    def take_outgoing(self) -> list[Datagram]:
        out, self._out = self._out, []
        return out

    def _answer(self, datagram: Datagram, now: float) -> None:
        try:
            request = parse(datagram.data)
            if not isinstance(request, Request) or request.method == "ACK":
                return
            answer, after = self._said(request, datagram)
        except Malformed:
            return  # an assessment sends nothing that cannot be read; silence shows that something else wrote it
        back = Datagram(datagram.port, datagram.peer, answer)
        if after == 0:
            self._out.append(back)
        elif len(self._late) < _WAITING and self._waiting(datagram.peer.host) < _WAITING_EACH:
            self._order += 1
            heapq.heappush(self._late, (now + after, self._order, back))

    def _said(self, request: Request, datagram: Datagram) -> tuple[bytes, int]:
        if request.method == "INVITE":
            whole = datagram.data
            digest = f"{len(whole)} {hashlib.sha256(whole).hexdigest()}"
            copy = base64.b64encode(whole) if len(whole) <= _LARGE else b""
            headers = [("X-Received", digest), ("Content-Type", "text/plain")]
            return bytes(reply(request, 500, "As received", to_tag="mirror", headers=headers, body=copy)), 0
        if request.method != "OPTIONS":
            return bytes(reply(request, 405, to_tag="mirror", headers=[("Allow", "OPTIONS, INVITE, ACK")])), 0
        after = natural(request.get("X-Answer-After") or "0")
        if after is None or after > LONGEST_S:
            return bytes(reply(request, 400, f"X-Answer-After is 0 to {LONGEST_S} seconds", to_tag="mirror")), 0
        where = f"other={self._other};media={self._media};token={self._token(datagram.peer.host)}"
        return bytes(reply(request, 200, to_tag="mirror", headers=[("X-Mirror", where)])), after

    def _waiting(self, host: str) -> int:
        return sum(datagram.peer.host == host for _, _, datagram in self._late)

    def _token(self, host: str) -> str:
        """Belongs to an address: who forges another's cannot turn our packets against it."""
        return hmac.new(self._secret, host.encode(), "sha256").hexdigest()[:16]

    def _echo(self, datagram: Datagram) -> None:
        data = datagram.data
        if len(data) < RTP_HEAD + STAMP.size:
            return
        token, number, sent_at, _, _ = STAMP.unpack_from(data, RTP_HEAD)
        if not hmac.compare_digest(token.hex(), self._token(datagram.peer.host)):
            return
        stream = (datagram.peer, int.from_bytes(data[8:12], "big"))
        if len(self._received) > 4096 and stream not in self._received:
            self._received.clear()
        count = self._received[stream] = self._received.get(stream, 0) + 1
        stamp = STAMP.pack(token, number, sent_at, count, datagram.dscp)
        back = data[:RTP_HEAD] + stamp + data[RTP_HEAD + STAMP.size :]
        self._out.append(Datagram(datagram.port, datagram.peer, back, VOICE_CLASS))
