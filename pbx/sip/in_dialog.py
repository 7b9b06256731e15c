"""Requests inside a call: those of the far end, served; and what becomes of ours (RFC 3261 §12.2, §14, §15)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from pbx.sip.bodies import sdp_of
from pbx.sip.dialog import ALLOW, Phase
from pbx.sip.message import Request, Response, reply
from pbx.sip.reliable import rack_of
from pbx.sip.sip_events import (
    CommandAnswered,
    CommandReceived,
    Confirmed,
    InfoReceived,
    ReferProgress,
    ReferReceived,
    ReofferReceived,
)
from pbx.sip.uri import BadUri, parse_name_addr

if TYPE_CHECKING:
    from pbx.sip.session import Session
    from pbx.sip.transaction import ServerTransaction

_CAUSE = re.compile(r"Q\.850\s*;\s*cause\s*=\s*(\d{1,3})\b", re.IGNORECASE)
_INFO_TYPES = frozenset({"application/dtmf-relay", "application/dtmf"})
_ENDS_NOTHING = frozenset({"BYE", "PRACK"})
"""Requests of ours whose failure ends no call: it is over anyway, or not up yet and ends by its INVITE."""


def serve(session: Session, transaction: ServerTransaction, now: float) -> None:
    """Serve a request whose place in the dialog's order is right."""
    do = _SERVE.get(transaction.request.method)
    if session.phase is Phase.LEAVING and do is not _bye:
        transaction.respond(reply(transaction.request, 481), now)
    elif do is None:
        transaction.respond(reply(transaction.request, 405, headers=[("Allow", ALLOW)]), now)
    else:
        do(session, transaction, now)


class Sent:
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
            again = session.stack.origin.proven(response, self._request, session.credentials)
            if again is not None:
                session.cseq = max(session.cseq, again.cseq.number)
                session.stack.start_client(again, session.next_hop(), self, now)
                return
        if self._request.method == "REFER" and response.status >= 300:
            line = f"SIP/2.0 {response.status} {response.reason}"
            session.stack.report(ReferProgress(session, line, True))
        if response.status in (408, 481) and self._request.method not in _ENDS_NOTHING:
            session.end_by("timeout", 41, "dialog lost")
        elif self._request.method == "UPDATE":
            session.refreshed(response, now)

    def timed_out(self, now: float) -> None:
        if self._request.method not in _ENDS_NOTHING:
            self._session.end_by("timeout", 41, f"no answer to {self._request.method}")


class Commanded:
    """Learns what the far end says of a NOTIFY that tells it what to do: a refusal ends no call."""

    __slots__ = ("_command", "_session")

    def __init__(self, session: Session, command: str) -> None:
        self._session, self._command = session, command

    def response(self, response: Response, now: float) -> None:
        if response.status >= 200:
            self._session.stack.report(CommandAnswered(self._session, self._command, response.status))

    def timed_out(self, now: float) -> None:
        self._session.stack.report(CommandAnswered(self._session, self._command, 408))


def _bye(session: Session, transaction: ServerTransaction, now: float) -> None:
    request = transaction.request
    transaction.respond(reply(request, 200, to_tag=session.local.tag), now)
    session.reject_reoffer(487, now)
    session.reject_refer(487, now)
    found = _CAUSE.search(request.get("Reason") or "")
    session.end_by("peer", int(found[1]) if found else 16, request.get("Reason") or "")


def _reinvite(session: Session, transaction: ServerTransaction, now: float) -> None:
    request = transaction.request
    if session.reoffering or session.reoffer_received is not None or (session.role == "uas" and session.awaits_ack):
        transaction.respond(reply(request, 491, to_tag=session.local.tag), now)  # glare (§14.2)
        return
    session.refresh_target(request)
    session.reoffer_received = transaction
    sdp = sdp_of(request.body, request.get("Content-Type"))
    if sdp:
        session.remote_sdp = sdp
    session.stack.report(ReofferReceived(session, sdp))


