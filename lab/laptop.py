"""A computer on the lab's network: it fetches what it likes, registers as whom it likes and watches whom it likes.

Plans use it for what no telephone does by itself: wrong passwords, strange MACs, an expired subscription. Pure, with a
phone's inputs and outputs; what it was answered last stands in `answer`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lab.phones.calls import PhoneCall
from lab.phones.family import Account, Fetch, Fetched
from lab.phones.line import Line
from lab.phones.registration import Registration
from lab.phones.speech import Speech
from pbx.clock import FOREVER
from pbx.media.engine import DigitPressed, Engine, Heard
from pbx.sip.address import Peer
from pbx.sip.dialog import ALLOW
from pbx.sip.message import Request
from pbx.sip.request_handle import RequestHandle
from pbx.sip.session import Session
from pbx.sip.sip_events import InviteReceived, RequestReceived, RequestTimedOut, ResponseReceived, SipEvent
from pbx.sip.stack import Outgoing, Stack
from pbx.sip.uri import NameAddr

ACCEPTS = {"dialog": "application/dialog-info+xml", "presence": "application/pidf+xml",
           "message-summary": "application/simple-message-summary"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for the last thing it asked: an HTTP or SIP status, 0 for nothing."""

    status: int
    text: str = ""


class _ForeignSpeech(Speech):
    """Offers a codec that nobody here has (G.729, payload type 18 of RFC 3551)."""

    def offer(self, direction: str = "sendrecv") -> bytes:
        lines = super().offer(direction).decode().split("\r\n")
        kept = [line for line in lines if not line.startswith(("a=rtpmap", "a=fmtp"))]
        audio = next(at for at, line in enumerate(kept) if line.startswith("m=audio"))
        media, port, profile = kept[audio].split()[:3]
        kept[audio] = f"{media} {port} {profile} 18\r\na=rtpmap:18 G729/8000"
        return "\r\n".join(kept).encode()


class _ForeignLine(Line):
    def _speech(self) -> Speech:
        return _ForeignSpeech(self._engine, f"{self.speaks}/{self._token(12)}", self.speaks, self._token)


