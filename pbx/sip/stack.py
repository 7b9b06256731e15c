"""The facade: bytes in, events out; commands in, bytes out. Pure: the moment is an argument, nothing is awaited.

One stack serves the switch, a simulated phone or the carrier alike. Its owner feeds `receive` and `tick`, then takes
`take_events` and `take_outgoing`, and arms one timer for `next_deadline`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from pbx.sip.address import Peer
from pbx.sip.arrival import answers_go_to, client_key, invite_of, mark_via, path_of, server_key, steady_tag
from pbx.sip.dialog import ALLOW, SUPPORTED, Phase, is_secure
from pbx.sip.digest import Credentials
from pbx.sip.message import Malformed, Request, Response, Via, parse, reply
from pbx.sip.origin import Origin
from pbx.sip.overload import Admission, retry_after
from pbx.sip.refusal import refusal, told
from pbx.sip.replaces import Replaces
from pbx.sip.request_handle import RequestHandle
from pbx.sip.session import Session
from pbx.sip.sip_events import Ignored, InviteReceived, RequestReceived, SipEvent
from pbx.sip.timers import Timers
from pbx.sip.tolerances import Tolerance, Tolerances
from pbx.sip.transaction import ClientTransaction, ClientUser, ServerTransaction, State, Transaction
from pbx.sip.uri import BadUri, NameAddr
from pbx.sip.validate import validate

_WAITING = frozenset({State.COMPLETED, State.CONFIRMED, State.ACCEPTED, State.TERMINATED})
_NEEDS_DIALOG = frozenset({"BYE", "INFO", "INVITE", "REFER", "UPDATE", "PRACK"})


Trace = Callable[[str, Peer, Request | Response | None, bytes], None]
"""Sees (`in` or `out`, the other end, the message, its bytes); None for what could not be read."""


Challenge = Callable[[Request, Peer], tuple[int, Sequence[tuple[str, str]]] | None]
"""Returns the status and headers that ask an unproved request to come again; None when it is to be served."""


class Outgoing(NamedTuple):
    to: Peer
    data: bytes
    ticket: int | None = None
    """Hold these bytes until the store confirms the ticket."""


class Stack:
    def __init__(
        self,
        local: Mapping[str, tuple[str, int]],
        *,
        token: Callable[[int], str],
        user_agent: str,
        trace: Trace = lambda direction, peer, message, data: None,
        session_expires_s: int = 0,
        admission: Admission | None = None,
        tolerances: Tolerances | None = None,
        challenge: Challenge = lambda request, source: None,
    ) -> None:
        """`local` maps a transport to the (host, port) we tell others; `trace` sees every message.

        Whom `challenge` asks to come again leaves no state behind (RFC 3261 §8.2.7).
        `session_expires_s` is the session interval we ask for (RFC 4028), 0 to agree to others' alone.
        """
        self.session_expires_s = session_expires_s
        self._admission = admission
        self._challenge = challenge
        self.origin = Origin(local, token, user_agent)
        self._token = token
        self._trace = trace
        self.server = ("Server", user_agent)
        self.timers = Timers()
        self.tolerances = tolerances or Tolerances()
        self.commands: frozenset[str] = frozenset()
        """Events of a NOTIFY in a call that its owner obeys: `talk`, `hold`."""
        self._transactions: dict[str, Transaction] = {}
        self._paths: dict[str, str] = {}
        """Requests without a To tag, by what a proxy does not change of them: the key of the way they came."""
        self._sessions: dict[tuple[str, str], Session] = {}
        """By Call-ID and our tag."""
        self._called: dict[tuple[str, str], Session] = {}
        """Those that called us, by Call-ID and their tag."""
        self._sessions_of_invite: dict[str, Session] = {}
        self._unanswered: list[tuple[ServerTransaction, float]] = []
        self._events: list[SipEvent] = []
        self._outgoing: list[Outgoing] = []

    # --- the owner's side -----------------------------------------------------------------------------

    def receive(self, data: bytes, source: Peer, now: float) -> None:
        """Take one datagram or framed message; never raises, whatever the bytes."""
        self.timers.sweep(now)
        if not data.strip(b"\r\n\0 "):
            return  # keep-alive (RFC 5626 §4.4.1)
        try:
            message = parse(data)
        except Malformed as error:
            self._trace("in", source, None, data)
            self._refuse(data, source, error)
            return
        busy = self._admission is not None and self._admission.refusing
        if busy and isinstance(message, Request) and self._shed(message, source):
            return
        self._trace("in", source, message, data)
        try:
            if isinstance(message, Response):
                self._receive_response(message, source, now)
            else:
                self._receive_request(message, source, now)
        except Malformed as error:
            self._refuse(data, source, error)

    def _shed(self, request: Request, source: Peer) -> bool:
        """Under overload: refuse a request that begins something, as cheaply as can be, and what follows from the
        refusal, its ACK and its CANCEL; True when that was done.

        It is counted by the admission and told in sum, but is no event of the trace: that would cost as much again.
        """
        assert self._admission is not None
        try:
            if (request.call_id, request.to.tag) in self._sessions or (request.to.tag and request.method != "ACK"):
                return False
            via = mark_via(request, source)
            if server_key(request, via) in self._transactions:
                return False
            if request.method == "ACK":
                return (request.call_id, request.from_.tag) not in self._called
            if request.method == "CANCEL":
                if invite_of(server_key(request, via)) in self._transactions:
                    return False
                answer = reply(request, 481, to_tag=steady_tag(request, via))
            elif self._admission.admits(request):
                return False
            else:
                headers = [("Retry-After", retry_after(request)), self.server]
                answer = reply(request, 503, to_tag=steady_tag(request, via), headers=headers)
        except (Malformed, BadUri):
            return False
        self._outgoing.append(Outgoing(answers_go_to(via, source), bytes(answer)))
        return True

    def tick(self, now: float) -> None:
        self.timers.fire(now)

    def next_deadline(self) -> float:
        return self.timers.next_deadline()

    def take_events(self) -> Sequence[SipEvent]:
        if not self._events:
            return ()
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
        made = [("From", str(local)), ("To", str(to)), ("Call-ID", self.origin.call_id(peer)), ("CSeq", "1 INVITE")]
        contact = self.origin.contact(local, peer, secure=is_secure(target_uri, peer))
        made += [("Contact", f"<{contact}>"), ("Allow", ALLOW), ("Supported", SUPPORTED), *headers]
        request = self.origin.request("INVITE", target_uri, peer, made, sdp or b"", "application/sdp" if sdp else "")
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
        made = [("From", str(local)), ("To", str(to)), ("Call-ID", call_id or self.origin.call_id(peer))]
        made += [("CSeq", f"{cseq} {method}"), *headers]
        if authorization is not None:
            made.append(authorization)
        request = self.origin.request(method, target_uri, peer, made, body, content_type)
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

    def transmit(self, peer: Peer, message: Request | Response, ticket: int | None = None) -> bytes:
        """Send a message; return its bytes, to be repeated."""
        data = bytes(message)
        self._trace("out", peer, message, data)
        self._outgoing.append(Outgoing(peer, data, ticket))
        return data

    def repeat(self, peer: Peer, data: bytes, ticket: int | None = None) -> None:
        """Send bytes that are a message already."""
        try:
            self._trace("out", peer, parse(data), data)
        except Malformed:  # a refusal copies what stood in the rubbish it answers
            self._trace("out", peer, None, data)
        self._outgoing.append(Outgoing(peer, data, ticket))

    def forget(self, transaction: Transaction) -> None:
        self._transactions.pop(transaction.key, None)
        self._sessions_of_invite.pop(transaction.key, None)
        if isinstance(transaction, ServerTransaction) and self._paths.get(transaction.path) == transaction.key:
            del self._paths[transaction.path]
        self.timers.cancel(transaction, "resend")
        self.timers.cancel(transaction, "timeout")

    def closed_session(self, session: Session) -> None:
        self._sessions.pop((session.call_id, session.local.tag), None)
        if self._called.get((session.call_id, session.remote.tag)) is session:
            del self._called[session.call_id, session.remote.tag]

    def start_client(self, request: Request, peer: Peer, user: ClientUser, now: float) -> ClientTransaction:
        key = client_key(request.via.branch, request.method)
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
        if client_key(invite.via.branch, "CANCEL") not in self._transactions:
            self.start_client(cancel, session.peer, _Silent(), now)

    def drop_fork(self, session: Session, response: Response, now: float) -> None:
        """A second leg of a forked INVITE answered too: acknowledge it and end it (RFC 3261 §13.2.2.4)."""
        fork = self.fork(session, response)
        fork.phase = Phase.UP
        self.transmit(session.peer, fork.in_dialog("ACK", cseq=response.cseq.number))
        bye = fork.in_dialog("BYE", cseq=response.cseq.number + 1)
        self.start_client(bye, session.peer, _Silent(), now)

    def fork(self, session: Session, response: Response) -> Session:
        """Return the dialog of another branch of a forked INVITE; nobody but the caller of this knows it."""
        fork = Session(self, "uac", session.request, session.peer, session.local, response.to)
        fork.routes = list(reversed(response.all("Record-Route")))
        fork.refresh_target(response)
        return fork

    # --- responses ------------------------------------------------------------------------------------

    def _receive_response(self, response: Response, source: Peer, now: float) -> None:
        cseq = response.cseq
        transaction = self._transactions.get(client_key(response.branch, cseq.method))
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
        via = mark_via(request, source)
        try:
            self._serve(request, via, source, now)
        except Malformed as error:
            if request.method == "ACK":
                raise
            headers = [*error.headers, self.server]
            answer = reply(request, error.status, told(error), to_tag=steady_tag(request, via), headers=headers)
            self.transmit(source, answer)
            self._events.append(Ignored(source, error.reason, error.status))

    def _serve(self, request: Request, via: Via, source: Peer, now: float) -> None:
        key = server_key(request, via)
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
        asked = self._challenge(request, source) if not request.to.tag else None
        if asked is not None:
            headers = [*asked[1], self.server]
            answer = reply(request, asked[0], to_tag=steady_tag(request, via), headers=headers)
            self.transmit(answers_go_to(via, source), answer)
            return
        transaction = ServerTransaction(self, key, answers_go_to(via, source), request)
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
        path = path_of(transaction.request)
        if not path:
            return
        if self._paths.get(path, "") in self._transactions:
            raise Malformed(482, "merged: this request came by another way before")
        transaction.path = path
        self._paths[path] = transaction.key

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

    def _receive_ack(self, request: Request, key: str, now: float) -> None:
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
        key = invite_of(transaction.key)
        session = self._sessions_of_invite.get(key)
        if session is None and key not in self._transactions:
            transaction.respond(reply(transaction.request, 481, headers=[self.server]), now)
            return
        tag = session.local.tag if session is not None else self._token(12)
        transaction.respond(reply(transaction.request, 200, to_tag=tag, headers=[self.server]), now)
        if session is not None:
            session.cancelled(now)

    def _refuse(self, data: bytes, source: Peer, error: Malformed) -> None:
        """Answer what could not be served, statelessly: without this the sender would repeat it for 32 s."""
        answer = refusal(data, error)
        if answer is not None:
            self.repeat(source, answer)
        self._events.append(Ignored(source, error.reason, error.status if answer is not None else 0))


class _Silent:
    """The user of a request whose answer changes nothing."""

    def response(self, response: Response, now: float) -> None:
        pass

    def timed_out(self, now: float) -> None:
        pass
