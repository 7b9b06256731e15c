"""Who the foreign phones talk to: telephones of a few lines over `pbx.sip` and raw RTP, which do as they are told.

All of them live in one thread that paces their sound. What they hear is kept as samples, every key by how it came.
"""

from __future__ import annotations

import re
import secrets
import socket
import threading
import time
from collections.abc import Callable
from urllib.parse import quote

import numpy as np

from pbx.media import g711
from pbx.media.rtp import pack, read
from pbx.media.telephone_event import KeyReceiver, packets
from pbx.sip.address import Peer
from pbx.sip.digest import Credentials
from pbx.sip.session import Session
from pbx.sip.sip_events import (
    Answered,
    Cancelled,
    Confirmed,
    Ended,
    InfoReceived,
    InviteReceived,
    Progress,
    ReferProgress,
    Rejected,
    ReofferReceived,
    RequestReceived,
    ResponseReceived,
    SipEvent,
)
from pbx.sip.stack import Stack
from pbx.sip.uri import NameAddr
from tests.interop.matrix.sound import RATE_HZ, Heard, Samples, key_tones, tone
from tests.interop.office import PATIENCE_S, Switchroom

FRAME_S = 0.02
FRAME = 160
EVENTS = 101


class Partners:
    """The thread they live in; a context manager."""

    def __init__(self, switchroom: Switchroom) -> None:
        self.switchroom = switchroom
        self.lock = threading.RLock()
        self._lines: list[Partner] = []
        self._running = True
        self._thread = threading.Thread(target=self._run, name="partners", daemon=True)

    def __enter__(self) -> Partners:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._running = False
        self._thread.join(10)
        for line in self._lines:
            line.close()

    def line(self, device: str, hertz: float) -> Partner:
        """Put a telephone on the desk and register it; it says a tone of its own."""
        partner = Partner(self, device, hertz)
        with self.lock:
            self._lines.append(partner)
            partner.register()
        partner.wait_until(lambda: partner.registered, "registered")
        return partner

    def _run(self) -> None:
        due = time.monotonic()
        while self._running:
            with self.lock:
                for line in self._lines:
                    line.live(time.monotonic())
            due = max(due + FRAME_S, time.monotonic() - 0.1)
            if (left := due - time.monotonic()) > 0:
                time.sleep(left)


class Partner:
    """One telephone with any number of calls. `_`-methods belong to the thread; the others take its lock."""

    def __init__(self, owner: Partners, device: str, hertz: float) -> None:
        known = owner.switchroom.device(device)
        self.device, self.hertz = device, hertz
        self.owner = owner
        self.switch = Peer("udp", "127.0.0.1", owner.switchroom.sip_port)
        self.domain = owner.switchroom.domain
        self._socket = _bound()
        self.address: tuple[str, int] = self._socket.getsockname()
        self.stack = Stack({"udp": self.address}, token=lambda count: secrets.token_hex(count)[:count],
                           user_agent="partner")  # fmt: skip
        self.credentials = Credentials(device, known["password"])
        self.who = NameAddr(f"sip:{device}@{self.domain}")
        self.registered = False
        self.talks: list[Talk] = []

    def register(self) -> None:
        contact = f"<sip:{self.device}@{self.address[0]}:{self.address[1]}>"
        self.stack.request(
            "REGISTER", f"sip:{self.domain}", self.switch, from_=self.who, to=self.who, now=time.monotonic(),
            headers=[("Contact", contact), ("Expires", "3600")], credentials=self.credentials,
        )  # fmt: skip

    def dial(self, number: str) -> Talk:
        with self.owner.lock:
            talk = Talk(self)
            uri = f"sip:{number}@{self.domain}"
            talk.session = self.stack.invite(
                uri, self.switch, from_=self.who, to=NameAddr(uri), sdp=talk.describe(), now=time.monotonic(),
                credentials=self.credentials,
            )  # fmt: skip
            self.talks.append(talk)
            return talk

    def wait_for_ringing(self) -> Talk:
        """Wait for a call and return it, ringing."""
        self.wait_until(lambda: any(talk.state == "ringing in" for talk in self.talks), "called")
        return next(talk for talk in self.talks if talk.state == "ringing in")

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            states = [talk.state for talk in self.talks]
            assert time.monotonic() < deadline, f"{self.device} not within {PATIENCE_S} s {what}; its calls: {states}"
            time.sleep(0.02)

    def run_for(self, seconds: float) -> None:
        """Let time pass; it lives in a thread of its own."""
        time.sleep(seconds)

    def rest(self) -> None:
        """Hang up whatever is left."""
        for talk in self.talks:
            talk.hang_up()
        self.talks = []

    def close(self) -> None:
        self._socket.close()
        for talk in self.talks:
            talk.close()

    # --- the thread's -----------------------------------------------------------------------------------

    def live(self, now: float) -> None:
        """Take what came, send what is due."""
        while (came := _received(self._socket)) is not None:
            self.stack.receive(came[0], Peer("udp", *came[1]), now)
        self.stack.tick(now)
        for event in self.stack.take_events():
            self._happened(event, now)
        for item in self.stack.take_outgoing():
            self._socket.sendto(item.data, (item.to.host, item.to.port))
        for talk in self.talks:
            talk.live(now)

    def _happened(self, event: SipEvent, now: float) -> None:
        match event:
            case InviteReceived(session=session):
                talk = Talk(self)
                talk.session = session
                self.talks.append(talk)
                talk.invited(session, now)
            case ResponseReceived(response=response):
                self.registered = response.status == 200
            case RequestReceived(transaction=transaction):
                self.stack.respond(transaction, 200, now=now)
            case _:
                session = getattr(event, "session", None)
                for talk in self.talks:
                    if talk.session is session:
                        talk.happened(event, now)


