"""A strict SIP server for one pyVoIP phone: challenges everything, answers calls, calls back, records RTP."""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import Callable

from pbx.media import sdp
from pbx.media.engine import MediaAddress
from pbx.sip.address import Peer
from pbx.sip.digest import DigestServer, Verdict
from pbx.sip.session import Session
from pbx.sip.sip_events import (
    Answered,
    Ended,
    InviteReceived,
    Progress,
    Rejected,
    ReofferAnswered,
    RequestReceived,
    SipEvent,
)
from pbx.sip.stack import Stack
from pbx.sip.transport import UdpTransport
from pbx.sip.uri import NameAddr


class StrictServer:
    """`habit` by dialled number: `answer`, `ring`, or a status to refuse with."""

    def __init__(self, host: str, algorithms: tuple[str, ...] = ("SHA-256", "MD5"), status: int = 407) -> None:
        self.udp = UdpTransport(self, host, 0)
        self.host, self.port = self.udp.address
        self.stack = Stack({"udp": self.udp.address}, token=lambda n: secrets.token_hex(n)[:n], user_agent="strict")
        self.digest = DigestServer("acme.lab", lambda n: secrets.token_hex(n)[:n], algorithms=algorithms)
        self.status = status
        self.passwords = {"109": "sesame"}
        self.habits: dict[str, object] = {}
        self.bindings: list[str] = []
        self.phone: Peer | None = None
        self.happened: list[SipEvent] = []
        self.sessions: list[Session] = []
        self.verdicts: list[Verdict] = []
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind((host, 0))
        self.rtp.setblocking(False)
        self.packets: list[bytes] = []
        self.rtp_source: tuple[str, int] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._wake = asyncio.Event()

    def start(self) -> None:
        self.udp.start()
        asyncio.get_running_loop().add_reader(self.rtp, self._rtp)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        asyncio.get_running_loop().remove_reader(self.rtp)
        self.rtp.close()
        self.udp.close()

    async def until(self, holds: Callable[[], bool], seconds: float = 4.0) -> None:
        """Wait for events until `holds`; it is asked after each of them."""
        async with asyncio.timeout(seconds):
            while not holds():
                self._wake.clear()
                try:
                    async with asyncio.timeout(0.05):
                        await self._wake.wait()
                except TimeoutError:
                    continue

    def received(self, data: bytes, source: Peer) -> None:
        self.phone = source
        self.stack.receive(data, source, time.monotonic())
        self.settle()

    def waited(self, seconds: float) -> None: ...

    def insecure(self, peer: Peer, error: Exception) -> None: ...

    def all_received(self) -> None:
        pass

    def disconnected(self, peer: Peer) -> None:
        raise AssertionError("UDP has no connections")

    def settle(self) -> None:
        for event in self.stack.take_events():
            self.happened.append(event)
            self._serve(event, time.monotonic())
        for outgoing in self.stack.take_outgoing():
            self.udp.send(outgoing.data, outgoing.to)
        if self._timer is not None:
            self._timer.cancel()
        due = self.stack.next_deadline()
        if due < float("inf"):
            self._timer = asyncio.get_running_loop().call_later(max(due - time.monotonic(), 0), self._tick)
        self._wake.set()

    def call(self, user: str, offer_direction: str = "sendrecv") -> Session:
        assert self.phone is not None
        session = self.stack.invite(
            f"sip:{user}@{self.phone.host}:{self.phone.port}",
            self.phone,
            from_=NameAddr("sip:101@acme.lab", "Ana"),
            to=NameAddr(f"sip:{user}@acme.lab"),
            sdp=self.offer(offer_direction),
            now=time.monotonic(),
        )
        self.sessions.append(session)
        self.settle()
        return session

    def offer(self, direction: str = "sendrecv") -> bytes:
        return sdp.offer(MediaAddress(*self.rtp.getsockname()), direction=direction)

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.happened]

    def send_rtp(self, packet: bytes) -> None:
        assert self.rtp_source is not None
        self.rtp.sendto(packet, self.rtp_source)

    def _serve(self, event: SipEvent, now: float) -> None:
        match event:
            case RequestReceived(transaction=transaction, request=request) if request.method == "REGISTER":
                if not self._trusted(request):
                    headers = [(self._header(), value) for value in self.digest.challenge(now)]
                    self.stack.respond(transaction, self.status, headers=headers, now=now)
                    return
                self.bindings.append(request.need("Contact"))
                headers = [("Contact", f"{request.need('Contact').partition(';+')[0]};expires=60")]
                self.stack.respond(transaction, 200, headers=headers, now=now)
            case InviteReceived(session=session):
                self._invited(session, now)
            case Answered() | Ended() | Rejected() | Progress() | ReofferAnswered():
                pass

    def _invited(self, session: Session, now: float) -> None:
        if not self._trusted(session.request):
            headers = [(self._header(), value) for value in self.digest.challenge(now)]
            session.reject(self.status, "", now, headers)
            return
        self.sessions.append(session)
        habit = self.habits.get(session.request.uri.partition(":")[2].partition("@")[0], 404)
        if isinstance(habit, int):
            session.reject(habit, "", now)
            return
        session.ring(now)
        if habit == "answer":
            assert session.remote_sdp is not None
            text, _ = sdp.answer(sdp.parse_sdp(session.remote_sdp), MediaAddress(*self.rtp.getsockname()))
            session.answer(text, now)

    def _trusted(self, request: object) -> bool:
        name = "Proxy-Authorization" if self.status == 407 else "Authorization"
        value = request.get(name)  # type: ignore[attr-defined]
        password = self.passwords.get(self.digest.user(value))
        verdict = self.digest.verify(value, request.method, password, time.monotonic())  # type: ignore[attr-defined]
        self.verdicts.append(verdict)
        return verdict is Verdict.OK

    def _header(self) -> str:
        return "Proxy-Authenticate" if self.status == 407 else "WWW-Authenticate"

    def _rtp(self) -> None:
        while True:
            try:
                data, self.rtp_source = self.rtp.recvfrom(2048)
            except BlockingIOError:
                break
            self.packets.append(data)
        self._wake.set()

    def _tick(self) -> None:
        self.stack.tick(time.monotonic())
        self.settle()
