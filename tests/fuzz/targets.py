"""What is fuzzed: each target takes any octets and raises AssertionError, or whatever a fault of ours is, when it finds
something. `python -m tests.fuzz` drives them with coverage, pytest with the corpus and with seeded octets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf
from random import Random

from pbx.media.engine import MediaAddress
from pbx.media.fax.sdp import answer_fax, read_fax
from pbx.media.fax.udptl import BadUdptl, Receiver
from pbx.media.sdp import BadSdp, answer, parse_sdp, proposal, settle
from pbx.sip.dialog import Phase
from pbx.sip.digest import Credentials, DigestServer, Verdict, answer_challenge
from pbx.sip.framing import Framer
from pbx.sip.message import Malformed, Request, parse
from pbx.sip.session import Session
from pbx.sip.sip_events import (
    InviteReceived,
    ReferReceived,
    ReofferAnswered,
    ReofferReceived,
    RequestReceived,
    SipEvent,
)
from pbx.sip.stack import Stack
from pbx.sip.uri import BadUri
from pbx.sip.validate import validate
from tests.sip.pair import ALICE, BOB, Pair, stack
from tests.switch.mutations import spoilt

HERE = MediaAddress("10.0.0.1", 16_000)


def parser(data: bytes) -> None:
    """Any octets are a message or Malformed; what is one survives being written and read; a stack answers in SIP."""
    for answered in received(data):
        parse(answered)
    _cut_alike(data)
    try:
        message = parse(data)
        again = parse(bytes(message))
        assert (_but_length(again.headers), again.body) == (_but_length(message.headers), message.body)
        _ = message.via, message.cseq, message.call_id, message.from_.parsed, message.to.parsed
        if isinstance(message, Request):
            validate(message)
    except (Malformed, BadUri):
        pass


def _cut_alike(data: bytes) -> None:
    """A stream is cut the same however it arrives; of a broken one the rest is whatever was there."""
    at_once, by_octet = Framer(), Framer()
    framed, one_by_one = at_once.feed(data), [message for octet in data for message in by_octet.feed(bytes([octet]))]
    assert at_once.broken == by_octet.broken
    if at_once.broken:
        assert framed.pop().startswith(one_by_one.pop())
    assert framed == one_by_one


def _but_length(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [header for header in headers if header[0] != "Content-Length"]


def received(data: bytes) -> list[bytes]:
    """What a stack sends at once when it receives this."""
    bob = stack(BOB, 1)
    bob.receive(data, ALICE, 0.0)
    bob.take_events()
    return [item.data for item in bob.take_outgoing()]


def sdp(data: bytes) -> None:
    """Any octets are a description or BadSdp; an answer to one has as many streams and can be read by its maker."""
    try:
        far = parse_sdp(data)
        settle(proposal(HERE), far)
        text, _ = answer(far, HERE)
    except BadSdp:
        return
    assert text.count(b"\r\nm=") == len(far.refused) + 1
    if not far.secure:
        assert parse_sdp(text).port == HERE.port


def digest(data: bytes) -> None:
    """No octets are a proof, and none a challenge that makes the client fail."""
    text = data.decode("utf-8", "surrogateescape")
    server = DigestServer("acme.lab", lambda count: "a" * count)
    server.challenge(0.0, host="10.0.0.1")
    known = Credentials("101", "a password nobody guesses")
    for password in (known.password, None):
        assert server.verify(text, "REGISTER", password, 1.0, host="10.0.0.1") is not Verdict.OK
    server.user(text)
    answer_challenge([text], known, "REGISTER", "sip:acme.lab", "c")


def dialog(data: bytes) -> None:
    """Whatever comes inside a dialog: no fault, nothing left 40 s after its end, and the call beside it unharmed."""
    talk = Conversation()
    talk.play(data)
    talk.end()


def fax(data: bytes) -> None:
    """Any octets are a datagram of UDPTL or are refused, and a description of fax is answered with as many streams."""
    receiver = Receiver()
    for at in range(0, len(data), 40):
        try:
            got = receiver.take(data[at : at + 40])
        except BadUdptl:
            continue
        assert all(0 <= number <= 0xFFFF for number, _ in got)
    try:
        offered = read_fax(data)
    except BadSdp:
        return
    if offered is not None:
        assert answer_fax(offered, HERE).count(b"\r\nm=") == len(offered.others) + 1


TARGETS: dict[str, Callable[[bytes], None]] = {
    "parser": parser, "sdp": sdp, "digest": digest, "dialog": dialog, "fax": fax,
}  # fmt: skip


class Conversation(Pair):
    """Two owners that take whatever they are asked. One call is attacked, another one goes on beside it."""

    def __init__(self) -> None:
        super().__init__()
        self._seen = {"alice": 0, "bob": 0}
        self.bystander = self._up()
        before = len(self.sent)
        self.call_attacked = self._up()
        self._attacked_from = before
        self._dropped = 0
        self._lose = self._loses

    def play(self, data: bytes) -> None:
        """Each octet is one thing that happens; some take more of them to say which message and how."""
        octets = iter(data)
        for octet in octets:
            self._one(octet, octets)
            self._react()

    def end(self) -> None:
        self._dropped = 0
        self._bystander_still_talks()
        for _ in range(2):  # what came out of the first round: an answer to a call nobody wants
            for one in (self.alice, self.bob):
                for session in one.sessions():
                    session.end(self.now)
            self.settle()
            self._react()
            self.pass_time(40.0)
        for one in (self.alice, self.bob):
            assert one.live() == {"sessions": 0, "transactions": 0}, one.live()
        self.pass_time(80.0)
        assert (self.alice.next_deadline(), self.bob.next_deadline()) == (inf, inf)

    def _up(self) -> Session:
        session = self.call()
        self._react()
        assert session.phase is Phase.UP
        return session

    def _one(self, octet: int, more: Iterator[int]) -> None:
        session, now = self.call_attacked, self.now
        match octet % 12:
            case 0:
                self.pass_time(next(more, 0) / 16)
            case 1:
                session.reoffer(b"offer", now)
            case 2:
                session.info("application/dtmf-relay", b"Signal=5", now)
            case 3:
                session.refer("sip:carol@lab", now)
            case 4:
                session.refresh(now)
            case 5:
                self._dropped = next(more, 0) % 4
            case 6:
                session.bye(now)
            case 7:
                self._deliver(more, spoil=False)
            case _:
                self._deliver(more, spoil=True)
        self.settle()

    def _deliver(self, more: Iterator[int], *, spoil: bool) -> None:
        """Once more a message of the attacked call, spoilt or as it was."""
        mine = self.sent[self._attacked_from :]
        who, data = mine[-1 - next(more, 0) % min(len(mine), 64)]
        if spoil:
            seed = next(more, 0) << 8 | next(more, 0)
            data = spoilt(Random(seed), data, [other for _, other in mine[-16:]])
        to, source = (self.bob, ALICE) if who == "alice" else (self.alice, BOB)
        to.receive(data, source, self.now)

    def _loses(self, number: int) -> bool:
        self._dropped -= self._dropped > 0
        return self._dropped > 0

    def _react(self) -> None:
        """Both owners take what they are asked, until nobody asks anything."""
        moved = True
        while moved:
            self.settle()
            moved = False
            for name, one in (("alice", self.alice), ("bob", self.bob)):
                events = self.events[name]
                fresh, self._seen[name] = events[self._seen[name] :], len(events)
                for event in fresh:
                    moved = True
                    self._take(one, event)

    def _take(self, one: Stack, event: SipEvent) -> None:
        match event:
            case InviteReceived(session=session):
                session.ring(self.now)
                session.answer(b"answer", self.now)
            case ReofferReceived(session=session):
                session.accept_reoffer(b"answer", self.now)
            case ReferReceived(session=session):
                session.accept_refer(self.now)
                session.notify_refer("SIP/2.0 200 OK", True, self.now)
            case RequestReceived(transaction=transaction):
                one.respond(transaction, 200, now=self.now)
            case _:
                pass

    def _bystander_still_talks(self) -> None:
        self.pass_time(1.0)
        assert self.bystander.phase is Phase.UP
        self.bystander.reoffer(b"offer", self.now)
        self._react()
        assert [event.session for event in self.of("alice", ReofferAnswered)][-1] is self.bystander
        assert not self.bystander.reoffering
        self.bystander.bye(self.now)
        self.settle()
        assert self.bystander.over
