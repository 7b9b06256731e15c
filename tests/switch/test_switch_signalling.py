"""The odd ways of SIP in a call, spoken by hand: late offers, bad answers, forgotten lamps."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest

from pbx.domain.registrations import Peer
from pbx.events import CallEnded, CallHeld, CallResumed, CallUp, LegEnded, LegFailed, MediaStarted, SubscriptionChanged
from pbx.media.engine import MediaAddress
from pbx.media.sdp import offer
from pbx.media.virtual import VirtualEngine
from pbx.sip.address import parse_peer
from pbx.sip.message import Request, parse
from tests.switch.test_switch_calls import up
from tests.switch.town import CARRIER_HOST, SWITCH, Town, assert_at_rest, directory

SDP = offer(MediaAddress(CARRIER_HOST, 20_000))
NO_SDP = b"v=0\r\nwhatever\r\n"


@dataclass(eq=False)
class ByHand:
    """A peer at the carrier's address that says exactly what a test writes."""

    town: Town
    host: str = CARRIER_HOST
    got: list = field(default_factory=list)
    answers: dict = field(default_factory=dict)
    """Status → (status to answer an INVITE with, body)."""

    def __post_init__(self) -> None:
        self.engine = VirtualEngine(self.host, self.town.send_media, lambda prompt: 1.0)
        self.town._parties[self.host] = self

    def receive(self, data: bytes, source: Peer) -> None:
        self.got.append(parse(data))

    def tick(self) -> None: ...

    def next_deadline(self) -> float:
        return float("inf")

    def take_outgoing(self) -> list:
        return []

    def say(self, first: str, cseq: str, body: bytes = b"", to_tag: str = "", more: str = "") -> None:
        tag = f";tag={to_tag}" if to_tag else ""
        branch = cseq.replace(" ", "") + str(len(self.got))
        head = (
            f"{first} SIP/2.0\r\nVia: SIP/2.0/UDP {self.host}:5060;branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n"
            f"From: <sip:+14165550142@x>;tag=me\r\nTo: <sip:x@x>{tag}\r\nCall-ID: hand\r\nCSeq: {cseq}\r\n"
            f"Contact: <sip:me@{self.host}>\r\n{more}Content-Length: {len(body)}\r\n"
        )
        kind = "Content-Type: application/sdp\r\n" if body else ""
        self.town.send(Peer("udp", self.host, 5060), f"{head}{kind}\r\n".encode() + body)
        self.town.run(0.1)

    def reply(self, status: int, body: bytes = b"", tag: str = "them") -> None:
        """Answer the newest INVITE we got."""
        invite = next(m for m in reversed(self.got) if isinstance(m, Request) and m.method == "INVITE")
        lines = [f"SIP/2.0 {status} X"]
        lines += [f"{name}: {invite.get(name)}" for name in ("Via", "From", "Call-ID", "CSeq")]
        lines += [f"To: {invite.get('To')};tag={tag}", f"Contact: <sip:them@{self.host}>"]
        lines += ["Content-Type: application/sdp"] if body else []
        lines += [f"Content-Length: {len(body)}", "", ""]
        self.town.send(Peer("udp", self.host, 5060), "\r\n".join(lines).encode() + body)
        self.town.run(0.1)

    def tag(self) -> str:
        """Our tag in the newest 200 to an INVITE."""
        ok = next(m for m in reversed(self.got) if not isinstance(m, Request) and m.status == 200)
        return re.search(r"tag=(\w+)", ok.get("To"))[1]

    def methods(self) -> list[str]:
        return [message.method for message in self.got if isinstance(message, Request)]


@pytest.fixture
def hand():
    made = ByHand(Town(directory()))
    yield made
    made.town.run(80.0)
    assert_at_rest(made.town)


def test_an_answer_may_come_in_the_ack(hand):
    hand.say("INVITE sip:+14165550100@x", "1 INVITE")
    assert hand.got[-1].status == 200
    assert b"m=audio" in hand.got[-1].body
    hand.say("ACK sip:x@x", "1 ACK", SDP, hand.tag())
    assert hand.town.switch.live()["calls"] == 1
    hand.say("BYE sip:x@x", "2 BYE", to_tag=hand.tag())
    assert hand.town.last(CallEnded).cause == 16


@pytest.mark.parametrize("body", [b"", NO_SDP])
def test_an_ack_without_the_answer_ends_the_call(hand, body):
    hand.say("INVITE sip:+14165550100@x", "1 INVITE")
    hand.say("ACK sip:x@x", "1 ACK", body, hand.tag())
    assert (hand.methods()[-1], hand.town.last(LegEnded).cause) == ("BYE", 88)