class Talk:
    """A call of a partner. `state`: calling, ringing, ringing in, up, over."""

    def __init__(self, phone: Partner) -> None:
        self.phone = phone
        self.session: Session | None = None
        self.state = "calling"
        self.status = 0
        self.keys: list[tuple[str, str]] = []
        """(key, `rfc4733` or `info`), as they came."""
        self.transfer = ""
        """The newest status line about a REFER of ours."""
        self._media = _bound()
        self._far: tuple[str, int] | None = None
        self._events: int | None = None
        self._heard = bytearray()
        self._receiver = KeyReceiver()
        self._version = 0
        self._direction = "sendrecv"
        self._ssrc, self._sequence = secrets.randbits(32), 0
        self._sound = g711.encode(tone(phone.hertz, 1.0).astype(np.int16), "PCMU")
        self._once: list[bytes] = []
        self._key_packets: list[tuple[int, bool, bytes]] = []

    # --- buttons ----------------------------------------------------------------------------------------

    def ring_with_sound(self) -> None:
        """183 with a description: what is said from now on is early media (RFC 3960)."""
        with self.phone.owner.lock:
            self._session.ring(time.monotonic(), self.describe())

    def answer(self) -> Talk:
        with self.phone.owner.lock:
            self._session.answer(self._session.local_sdp or self.describe(), time.monotonic())
            self.state = "up"
        return self

    def wait_until_up(self) -> Talk:
        self.phone.wait_until(lambda: self.state in ("up", "over"), "in a call")
        assert self.state == "up", f"{self.phone.device} was refused with {self.status}"
        return self

    def wait_until_over(self) -> None:
        self.phone.wait_until(lambda: self.state == "over", "out of its call")

    def hang_up(self) -> None:
        with self.phone.owner.lock:
            if self.state != "over":
                self._session.end(time.monotonic())
                self._end()

    def hold(self) -> None:
        self._reoffer("sendonly")

    def resume(self) -> None:
        self._reoffer("sendrecv")

    def transfer_to(self, number: str) -> None:
        with self.phone.owner.lock:
            self._session.refer(f"sip:{number}@{self.phone.domain}", time.monotonic())

    def join_with(self, other: Talk, number: str) -> None:
        """Attended: whom this talks to takes our place in `other` (RFC 5589 §7)."""
        with self.phone.owner.lock:
            dialog = other._session
            replaces = f"{dialog.call_id};to-tag={dialog.remote.tag};from-tag={dialog.local.tag}"
            self._session.refer(
                f"sip:{number}@{self.phone.domain}?Replaces={quote(replaces, safe='')}", time.monotonic()
            )

    def press(self, keys: str) -> None:
        """As telephone-events (RFC 4733)."""
        with self.phone.owner.lock:
            for key in keys:
                start = self._sequence + len(self._key_packets)
                self._key_packets += [(start, marker, payload) for marker, payload in packets(key)]
                self._key_packets += [(0, False, b"")] * 5

    def press_by_info(self, keys: str) -> None:
        for key in keys:
            with self.phone.owner.lock:
                self._session.info(
                    "application/dtmf-relay", f"Signal={key}\r\nDuration=160\r\n".encode(), time.monotonic()
                )
            time.sleep(0.15)

    def press_in_band(self, keys: str) -> None:
        self.say(key_tones(keys))

    def say(self, samples: Samples) -> None:
        """Say this once, then go on with the tone."""
        coded = g711.encode(samples.astype(np.int16), "PCMU")
        with self.phone.owner.lock:
            self._once += [coded[at : at + FRAME] for at in range(0, len(coded) - FRAME + 1, FRAME)]

    # --- ears -------------------------------------------------------------------------------------------

    def ear(self) -> Heard:
        with self.phone.owner.lock:
            coded = bytes(self._heard)
        return Heard(g711.decode(coded, "PCMU").astype(np.float64), RATE_HZ)

    def keys_by(self, method: str) -> str:
        return "".join(key for key, how in self.keys if how == method)

    # --- the thread's -----------------------------------------------------------------------------------

    @property
    def _session(self) -> Session:
        assert self.session is not None
        return self.session

    def describe(self) -> bytes:
        """Write what we offer and answer: µ-law and telephone-event."""
        self._version += 1
        host, port = self._media.getsockname()
        return "\r\n".join([
            "v=0", f"o=- {port} {self._version} IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0",
            f"m=audio {port} RTP/AVP 0 {EVENTS}", "a=rtpmap:0 PCMU/8000", f"a=rtpmap:{EVENTS} telephone-event/8000",
            f"a=fmtp:{EVENTS} 0-15", f"a={self._direction}", "",
        ]).encode()  # fmt: skip

    def invited(self, session: Session, now: float) -> None:
        self.state = "ringing in"
        self._listen_to(session.remote_sdp)
        session.ring(now)

    def happened(self, event: SipEvent, now: float) -> None:
        match event:
            case Progress(sdp=sdp):
                self.state = "ringing"
                self._listen_to(sdp)
            case Answered(sdp=sdp) | Confirmed(sdp=sdp):
                self.state = "up"
                self._listen_to(sdp)
            case Rejected(status=status):
                self.status = status
                self._end()
            case Ended() | Cancelled():
                self._end()
            case ReofferReceived(session=session, sdp=sdp):
                self._listen_to(sdp)
                session.accept_reoffer(self.describe(), now)
            case InfoReceived(body=body):
                found = re.search(rb"(?im)^\s*signal\s*=\s*(\S)", body)
                self.keys.append((found[1].decode() if found else body.decode().strip()[:1], "info"))
            case ReferProgress(status_line=line):
                self.transfer = line

    def live(self, now: float) -> None:
        while (came := _received(self._media)) is not None:
            self._hear(came[0], now)
        self.keys += [(key, "rfc4733") for key in self._receiver.due(now)]
        if self._far is None or self.state == "over":
            return
        self._sequence += 1
        kind, marker, at, payload = 0, False, self._sequence * FRAME, self._next_frame()
        if self._key_packets:
            start, marker, event = self._key_packets.pop(0)
            if event:
                kind, at, payload = self._events or EVENTS, start * FRAME, event
        self._media.sendto(pack(kind, self._sequence, at, self._ssrc, payload, marker=marker), self._far)

    def _next_frame(self) -> bytes:
        if self._once:
            return self._once.pop(0)
        at = self._sequence * FRAME % len(self._sound)
        return self._sound[at : at + FRAME]

    def _hear(self, data: bytes, now: float) -> None:
        packet = read(data)
        if packet is None:
            return
        if packet.payload_type == self._events:
            keys = self._receiver.packet(packet.ssrc, packet.timestamp, packet.payload, now)
            self.keys += [(key, "rfc4733") for key in keys]
        elif packet.payload_type == 0:
            self._heard += packet.payload

    def _listen_to(self, sdp: bytes | None) -> None:
        if sdp is None:
            return
        text = sdp.decode()
        host, port = re.search(r"c=IN IP4 (\S+)", text), re.search(r"m=audio (\d+)", text)
        events = re.search(r"a=rtpmap:(\d+) telephone-event", text)
        assert host is not None, text
        assert port is not None, text
        self._far = (host[1], int(port[1]))
        self._events = int(events[1]) if events else None

    def _reoffer(self, direction: str) -> None:
        with self.phone.owner.lock:
            self._direction = direction
            self._session.reoffer(self.describe(), time.monotonic())

    def _end(self) -> None:
        self.state = "over"

    def close(self) -> None:
        self._media.close()


def _bound() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.setblocking(False)
    return made


def _received(from_: socket.socket) -> tuple[bytes, tuple[str, int]] | None:
    try:
        return from_.recvfrom(65_535)
    except BlockingIOError:
        return None