def _update(session: Session, transaction: ServerTransaction, now: float) -> None:
    """RFC 3311 §5.2; before the answer an offer here would be a second one."""
    request = transaction.request
    sdp = sdp_of(request.body, request.get("Content-Type"))
    if sdp is None:
        session.refresh_target(request)
        agreed = session.timer.accept(request, now) if session.phase is Phase.UP else []
        session.respond(transaction, 200, now, None, agreed)
    elif session.phase is not Phase.UP:
        transaction.respond(reply(request, 500, to_tag=session.local.tag, headers=[("Retry-After", "2")]), now)
    elif session.reoffering or session.reoffer_received is not None:
        transaction.respond(reply(request, 491, to_tag=session.local.tag), now)
    else:
        session.refresh_target(request)
        session.reoffer_received = transaction
        session.remote_sdp = sdp
        session.stack.report(ReofferReceived(session, sdp))


def _prack(session: Session, transaction: ServerTransaction, now: float) -> None:
    """RFC 3262 §3: it acknowledges the one provisional on its way, and may carry the answer to the offer in it."""
    request = transaction.request
    if not session.provisional_acknowledged(rack_of(request), now):
        transaction.respond(reply(request, 481, to_tag=session.local.tag), now)
        return
    sdp = sdp_of(request.body, request.get("Content-Type"))
    second = sdp is not None and session.remote_sdp is not None  # an offer whose answer is not worth a call
    transaction.respond(reply(request, 488 if second else 200, to_tag=session.local.tag), now)
    if sdp is not None and not second:
        session.remote_sdp = sdp
        session.stack.report(Confirmed(session, sdp))
    session.answer_held_back(now)


def _options(session: Session, transaction: ServerTransaction, now: float) -> None:
    """Some phones ask so whether the call is still up (§11: answered as outside a call)."""
    headers = [("Allow", ALLOW), ("Accept", "application/sdp")]
    transaction.respond(reply(transaction.request, 200, to_tag=session.local.tag, headers=headers), now)


def _info(session: Session, transaction: ServerTransaction, now: float) -> None:
    request = transaction.request
    kind = (request.get("Content-Type") or "").partition(";")[0].strip().lower()
    known = not request.body or kind in _INFO_TYPES
    transaction.respond(reply(request, 200 if known else 415, to_tag=session.local.tag), now)
    if known and request.body:
        session.stack.report(InfoReceived(session, kind, request.body))


def _refer(session: Session, transaction: ServerTransaction, now: float) -> None:
    request = transaction.request
    values = request.all("Refer-To")
    try:
        target = parse_name_addr(values[0]) if len(values) == 1 else None
    except BadUri:
        target = None
    if target is None:
        transaction.respond(reply(request, 400, "exactly one Refer-To", to_tag=session.local.tag), now)
        return
    if session.refer_received is not None:
        transaction.respond(reply(request, 491, "one REFER at a time", to_tag=session.local.tag), now)
        return
    session.refer_received = transaction
    session.stack.report(ReferReceived(session, target.uri, request))


def _notify(session: Session, transaction: ServerTransaction, now: float) -> None:
    request = transaction.request
    package = (request.get("Event") or "").partition(";")[0].strip().lower()
    if package in session.stack.commands:
        transaction.respond(reply(request, 200, to_tag=session.local.tag), now)
        session.stack.report(CommandReceived(session, package))
        return
    if package != "refer":
        transaction.respond(reply(request, 489, to_tag=session.local.tag), now)
        return
    transaction.respond(reply(request, 200, to_tag=session.local.tag), now)
    final = (request.get("Subscription-State") or "").lower().startswith("terminated")
    line = request.body.decode("utf-8", "replace").splitlines()[0] if request.body else ""
    session.stack.report(ReferProgress(session, line, final))


_SERVE: dict[str, Callable[[Session, ServerTransaction, float], None]] = {
    "BYE": _bye,
    "INVITE": _reinvite,
    "INFO": _info,
    "PRACK": _prack,
    "UPDATE": _update,
    "REFER": _refer,
    "NOTIFY": _notify,
    "OPTIONS": _options,
}
