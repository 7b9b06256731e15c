"""A telephone of a few lines for tests that cut the power: blocking, one socket, `pbx.sip` and raw RTP.

It does what it is told and nothing else, so that a test knows the very moment an answer has come.
"""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable

from pbx.media.engine import MediaAddress
from pbx.media.rtp import pack
from pbx.media.sdp import offer, parse_sdp
from pbx.sip.address import Peer
from pbx.sip.digest import Credentials
from pbx.sip.message import Response
from pbx.sip.session import Session
from pbx.sip.sip_events import Answered, RequestReceived, ResponseReceived, SipEvent
from pbx.sip.stack import Stack
from pbx.sip.uri import NameAddr
from tests.interop.office import PATIENCE_S, Switchroom

FRAME_S = 0.02
LOUD_FRAME = bytes([0x80, 0x00] * 80)
"""20 ms of a loud 4 kHz square, mu-law."""


class Handset:
    """One device on a loopback port of its own; use as a context manager."""

    def __init__(self, switchroom: Switchroom, device: str) -> None:
        known = switchroom.device(device)
        self._switch = Peer("udp", "127.0.0.1", switchroom.sip_port)
        self._domain = switchroom.domain
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._socket.getsockname()
        self._media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._media.bind(("127.0.0.1", 0))
        self._stack = Stack({"udp": self.address}, token=_token, user_agent="handset")
        self._credentials = Credentials(device, known["password"])
        self._who = NameAddr(f"sip:{device}@{switchroom.domain}")
        self._cseq = int(time.time())
        self._events: list[SipEvent] = []

    def __enter__(self) -> Handset:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._media.close()

    def register(self, expires_s: int = 300) -> Response:
        """Register this socket; return the 200 the moment it is here."""
        contact = f"<sip:{self._who.user}@{self.address[0]}:{self.address[1]}>"
        return self._ask("REGISTER", [("Contact", contact), ("Expires", str(expires_s))])

    def bindings(self) -> list[str]:
        """Ask the registrar what it has for this device."""
        return self._ask("REGISTER", []).all("Contact")

    def lamp(self) -> str:
        """Subscribe and return the body of the NOTIFY that follows."""
        contact = f"<sip:{self._who.user}@{self.address[0]}:{self.address[1]}>"
        accept = "application/simple-message-summary"
        self._ask("SUBSCRIBE", [("Event", "message-summary"), ("Accept", accept), ("Contact", contact),
                                ("Expires", "600")])  # fmt: skip
        return self.next_notify()

    def watch(self, package: str, whom: str) -> str:
        """Subscribe to somebody's state; return the body of the NOTIFY that follows."""
        contact = f"<sip:{self._who.user}@{self.address[0]}:{self.address[1]}>"
        headers = [("Event", package), ("Contact", contact), ("Expires", "600")]
        self._ask("SUBSCRIBE", headers, f"sip:{whom}@{self._domain}")
        return self.next_notify()

    def next_notify(self) -> str:
        """Wait for a NOTIFY, answer it and return its body."""
        event = self.wait_for(RequestReceived)
        assert isinstance(event, RequestReceived)
        self._stack.respond(event.transaction, 200, now=time.monotonic())
        self._send()
        return event.request.body.decode()

    def dial(self, number: str) -> Session:
        host, port = self._media.getsockname()
        uri = f"sip:{number}@{self._domain}"
        session = self._stack.invite(
            uri, self._switch, from_=self._who, to=NameAddr(uri), sdp=offer(MediaAddress(host, port)),
            now=time.monotonic(), credentials=self._credentials,
        )  # fmt: skip
        self._send()
        return session

    def wait_for(self, *kinds: type) -> SipEvent:
        """Return the next event of these classes."""
        return self._wait(lambda event: isinstance(event, kinds))

    def call(self, number: str) -> tuple[Session, tuple[str, int]]:
        """Call, and return the answered session and where its media goes."""
        session = self.dial(number)
        event = self.wait_for(Answered)
        assert isinstance(event, Answered)
        assert event.sdp is not None
        far = parse_sdp(event.sdp)
        return session, (far.host, far.port)

    def speak(self, to: tuple[str, int], seconds: float) -> None:
        """Send loud frames at their pace."""
        ssrc, begun = secrets.randbits(32), time.monotonic()
        for number in range(round(seconds / FRAME_S)):
            self._media.sendto(pack(0, number, number * 160, ssrc, LOUD_FRAME), to)
            self._take_until(begun + (number + 1) * FRAME_S)

    def ring(self, session: Session) -> None:
        """Say that it rings."""
        session.ring(time.monotonic())
        self._send()

    def hang_up(self, session: Session) -> None:
        session.bye(time.monotonic())
        self._send()

    # --- parts ----------------------------------------------------------------------------------------

    def _ask(self, method: str, headers: list[tuple[str, str]], uri: str = "") -> Response:
        """Ask, and again when told to come later (RFC 3261 §21.5.4); return the 200."""
        until = time.monotonic() + PATIENCE_S
        while True:
            self._cseq += 10
            handle = self._stack.request(
                method, uri or f"sip:{self._domain}", self._switch, from_=self._who, to=self._who,
                now=time.monotonic(), headers=headers, credentials=self._credentials,
                call_id=f"{method}-{self.address[1]}", cseq=self._cseq,
            )  # fmt: skip
            event = self._wait(
                lambda event, asked=handle: isinstance(event, ResponseReceived) and event.handle is asked
            )
            assert isinstance(event, ResponseReceived)
            answer = event.response
            if answer.status != 503 or time.monotonic() > until:
                assert answer.status == 200, answer.status
                return answer
            later = time.monotonic() + int(answer.need("Retry-After"))
            while time.monotonic() < later:
                self._take_until(later)

    def _wait(self, fits: Callable[[SipEvent], bool]) -> SipEvent:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            for event in self._events:
                if fits(event):
                    self._events.remove(event)
                    return event
            assert time.monotonic() < deadline, f"nothing came that fits, but {self._events}"
            self._take_until(min(deadline, time.monotonic() + 0.1))

    def _take_until(self, moment: float) -> None:
        """Let the stack live until this moment; return earlier when something has come."""
        self._send()
        while (left := min(moment, self._stack.next_deadline()) - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                data, source = self._socket.recvfrom(65_535)
            except TimeoutError:
                break
            self._stack.receive(data, Peer("udp", *source), time.monotonic())
            self._send()
            if self._events:
                return
        self._stack.tick(time.monotonic())
        self._send()

    def _send(self) -> None:
        self._events += self._stack.take_events()
        for item in self._stack.take_outgoing():
            self._socket.sendto(item.data, (item.to.host, item.to.port))


def _token(count: int) -> str:
    return secrets.token_hex(count)[:count]
