"""A small telephone network in virtual time: phones and a carrier, without a switch."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from lab.carrier import Carrier
from lab.clockwork import Clockwork, Node, seeded_token
from lab.phones.family import Account
from lab.phones.line import Line
from lab.wire import Impairment, Wire
from pbx.media.engine import DigitPressed, Heard
from pbx.sip.address import Peer
from pbx.sip.sip_events import InviteReceived
from pbx.sip.stack import Outgoing, Stack

EPOCH = datetime(2026, 3, 3, 14, 0, tzinfo=UTC)
CARRIER = Peer("udp", "10.0.0.9", 5060)


class BareLine:
    """A line without a box around it: what a phone is once it has booted."""

    def __init__(self, clockwork: Clockwork, host: str, user: str, seed: int, server: Peer = CARRIER) -> None:
        token = seeded_token(seed, host)
        self.stack = Stack({"udp": (host, 5060)}, token=token, user_agent="bare line")
        self.engine = clockwork.engine(host, lambda name: 1.0)
        account = Account(1, user, user, "secret", "lab.test", server.host, server.port, display_name=user)
        self.line = Line(account, self.stack, self.engine, token=token, changed=lambda: None)
        self.clockwork = clockwork
        self.node = clockwork.add(Node(user, host, 5060, self, self.engine))

    def press(self, button: Callable[[], object]) -> object:
        self.engine.at(self.clockwork.mono)
        result = button()
        self.clockwork.settle(self.node)
        return result

    def receive(self, data: bytes, source: Peer, now: float) -> None:
        self.engine.at(now)
        self.stack.receive(data, source, now)
        self._drain(now)

    def tick(self, now: float) -> None:
        self.engine.at(now)
        self.stack.tick(now)
        self.line.tick(now)
        self._drain(now)

    def woken(self, now: float) -> None:
        for event in self.engine.take_events():
            call = next((call for call in self.line.calls if call.speech.leg == getattr(event, "leg", "")), None)
            if call is not None and isinstance(event, Heard):
                self.line.heard(call, event.sound, now)
            elif call is not None and isinstance(event, DigitPressed):
                self.line.key_heard(call, event.digit, now)

    def closed(self, peer: Peer, now: float) -> None:
        self.stack.closed(peer, now)

    def next_deadline(self) -> float:
        return min(self.stack.next_deadline(), self.line.next_deadline())

    def take_outgoing(self) -> list[Outgoing]:
        return self.stack.take_outgoing()

    def _drain(self, now: float) -> None:
        for event in self.stack.take_events():
            if isinstance(event, InviteReceived):
                self.line.invited(event.session, now)
                continue
            session = getattr(event, "session", None)
            for call in self.line.calls:
                if call.session is session:
                    self.line.happened(call, event, now)


class Network:
    def __init__(self, seed: int = 1, impairment: Impairment | None = None) -> None:
        self.wire = Wire(seed, impairment)
        self.clockwork = Clockwork(self.wire, EPOCH)
        token = seeded_token(seed, "carrier")
        engine = self.clockwork.engine(CARRIER.host, lambda name: 2.0)
        self.carrier = Carrier(
            Stack({"udp": (CARRIER.host, 5060)}, token=token, user_agent="carrier"),
            engine,
            token=token,
            switch=Peer("udp", "10.0.1.1", 5060),
            domain="lab.test",
        )
        self.carrier_node = self.clockwork.add(Node("carrier", CARRIER.host, 5060, self.carrier, engine))
        self.phone = BareLine(self.clockwork, "10.0.1.1", "101", seed)

    def call(self, number: str, seconds: float = 3.0):  # type: ignore[no-untyped-def]
        line = self.phone.line
        call = self.phone.press(lambda: line.dial(number, self.clockwork.mono))
        self.pass_time(seconds)
        return call

    def pass_time(self, seconds: float) -> None:
        self.clockwork.run_until(self.clockwork.mono + seconds)
