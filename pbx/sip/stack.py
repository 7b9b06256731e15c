"""The facade: bytes in, events out; commands in, bytes out. Pure: the moment is an argument, nothing is awaited.

One stack serves the switch, a simulated phone or the carrier alike. Its owner feeds `receive` and `tick`, then takes
`take_events` and `take_outgoing`, and arms one timer for `next_deadline`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pbx.domain.registrations import host_and_port
from pbx.sip.address import Peer
from pbx.sip.dialog import ALLOW, SUPPORTED, Dialog, Phase, is_secure
from pbx.sip.digest import Credentials, answer_challenge
from pbx.sip.message import REASONS, CSeq, Malformed, Request, Response, Via, parse, reply
from pbx.sip.overload import Admission, retry_after
from pbx.sip.replaces import Replaces
from pbx.sip.session import Session
from pbx.sip.sip_events import Ignored, InviteReceived, RequestReceived, RequestTimedOut, ResponseReceived, SipEvent
from pbx.sip.timers import Timers
from pbx.sip.tolerances import Tolerance, Tolerances
from pbx.sip.transaction import ClientTransaction, ClientUser, ServerTransaction, State, Transaction
from pbx.sip.uri import BadUri, NameAddr, parse_uri
from pbx.sip.validate import validate

MAGIC = "z9hG4bK"
_WAITING = frozenset({State.COMPLETED, State.CONFIRMED, State.ACCEPTED, State.TERMINATED})
_NEEDS_DIALOG = frozenset({"BYE", "INFO", "INVITE", "REFER", "UPDATE", "PRACK"})
_RAW = re.compile(rb"(?im)^(via|v|from|f|to|t|call-id|i|cseq)[ \t]*:[ \t]*([^\r\n]*(?:\r?\n[ \t]+[^\r\n]*)*)")
_SENT_BY = re.compile(rb"\s*SIP\s*/\s*\d+\.\d+\s*/\s*\w+\s+[^\s;]")
_RPORT = re.compile(r";\s*rport(\s*=\s*\d*)?", re.IGNORECASE)
_RECEIVED = re.compile(r";\s*received\s*=[^;,\s]*", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\])\Z")


@dataclass(frozen=True, slots=True)
class Outgoing:
    to: Peer
    data: bytes
    ticket: int | None = None
    """Hold these bytes until the store confirms the ticket."""


class RequestHandle:
    """A request of ours outside any INVITE dialog; learns its answer, challenges included."""

    __slots__ = ("_stack", "credentials", "peer", "request", "tries")

    def __init__(self, stack: Stack, request: Request, peer: Peer, credentials: Credentials | None) -> None:
        self._stack = stack
        self.request = request
        self.peer = peer
        self.credentials = credentials
        self.tries = 0

    @property
    def method(self) -> str:
        return self.request.method

    def response(self, response: Response, now: float) -> None:
        if response.status < 200:
            return
        if response.status in (401, 407) and self.credentials is not None and self.tries < 2:
            self.tries += 1
            again = self._stack.with_credentials(response, self.request, self.credentials)
            if again is not None:
                self.request = again
                self._stack.start_client(again, self.peer, self, now)
                return
        self._stack.report(ResponseReceived(self, response))

    def timed_out(self, now: float) -> None:
        self._stack.report(RequestTimedOut(self))


class Stack:
    def __init__(
        self,
        local: Mapping[str, tuple[str, int]],
        *,
        token: Callable[[int], str],
        user_agent: str,
        trace: Callable[[str, Peer, bytes, float], None] | None = None,
        session_expires_s: int = 0,
        admission: Admission | None = None,
        tolerances: Tolerances | None = None,
    ) -> None:
        """`local` maps a transport to the (host, port) we tell others; `trace` sees (`in`|`out`, peer, data, now).

        `session_expires_s` is the session interval we ask for (RFC 4028), 0 to agree to others' alone.
        """
        self.session_expires_s = session_expires_s
        self._admission = admission
        self._local = dict(local)
        self._token = token
        self._trace = trace
        self.user_agent = ("User-Agent", user_agent)
        self.server = ("Server", user_agent)
        self.timers = Timers()
        self.tolerances = tolerances or Tolerances()
        self._transactions: dict[tuple[str, ...], Transaction] = {}
        self._paths: dict[tuple[str, ...], tuple[str, ...]] = {}
        """Requests without a To tag, by what a proxy does not change of them: the key of the way they came."""
        self._sessions: dict[tuple[str, str], Session] = {}
        """By Call-ID and our tag."""
        self._called: dict[tuple[str, str], Session] = {}
        """Those that called us, by Call-ID and their tag."""
        self._sessions_of_invite: dict[tuple[str, ...], Session] = {}
        self._unanswered: list[tuple[ServerTransaction, float]] = []
        self._events: list[SipEvent] = []
        self._outgoing: list[Outgoing] = []

    # --- the owner's side -----------------------------------------------------------------------------

    def receive(self, data: bytes, source: Peer, now: float) -> None:
        """Take one datagram or framed message; never raises, whatever the bytes."""
        if not data.strip(b"\r\n\0 "):
            return  # keep-alive (RFC 5626 §4.4.1)
        try:
            message = parse(data)
        except Malformed as error:
            self._trace_in(source, data, now)
            self._refuse(data, source, error, now)
            return
        busy = self._admission is not None and self._admission.refusing
        if busy and isinstance(message, Request) and self._shed(message, source):
            return
        self._trace_in(source, data, now)
        try:
            if isinstance(message, Response):
                self._receive_response(message, source, now)
            else:
                self._receive_request(message, source, now)
        except Malformed as error:
            self._refuse(data, source, error, now)

    def _trace_in(self, source: Peer, data: bytes, now: float) -> None:
        if self._trace is not None:
            self._trace("in", source, data, now)

    def _shed(self, request: Request, source: Peer) -> bool:
        """Under overload: refuse a request that begins something, as cheaply as can be, and what follows from the
        refusal, its ACK and its CANCEL; True when that was done.

        It is counted by the admission and told in sum, but is no event of the trace: that would cost as much again.
        """
        assert self._admission is not None
        try:
            if (request.call_id, request.to.tag) in self._sessions or (request.to.tag and request.method != "ACK"):
                return False
            via = self._mark_via(request, source)
            if self._server_key(request, via, request.cseq) in self._transactions:
                return False
            if request.method == "ACK":
                return (request.call_id, request.from_.tag) not in self._called
            if request.method == "CANCEL":
                if (*self._server_key(request, via, request.cseq)[:-1], "INVITE") in self._transactions:
                    return False
                answer = reply(request, 481, to_tag=_steady_tag(request, via))
            elif self._admission.admits(request):
                return False
            else:
                headers = [("Retry-After", retry_after(request)), self.server]
                answer = reply(request, 503, to_tag=_steady_tag(request, via), headers=headers)
        except (Malformed, BadUri):
            return False
        self._outgoing.append(Outgoing(_answers_go_to(via, source), bytes(answer)))
        return True

    def tick(self, now: float) -> None:
        self.timers.fire(now)

    def next_deadline(self) -> float:
        return self.timers.next_deadline()

    def take_events(self) -> list[SipEvent]:
        events, self._events = self._events, []
        return events

    def take_outgoing(self) -> list[Outgoing]:
        """Return what is to be sent. An INVITE that nobody has answered until now gets its 100.

        RFC 3261 §17.2.1 wants none where an answer follows at once: stock pyVoIP takes a 100 before the challenge for
        the end of authentication.
        """
        for transaction, received_at in self._unanswered:
            if transaction.state is State.PROCEEDING and not transaction.data:
                transaction.respond(reply(transaction.request, 100), received_at)
        self._unanswered.clear()
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def closed(self, peer: Peer, now: float) -> None:
        """A connection is gone: what waits for an answer over it has failed (RFC 3261 §18.4)."""
        for transaction in [t for t in self._transactions.values() if t.peer == peer]:
            if isinstance(transaction, ClientTransaction) and transaction.state not in _WAITING:
                self.forget(transaction)
                transaction.user.timed_out(now)

    def live(self) -> dict[str, int]:
        """Counts of what is in progress; finished transactions that only absorb repetitions do not count."""
        running = sum(t.state not in _WAITING for t in self._transactions.values())
        return {"sessions": len(self._sessions), "transactions": running}

    def sessions(self) -> Iterable[Session]:
        return tuple(self._sessions.values())

    def replaced_session(self, wanted: Replaces) -> Session | None:
        """Return the session a Replaces names; a phone that wrote the tags the other way round is understood too."""
        session = self._sessions.get((wanted.call_id, wanted.to_tag))
        if session is not None and session.remote.tag == wanted.from_tag:
            return session
        session = self._sessions.get((wanted.call_id, wanted.from_tag))
        if session is not None and session.remote.tag == wanted.to_tag:
            return session if self.tolerances.forgives(Tolerance.REPLACES_TAGS) else None
        return None

    def invite(
        self,
        target_uri: str,
        peer: Peer,
        *,
        from_: NameAddr,
        to: NameAddr,
        sdp: bytes | None,
        now: float,
        headers: Sequence[tuple[str, str]] = (),
        credentials: Credentials | None = None,
    ) -> Session:
        local = from_.with_tag(self._token(16))
        made = [("From", str(local)), ("To", str(to)), ("Call-ID", self._call_id(peer)), ("CSeq", "1 INVITE")]
        contact = self.contact(local, peer, secure=is_secure(target_uri, peer))
        made += [("Contact", f"<{contact}>"), ("Allow", ALLOW), ("Supported", SUPPORTED), *headers]
        request = self._request("INVITE", target_uri, peer, made, sdp or b"", "application/sdp" if sdp else "")
        session = Session(self, "uac", request, peer, local, to)
        request.headers.extend(session.timer.ask())
        session.local_sdp = sdp
        session.credentials = credentials
        self._sessions[session.call_id, local.tag] = session
        self.start_client(request, peer, session, now)
        return session

    def request(
        self,
        method: str,
        target_uri: str,
        peer: Peer,
        *,
        from_: NameAddr,
        to: NameAddr,
        now: float,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        content_type: str = "",
        credentials: Credentials | None = None,
        call_id: str | None = None,
        cseq: int = 1,
        authorization: tuple[str, str] | None = None,
    ) -> RequestHandle:
        """Send a request outside any INVITE dialog; `from_` and `to` carry a subscription's tags when it has them."""
        local = from_ if from_.tag else from_.with_tag(self._token(16))
        made = [("From", str(local)), ("To", str(to)), ("Call-ID", call_id or self._call_id(peer))]
        made += [("CSeq", f"{cseq} {method}"), *headers]
        if authorization is not None:
            made.append(authorization)
        request = self._request(method, target_uri, peer, made, body, content_type)
        handle = RequestHandle(self, request, peer, credentials)
        self.start_client(request, peer, handle, now)
        return handle

    def respond(
        self,
        transaction: ServerTransaction,
        status: int,
        reason: str = "",
        *,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        to_tag: str = "",
        now: float,
        ticket: int | None = None,
    ) -> None:
        """Answer a RequestReceived; `to_tag` makes it a dialog's (SUBSCRIBE)."""
        made = [*headers, self.server]
        response = reply(transaction.request, status, reason, to_tag=to_tag or self._token(12), headers=made, body=body)
        transaction.respond(response, now, ticket)

    # --- what sessions and transactions use -----------------------------------------------------------

    def report(self, event: SipEvent) -> None:
        self._events.append(event)

    def transmit(self, peer: Peer, data: bytes, now: float, ticket: int | None = None) -> None:
        if self._trace is not None:
            self._trace("out", peer, data, now)
        self._outgoing.append(Outgoing(peer, data, ticket))

    def forget(self, transaction: Transaction) -> None:
        self._transactions.pop(transaction.key, None)
        self._sessions_of_invite.pop(transaction.key, None)
        if isinstance(transaction, ServerTransaction):
            paths = _path_of(transaction.request)
            if paths is not None and self._paths.get(paths) == transaction.key:
                del self._paths[paths]
        for name in ("resend", "timeout", "done"):
            self.timers.cancel(transaction, name)

    def closed_session(self, session: Session) -> None:
        self._sessions.pop((session.call_id, session.local.tag), None)
        if self._called.get((session.call_id, session.remote.tag)) is session:
            del self._called[session.call_id, session.remote.tag]

    def start_client(self, request: Request, peer: Peer, user: ClientUser, now: float) -> ClientTransaction:
        key = ("client", request.via.branch, request.method)
        transaction = ClientTransaction(self, key, peer, request, user)
        self._transactions[key] = transaction
        transaction.start(now)
        return transaction

    def send_cancel(self, session: Session, now: float, reason: str = "") -> None:
        """CANCEL with the branch, From, To and CSeq number of the INVITE (RFC 3261 §9.1)."""
        invite = session.request
        headers = [("Via", invite.need("Via")), ("Max-Forwards", "70"), ("From", invite.need("From"))]
        headers += [("To", invite.need("To")), ("Call-ID", invite.call_id), ("CSeq", f"{invite.cseq.number} CANCEL")]
        headers += [(name, value) for name, value in invite.headers if name == "Route"]
        headers += [("Reason", reason)] if reason else []
        cancel = Request("CANCEL", invite.uri, headers)
        if ("client", invite.via.branch, "CANCEL") not in self._transactions:
            self.start_client(cancel, session.peer, _Silent(), now)

    def drop_fork(self, session: Session, response: Response, now: float) -> None:
        """A second leg of a forked INVITE answered too: acknowledge it and end it (RFC 3261 §13.2.2.4)."""
        fork = self.fork(session, response)
        fork.phase = Phase.UP
        self.transmit(session.peer, bytes(fork.in_dialog("ACK", cseq=response.cseq.number)), now)
        bye = fork.in_dialog("BYE", cseq=response.cseq.number + 1)
        self.start_client(bye, session.peer, _Silent(), now)

    def fork(self, session: Session, response: Response) -> Session:
        """Return the dialog of another branch of a forked INVITE; nobody but the caller of this knows it."""
        fork = Session(self, "uac", session.request, session.peer, session.local, response.to)
        fork.routes = list(reversed(response.all("Record-Route")))
        fork.refresh_target(response)
        return fork

    def with_credentials(self, response: Response, request: Request, credentials: Credentials) -> Request | None:
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
                headers.append((name, self.via(_via_peer(request))))
            elif name == "CSeq":
                headers.append((name, f"{request.cseq.number + 1} {request.method}"))
            elif name not in changed:
                headers.append((name, text))
        headers += changed.items()
        return Request(request.method, request.uri, headers, request.body)

    def via(self, peer: Peer) -> str:
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

    def next_hop(self, dialog: Dialog) -> Peer:
        """The first route when it names an address, else the flow the dialog came by (symmetric, as NAT needs)."""
        if dialog.routes:
            try:
                route = parse_uri(dialog.routes[0].strip().strip("<>").partition(">")[0])
            except BadUri:
                return dialog.peer
            if _ADDRESS.match(route.host):
                port = route.port or (5061 if route.transport == "tls" else 5060)
                return Peer(route.transport, route.host.strip("[]"), port)
        return dialog.peer

    # --- responses ------------------------------------------------------------------------------------

    def _receive_response(self, response: Response, source: Peer, now: float) -> None:
        cseq = response.cseq
        transaction = self._transactions.get(("client", response.via.branch, cseq.method))
        if isinstance(transaction, ClientTransaction):
            transaction.take(response, now)
            return
        session = self._sessions.get((response.call_id, response.from_.tag))
        if session is not None and cseq.method == "INVITE" and 200 <= response.status < 300:
            session.response(response, now)
            return
        self._events.append(Ignored(source, f"{response.status} to no request of ours", 0))

    # --- requests -------------------------------------------------------------------------------------

    def _receive_request(self, request: Request, source: Peer, now: float) -> None:
        via = self._mark_via(request, source)
        try:
            self._serve(request, via, source, now)
        except Malformed as error:
            if request.method == "ACK":
                raise
            headers = [*error.headers, self.server]
            reason = f"{REASONS.get(error.status, 'Error')} ({_printable(error.reason)})"
            answer = reply(request, error.status, reason, to_tag=_steady_tag(request, via), headers=headers)
            self.transmit(source, bytes(answer), now)
            self._events.append(Ignored(source, error.reason, error.status))

    def _serve(self, request: Request, via: Via, source: Peer, now: float) -> None:
        key = self._server_key(request, via, request.cseq)
        if request.method == "ACK":
            self._receive_ack(request, key, now)
            return
        known = self._transactions.get(key)
        if known is not None:
            known.step("again", now)
            return
        for fault in validate(request):
            if not self.tolerances.forgives(fault):
                raise Malformed(400, fault.value)
        transaction = ServerTransaction(self, key, _answers_go_to(via, source), request)
        self._note_path(transaction)
        self._transactions[key] = transaction
        try:
            if request.method == "CANCEL":
                self._receive_cancel(transaction, now)
            elif request.to.tag:
                self._receive_in_dialog(transaction, source, now)
            elif request.method == "INVITE":
                self._receive_invite(transaction, source, now)
            else:
                self._events.append(RequestReceived(transaction, request, source))
        except Malformed:
            self.forget(transaction)
            raise

    def _note_path(self, transaction: ServerTransaction) -> None:
        """Remember which way a request came; 482 when it arrived by another way before (RFC 3261 §8.2.2.2)."""
        paths = _path_of(transaction.request)
        if paths is None:
            return
        if self._transactions.get(self._paths.get(paths, ())) is not None:
            raise Malformed(482, "merged: this request came by another way before")
        self._paths[paths] = transaction.key

    def _receive_invite(self, transaction: ServerTransaction, source: Peer, now: float) -> None:
        request = transaction.request
        local = request.to.with_tag(self._token(16))
        session = Session(self, "uas", request, source, local, request.from_)
        session.opened(transaction)
        self._sessions[session.call_id, local.tag] = session
        self._called[session.call_id, session.remote.tag] = session
        self._sessions_of_invite[transaction.key] = session
        self._unanswered.append((transaction, now))
        self._events.append(InviteReceived(session))

    def _receive_in_dialog(self, transaction: ServerTransaction, source: Peer, now: float) -> None:
        request = transaction.request
        session = self._sessions.get((request.call_id, request.to.tag))
        if session is not None and session.remote.tag in ("", request.from_.tag):
            session.receive(transaction, now)
        elif request.method in _NEEDS_DIALOG:
            transaction.respond(reply(request, 481, headers=[self.server]), now)
        else:
            self._events.append(RequestReceived(transaction, request, source))

    def _receive_ack(self, request: Request, key: tuple[str, ...], now: float) -> None:
        transaction = self._transactions.get(key)
        if transaction is not None and transaction.state in (State.COMPLETED, State.CONFIRMED):
            transaction.step("ack", now)
            return
        session = self._sessions.get((request.call_id, request.to.tag))
        if session is None:  # stock pyVoIP makes up a To tag: the caller's tag and the Call-ID still tell
            session = self._called.get((request.call_id, request.from_.tag))
            if session is not None and not self.tolerances.forgives(Tolerance.ACK_TO_TAG):
                session = None
        if session is not None:
            session.acked(request, now)

    def _receive_cancel(self, transaction: ServerTransaction, now: float) -> None:
        key = (*transaction.key[:-1], "INVITE")
        session = self._sessions_of_invite.get(key)
        if session is None and key not in self._transactions:
            transaction.respond(reply(transaction.request, 481, headers=[self.server]), now)
            return
        tag = session.local.tag if session is not None else self._token(12)
        transaction.respond(reply(transaction.request, 200, to_tag=tag, headers=[self.server]), now)
        if session is not None:
            session.cancelled(now)

    def _mark_via(self, request: Request, source: Peer) -> Via:
        """Write `received` and `rport` into the topmost Via (RFC 3261 §18.2.1, RFC 3581 §4)."""
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

    @staticmethod
    def _server_key(request: Request, via: Via, cseq: CSeq) -> tuple[str, ...]:
        """RFC 3261 §17.2.3, and what tells apart the requests of stock pyVoIP.

        It repeats a branch with the next CSeq, and begins its Call-IDs and branches anew whenever it is started: then
        only the From tag, which ACK and CANCEL share with their INVITE, says that this is another call.
        """
        method = "INVITE" if request.method == "ACK" else request.method
        if via.branch.startswith(MAGIC) and len(via.branch) > len(MAGIC):
            sent_by = f"{via.host}:{via.port}"
            return ("server", via.branch, sent_by, request.from_.tag, str(cseq.number), method)
        return ("server", request.call_id, request.from_.tag, via.host, str(cseq.number), method)

    def _refuse(self, data: bytes, source: Peer, error: Malformed, now: float) -> None:
        """Answer what could not be served, statelessly: without this the sender would repeat it for 32 s."""
        status = error.status
        start = data.lstrip(b"\r\n")[:12].upper()
        if status and not start.startswith((b"SIP/", b"ACK ")):
            answer = _stateless(data, status, error.reason, error.headers)
            if answer is not None:
                self.transmit(source, answer, now)
                self._events.append(Ignored(source, error.reason, status))
                return
        self._events.append(Ignored(source, error.reason, 0))

    # --- parts ----------------------------------------------------------------------------------------

    def _request(
        self, method: str, uri: str, peer: Peer, headers: list[tuple[str, str]], body: bytes, content_type: str
    ) -> Request:
        made = [("Via", self.via(peer)), ("Max-Forwards", "70"), *headers, self.user_agent]
        if content_type:
            made.append(("Content-Type", content_type))
        return Request(method, uri, made, body)

    def _call_id(self, peer: Peer) -> str:
        return f"{self._token(24)}@{host_and_port(*self._local[peer.transport]).rpartition(':')[0]}"


