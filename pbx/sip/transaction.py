"""The four transaction machines of RFC 3261 §17, with the Accepted state of RFC 6026, as tables.

A table maps (state, input) to (next state, actions). An input without an entry is ignored by design: that is
what "absorb" means in the RFC. Over reliable transports no retransmission is armed and the waiting states end
a moment later. A finished transaction keeps only the bytes it may have to repeat.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum, auto
from typing import Protocol

from pbx.sip.address import Peer
from pbx.sip.message import Request, Response
from pbx.sip.timers import T1, T2, T4, TIMEOUT, Timers


class State(IntEnum):
    """Hashed as numbers: looked up at every step."""

    CALLING = auto()
    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    ACCEPTED = auto()
    TERMINATED = auto()


Table = dict[tuple[State, str], tuple[State, tuple[str, ...]]]

_S = State

CLIENT_INVITE: Table = {
    (_S.CALLING, "resend"): (_S.CALLING, ("send", "back_off")),
    (_S.CALLING, "timeout"): (_S.TERMINATED, ("time_out",)),
    (_S.CALLING, "1xx"): (_S.PROCEEDING, ("hush", "report")),
    (_S.CALLING, "2xx"): (_S.ACCEPTED, ("hush", "report", "linger")),
    (_S.CALLING, "final"): (_S.COMPLETED, ("hush", "ack", "report", "absorb")),
    (_S.PROCEEDING, "1xx"): (_S.PROCEEDING, ("report",)),
    (_S.PROCEEDING, "2xx"): (_S.ACCEPTED, ("report", "linger")),
    (_S.PROCEEDING, "final"): (_S.COMPLETED, ("ack", "report", "absorb")),
    (_S.COMPLETED, "final"): (_S.COMPLETED, ("ack",)),
    (_S.COMPLETED, "done"): (_S.TERMINATED, ()),
    (_S.ACCEPTED, "2xx"): (_S.ACCEPTED, ("report",)),
    (_S.ACCEPTED, "done"): (_S.TERMINATED, ()),
}
"""RFC 3261 figure 5 and RFC 6026 §8.4; timers A (`resend`), B (`timeout`), D and M (`done`)."""

CLIENT_OTHER: Table = {
    (_S.TRYING, "resend"): (_S.TRYING, ("send", "back_off")),
    (_S.TRYING, "timeout"): (_S.TERMINATED, ("time_out",)),
    (_S.TRYING, "1xx"): (_S.PROCEEDING, ("slow", "report")),
    (_S.TRYING, "2xx"): (_S.COMPLETED, ("hush", "report", "absorb")),
    (_S.TRYING, "final"): (_S.COMPLETED, ("hush", "report", "absorb")),
    (_S.PROCEEDING, "resend"): (_S.PROCEEDING, ("send", "slow")),
    (_S.PROCEEDING, "timeout"): (_S.TERMINATED, ("time_out",)),
    (_S.PROCEEDING, "1xx"): (_S.PROCEEDING, ("report",)),
    (_S.PROCEEDING, "2xx"): (_S.COMPLETED, ("hush", "report", "absorb")),
    (_S.PROCEEDING, "final"): (_S.COMPLETED, ("hush", "report", "absorb")),
    (_S.COMPLETED, "done"): (_S.TERMINATED, ()),
}
"""RFC 3261 figure 6; timers E (`resend`), F (`timeout`), K (`done`)."""

SERVER_INVITE: Table = {
    (_S.PROCEEDING, "again"): (_S.PROCEEDING, ("send",)),
    (_S.PROCEEDING, "1xx"): (_S.PROCEEDING, ("keep", "send")),
    (_S.PROCEEDING, "2xx"): (_S.ACCEPTED, ("keep", "send", "linger")),
    (_S.PROCEEDING, "final"): (_S.COMPLETED, ("keep", "send", "retry", "give_up")),
    (_S.COMPLETED, "again"): (_S.COMPLETED, ("send",)),
    (_S.COMPLETED, "resend"): (_S.COMPLETED, ("send", "back_off")),
    (_S.COMPLETED, "ack"): (_S.CONFIRMED, ("hush", "absorb")),
    (_S.COMPLETED, "timeout"): (_S.TERMINATED, ("time_out",)),
    (_S.CONFIRMED, "done"): (_S.TERMINATED, ()),
    (_S.ACCEPTED, "2xx"): (_S.ACCEPTED, ("send_this",)),
    (_S.ACCEPTED, "done"): (_S.TERMINATED, ()),
}
"""RFC 3261 figure 7 and RFC 6026 §8.5; a repeated INVITE in Accepted is absorbed: the core repeats its 2xx itself."""

SERVER_OTHER: Table = {
    (_S.TRYING, "1xx"): (_S.PROCEEDING, ("keep", "send")),
    (_S.TRYING, "2xx"): (_S.COMPLETED, ("keep", "send", "remember")),
    (_S.TRYING, "final"): (_S.COMPLETED, ("keep", "send", "remember")),
    (_S.PROCEEDING, "again"): (_S.PROCEEDING, ("send",)),
    (_S.PROCEEDING, "1xx"): (_S.PROCEEDING, ("keep", "send")),
    (_S.PROCEEDING, "2xx"): (_S.COMPLETED, ("keep", "send", "remember")),
    (_S.PROCEEDING, "final"): (_S.COMPLETED, ("keep", "send", "remember")),
    (_S.COMPLETED, "again"): (_S.COMPLETED, ("send",)),
    (_S.COMPLETED, "done"): (_S.TERMINATED, ()),
}
"""RFC 3261 figure 8; timer J (`done`)."""


def status_input(status: int) -> str:
    return "1xx" if status < 200 else "2xx" if status < 300 else "final"


class Core(Protocol):
    """What a transaction asks of the stack that owns it."""

    timers: Timers

    def transmit(self, peer: Peer, message: Request | Response, ticket: int | None = None) -> bytes: ...

    def repeat(self, peer: Peer, data: bytes, ticket: int | None = None) -> None: ...

    def forget(self, transaction: Transaction) -> None: ...


class Transaction:
    """One running machine; owned by the stack, which forgets it when it terminates."""

    __slots__ = ("_core", "_interval", "_table", "_ticket", "data", "key", "peer", "state")

    def __init__(self, core: Core, table: Table, state: State, key: str, peer: Peer, data: bytes) -> None:
        self._core = core
        self._table = table
        self._interval = T1
        self._ticket: int | None = None
        self.state = state
        self.key = key
        self.peer = peer
        self.data = data

    def step(self, stimulus: str, now: float) -> tuple[str, ...]:
        """Move, do what the table says of the wire and the timers, and return the actions."""
        entry = self._table.get((self.state, stimulus))
        if entry is None:
            return ()
        self.state, actions = entry
        for action in actions:
            if (do := _WIRE.get(action)) is not None:
                do(self, now)
        if self.state is State.TERMINATED:
            self._core.forget(self)
        return actions

    def fired(self, name: str, now: float) -> None:
        self.step(name, now)

    def _arm(self, name: str, at: float) -> None:
        self._core.timers.arm(self, name, at)

    def _hush(self, now: float) -> None:
        self._core.timers.cancel(self, "resend")
        self._core.timers.cancel(self, "timeout")

    def _send(self, now: float) -> None:
        if self.data:
            self._core.repeat(self.peer, self.data, self._ticket)

    def _back_off(self, now: float) -> None:
        self._interval = min(self._interval * 2, T2) if self._table is not CLIENT_INVITE else self._interval * 2
        self._arm("resend", now + self._interval)

    def _slow(self, now: float) -> None:
        if not self.peer.reliable:
            self._interval = T2
            self._arm("resend", now + T2)

    def _retry(self, now: float) -> None:
        if not self.peer.reliable:
            self._interval = T1
            self._arm("resend", now + T1)

    def _give_up(self, now: float) -> None:
        self._arm("timeout", now + TIMEOUT)

    def _linger(self, now: float) -> None:
        self._core.timers.rest(self, now, TIMEOUT)

    def _absorb(self, now: float) -> None:
        self._rest(now, TIMEOUT if self._table is CLIENT_INVITE else T4)

    def _remember(self, now: float) -> None:
        self._rest(now, TIMEOUT)

    def _rest(self, now: float, wait_s: float) -> None:
        self._core.timers.rest(self, now, 0.0 if self.peer.reliable else wait_s)

    def rested(self, now: float) -> None:
        """No repetition can come any more."""
        self.step("done", now)


_WIRE: dict[str, Callable[[Transaction, float], None]] = {
    "send": Transaction._send,
    "back_off": Transaction._back_off,
    "slow": Transaction._slow,
    "hush": Transaction._hush,
    "retry": Transaction._retry,
    "give_up": Transaction._give_up,
    "linger": Transaction._linger,
    "absorb": Transaction._absorb,
    "remember": Transaction._remember,
}


class ServerTransaction(Transaction):
    """A request of a peer and our answers to it."""

    __slots__ = ("path", "request")

    def __init__(self, core: Core, key: str, peer: Peer, request: Request) -> None:
        invite = request.method == "INVITE"
        super().__init__(
            core,
            SERVER_INVITE if invite else SERVER_OTHER,
            State.PROCEEDING if invite else State.TRYING,
            key,
            peer,
            b"",
        )
        self.request = request
        """Its method and URI alone once the answer of one that is no INVITE has gone."""
        self.path = ""
        """What it has in common with copies of it that came another way."""

    def respond(self, response: Response, now: float, ticket: int | None = None) -> bytes:
        """Send a response; return its bytes. After the final one it is kept for repetition."""
        stimulus = status_input(response.status)
        entry = self._table.get((self.state, stimulus))
        if entry is None:
            return b""
        data = self._core.transmit(self.peer, response, ticket)
        if "keep" in entry[1]:
            self.data, self._ticket = b"", ticket  # what the table would send has just gone
            self.step(stimulus, now)
            self.data = data
        # else the Accepted state, which repeats nothing itself: the INVITE core owns its 2xx (RFC 6026 §7.1).
        if self.state is State.COMPLETED and self._table is SERVER_OTHER:
            self.request = Request(self.request.method, self.request.uri, [])  # it has been served
        return data

    def fired(self, name: str, now: float) -> None:
        if "time_out" in self.step(name, now):
            self.data = b""


class ClientUser(Protocol):
    """Who learns what a client transaction brings."""

    def response(self, response: Response, now: float) -> None: ...

    def timed_out(self, now: float) -> None: ...


class ClientTransaction(Transaction):
    """A request of ours; `user` learns the responses."""

    __slots__ = ("request", "user")

    def __init__(self, core: Core, key: str, peer: Peer, request: Request, user: ClientUser) -> None:
        invite = request.method == "INVITE"
        super().__init__(
            core,
            CLIENT_INVITE if invite else CLIENT_OTHER,
            State.CALLING if invite else State.TRYING,
            key,
            peer,
            b"",
        )
        self.request = request
        self.user = user

    def start(self, now: float) -> None:
        self.data = self._core.transmit(self.peer, self.request)
        if not self.peer.reliable:
            self._arm("resend", now + T1)
        self._arm("timeout", now + TIMEOUT)

    def take(self, response: Response, now: float) -> None:
        actions = self.step(status_input(response.status), now)
        if "ack" in actions:
            self._core.transmit(self.peer, self._ack(response))
        if "report" in actions:
            self.user.response(response, now)

    def fired(self, name: str, now: float) -> None:
        if "time_out" in self.step(name, now):
            self.user.timed_out(now)

    def _ack(self, response: Response) -> Request:
        """The ACK of a failure: same branch, To of the response (RFC 3261 §17.1.1.3)."""
        mine = self.request
        headers = [("Via", mine.need("Via")), ("From", mine.need("From")), ("To", response.need("To"))]
        headers += [("Call-ID", mine.need("Call-ID")), ("CSeq", f"{mine.cseq.number} ACK"), ("Max-Forwards", "70")]
        headers += [("Route", value) for name, value in mine.headers if name == "Route"]
        return Request("ACK", mine.uri, headers)