def test_a_reinvite_without_an_offer_gets_ours_and_its_ack_may_hold_and_resume(hand):
    town = hand.town
    ana = town.phone("101")
    hand.say("INVITE sip:+14165550101@x", "1 INVITE", SDP)
    town.run(0.3)
    ana.answer()
    town.run(0.3)
    hand.say("ACK sip:x@x", "1 ACK", to_tag=hand.tag())
    for number, direction, events in ((2, "sendonly", CallHeld), (3, "sendrecv", CallResumed)):
        hand.say("INVITE sip:x@x", f"{number} INVITE", to_tag=hand.tag())
        assert b"m=audio" in hand.got[-1].body
        answered = offer(MediaAddress(CARRIER_HOST, 20_000), direction=direction)
        hand.say("ACK sip:x@x", f"{number} ACK", answered, hand.tag())
        assert len(town.seen(events)) == 1
    hand.say("BYE sip:x@x", "9 BYE", to_tag=hand.tag(), more="Reason: Q.850;cause=31\r\n")
    assert town.last(CallEnded).cause == 31


@pytest.mark.parametrize("body", [b"", NO_SDP, SDP.replace(b"AVP 0 8 9", b"AVP 18 3")])
def test_a_200_that_answers_nothing_is_ended_and_counts_as_refused(hand, body):
    ana = hand.town.phone("101")
    ana.dial("4165550190")
    hand.town.run(0.1)
    hand.reply(200, body)
    assert hand.methods()[-2:] == ["ACK", "BYE"]
    hand.say("OPTIONS sip:x@x", "77 OPTIONS")
    assert hand.town.last(LegFailed).status == 488
    assert ana.talk.state == "over"


def test_early_media_nobody_understands_is_passed_over(hand):
    ana = hand.town.phone("101")
    ana.dial("4165550190")
    hand.town.run(0.1)
    hand.reply(183, NO_SDP)
    assert ana.talk.status == 180
    hand.reply(200, SDP)
    assert ana.talk.state == "up"
    ana.hang_up()


def test_an_answer_that_was_early_media_before_needs_no_second_one(hand):
    ana = hand.town.phone("101")
    ana.dial("4165550190")
    hand.town.run(0.1)
    hand.reply(183, SDP)
    assert ana.talk.status == 183
    hand.reply(200)
    assert [(e.role, e.device) for e in hand.town.seen(CallUp)] == [("called", ""), ("caller", "101")]
    ana.hang_up()


def test_an_answer_that_crosses_the_cancel_is_ended(hand):
    ana = hand.town.phone("101")
    ana.dial("4165550190")
    hand.town.run(0.1)
    hand.reply(180)
    ana.hang_up()
    hand.town.run(0.1)
    assert hand.methods()[-1] == "CANCEL"
    hand.reply(200, SDP)
    assert hand.methods()[-2:] == ["ACK", "BYE"]
    assert hand.town.seen(CallUp) == []


def test_an_answer_nobody_confirms_is_repeated_and_the_call_ends(hand):
    ana = hand.town.phone("101")
    hand.say("INVITE sip:+14165550101@x", "1 INVITE", SDP)
    hand.town.run(0.3)
    ana.answer()
    hand.town.run(40.0)
    assert sum(not isinstance(m, Request) and m.status == 200 for m in hand.got) > 5
    assert hand.town.last(CallEnded).cause == 102
    assert [e.device for e in hand.town.seen(MediaStarted)] == ["101"]


def test_a_broken_refer_is_refused(town):
    ana, ben = up(town)
    ben.refer("nonsense")
    assert ben.talk.refer_lines[-1].startswith("SIP/2.0 400")
    assert ana.talk.state == "up"
    ana.hang_up()


def test_a_lamp_runs_out(town):
    ben = town.phone("102")
    ben._subscriber.send(ben.credentials, town.mono, 20)
    town.run(22.0)
    assert [e.state for e in town.seen(SubscriptionChanged)] == ["active", "terminated"]
    assert town.switch.live()["transactions"] == 0


def test_a_lamp_whose_phone_is_gone_is_forgotten(town):
    ana, ben = town.phone("101"), town.phone("102")
    ben.subscribe()
    town.unplug(ben)
    ana.dial("7102")
    town.run(9.0)
    ana.hang_up()
    town.run(35.0)
    assert town.last(SubscriptionChanged).state == "terminated"


def test_a_phone_that_starts_anew_elsewhere_leaves_its_old_lamp(town):
    ben = town.phone("102")
    ben.subscribe()
    town.unplug(ben)
    ben.host = "10.0.1.99"
    town._add(ben)
    ben.register(0)
    ben.register()
    assert town.last(SubscriptionChanged).state == "terminated"


def test_addresses_are_written_as_they_are_read():
    assert str(parse_peer(str(SWITCH))) == "udp:10.0.0.1:5060"


def test_a_register_out_of_order_is_refused(town):
    phone = town.phone("101")
    headers = [("Contact", f"<sip:101@{phone.host}:5060>"), ("Expires", "60")]
    phone.stack.request(
        "REGISTER", "sip:acme.lab", SWITCH, from_=phone.who, to=phone.who, now=town.mono, headers=headers,
        credentials=phone.credentials, call_id="reg-101", cseq=0,
    )  # fmt: skip
    town.run(1.0)
    assert phone.responses[-1].status == 500