class _Silent:
    """The user of a request whose answer changes nothing."""

    def response(self, response: Response, now: float) -> None:
        pass

    def timed_out(self, now: float) -> None:
        pass


def _via_peer(request: Request) -> Peer:
    return Peer(request.via.transport, request.via.host.strip("[]"), request.via.port or 5060)


def _answers_go_to(via: Via, source: Peer) -> Peer:
    """Return where the responses to a request go (RFC 3261 §18.2.2, RFC 3581 §4).

    Without `rport` that is the port the Via names, for phones that send from one port and listen at another; but a
    sender behind NAT, which its Via gives away by another address, is only reached where it came from.
    """
    if source.reliable or "rport" in via.params or via.host.strip("[]") != source.host:
        return source
    return Peer(source.transport, source.host, via.port or 5060)


def _path_of(request: Request) -> tuple[str, ...] | None:
    """What every copy of a forked request has in common; None for one that cannot merge."""
    sender = request.from_.tag
    if not sender or request.to.tag or request.method == "CANCEL":
        return None
    return (request.call_id, sender, str(request.cseq.number), request.method)


def _steady_tag(request: Request, via: Via) -> str:
    """A To tag that is the same for every repetition of a request refused without state (RFC 3261 §8.2.7)."""
    same = f"{via.branch} {request.get('Call-ID')}".encode("utf-8", "surrogateescape")
    return f"{zlib.crc32(same):08x}"


