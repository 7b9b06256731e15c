"""A small town in virtual time: the switch, a few telephones and a carrier on one in-memory wire.

Everybody speaks real SIP bytes and virtual media; nobody looks into anybody else.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import TypeVar
from urllib.parse import quote

from pbx.bus import Bus
from pbx.callflow.ports import History
from pbx.clock import Moment, moment_at
from pbx.domain.directory import Directory
from pbx.events import Event, ServerFault
from pbx.media.engine import DigitPressed, Heard, Signature
from pbx.media.info import info_digit
from pbx.media.sdp import CODECS, answer, offer, parse_sdp, settle
from pbx.media.virtual import VirtualEngine
from pbx.sip.address import Peer
from pbx.sip.digest import Credentials, DigestServer, Verdict
from pbx.sip.message import Request, Response
from pbx.sip.session import Session
from pbx.sip.sip_events import (
    Answered,
    Cancelled,
    Ended,
    InfoReceived,
    InviteReceived,
    Progress,
    ReferProgress,
    Rejected,
    ReofferAnswered,
    ReofferReceived,
    RequestReceived,
    RequestTimedOut,
    ResponseReceived,
    SipEvent,
)
from pbx.sip.stack import Outgoing, Stack
from pbx.sip.subscriptions import Subscriber
from pbx.sip.uri import NameAddr
from pbx.store.memory import MemoryStore
from pbx.switch.settings import SwitchSettings
from pbx.switch.switch import Switch

EPOCH = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)  # a Tuesday, 10:00 in Toronto
DELAY_S = 0.005
PROMPT_S = 1.0
SWITCH = Peer("udp", "10.0.0.1", 5060)
CARRIER_HOST = "10.0.0.9"
MEDIA_FROM = 16_000
DOMAIN = "acme.lab"

E = TypeVar("E", bound=Event)


def token_of(name: str) -> Callable[[int], str]:
    chance = Random(name)
    return lambda count: f"{chance.getrandbits(4 * count):0{count}x}"


@dataclass(eq=False)
class Talk:
    """One call at a telephone."""

    session: Session
    leg: str
    offered: bytes = b""
    state: str = "calling"
    status: int = 0
    refer_lines: list[str] = field(default_factory=list)
    location: str = ""

    @property
    def shown(self) -> tuple[str, str]:
        """(number, name) of the caller as it is displayed."""
        return self.session.request.from_.user.lstrip("+"), self.session.request.from_.display


class Phone:
    """A telephone (or the carrier): rings when called, answers when told to, hears what reaches its ear."""

    def __init__(self, town: Town, name: str, host: str, *, password: str = "x") -> None:
        self.town, self.name, self.host = town, name, host
        token = token_of(name)
        self.stack = Stack({"udp": (host, 5060)}, token=token, user_agent="town phone")
        self.engine = VirtualEngine(host, town.send_media, lambda prompt: PROMPT_S)
        self.credentials = Credentials(name, password)
        self.who = NameAddr(f"sip:{name}@{DOMAIN}")
        self.talks: list[Talk] = []
        self.heard: list[str] = []
        self.keys: list[str] = []
        """Pressed at the other end of its calls."""
        self.responses: list[Response] = []
        self.lamps: list[str] = []
        self.lamp_events: list[str] = []
        self.notices: list[Request] = []
        self.texts: list[Request] = []
        self.takes_texts = 200
        """Status for every MESSAGE."""
        self.named_host = host
        """Its address by its own word: another one than its own behind a NAT."""
        self.rings = True
        """Tells that it rings; a dead one says nothing at all."""
        self.answers_with = 0
        """Status for every call, 0 for ringing on."""
        self.moved_to = ""
        """Contact it sends callers to, who get 302."""
        self.digest: DigestServer | None = None
        """Challenges every call, where there is one."""
        self.codecs = CODECS
        """It takes."""
        self.knows_events = True
        """Telephone-events; else its keys go by INFO."""
        self.refuses_reoffers: list[int] = []
        """Status for each of the next re-INVITEs it gets."""
        self.wanders = False
        """Its media has another port after every re-INVITE it gets."""
        self.early = False
        """Sends its sound before it answers."""
        self._subscriber = Subscriber(
            self.stack, token, self.who, f"sip:{name}@{DOMAIN}", SWITCH, "message-summary",
            "application/simple-message-summary",
        )  # fmt: skip
        self._legs = 0

    @property
    def talk(self) -> Talk:
        return self.talks[-1]

    @property
    def now(self) -> float:
        return self.town.mono

    # --- what a person does ---------------------------------------------------------------------------

    def register(self, expires_s: int = 300, *, password: str | None = None) -> Response | None:
        """Register and return the newest response there is."""
        credentials = Credentials(self.name, password) if password is not None else self.credentials
        headers = [("Contact", f"<sip:{self.name}@{self.named_host}:5060>"), ("Expires", str(expires_s))]
        self.stack.request(
            "REGISTER", f"sip:{DOMAIN}", SWITCH, from_=self.who, to=self.who, now=self.now, headers=headers,
            credentials=credentials, call_id=f"reg-{self.name}", cseq=int(self.now * 1000) + 1,
        )  # fmt: skip
        self.town.run(1.0)
        return self.responses[-1] if self.responses else None

    def subscribe(self) -> None:
        self._subscriber.send(self.credentials, self.now)
        self.town.run(1.0)

    def watch(self, package: str, whom: str, *, expires_s: int = 600, accept: str = "") -> Response:
        """Subscribe to somebody's state; what is told of it lands in `notices`."""
        headers = [("Event", package), ("Expires", str(expires_s)), ("Contact", f"<sip:{self.name}@{self.host}>")]
        headers += [("Accept", accept)] if accept else []
        uri = f"sip:{whom}@{DOMAIN}"
        self.stack.request(
            "SUBSCRIBE", uri, SWITCH, from_=self.who, to=NameAddr(uri), now=self.now, headers=headers,
            credentials=self.credentials,
        )  # fmt: skip
        self.town.run(1.0)
        return self.responses[-1]

    def told(self, package: str) -> list[Request]:
        return [notice for notice in self.notices if (notice.get("Event") or "").partition(";")[0] == package]

    def request(self, method: str, *, to: str = "", body: bytes = b"", kind: str = "", **headers: str) -> Response:
        """Send a request outside any call, `to` somebody or to the domain; return the newest response."""
        made = [(name.replace("_", "-"), value) for name, value in headers.items()]
        uri = f"sip:{to}@{DOMAIN}" if to else f"sip:{DOMAIN}"
        self.stack.request(
            method, uri, SWITCH, from_=self.who, to=NameAddr(uri) if to else self.who, now=self.now, headers=made,
            credentials=self.credentials, body=body, content_type=kind,
        )  # fmt: skip
        self.town.run(1.0)
        return self.responses[-1]

    def dial(
        self,
        number: str,
        *,
        sdp: bytes | None = None,
        with_offer: bool = True,
        who: NameAddr | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> Talk:
        leg = self._new_leg()
        address = self.engine.open(leg)
        offered = sdp if sdp is not None else offer(address) if with_offer else None
        uri = f"sip:{number}@{DOMAIN}"
        session = self.stack.invite(
            uri, SWITCH, from_=who or self.who, to=NameAddr(uri), sdp=offered, now=self.now,
            headers=headers, credentials=self.credentials,
        )  # fmt: skip
        talk = Talk(session, leg, offered or b"")
        self.talks.append(talk)
        self.town.settle()
        return talk

    def answer(self, talk: Talk | None = None) -> None:
        talk = talk or self.talk
        offered = talk.session.remote_sdp
        assert offered is not None
        offered = offered if self.knows_events else without_events(offered)
        text, remote = answer(parse_sdp(offered), self.engine.open(talk.leg), codecs=self.codecs)
        talk.session.answer(text, self.now)
        talk.state = "up"
        self._speak(talk, lambda: self.engine.connect(talk.leg, remote))

    def reject(self, status: int = 486) -> None:
        self.talk.session.reject(status, "", self.now)
        self.talk.state = "over"
        self.town.settle()

    def hang_up(self, talk: Talk | None = None, reason: str = "") -> None:
        talk = talk or self.talk
        talk.session.end(self.now, reason)
        talk.state = "over"
        self.engine.close(talk.leg)
        self.town.settle()

    def reoffer(self, direction: str) -> None:
        """Send a re-INVITE: `sendonly` or `inactive` holds, and so does `0.0.0.0`; `sendrecv` resumes."""
        address = self.engine.open(self.talk.leg)
        if direction == "0.0.0.0":  # as RFC 2543 wrote it
            self.talk.offered = _directed("0.0.0.0", address.port, "sendrecv")
        else:
            self.talk.offered = _directed(address.host, address.port, direction)
        self.talk.session.reoffer(self.talk.offered, self.now)
        self.town.run(0.5)

    def refer(self, target: str, talk: Talk | None = None) -> None:
        (talk or self.talk).session.refer(target, self.now)
        self.town.run(1.0)

    def refer_into(self, consulted: Talk, talk: Talk) -> None:
        """Attended transfer: whom `talk` is with is joined with whom was `consulted`."""
        dialog = consulted.session
        value = f"{dialog.call_id};to-tag={dialog.remote.tag};from-tag={dialog.local.tag}"
        self.refer(f"{dialog.remote.uri}?Replaces={quote(value, safe='')}", talk)

    def press(self, keys: str) -> None:
        """Press keys, one after another, as telephone-events."""
        self.engine.at(self.now)
        self.engine.send_digits(self.talk.leg, keys)
        self.town.run(0.2 * len(keys) + 0.1)

    def info(self, key: str) -> None:
        self.talk.session.info("application/dtmf-relay", f"Signal={key}\r\nDuration=160\r\n".encode(), self.now)
        self.town.run(0.2)

    # --- as the town drives it ------------------------------------------------------------------------

    def receive(self, data: bytes, source: Peer) -> None:
        self.stack.receive(data, source, self.now)

    def tick(self) -> None:
        self.engine.tick(self.now)
        self.stack.tick(self.now)

    def next_deadline(self) -> float:
        return min(self.stack.next_deadline(), self.engine.next_deadline())

    def take_outgoing(self) -> list[Outgoing]:
        self._listen()
        return self.stack.take_outgoing()

    def _listen(self) -> None:
        for event in self.stack.take_events():
            self._take(event)
        for media in self.engine.take_events():
            if isinstance(media, Heard):
                self.heard.append(media.sound)
            elif isinstance(media, DigitPressed):
                self.keys.append(media.digit)

    def _take(self, event: SipEvent) -> None:
        talk = next((t for t in self.talks if t.session is getattr(event, "session", None)), None)
        match event:
            case InviteReceived(session=session):
                self._rung(session)
            case RequestReceived(transaction=transaction, request=request):
                self.stack.respond(transaction, self.takes_texts if request.method == "MESSAGE" else 200, now=self.now)
                if request.method == "MESSAGE":
                    self.texts.append(request)
                if request.method == "NOTIFY":
                    self.notices.append(request)
                    self.lamps.append(request.body.decode())
                    self.lamp_events.append(request.get("Event") or "")
            case ResponseReceived(handle=handle, response=response):
                self.responses.append(response)
                if self._subscriber.owns(handle):
                    self._subscriber.answered(response, self.now)
            case RequestTimedOut():
                pass
            case Progress(status=status, sdp=sdp) if talk is not None:
                talk.state, talk.status = "ringing", status
                if sdp is not None and talk.offered:
                    self._settle(talk, sdp)
            case Answered(sdp=sdp) if talk is not None:
                talk.state, talk.status = "up", 200
                if sdp is not None and talk.offered:
                    self._settle(talk, sdp)
            case ReofferAnswered(sdp=sdp) if talk is not None and sdp is not None:
                self._settle(talk, sdp)
            case ReofferReceived(session=session) if self.refuses_reoffers:
                session.reject_reoffer(self.refuses_reoffers.pop(0), self.now)
            case ReofferReceived(session=session, sdp=sdp) if talk is not None and sdp is not None:
                if self.wanders:
                    self._move(talk)
                text, remote = answer(parse_sdp(sdp), self.engine.open(talk.leg))
                self.engine.connect(talk.leg, remote)
                session.accept_reoffer(text, self.now)
            case InfoReceived(content_type=kind, body=body):
                self.keys.append(info_digit(kind, body))
            case Rejected(status=status) if talk is not None:
                talk.state, talk.status = "over", status
                self.engine.close(talk.leg)
            case Cancelled() | Ended() if talk is not None:
                talk.state = "over"
                self.engine.close(talk.leg)
            case ReferProgress(status_line=line) if talk is not None:
                talk.refer_lines.append(line)
            case _:
                pass

    def _move(self, talk: Talk) -> None:
        self.engine.close(talk.leg)
        self.engine.open(talk.leg)
        self.engine.listen(talk.leg)
        self.engine.play(talk.leg, Signature(self.name))

    def _rung(self, session: Session) -> None:
        talk = Talk(session, self._new_leg(), state="ringing")
        talk.location = session.request.get("X-Switchroom-Location") or ""
        self.talks.append(talk)
        if self.digest is not None and not self._proved(session, self.digest):
            talk.state = "over"
        elif self.answers_with:
            session.reject(self.answers_with, "", self.now)
        elif self.moved_to:
            session.reject(302, "", self.now, [("Contact", f"<{self.moved_to}>")])
            talk.state = "over"
        elif self.early and session.remote_sdp is not None:
            text, remote = answer(parse_sdp(session.remote_sdp), self.engine.open(talk.leg))
            session.ring(self.now, text)
            self.engine.connect(talk.leg, remote)
            self.engine.play(talk.leg, Signature(self.name))
        elif self.rings:
            session.ring(self.now)

    def _proved(self, session: Session, digest: DigestServer) -> bool:
        given = session.request.get("Proxy-Authorization")
        if digest.verify(given, "INVITE", "trunk-secret", self.now) is Verdict.OK:
            return True
        session.reject(407, "", self.now, [("Proxy-Authenticate", value) for value in digest.challenge(self.now)])
        return False

    def _settle(self, talk: Talk, sdp: bytes) -> None:
        remote = settle(parse_sdp(talk.offered), parse_sdp(sdp))
        self._speak(talk, lambda: self.engine.connect(talk.leg, remote))

    def _speak(self, talk: Talk, connect: Callable[[], None]) -> None:
        self.engine.at(self.now)
        connect()
        self.engine.listen(talk.leg)
        self.engine.play(talk.leg, Signature(self.name))
        self.town.settle()

    def _new_leg(self) -> str:
        self._legs += 1
        return f"{self.name}/{self._legs}"


def _directed(host: str, port: int, direction: str) -> bytes:
    from pbx.media.engine import MediaAddress

    return offer(MediaAddress(host, port), direction=direction, version=2)


class Town:
    """Owns the clock and the wire; `run` lets time pass."""

    def __init__(
        self, directory: Directory, *, history: History | None = None, settings: SwitchSettings | None = None
    ) -> None:
        self.mono = 0.0
        self.epoch = EPOCH
        """Wall time at zero: another one and somebody has set the clock."""
        self.history: History = history if history is not None else MemoryStore()
        self.bus = Bus()
        self._parties: dict[str, Phone] = {}
        self._wire: list[tuple[float, int, Peer, Peer, bytes]] = []
        self._sent = 0
        self._settling = False
        self.engine = VirtualEngine(SWITCH.host, self.send_media, lambda prompt: PROMPT_S)
        self.carrier = self._add(Phone(self, "14165550142", CARRIER_HOST))
        self._directory, self._settings, self._starts = directory, settings, 0
        self.switch = self._start_switch()

    def _start_switch(self) -> Switch:
        self._starts += 1
        return Switch(
            self._directory,
            {"udp": (SWITCH.host, SWITCH.port), "tcp": (SWITCH.host, SWITCH.port)},
            engine=self.engine,
            bus=self.bus,
            token=token_of("switch" if self._starts == 1 else f"switch {self._starts}"),
            history=self.history,
            now=self.now,
            settings=self._settings or SwitchSettings(carrier=Peer("udp", CARRIER_HOST, 5060)),
        )

    def restart(self) -> None:
        """Kill the switch where it stands; another starts from what the store kept."""
        assert isinstance(self.history, MemoryStore)
        self.settle()
        self.history = MemoryStore.thawed(self.history.frozen())
        self.engine = VirtualEngine(SWITCH.host, self.send_media, lambda prompt: PROMPT_S)
        self.switch = self._start_switch()

    @property
    def now(self) -> Moment:
        return moment_at(self.mono, self.epoch)

    def phone(self, device: str, *, registered: bool = True) -> Phone:
        phone = self._add(Phone(self, device, f"10.0.1.{len(self._parties)}"))
        if registered:
            answer = phone.register()
            assert answer is not None
            assert answer.status == 200
        return phone

    def carrier_at(self, host: str) -> Phone:
        """Another trunk's far end."""
        return self._add(Phone(self, "14165550142", host))

    def plug(self, phone: Phone) -> None:
        self._add(phone)

    def unplug(self, phone: Phone) -> None:
        del self._parties[phone.host]

    def seen(self, kind: type[E]) -> list[E]:
        """Return the events of a class, so far."""
        return [stamped.event for stamped in self.bus.since(0) if type(stamped.event) is kind]

    def last(self, kind: type[E]) -> E:
        return self.seen(kind)[-1]

    # --- the wire -------------------------------------------------------------------------------------

    def send_media(self, source: tuple[str, int], to: tuple[str, int], data: bytes) -> None:
        self._put(Peer("udp", *source), Peer("udp", *to), data)

    def send(self, source: Peer, data: bytes) -> None:
        """Throw bytes at the switch."""
        self._put(source, SWITCH, data)

    def settle(self) -> None:
        """Put on the wire whatever anybody has to say."""
        if self._settling:
            return
        self._settling = True
        for party in tuple(self._parties.values()):
            for item in party.take_outgoing():
                self._put(Peer(item.to.transport, party.host, 5060), item.to, item.data)
        for item in self.switch.take_outgoing():
            self._put(SWITCH, item.to, item.data)
        self._settling = False

    def _put(self, source: Peer, to: Peer, data: bytes) -> None:
        self._sent += 1
        heapq.heappush(self._wire, (self.mono + DELAY_S, self._sent, source, to, data))

    # --- time -----------------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.mono + seconds
        for _ in range(200_000):
            self.settle()
            due = min(self._next_packet(), self.switch.next_deadline(), self.engine.next_deadline(), *self._deadlines())
            if due > end:
                self.mono = end
                return
            self.mono = max(self.mono, due)
            self._step()
        raise AssertionError(f"the town does not come to rest at {self.mono}")

    def _step(self) -> None:
        while self._next_packet() <= self.mono:
            _, _, source, to, data = heapq.heappop(self._wire)
            self._deliver(source, to, data)
            self.settle()
        self.engine.tick(self.mono)
        self.switch.tick(self.now)
        for party in tuple(self._parties.values()):
            party.tick()

    def _deliver(self, source: Peer, to: Peer, data: bytes) -> None:
        if to.host == SWITCH.host:
            if to.port >= MEDIA_FROM:
                self.engine.receive(data, (source.host, source.port), to.port, self.mono)
                self.switch.media(self.now)
            else:
                self.switch.receive(data, source, self.now)
            return
        party = self._parties.get(to.host)
        if party is None:
            return
        if to.port >= MEDIA_FROM:
            party.engine.receive(data, (source.host, source.port), to.port, self.mono)
        else:
            party.receive(data, source)

    def _next_packet(self) -> float:
        return self._wire[0][0] if self._wire else float("inf")

    def _deadlines(self) -> list[float]:
        return [party.next_deadline() for party in self._parties.values()] or [float("inf")]

    def _add(self, phone: Phone) -> Phone:
        self._parties[phone.host] = phone
        return phone


def directory(*, without_codes: bool = False, **changes: object) -> Directory:
    """Ana 101 and Ben 102 (Laval), Cleo 103 (barred, no voicemail), queues 500/501/502, attendant 400.

    `without_codes`: none is listened for in conversations, whose media may then go directly.
    """
    users = {
        "101": {"first_name": "Ana", "last_name": "Silva", "site": "Toronto", "voicemail_pin": "4101",
                "caller_id": 14165550101},
        "102": {"first_name": "Ben", "site": "Laval", "voicemail_pin": "4102"},
        "103": {"first_name": "Cleo", "voicemail": False, "dial_policy": "Internal"},
        "104": {"first_name": "Dev", "do_not_disturb": True},
    }  # fmt: skip
    for extension, fields in changes.pop("users", {}).items():  # type: ignore[attr-defined]
        users[extension] = {**users[extension], **fields}
    document = {
        "domain": {"name": "acme.lab", "area_code": "416", "caller_id": 14165550100, "music": "house",
                   "platform": {"codes_in_calls": not without_codes}},
        "sites": [
            {"name": "Toronto", "music": "jazz", "emergency_address": "hq"},
            {"name": "Laval", "music": "folk", "area_code": "450", "caller_id": 14505550110},
        ],
        "addresses": [
            {"key": "hq", "callback": 14165550100, "caller_name": "Acme", "street": "1 Example St", "city": "Toronto",
             "region": "ON", "postal_code": "M5X 1A1", "location": "Floor 3"},
        ],
        "users": [{"extension": extension, "ring_s": 4, **fields} for extension, fields in users.items()],
        "devices": [{"id": device, "extension": device[:3], "password": "x"}
                    for device in ("101", "101a", "102", "103", "104")],
        "attendants": [
            {"extension": 400, "name": "Main", "menus": [
                {"name": "main", "first_key_s": 3, "next_key_s": 1, "tries": 2,
                 "keys": {1: "user 101", 2: "queue 500", 3: "menu more"}},
                {"name": "more", "greeting": "attendant-sales", "keys": {9: "menu main"}}]},
        ],
        "queues": [
            {"extension": 500, "name": "Care", "site": "Toronto", "agent_ring_s": 3, "max_wait_s": 20,
             "greeting": "queue-welcome", "overflow": "mailbox 101",
             "agents": [{"extension": 102, "order": 1, "wrap_up_s": 5}, {"extension": 103, "order": 2}]},
            {"extension": 501, "name": "Hunt", "strategy": "linear_hunt", "agent_ring_s": 3, "max_callers": 1,
             "agents": [{"extension": 102, "order": 1}, {"extension": 103, "order": 2}], "overflow": "hangup busy"},
            {"extension": 502, "name": "Strict", "require_agents": True, "overflow": "mailbox 101",
             "agents": [{"extension": 104, "available": False}]},
        ],
        "numbers": [
            {"number": 14165550100, "routes": [{"to": "attendant 400"}]},
            {"number": 14165550101, "caller_id_prefix": "SALES:", "routes": [{"to": "user 101"}]},
            {"number": 14165550102, "routes": [{"to": "external 14165550199"}]},
        ],
        **changes,
    }  # fmt: skip
    return Directory.model_validate(document)


def without_events(sdp: bytes) -> bytes:
    """A description of ours as a phone writes it that knows no telephone-events."""
    return b"\r\n".join(
        line.replace(b" 101", b"") if line.startswith(b"m=") else line
        for line in sdp.split(b"\r\n")
        if b"telephone-event" not in line and b"fmtp" not in line
    )


def assert_at_rest(town: Town) -> None:
    """After everybody hung up nothing is left over, nothing of ours went wrong."""
    town.run(40.0)
    assert [str(fault) for fault in town.seen(ServerFault)] == []
    assert {name: count for name, count in town.switch.live().items() if count} == {}
