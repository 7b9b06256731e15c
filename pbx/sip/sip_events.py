"""What a stack tells its owner. `session` and `handle` are the live objects the owner may command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pbx.sip.address import Peer
from pbx.sip.message import Request, Response

if TYPE_CHECKING:
    from pbx.sip.request_handle import RequestHandle
    from pbx.sip.session import Session
    from pbx.sip.transaction import ServerTransaction


class SipEvent:
    __slots__ = ()


@dataclass(frozen=True, slots=True)
class InviteReceived(SipEvent):
    """A new call; `session.remote_sdp` is its offer, None when it came without."""

    session: Session


@dataclass(frozen=True, slots=True)
class RequestReceived(SipEvent):
    """A request outside any INVITE dialog; answer it with `stack.respond(transaction, …)`."""

    transaction: ServerTransaction
    request: Request
    source: Peer


@dataclass(frozen=True, slots=True)
class Progress(SipEvent):
    session: Session
    status: int
    sdp: bytes | None


@dataclass(frozen=True, slots=True)
class Answered(SipEvent):
    session: Session
    sdp: bytes | None


@dataclass(frozen=True, slots=True)
class Rejected(SipEvent):
    """Our INVITE failed; 408 when nobody answered at all."""

    session: Session
    status: int
    reason: str
    response: Response | None


@dataclass(frozen=True, slots=True)
class Confirmed(SipEvent):
    """The ACK of our 200 arrived; `sdp` when it carried the answer."""

    session: Session
    sdp: bytes | None


@dataclass(frozen=True, slots=True)
class Cancelled(SipEvent):
    """The caller gave up before an answer; the stack has answered 487."""

    session: Session


@dataclass(frozen=True, slots=True)
class Ended(SipEvent):
    """An established call is over: `by` is `peer` (BYE), `timeout` (no ACK, no answer to ours) or `local`."""

    session: Session
    by: str
    cause: int
    """Q.850 cause of a Reason header, else 16."""
    reason: str


@dataclass(frozen=True, slots=True)
class ReofferReceived(SipEvent):
    """A re-INVITE; answer it with `session.accept_reoffer` or `reject_reoffer`."""

    session: Session
    sdp: bytes | None


@dataclass(frozen=True, slots=True)
class ReofferAnswered(SipEvent):
    session: Session
    sdp: bytes | None


@dataclass(frozen=True, slots=True)
class ReofferRejected(SipEvent):
    session: Session
    status: int


@dataclass(frozen=True, slots=True)
class InfoReceived(SipEvent):
    """An INFO in the call; the stack has answered 200, or 415 when `content_type` is unknown to it."""

    session: Session
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class ReferReceived(SipEvent):
    """A blind transfer; answer it with `session.accept_refer` or `reject_refer`."""

    session: Session
    target_uri: str
    request: Request


@dataclass(frozen=True, slots=True)
class ReferProgress(SipEvent):
    """What became of our REFER: the status line of the NOTIFY, or of the refusal (`final`)."""

    session: Session
    status_line: str
    final: bool


@dataclass(frozen=True, slots=True)
class CommandReceived(SipEvent):
    """The far end asks us to `talk` or to `hold`; the stack has answered 200."""

    session: Session
    command: str


@dataclass(frozen=True, slots=True)
class CommandAnswered(SipEvent):
    """What the far end said of such a wish of ours; 408 for nothing."""

    session: Session
    command: str
    status: int


@dataclass(frozen=True, slots=True)
class ResponseReceived(SipEvent):
    """A final response to `stack.request`, challenges already answered."""

    handle: RequestHandle
    response: Response


@dataclass(frozen=True, slots=True)
class RequestTimedOut(SipEvent):
    handle: RequestHandle


@dataclass(frozen=True, slots=True)
class Ignored(SipEvent):
    """Input that could not be served: the stateless status sent, or 0 for silence."""

    source: Peer
    reason: str
    status: int
