"""A request of ours outside any INVITE dialog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.sip.address import Peer
from pbx.sip.digest import Credentials
from pbx.sip.message import Request, Response
from pbx.sip.sip_events import RequestTimedOut, ResponseReceived

if TYPE_CHECKING:
    from pbx.sip.stack import Stack


class RequestHandle:
    """Learns the answer to a request, challenges included."""

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
            again = self._stack.origin.proven(response, self.request, self.credentials)
            if again is not None:
                self.request = again
                self._stack.start_client(again, self.peer, self, now)
                return
        self._stack.report(ResponseReceived(self, response))

    def timed_out(self, now: float) -> None:
        self._stack.report(RequestTimedOut(self))
