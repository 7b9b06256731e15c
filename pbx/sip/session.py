"""An INVITE session, either end: one dialog, its offers and answers, its end (RFC 3261 §12–15, RFC 3515, RFC 6026).

Made and owned by a stack. SDP is opaque bytes here. A session that is over ignores further commands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pbx.numerals import natural
from pbx.sip.address import Peer
from pbx.sip.bodies import sdp_of
from pbx.sip.dialog import ALLOW, SUPPORTED, Dialog, Phase
from pbx.sip.digest import Credentials
from pbx.sip.in_dialog import Commanded, Sent, serve
from pbx.sip.message import Request, Response, reply
from pbx.sip.reliable import OPTION, RAck, Reliable, rseq_of
from pbx.sip.session_timer import SessionTimer
from pbx.sip.sip_events import (
    Answered,
    Cancelled,
    Confirmed,
    Ended,
    Progress,
    Rejected,
    ReofferAnswered,
    ReofferRejected,
)
from pbx.sip.timers import T1, T2, TIMEOUT
from pbx.sip.uri import NameAddr

if TYPE_CHECKING:
    from pbx.sip.stack import Stack
    from pbx.sip.transaction import ServerTransaction


_ANSWERED = (Phase.UP, Phase.LEAVING)


class Session(Dialog):
    def __init__(
        self, stack: Stack, role: str, request: Request, peer: Peer, local: NameAddr, remote: NameAddr
    ) -> None:
        super().__init__(stack, request, peer, local, remote)
        self.role = role
        """`uac` or `uas`."""
        self.local_sdp: bytes | None = None
        self.remote_sdp: bytes | None = None
        self.credentials: Credentials | None = None
        self.cseq = request.cseq.number if role == "uac" else 0
        self._remote_cseq = request.cseq.number if role == "uas" else -1
        self._transaction: ServerTransaction | None = None
        self.reoffer_received: ServerTransaction | None = None
        """Their offer that waits for our answer."""
        self.reoffering = False
        """Ours waits for theirs."""
        self._agreed_sdp: bytes | None = None
        """Ours from before it: still in force when it is refused."""
        self.refer_received: ServerTransaction | None = None
        self._ok: bytes = b""
        self._answered_cseq = -1
        self._ok_interval = T1
        self._ack: bytes = b""
        self._acked_cseq = -1
        self._cancel_wanted = False
        self._cancel_reason = ""
        self._last_invite = request
        self._provisional_seen = False
        self._tries = 0
        self.acknowledged = False
        self.timer = SessionTimer(self, stack.timers, stack.session_expires_s)
        self._peer_allows: frozenset[str] = frozenset()
        self._reliable: Reliable | None = None
        self._answer_later: tuple[bytes, Sequence[tuple[str, str]]] | None = None
        """A 200 that waits until the PRACK of a described 183 has come."""
        self._parting: list[tuple[str, str]] = []
        """Headers of the BYE that is to go out."""
        self._last_rseq: dict[str, int] = {}
        """Of each early dialog, by its tag."""

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
                self._reliable = Reliable(self.stack.timers, 1, self._provide, self._unheard)
            self._reliable.provide(status, sdp, now)
        else:
            self.respond(self._transaction, status, now, sdp)

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

    def provisional_acknowledged(self, rack: RAck | None, now: float) -> bool:
        """A PRACK has come; False when it is for nothing on its way."""
        return self._reliable is not None and self._reliable.acknowledged(rack, self.request.cseq.number, now)

    def answer_held_back(self, now: float) -> None:
        """Send the 200 that waited for a PRACK, if there is one."""
        if self._answer_later is not None and not (self._reliable and self._reliable.describes):
            (answer, headers), self._answer_later = self._answer_later, None
            self.answer(answer, now, headers)

    def _unheard(self, now: float) -> None:
        self.reject(504, "", now)
        self.stack.report(Cancelled(self))

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
        self._ok = self.respond(self._transaction, 200, now, sdp, [*headers, *agreed])
        self._await_ack(self.request, now)

    def reject(self, status: int, reason: str, now: float, headers: Sequence[tuple[str, str]] = ()) -> None:
        """Refuse with a final failure; also the way a challenge is sent."""
        if self._transaction is None or self.phase not in (Phase.NEW, Phase.EARLY):
            return
        response = reply(self.request, status, reason, to_tag=self.local.tag, headers=[*headers, self.stack.server])
        self._transaction.respond(response, now)
        self._close()

    def respond(
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
            ("Contact", f"<{self.contact}>"),
            ("Allow", ALLOW),
            ("Supported", SUPPORTED),
            *headers,
        ]
        if self.stack.commands:
            made.append(("Allow-Events", ", ".join(sorted(self.stack.commands))))
        if sdp is not None:
            made.append(("Content-Type", "application/sdp"))
        made.append(self.stack.server)
        return reply(transaction.request, status, to_tag=self.local.tag, headers=made, body=sdp or b"")

    def _await_ack(self, request: Request, now: float) -> None:
        self.acknowledged = False
        self._answered_cseq = request.cseq.number
        self._ok_interval = T1
        self.stack.timers.arm(self, "repeat", now + T1)
        self.stack.timers.arm(self, "unacknowledged", now + TIMEOUT)

    @property
    def is_heard_of(self) -> bool:
        """The far end has said something of our INVITE, if only 100."""
        return self._provisional_seen or self.phase is not Phase.NEW

    @property
    def awaits_ack(self) -> bool:
        """Our 200 has gone out and nobody has confirmed it."""
        return bool(self._ok) and not self.acknowledged

    # --- calling: the way our INVITE goes -------------------------------------------------------------

    def cancel(self, now: float, reason: str = "") -> None:
        """Give up our INVITE, with a Reason (RFC 3326); waits for a provisional when none has come yet (§9.1)."""
        if self.role != "uac" or self.phase not in (Phase.NEW, Phase.EARLY):
            return
        self._cancel_wanted, self._cancel_reason = True, reason
        if self.phase is Phase.EARLY or self._provisional_seen:
            self.stack.send_cancel(self, now, reason)

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
            self.reoffering, self.local_sdp = False, self._agreed_sdp
            if status == 491:
                self.timer.retry(now)
            self.stack.report(ReofferRejected(self, status))
            if status in (408, 481):  # the dialog is gone at the far end (§12.2.1.2)
                self.bye(now)
                self.end_by("timeout", 41, "dialog lost")
        elif self.phase is not Phase.OVER:
            self.stack.report(Rejected(self, status, response.reason, response))
            self._close()

    def _asked_again(self, response: Response, now: float) -> bool:
        if response.status in (401, 407):
            return self._retry_with_credentials(response, now)
        return response.status == 422 and self._retry_with_longer_timer(response, now)

    def timed_out(self, now: float) -> None:
        if self.phase is Phase.UP:
            self.reoffering, self.local_sdp = False, self._agreed_sdp
            self.stack.report(ReofferRejected(self, 408))
            return
        if self.phase is not Phase.OVER:
            self.stack.report(Rejected(self, 408, "Request Timeout", None))
            self._close()

    def _provisional(self, response: Response, now: float) -> None:
        if self.phase not in (Phase.NEW, Phase.EARLY):
            return
        self._provisional_seen = True
        if self._cancel_wanted:
            self.stack.send_cancel(self, now, self._cancel_reason)
            return
        if response.status == 100:
            return
        self.phase = Phase.EARLY
        if not self.remote.tag and response.to.tag:  # an early dialog (§12.1.2); the 2xx decides whose it is
            self.remote = response.to
            self.routes = list(reversed(response.all("Record-Route")))
            self.refresh_target(response)
        if not self._prack(response, now):
            return
        sdp = sdp_of(response.body, response.get("Content-Type"))
        if sdp:
            self.remote_sdp = sdp
        self.stack.report(Progress(self, response.status, sdp))

    def _prack(self, response: Response, now: float) -> bool:
        """Acknowledge a reliable provisional; False when it is repeated or out of order (RFC 3262 §4)."""
        rseq, tag = rseq_of(response), response.to.tag
        if not rseq:
            return True
        last = self._last_rseq.get(tag)
        if last is not None and rseq != last + 1:
            return False
        self._last_rseq[tag] = rseq
        dialog = self if tag == self.remote.tag else self.stack.fork(self, response)
        self.cseq += 1
        prack = dialog.in_dialog("PRACK", cseq=self.cseq)
        prack.headers.append(("RAck", f"{rseq} {response.cseq.number} INVITE"))
        self.stack.start_client(prack, dialog.next_hop(), Sent(self, prack), now)
        return True

    def _accepted(self, response: Response, now: float) -> None:
        cseq = response.cseq.number
        if self._ack and cseq == self._acked_cseq and response.to.tag == self.remote.tag:
            self.stack.repeat(self.next_hop(), self._ack)  # our ACK was lost: repeat it (§13.2.2.4)
            return
        if self.phase is Phase.OVER or (self._acked_cseq >= 0 and response.to.tag != self.remote.tag):
            self.stack.drop_fork(self, response, now)
            return
        first = self.phase is not Phase.UP
        if first:
            self.remote = response.to
            self.routes = list(reversed(response.all("Record-Route")))
        self.refresh_target(response)
        sdp = sdp_of(response.body, response.get("Content-Type"))
        if sdp:
            self.remote_sdp = sdp
        self.phase = Phase.UP
        self._peer_allows = frozenset(response.tokens("Allow")) or self._peer_allows
        self._send_ack(cseq)
        self.timer.settle(response, now)
        if self._cancel_wanted and first:  # the CANCEL lost the race: end what was answered (§15)
            self.bye(now)
            self.stack.report(Rejected(self, 487, "Request Terminated", response))
            return
        self.stack.report(Answered(self, sdp) if first else ReofferAnswered(self, sdp))
        self.reoffering = False

    def _send_ack(self, cseq: int) -> None:
        ack = self.in_dialog("ACK", cseq=cseq)
        self._ack, self._acked_cseq = self.stack.transmit(self.next_hop(), ack), cseq

    def _retry_with_credentials(self, response: Response, now: float) -> bool:
        if self.credentials is None or self._tries >= 2 or self.over:
            return False
        self._tries += 1
        again = self.stack.origin.proven(response, self._challenged(response), self.credentials)
        if again is None:
            return False
        self.cseq = again.cseq.number
        if self.phase is not Phase.UP:
            self.request = again
        self.stack.start_client(again, self.next_hop(), self, now)
        return True

    def _retry_with_longer_timer(self, response: Response, now: float) -> bool:
        """Ask again for the interval a 422 wants (RFC 4028 §7.3)."""
        least_s = natural((response.get("Min-SE") or "").partition(";")[0])
        if self.over or least_s is None or not self.timer.longer(least_s):
            return False
        again = self.stack.origin.repeated(self._challenged(response), dict(self.timer.ask()))
        self.cseq = again.cseq.number
        if self.phase is not Phase.UP:
            self.request = again
        self.stack.start_client(again, self.next_hop(), self, now)
        return True

    def _challenged(self, response: Response) -> Request:
        return self._last_invite if self.phase is Phase.UP else self.request

    # --- in the call ----------------------------------------------------------------------------------

    def bye(self, now: float, reason: str = "") -> None:
        """End the call, or after the ACK of our 200 when that is still to come (§15); `reason` as `Q.850;cause=16`."""
        if self.phase is not Phase.UP:
            self.end(now)
            return
        self._parting = [("Reason", reason)] if reason else []
        if self.awaits_ack:
            self.phase = Phase.LEAVING
            self.timer.close()
        else:
            self._leave(now)

    def _leave(self, now: float) -> None:
        self._send("BYE", now, self._parting)
        self._close()

    def end(self, now: float, reason: str = "") -> None:
        """End the session in whatever way its phase asks for."""
        match self.phase:
            case Phase.UP:
                self.bye(now, reason)
            case Phase.NEW | Phase.EARLY if self.role == "uas":
                self.reject(480, "", now, [("Reason", reason)] if reason else [])
            case Phase.NEW | Phase.EARLY:
                self.cancel(now, reason)
            case _:
                pass

    def reoffer(self, sdp: bytes, now: float) -> None:
        """Send a re-INVITE; the answer comes as ReofferAnswered or ReofferRejected."""
        if self.phase is not Phase.UP:
            return
        self.reoffering = True
        self._agreed_sdp, self.local_sdp = self.local_sdp, sdp
        self.cseq += 1
        request = self.in_dialog("INVITE", cseq=self.cseq, body=sdp, kind="application/sdp")
        request.headers.insert(-1, ("Contact", f"<{self.contact}>"))
        request.headers += [("Allow", ALLOW), ("Supported", SUPPORTED), *self.timer.ask()]
        self._last_invite = request
        self._tries = 0
        self.stack.start_client(request, self.next_hop(), self, now)

    def accept_reoffer(self, sdp: bytes, now: float) -> None:
        """Answer a re-INVITE, or an UPDATE with an offer, which no ACK follows (RFC 3311)."""
        transaction, self.reoffer_received = self.reoffer_received, None
        if transaction is None:
            return
        self.local_sdp = sdp
        request = transaction.request
        ok = self.respond(transaction, 200, now, sdp, self.timer.accept(request, now))
        if request.method == "INVITE":
            self._ok = ok
            self._await_ack(request, now)

    def refresh(self, now: float) -> None:
        """Say that the call is still up: UPDATE where it is known, else a re-INVITE that changes nothing."""
        if self.phase is not Phase.UP:
            return
        if "UPDATE" in self._peer_allows:
            self.send("UPDATE", now, [("Supported", SUPPORTED), *self.timer.ask()])
        elif self.local_sdp is not None and not self.reoffering and self.reoffer_received is None:
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
            self.send("BYE", now, [("Reason", 'Q.850;cause=102;text="session expired"')])
            self.end_by("timeout", 102, "session expired")

    def reject_reoffer(self, status: int, now: float) -> None:
        transaction, self.reoffer_received = self.reoffer_received, None
        if transaction is not None:
            transaction.respond(reply(transaction.request, status, to_tag=self.local.tag), now)

    def info(self, content_type: str, body: bytes, now: float) -> None:
        self.send("INFO", now, [], body, content_type)

    def refer(self, target_uri: str, now: float) -> None:
        """Ask the far end to call `target_uri` (blind transfer); news comes as ReferProgress."""
        headers = [("Refer-To", f"<{target_uri}>"), ("Referred-By", f"<{self.local.uri}>")]
        self.send("REFER", now, headers)

    def command(self, event: str, now: float) -> bool:
        """Ask the far end to `talk` (answer, or take back from hold) or to `hold`: a NOTIFY in this dialog, which may
        be early (BroadWorks, SIP access side extensions). What it says comes as CommandAnswered; False when there is
        no dialog to ask in."""
        if self.phase not in (Phase.EARLY, Phase.UP) or not self.remote.tag:
            return False
        self.cseq += 1
        request = self.in_dialog("NOTIFY", cseq=self.cseq)
        request.headers += [("Event", event), ("Subscription-State", "active"), ("Contact", f"<{self.contact}>")]
        self.stack.start_client(request, self.next_hop(), Commanded(self, event), now)
        return True

    def accept_refer(self, now: float) -> None:
        transaction, self.refer_received = self.refer_received, None
        if transaction is not None:
            headers = [("Contact", f"<{self.contact}>")]
            transaction.respond(reply(transaction.request, 202, to_tag=self.local.tag, headers=headers), now)

    def reject_refer(self, status: int, now: float) -> None:
        transaction, self.refer_received = self.refer_received, None
        if transaction is not None:
            transaction.respond(reply(transaction.request, status, to_tag=self.local.tag), now)

    def notify_refer(self, status_line: str, final: bool, now: float) -> None:
        """Tell the far end what became of its REFER (RFC 3515 §2.4.5); `status_line` like `SIP/2.0 200 OK`."""
        state = "terminated;reason=noresource" if final else "active;expires=60"
        headers = [("Event", "refer"), ("Subscription-State", state)]
        self.send("NOTIFY", now, headers, status_line.encode() + b"\r\n", "message/sipfrag;version=2.0")

    # --- requests of the far end ----------------------------------------------------------------------

    def receive(self, transaction: ServerTransaction, now: float) -> None:
        """Serve a request inside this dialog (§12.2.2)."""
        request = transaction.request
        if request.cseq.number <= self._remote_cseq and request.method != "CANCEL":
            transaction.respond(reply(request, 500, "CSeq out of order"), now)
            return
        self._remote_cseq = request.cseq.number
        serve(self, transaction, now)

    def acked(self, request: Request, now: float) -> None:
        """The ACK of our newest 2xx; a late one of an earlier INVITE says nothing about it."""
        if self.acknowledged or self.phase not in _ANSWERED or request.cseq.number != self._answered_cseq:
            return
        self.acknowledged = True
        if self.phase is Phase.LEAVING:
            self._leave(now)
            return
        self.stack.timers.cancel(self, "repeat")
        self.stack.timers.cancel(self, "unacknowledged")
        sdp = sdp_of(request.body, request.get("Content-Type"))
        if sdp:
            self.remote_sdp = sdp
        self.stack.report(Confirmed(self, sdp))

    def cancelled(self, now: float) -> None:
        """Their CANCEL: 487 to the INVITE, unless it is answered already (§9.2)."""
        if self._transaction is None or self.phase not in (Phase.NEW, Phase.EARLY):
            return
        self._transaction.respond(reply(self.request, 487, to_tag=self.local.tag, headers=[self.stack.server]), now)
        self.stack.report(Cancelled(self))
        self._close()

    def fired(self, name: str, now: float) -> None:
        if self.phase not in _ANSWERED:
            return
        if name == "repeat" and not self.acknowledged:
            self.stack.repeat(self.peer, self._ok)
            self._ok_interval = min(self._ok_interval * 2, T2)
            self.stack.timers.arm(self, "repeat", now + self._ok_interval)
        elif name == "unacknowledged" and not self.acknowledged:  # §13.3.1.4: tear down what was never confirmed
            self._send("BYE", now, self._parting)
            self.end_by("timeout", 102, "no ACK")

    # --- parts ----------------------------------------------------------------------------------------

    def send(
        self, method: str, now: float, headers: Sequence[tuple[str, str]], body: bytes = b"", kind: str = ""
    ) -> None:
        if self.phase is Phase.UP:
            self._send(method, now, headers, body, kind)

    def _send(
        self, method: str, now: float, headers: Sequence[tuple[str, str]], body: bytes = b"", kind: str = ""
    ) -> None:
        self.cseq += 1
        request = self.in_dialog(method, cseq=self.cseq, body=body, kind=kind)
        request.headers.extend(headers)
        if method in ("REFER", "SUBSCRIBE", "NOTIFY", "UPDATE"):
            request.headers.append(("Contact", f"<{self.contact}>"))
        self.stack.start_client(request, self.next_hop(), Sent(self, request), now)

    def opened(self, transaction: ServerTransaction) -> None:
        """Take the INVITE this called session answers."""
        self._transaction = transaction
        request = transaction.request
        self.routes = request.all("Record-Route")
        self._peer_allows = frozenset(request.tokens("Allow"))
        self.refresh_target(request)
        self.remote_sdp = sdp_of(request.body, request.get("Content-Type"))

    def end_by(self, by: str, cause: int, reason: str) -> None:
        """End what is not over yet, and say so, unless whoever hears of it has left already."""
        if self.phase is Phase.OVER:
            return
        if self.phase is not Phase.LEAVING:
            self.stack.report(Ended(self, by, cause, reason))
        self._close()

    def _close(self) -> None:
        self.phase = Phase.OVER
        self.stack.timers.cancel(self, "repeat")
        self.stack.timers.cancel(self, "unacknowledged")
        self.timer.close()
        if self._reliable is not None:
            self._reliable.close()
        self.stack.closed_session(self)


def _say_again(transaction: ServerTransaction, response: Response, now: float) -> None:
    transaction.respond(response, now)