class Laptop:
    """One at a time: what it was before it was set up anew is forgotten, and nobody is told."""

    def __init__(
        self,
        host: str,
        make_stack: Callable[[str], Stack],
        engine: Engine,
        *,
        server: Peer,
        domain: str,
        token: Callable[[int], str],
    ) -> None:
        """`make_stack` gives a stack that calls itself by a User-Agent."""
        self.host = host
        self._make_stack, self._engine, self._token = make_stack, engine, token
        self.server, self._domain = server, domain
        self._stack = make_stack("Laptop")
        self.line: Line | None = None
        self.answer = Answer(0)
        self._asked: RequestHandle | None = None
        self._proved: Request | None = None
        """The REGISTER that was accepted last."""
        self._calls: dict[str, PhoneCall] = {}
        self._crowd: list[Registration] = []
        self._wanted: list[Fetch] = []

    # --- what it does ---------------------------------------------------------------------------------

    def fetch(self, url: str, agent: str) -> None:
        self.answer = Answer(0)
        self._wanted.append(Fetch(url, agent))

    def be(self, user: str, password: str, *, transport: str, agent: str, expires_s: int, codecs: str = "") -> Line:
        """Set its softphone up as a device, without registering; `codecs` are those it has, the usual without."""
        if agent:
            self._stack = self._make_stack(agent)
        account = Account(
            1, user, user, password, self._domain, self.server.host, self.server.port, transport, expires_s,
            label=user,
        )  # fmt: skip
        kind = _ForeignLine if codecs == "G729" else Line
        self.line = kind(account, self._stack, self._engine, token=self._token, changed=lambda: None)
        if codecs and kind is Line:
            self.line.codecs = tuple(codecs.split())
        self.line.speaks = f"laptop {user}"
        return self.line

    def register(self, now: float) -> None:
        assert self.line is not None
        self.answer = Answer(0)
        self.line.registration.ask(now)

    def register_crowd(self, accounts: Sequence[Account], now: float) -> None:
        """Many softphones at once, as one computer can be."""
        self._crowd = [Registration(account, self._stack, lambda: None, self._token) for account in accounts]
        for one in self._crowd:
            one.ask(now)

    def disperse(self, now: float) -> None:
        for one in self._crowd:
            one.leave(now)
        self._crowd = []

    def leave(self, now: float) -> bool:
        if self.line is None:
            return False
        self.line.registration.leave(now)
        return True

    def repeat(self, now: float) -> bool:
        """Register again with the very proof of last time, as a careless softphone does."""
        if self.line is None or self._proved is None:
            return False
        registration, last = self.line.registration, self._proved
        self.answer = Answer(0)
        name = "Proxy-Authorization" if last.get("Proxy-Authorization") else "Authorization"
        headers = [("Contact", last.all("Contact")[0]), ("Expires", last.get("Expires") or "3600")]
        self._asked = self._stack.request(
            "REGISTER", f"sip:{self._domain}", registration.peer, from_=registration.address, to=registration.address,
            now=now, headers=headers, credentials=registration.credentials, call_id=last.get("Call-ID"),
            cseq=last.cseq.number + 1, authorization=(name, last.get(name) or ""),
        )  # fmt: skip
        return True

    def watch(self, package: str, extension: str, expires_s: int, now: float) -> None:
        """SUBSCRIBE to an extension as whoever it is (RFC 6665)."""
        assert self.line is not None
        self.answer = Answer(0)
        registration, to = self.line.registration, f"sip:{extension}@{self._domain}"
        contact = self._stack.origin.contact(registration.address, registration.peer)
        headers = (
            ("Contact", f"<{contact}>"),
            ("Event", package),
            ("Expires", str(expires_s)),
            ("Accept", ACCEPTS.get(package, "*/*")),
        )
        self._asked = self._stack.request(
            "SUBSCRIBE", to, registration.peer, from_=registration.address, to=NameAddr(to), now=now, headers=headers,
            credentials=registration.credentials,
        )  # fmt: skip

    # --- inputs and outputs ---------------------------------------------------------------------------

    def fetched(self, answer: Fetched) -> None:
        self.answer = Answer(answer.status, answer.body.decode("utf-8", "replace"))

    def take_fetches(self) -> list[Fetch]:
        wanted, self._wanted = self._wanted, []
        return wanted

    def act(self, button: Callable[[], object], now: float) -> object:
        self._engine.at(now)
        result = button()
        self._drain(now)
        return result

    def receive(self, data: bytes, source: Peer, now: float) -> None:
        self._engine.at(now)
        self._stack.receive(data, source, now)
        self._drain(now)

    def woken(self, now: float) -> None:
        self._engine.at(now)
        for event in self._engine.take_events():
            call = next((c for c in self._calls.values() if c.speech.leg == getattr(event, "leg", "")), None)
            match event:
                case Heard(sound=sound) if call is not None and self.line is not None:
                    self.line.heard(call, sound, now)
                case DigitPressed(digit=digit) if call is not None and self.line is not None:
                    self.line.key_heard(call, digit, now)
        self._drain(now)

    def closed(self, peer: Peer, now: float) -> None:
        self._stack.closed(peer, now)
        self._drain(now)

    def tick(self, now: float) -> None:
        self._engine.at(now)
        self._stack.tick(now)
        self._drain(now)

    def next_deadline(self) -> float:
        """Of its transactions: it refreshes nothing by itself."""
        return min(self._stack.next_deadline(), FOREVER)

    def take_outgoing(self) -> list[Outgoing]:
        return self._stack.take_outgoing()

    def live(self) -> Mapping[str, int]:
        return {**self._stack.live(), "calls": len(self.line.live_calls) if self.line is not None else 0}

    # --- consequences ---------------------------------------------------------------------------------

    def _drain(self, now: float) -> None:
        self._index()
        while events := self._stack.take_events():
            for event in events:
                self._happened(event, now)
            self._index()

    def _happened(self, event: SipEvent, now: float) -> None:
        match event:
            case InviteReceived(session=session):
                if self.line is None:
                    session.reject(404, "", now)
                else:
                    self.line.invited(session, now)
            case RequestReceived(transaction=transaction, request=request):
                status = 200 if request.method in ("OPTIONS", "NOTIFY") else 405
                self._stack.respond(transaction, status, headers=(("Allow", ALLOW),), now=now)
            case ResponseReceived(handle=handle, response=response):
                if any(one.answered(handle, response, now) for one in self._crowd):
                    return
                mine = handle is self._asked
                if mine or (self.line is not None and self.line.registration.answered(handle, response, now)):
                    self.answer = Answer(response.status, f"{response.status} {response.reason}")
                    if response.status == 200 and handle.request.method == "REGISTER":
                        self._proved = handle.request
            case RequestTimedOut(handle=handle):
                if self.line is not None:
                    self.line.registration.silent(handle, now)
            case _:
                owner: Session | None = getattr(event, "session", None)
                call = self._calls.get(owner.id) if owner is not None else None
                if call is not None and self.line is not None:
                    self.line.happened(call, event, now)

    def _index(self) -> None:
        if self.line is None:
            return
        for call in self.line.calls:
            if call.over:
                self._calls.pop(call.session.id, None)
            else:
                self._calls[call.session.id] = call
