"""An INVITE session, either end: one dialog, its offers and answers, its end (RFC 3261 §12–15, RFC 3515, RFC 6026).

Made and owned by a stack. SDP is opaque bytes here. A session that is over ignores further commands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING

from pbx.sip.address import Peer
from pbx.sip.bodies import sdp_of
from pbx.sip.digest import Credentials
from pbx.sip.message import Malformed, Request, Response, reply
from pbx.sip.reliable import OPTION, Reliable, rack_of, rseq_of
from pbx.sip.session_timer import SessionTimer
from pbx.sip.sip_events import (
    Answered,
    Cancelled,
    Confirmed,
    Ended,
    InfoReceived,
    Progress,
    ReferProgress,
    ReferReceived,
    Rejected,
    ReofferAnswered,
    ReofferReceived,
    ReofferRejected,
)
from pbx.sip.timers import T1, T2, TIMEOUT
from pbx.sip.uri import BadUri, NameAddr, parse_name_addr

if TYPE_CHECKING:
    from pbx.sip.stack import Stack
    from pbx.sip.transaction import ServerTransaction

_CAUSE = re.compile(r"Q\.850\s*;\s*cause\s*=\s*(\d+)", re.IGNORECASE)
_INFO_TYPES = frozenset({"application/dtmf-relay", "application/dtmf"})
ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, REFER, NOTIFY, SUBSCRIBE, REGISTER"
SUPPORTED = "100rel, replaces, timer"


class Phase(Enum):
    NEW = auto()
    EARLY = auto()
    UP = auto()
    OVER = auto()


class Session:
    def __init__(
        self, stack: Stack, role: str, request: Request, peer: Peer, local: NameAddr, remote: NameAddr
    ) -> None:
        self._stack = stack
        self.role = role
        """`uac` or `uas`."""
        self.request = request
        self.peer = peer
        self.call_id = request.call_id
        self.local = local
        self.remote = remote
        self.phase = Phase.NEW
        self.local_sdp: bytes | None = None
        self.remote_sdp: bytes | None = None
        self.credentials: Credentials | None = None
        self.remote_target = request.uri
        self.routes: list[str] = []
        self.cseq = request.cseq.number if role == "uac" else 0
        self._remote_cseq = request.cseq.number if role == "uas" else -1
        self._transaction: ServerTransaction | None = None
        self._reoffer: ServerTransaction | None = None
        self._reoffering = False
        self._refer: ServerTransaction | None = None
        self._ok: bytes = b""
        self._answered_cseq = -1
        self._ok_interval = T1
        self._ack: bytes = b""
        self._acked_cseq = -1
        self._cancel_wanted = False
        self._last_invite = request
        self._provisional_seen = False
        self._tries = 0
        self.acknowledged = False
        self.timer = SessionTimer(self, stack.timers, stack.session_expires_s)
        self._peer_allows: frozenset[str] = frozenset()
        self._reliable: Reliable | None = None
        self._answer_later: tuple[bytes, Sequence[tuple[str, str]]] | None = None
        """A 200 that waits until the PRACK of a described 183 has come."""
        self._last_rseq: dict[str, int] = {}
        """Of each early dialog, by its tag."""

    @property
    def id(self) -> str:
        return f"{self.call_id}/{self.local.tag}"

    @property
    def _contact(self) -> str:
        secure = self.request.uri[:5].lower() == "sips:" and self.peer.transport == "tls"
        return self._stack.contact(self.local, self.peer, secure=secure)

    @property
    def over(self) -> bool:
        return self.phase is Phase.OVER

    # --- called: our answers to their INVITE ----------------------------------------------------------

    def ring(self, now: float, sdp: bytes | None = None) -> None:
        """Send 180, or 183 with early media (RFC 3960)."""
        if self._transaction is None or self.phase not in (Phase.NEW, Phase.EARLY):
            return
        self.phase = Phase.EARLY
        if sdp is not None:
            self.local_sdp = sdp
        status = 183 if sdp is not None else 180
        if self._is_reliable(sdp):
            if self._reliable is None:
                self._reliable = Reliable(self._stack.timers, 1, self._provide, self._unheard)
            self._reliable.provide(status, sdp, now)
        else:
            self._reply(self._transaction, status, now, sdp)

    def _is_reliable(self, sdp: bytes | None) -> bool:
        """Where it is required, and where it is known and the sound of early media hangs on it (RFC 3262 §3)."""
        known = {option.lower() for option in self.request.tokens("Require")}
        if sdp is not None:
            known |= {option.lower() for option in self.request.tokens("Supported")}
        return OPTION in known

    def _provide(self, status: int, sdp: bytes | None, rseq: int, now: float) -> Callable[[float], None]:
        transaction = self._transaction
        assert transaction is not None
        response = self._response(transaction, status, sdp, [("Require", OPTION), ("RSeq", str(rseq))])
        transaction.respond(response, now)
        return partial(_say_again, transaction, response)

    def _unheard(self, now: float) -> None:
        self.reject(504, "", now)
        self._stack.report(Cancelled(self))

    def answer(self, sdp: bytes, now: float, headers: Sequence[tuple[str, str]] = ()) -> None:
        """Send 200 and repeat it until the ACK comes (§13.3.1.4)."""
        if self._transaction is None or self.phase not in (Phase.NEW, Phase.EARLY):
            return
        if self._reliable is not None and self._reliable.describes:
            self._answer_later = (sdp, headers)
            return
        self.phase = Phase.UP
        self.local_sdp = sdp
        agreed = self.timer.accept(self.request, now)
        self._ok = self._reply(self._transaction, 200, now, sdp, [*headers, *agreed])
        self._await_ack(self._transaction, now)

    def reject(self, status: int, reason: str, now: float, headers: Sequence[tuple[str, str]] = ()) -> None:
        """Refuse with a final failure; also the way a challenge is sent."""
        if self._transaction is None or self.phase not in (Phase.NEW, Phase.EARLY):
            return
        response = reply(self.request, status, reason, to_tag=self.local.tag, headers=[*headers, self._stack.server])
        self._transaction.respond(response, now)
        self._close()

    def _reply(
        self,
        transaction: ServerTransaction,
        status: int,
        now: float,
        sdp: bytes | None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> bytes:
        response = self._response(transaction, status, sdp, headers)
        return transaction.respond(response, now)

    def _response(
        self, transaction: ServerTransaction, status: int, sdp: bytes | None, headers: Sequence[tuple[str, str]] = ()
    ) -> Response:
        made = [("Record-Route", value) for value in transaction.request.all("Record-Route")]
        made += [
            ("Contact", f"<{self._contact}>"),
            ("Allow", ALLOW),
            ("Supported", SUPPORTED),
            *headers,
        ]
        if sdp is not None:
            made.append(("Content-Type", "application/sdp"))
        made.append(self._stack.server)
        return reply(transaction.request, status, to_tag=self.local.tag, headers=made, body=sdp or b"")

    def _await_ack(self, transaction: ServerTransaction, now: float) -> None:
        self.acknowledged = False
        self._answered_cseq = transaction.request.cseq.number
        self._ok_interval = T1
        self._stack.timers.arm(self, "repeat", now + T1)
        self._stack.timers.arm(self, "unacknowledged", now + TIMEOUT)

    # --- calling: the way our INVITE goes -------------------------------------------------------------

    def cancel(self, now: float) -> None:
        """Give up our INVITE; waits for a provisional when none has come yet (§9.1)."""
        if self.role != "uac" or self.phase not in (Phase.NEW, Phase.EARLY):
            return
        if self.phase is Phase.NEW and not self._provisional_seen:
            self._cancel_wanted = True
            return
        self._cancel_wanted = True
        self._stack.send_cancel(self, now)

    def response(self, response: Response, now: float) -> None:
        """A response to our INVITE or re-INVITE (from its transaction)."""
        status = response.status
        if status < 200:
            self._provisional(response, now)
        elif status < 300:
            self._accepted(response, now)
        elif self._asked_again(response, now):
            return
        elif self.phase is Phase.UP:
            self._reoffering = False
            if status == 491:
                self.timer.retry(now)
            self._stack.report(ReofferRejected(self, status))
            if status in (408, 481):  # the dialog is gone at the far end (§12.2.1.2)
                self.bye(now)
                self._over("timeout", 41, "dialog lost")
        elif self.phase is not Phase.OVER:
            self._stack.report(Rejected(self, status, response.reason, response))
            self._close()

    def _asked_again(self, response: Response, now: float) -> bool:
        if response.status in (401, 407):
            return self._retry_with_credentials(response, now)
        return response.status == 422 and self._retry_with_longer_timer(response, now)

    def timed_out(self, now: float) -> None:
        if self.phase is Phase.UP:
            self._reoffering = False
            self._stack.report(ReofferRejected(self, 408))
            return
        if self.phase is not Phase.OVER:
            self._stack.report(Rejected(self, 408, "Request Timeout", None))
            self._close()

    def _provisional(self, response: Response, now: float) -> None:
        if self.phase not in (Phase.NEW, Phase.EARLY):
            return
        self._provisional_seen = True
        if self._cancel_wanted:
            self._stack.send_cancel(self, now)
            return
        if response.status == 100:
            return
        self.phase = Phase.EARLY
        if not self.remote.tag and response.to.tag:  # an early dialog (§12.1.2); the 2xx decides whose it is
            self.remote = response.to
            self.routes = list(reversed(response.all("Record-Route")))
            self._refresh_target(response)
        if not self._prack(response, now):
            return
        sdp = sdp_of(response.body, response.get("Content-Type"))
        if sdp:
            self.remote_sdp = sdp
        self._stack.report(Progress(self, response.status, sdp))

    def _prack(self, response: Response, now: float) -> bool:
        """Acknowledge a reliable provisional; False when it is repeated or out of order (RFC 3262 §4)."""
        rseq, tag = rseq_of(response), response.to.tag
        if not rseq:
            return True
        last = self._last_rseq.get(tag)
        if last is not None and rseq != last + 1:
            return False
        self._last_rseq[tag] = rseq
        dialog = self if tag == self.remote.tag else self._stack.fork(self, response)
        self.cseq += 1
        prack = dialog.in_dialog("PRACK", cseq=self.cseq)
        prack.headers.append(("RAck", f"{rseq} {response.cseq.number} INVITE"))
        self._stack.start_client(prack, dialog._next_hop(), _InDialog(self, prack), now)
        return True

    def _accepted(self, response: Response, now: float) -> None:
        cseq = response.cseq.number
        if self._ack and cseq == self._acked_cseq and response.to.tag == self.remote.tag:
            self._stack.transmit(self._next_hop(), self._ack, now)  # our ACK was lost: repeat it (§13.2.2.4)
            return
        if self.phase is Phase.OVER or (self._acked_cseq >= 0 and response.to.tag != self.remote.tag):
            self._stack.drop_fork(self, response, now)
            return
        first = self.phase is not Phase.UP
        if first:
            self.remote = response.to
            self.routes = list(reversed(response.all("Record-Route")))
        self._refresh_target(response)
        sdp = sdp_of(response.body, response.get("Content-Type"))
        if sdp:
            self.remote_sdp = sdp
        self.phase = Phase.UP
        self._peer_allows = frozenset(response.tokens("Allow")) or self._peer_allows
        self._send_ack(cseq, now)
        self.timer.settle(response, now)
        if self._cancel_wanted and first:  # the CANCEL lost the race: end what was answered (§15)
            self.bye(now)
            self._stack.report(Rejected(self, 487, "Request Terminated", response))
            return
        self._stack.report(Answered(self, sdp) if first else ReofferAnswered(self, sdp))
        self._reoffering = False

    def _send_ack(self, cseq: int, now: float) -> None:
        ack = self.in_dialog("ACK", cseq=cseq)
        self._ack, self._acked_cseq = bytes(ack), cseq
        self._stack.transmit(self._next_hop(), self._ack, now)

    def _retry_with_credentials(self, response: Response, now: float) -> bool:
        if self.credentials is None or self._tries >= 2 or self.over:
            return False
        self._tries += 1
        again = self._stack.with_credentials(response, self._challenged(response), self.credentials)
        if again is None:
            return False
        self.cseq = again.cseq.number
        if self.phase is not Phase.UP:
            self.request = again
        self._stack.start_client(again, self._next_hop(), self, now)
        return True

    def _retry_with_longer_timer(self, response: Response, now: float) -> bool:
        """Ask again for the interval a 422 wants (RFC 4028 §7.3)."""
        least = (response.get("Min-SE") or "").partition(";")[0].strip()
        if self.over or not least.isdigit() or not self.timer.longer(int(least)):
            return False
        again = self._stack.repeated(self._challenged(response), dict(self.timer.ask()))
        self.cseq = again.cseq.number
        if self.phase is not Phase.UP:
            self.request = again
        self._stack.start_client(again, self._next_hop(), self, now)
        return True

    def _challenged(self, response: Response) -> Request:
        return self._last_invite if self.phase is Phase.UP else self.request

    # --- in the call ----------------------------------------------------------------------------------

    def bye(self, now: float, reason: str = "") -> None:
        """End the call; `reason` is a Reason value such as `Q.850;cause=16` (RFC 3326)."""
        if self.phase is not Phase.UP:
            self.end(now)
            return
        self._send("BYE", now, [("Reason", reason)] if reason else [])
        self._close()

    def end(self, now: float, reason: str = "") -> None:
        """End the session in whatever way its phase asks for."""
        match self.phase:
            case Phase.UP:
                self.bye(now, reason)
            case Phase.NEW | Phase.EARLY if self.role == "uas":
                self.reject(480, "", now, [("Reason", reason)] if reason else [])
            case Phase.NEW | Phase.EARLY:
                self.cancel(now)
            case _:
                pass

    def reoffer(self, sdp: bytes, now: float) -> None:
        """Send a re-INVITE; the answer comes as ReofferAnswered or ReofferRejected."""
        if self.phase is not Phase.UP:
            return
        self._reoffering = True
        self.local_sdp = sdp
        self.cseq += 1
        request = self.in_dialog("INVITE", cseq=self.cseq, body=sdp, kind="application/sdp")
        request.headers.insert(-1, ("Contact", f"<{self._contact}>"))
        request.headers += [("Allow", ALLOW), ("Supported", SUPPORTED), *self.timer.ask()]
        self._last_invite = request
        self._tries = 0
        self._stack.start_client(request, self._next_hop(), self, now)

    def accept_reoffer(self, sdp: bytes, now: float) -> None:
        """Answer a re-INVITE, or an UPDATE with an offer, which no ACK follows (RFC 3311)."""
        transaction, self._reoffer = self._reoffer, None
        if transaction is None:
            return
        self.local_sdp = sdp
        ok = self._reply(transaction, 200, now, sdp, self.timer.accept(transaction.request, now))
        if transaction.request.method == "INVITE":
            self._ok = ok
            self._await_ack(transaction, now)

    def refresh(self, now: float) -> None:
        """Say that the call is still up: UPDATE where it is known, else a re-INVITE that changes nothing."""
        if self.phase is not Phase.UP:
            return
        if "UPDATE" in self._peer_allows:
            self._send("UPDATE", now, [("Supported", SUPPORTED), *self.timer.ask()])
        elif self.local_sdp is not None and not self._reoffering and self._reoffer is None:
            self.reoffer(self.local_sdp, now)
        else:
            self.timer.retry(now)

    def refreshed(self, response: Response, now: float) -> None:
        """What became of an UPDATE of ours."""
        if response.status < 300:
            self.timer.settle(response, now)
        elif response.status in (491, 500):
            self.timer.retry(now)
        else:
            self._peer_allows -= {"UPDATE"}
            self.refresh(now)

    def expired(self, now: float) -> None:
        """Nobody refreshed the session (RFC 4028 §10)."""
        if self.phase is Phase.UP:
            self._send("BYE", now, [("Reason", 'Q.850;cause=102;text="session expired"')])
            self._over("timeout", 102, "session expired")

    def reject_reoffer(self, status: int, now: float) -> None:
        transaction, self._reoffer = self._reoffer, None
        if transaction is not None:
            transaction.respond(reply(transaction.request, status, to_tag=self.local.tag), now)

    def info(self, content_type: str, body: bytes, now: float) -> None:
        self._send("INFO", now, [], body, content_type)

    def refer(self, target_uri: str, now: float) -> None:
        """Ask the far end to call `target_uri` (blind transfer); news comes as ReferProgress."""
        headers = [("Refer-To", f"<{target_uri}>"), ("Referred-By", f"<{self.local.uri}>")]
        self._send("REFER", now, headers)

    def accept_refer(self, now: float) -> None:
        transaction, self._refer = self._refer, None
        if transaction is not None:
            headers = [("Contact", f"<{self._contact}>")]
            transaction.respond(reply(transaction.request, 202, to_tag=self.local.tag, headers=headers), now)

    def reject_refer(self, status: int, now: float) -> None:
        transaction, self._refer = self._refer, None
        if transaction is not None:
            transaction.respond(reply(transaction.request, status, to_tag=self.local.tag), now)

    def notify_refer(self, status_line: str, final: bool, now: float) -> None:
        """Tell the far end what became of its REFER (RFC 3515 §2.4.5); `status_line` like `SIP/2.0 200 OK`."""
        state = "terminated;reason=noresource" if final else "active;expires=60"
        headers = [("Event", "refer"), ("Subscription-State", state)]
        self._send("NOTIFY", now, headers, status_line.encode() + b"\r\n", "message/sipfrag;version=2.0")

    # --- requests of the far end ----------------------------------------------------------------------

    def receive(self, transaction: ServerTransaction, now: float) -> None:
        """Serve a request inside this dialog (§12.2.2)."""
        request = transaction.request
        if request.cseq.number <= self._remote_cseq and request.method != "CANCEL":
            transaction.respond(reply(request, 500, "CSeq out of order"), now)
            return
        self._remote_cseq = request.cseq.number
        serve = _SERVE.get(request.method)
        if serve is None:
            transaction.respond(reply(request, 405, headers=[("Allow", ALLOW)]), now)
            return
        serve(self, transaction, now)

    def acked(self, request: Request, now: float) -> None:
        """The ACK of our newest 2xx; a late one of an earlier INVITE says nothing about it."""
        if self.acknowledged or self.phase is not Phase.UP or request.cseq.number != self._answered_cseq:
            return
        self.acknowledged = True
        self._stack.timers.cancel(self, "repeat")
        self._stack.timers.cancel(self, "unacknowledged")
        sdp = sdp_of(request.body, request.get("Content-Type"))
        if sdp:
            self.remote_sdp = sdp
        self._stack.report(Confirmed(self, sdp))

    def cancelled(self, now: float) -> None:
        """Their CANCEL: 487 to the INVITE, unless it is answered already (§9.2)."""
        if self._transaction is None or self.phase not in (Phase.NEW, Phase.EARLY):
            return
        self._transaction.respond(reply(self.request, 487, to_tag=self.local.tag, headers=[self._stack.server]), now)
        self._stack.report(Cancelled(self))
        self._close()

    def fired(self, name: str, now: float) -> None:
        if self.phase is not Phase.UP:
            return
        if name == "repeat" and not self.acknowledged:
            self._stack.transmit(self.peer, self._ok, now)
            self._ok_interval = min(self._ok_interval * 2, T2)
            self._stack.timers.arm(self, "repeat", now + self._ok_interval)
        elif name == "unacknowledged" and not self.acknowledged:  # §13.3.1.4: tear down what was never confirmed
            self._send("BYE", now, [])
            self._over("timeout", 102, "no ACK")

    def _bye_received(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        transaction.respond(reply(request, 200, to_tag=self.local.tag), now)
        if self._reoffer is not None:
            self.reject_reoffer(487, now)
        found = _CAUSE.search(request.get("Reason") or "")
        self._over("peer", int(found[1]) if found else 16, request.get("Reason") or "")

    def _reinvite_received(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        if self._reoffering or self._reoffer is not None or (self.role == "uas" and not self.acknowledged and self._ok):
            transaction.respond(reply(request, 491, to_tag=self.local.tag), now)  # glare (§14.2)
            return
        self._refresh_target(request)
        self._reoffer = transaction
        sdp = sdp_of(request.body, request.get("Content-Type"))
        if sdp:
            self.remote_sdp = sdp
        self._stack.report(ReofferReceived(self, sdp))

    def _update_received(self, transaction: ServerTransaction, now: float) -> None:
        """RFC 3311 §5.2; before the answer an offer here would be a second one."""
        request = transaction.request
        sdp = sdp_of(request.body, request.get("Content-Type"))
        if sdp is None:
            self._refresh_target(request)
            agreed = self.timer.accept(request, now) if self.phase is Phase.UP else []
            self._reply(transaction, 200, now, None, agreed)
        elif self.phase is not Phase.UP:
            transaction.respond(reply(request, 500, to_tag=self.local.tag, headers=[("Retry-After", "2")]), now)
        elif self._reoffering or self._reoffer is not None:
            transaction.respond(reply(request, 491, to_tag=self.local.tag), now)
        else:
            self._refresh_target(request)
            self._reoffer = transaction
            self.remote_sdp = sdp
            self._stack.report(ReofferReceived(self, sdp))

    def _prack_received(self, transaction: ServerTransaction, now: float) -> None:
        """RFC 3262 §3: it acknowledges the one provisional on its way, and may carry the answer to the offer in it."""
        request, reliable = transaction.request, self._reliable
        if reliable is None or not reliable.acknowledged(rack_of(request), self.request.cseq.number, now):
            transaction.respond(reply(request, 481, to_tag=self.local.tag), now)
            return
        sdp = sdp_of(request.body, request.get("Content-Type"))
        if sdp is not None and self.remote_sdp is not None:  # a second offer: its answer is not worth a call
            transaction.respond(reply(request, 488, to_tag=self.local.tag), now)
        else:
            transaction.respond(reply(request, 200, to_tag=self.local.tag), now)
        if sdp is not None and self.remote_sdp is None:
            self.remote_sdp = sdp
            self._stack.report(Confirmed(self, sdp))
        if self._answer_later is not None and not reliable.describes:
            (answer, headers), self._answer_later = self._answer_later, None
            self.answer(answer, now, headers)

    def _options_received(self, transaction: ServerTransaction, now: float) -> None:
        """Some phones ask so whether the call is still up (§11: answered as outside a call)."""
        headers = [("Allow", ALLOW), ("Accept", "application/sdp")]
        transaction.respond(reply(transaction.request, 200, to_tag=self.local.tag, headers=headers), now)

    def _info_received(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        kind = (request.get("Content-Type") or "").partition(";")[0].strip().lower()
        known = not request.body or kind in _INFO_TYPES
        transaction.respond(reply(request, 200 if known else 415, to_tag=self.local.tag), now)
        if known and request.body:
            self._stack.report(InfoReceived(self, kind, request.body))

    def _refer_received(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        values = request.all("Refer-To")
        try:
            target = parse_name_addr(values[0]) if len(values) == 1 else None
        except BadUri:
            target = None
        if target is None:
            transaction.respond(reply(request, 400, "exactly one Refer-To", to_tag=self.local.tag), now)
            return
        self._refer = transaction
        self._stack.report(ReferReceived(self, target.uri, request))

    def _notify_received(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        if (request.get("Event") or "").partition(";")[0].strip().lower() != "refer":
            transaction.respond(reply(request, 489, to_tag=self.local.tag), now)
            return
        transaction.respond(reply(request, 200, to_tag=self.local.tag), now)
        final = (request.get("Subscription-State") or "").lower().startswith("terminated")
        line = request.body.decode("utf-8", "replace").splitlines()[0] if request.body else ""
        self._stack.report(ReferProgress(self, line, final))

    # --- parts ----------------------------------------------------------------------------------------

    def in_dialog(self, method: str, *, cseq: int, body: bytes = b"", kind: str = "") -> Request:
        """Build a request of this dialog (§12.2.1.1); a strict first route becomes the Request-URI."""
        target, routes = self.remote_target, list(self.routes)
        if routes and ";lr" not in routes[0].lower():
            target, routes = parse_name_addr(routes[0]).uri, [*routes[1:], f"<{self.remote_target}>"]
        headers = [("Via", self._stack.via(self.peer)), *[("Route", route) for route in routes]]
        headers += [("Max-Forwards", "70"), ("From", str(self.local)), ("To", str(self.remote))]
        headers += [("Call-ID", self.call_id), ("CSeq", f"{cseq} {method}"), self._stack.user_agent]
        if kind:
            headers.append(("Content-Type", kind))
        return Request(method, target, headers, body)

    def _send(
        self, method: str, now: float, headers: Sequence[tuple[str, str]], body: bytes = b"", kind: str = ""
    ) -> None:
        if self.phase is not Phase.UP:
            return
        self.cseq += 1
        request = self.in_dialog(method, cseq=self.cseq, body=body, kind=kind)
        request.headers.extend(headers)
        if method in ("REFER", "SUBSCRIBE", "NOTIFY", "UPDATE"):
            request.headers.append(("Contact", f"<{self._contact}>"))
        self._stack.start_client(request, self._next_hop(), _InDialog(self, request), now)

    def _next_hop(self) -> Peer:
        """Where requests of this dialog go: back along the flow the dialog came by (symmetric, RFC 5626 in spirit),
        else to the first route or the remote target as the stack resolves it."""
        return self._stack.next_hop(self)

    def _refresh_target(self, message: Request | Response) -> None:
        contacts = message.all("Contact")
        if contacts:
            try:
                self.remote_target = parse_name_addr(contacts[0]).uri
            except BadUri as error:
                raise Malformed(400, f"bad Contact: {error}") from None

    def opened(self, transaction: ServerTransaction) -> None:
        """Take the INVITE this called session answers."""
        self._transaction = transaction
        request = transaction.request
        self.routes = request.all("Record-Route")
        self._peer_allows = frozenset(request.tokens("Allow"))
        self._refresh_target(request)
        self.remote_sdp = sdp_of(request.body, request.get("Content-Type"))

    def _over(self, by: str, cause: int, reason: str) -> None:
        if self.phase is not Phase.OVER:
            self._stack.report(Ended(self, by, cause, reason))
            self._close()

    def _close(self) -> None:
        self.phase = Phase.OVER
        self._stack.timers.cancel(self, "repeat")
        self._stack.timers.cancel(self, "unacknowledged")
        self.timer.close()
        if self._reliable is not None:
            self._reliable.close()
        self._stack.closed_session(self)


class _InDialog:
    """Learns what became of a BYE, INFO, REFER or NOTIFY of a session."""

    __slots__ = ("_request", "_session", "_tries")

    def __init__(self, session: Session, request: Request) -> None:
        self._session = session
        self._request = request
        self._tries = 0

    def response(self, response: Response, now: float) -> None:
        session = self._session
        if response.status < 200:
            return
        if response.status in (401, 407) and session.credentials and self._tries == 0:
            self._tries = 1
            again = session._stack.with_credentials(response, self._request, session.credentials)
            if again is not None:
                session.cseq = max(session.cseq, again.cseq.number)
                session._stack.start_client(again, session._next_hop(), self, now)
                return
        if self._request.method == "REFER" and response.status >= 300:
            line = f"SIP/2.0 {response.status} {response.reason}"
            session._stack.report(ReferProgress(session, line, True))
        if response.status in (408, 481) and self._request.method not in _END_NOTHING:
            session._over("timeout", 41, "dialog lost")
        elif self._request.method == "UPDATE":
            session.refreshed(response, now)

    def timed_out(self, now: float) -> None:
        if self._request.method not in _END_NOTHING:
            self._session._over("timeout", 41, f"no answer to {self._request.method}")


def _say_again(transaction: ServerTransaction, response: Response, now: float) -> None:
    transaction.respond(response, now)


_END_NOTHING = frozenset({"BYE", "PRACK"})
"""The call is over anyway, or is not up yet and ends by its INVITE."""
_SERVE = {
    "BYE": Session._bye_received,
    "INVITE": Session._reinvite_received,
    "INFO": Session._info_received,
    "PRACK": Session._prack_received,
    "UPDATE": Session._update_received,
    "REFER": Session._refer_received,
    "NOTIFY": Session._notify_received,
    "OPTIONS": Session._options_received,
}