def _printable(reason: str) -> str:
    return re.sub(r"[^ -~]", "?", reason)[:80]


def _stateless(data: bytes, status: int, reason: str, headers: Sequence[tuple[str, str]]) -> bytes | None:
    """Copy what of Via, From, To, Call-ID and CSeq can be found in bytes that may be no message; None without a Via.

    The tag of To is the same for every repetition of a request (RFC 3261 §8.2.7).
    """
    lines: list[bytes] = []
    head = data.partition(b"\r\n\r\n")[0][:8192]
    found = [(name.lower(), value) for name, value in _RAW.findall(head)]
    if not any(name in (b"via", b"v") and _SENT_BY.match(value) for name, value in found):
        return None
    for name, value in found:
        text = name + b": " + b" ".join(value.split())
        if name in (b"to", b"t") and b"tag" not in value.lower():
            text += b";tag=%08x" % zlib.crc32(head)
        lines.append(text + b"\r\n")
    lines += [f"{name}: {value}\r\n".encode("utf-8", "surrogateescape") for name, value in headers]
    why = _printable(reason).encode()
    title = REASONS.get(status, "Error").encode()
    return b"".join([b"SIP/2.0 %d %s (%s)\r\n" % (status, title, why), *lines, b"Content-Length: 0\r\n\r\n"])
