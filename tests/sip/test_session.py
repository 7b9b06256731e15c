"""Sessions between two stacks, as the RFC wants them, also when datagrams are lost."""

from __future__ import annotations

import pytest

from pbx.sip.address import Peer
from pbx.sip.message import Request, parse, reply
from pbx.sip.sip_events import (
    Answered,
    Cancelled,
    CommandAnswered,
    Confirmed,
    Ended,
    InfoReceived,
    InviteReceived,
    Progress,
    ReferProgress,
    ReferReceived,
    Rejected,
    ReofferAnswered,
    ReofferReceived,
    ReofferRejected,
)
from pbx.sip.stack import Stack
from pbx.sip.tolerances import Tolerance
from pbx.sip.uri import NameAddr
from tests.sip.pair import ALICE, BOB, Pair, stack, token


def up(pair: Pair):
    """Return (caller's session, called session) of an answered call."""
    mine = pair.call()
    theirs = pair.of("bob", InviteReceived)[-1].session
    theirs.ring(pair.now)
    pair.settle()
    theirs.answer(b"answer", pair.now)
    pair.settle()
    return mine, theirs


def test_a_call_rings_is_answered_and_ends():
    pair = Pair()
    mine, _theirs = up(pair)
    assert pair.of("alice", Progress)[0].status == 180
    assert pair.of("alice", Answered)[0].sdp == b"answer"
    assert len(pair.of("bob", Confirmed)) == 1
    mine.bye(pair.now, "Q.850;cause=17")
    pair.settle()
    ended = pair.of("bob", Ended)[0]
    assert (ended.by, ended.cause) == ("peer", 17)
    pair.pass_time(40)
    assert pair.alice.live() == pair.bob.live() == {"sessions": 0, "transactions": 0}


def test_the_called_side_can_hang_up_too():
    pair = Pair()
    _, theirs = up(pair)
    theirs.bye(pair.now)
    pair.settle()
    assert pair.of("alice", Ended)[0].cause == 16


def test_a_command_needs_a_dialog_and_one_that_nobody_answers_ends_no_call():
    unplugged: list[bool] = []
    pair = Pair(lose=lambda number: bool(unplugged))
    mine = pair.call()
    assert not mine.command("talk", pair.now)
    pair.of("bob", InviteReceived)[0].session.ring(pair.now)
    pair.settle()
    unplugged.append(True)
    assert mine.command("talk", pair.now)
    pair.pass_time(33)
    assert [event.status for event in pair.of("alice", CommandAnswered)] == [408]
    assert pair.of("alice", Ended) == []


@pytest.mark.parametrize("lost", range(1, 9))
def test_a_call_survives_the_loss_of_any_one_datagram(lost):
    pair = Pair(lose=lambda number: number == lost)
    mine = pair.call()
    pair.pass_time(2)
    theirs = pair.of("bob", InviteReceived)[0].session
    theirs.answer(b"answer", pair.now)
    pair.settle()
    pair.pass_time(5)
    assert len(pair.of("bob", InviteReceived)) == 1
    assert len(pair.of("alice", Answered)) == 1
    assert len(pair.of("bob", Confirmed)) == 1
    mine.bye(pair.now)
    pair.settle()
    pair.pass_time(70)
    assert len(pair.of("bob", Ended)) == 1
    assert pair.alice.live()["sessions"] == pair.bob.live()["sessions"] == 0


def test_an_invite_nobody_answers_is_given_up_after_64_t1():
    pair = Pair(lose=lambda number: True)
    pair.call()
    pair.pass_time(31)
    assert pair.of("alice", Rejected) == []
    pair.pass_time(2)
    assert pair.of("alice", Rejected)[0].status == 408
    assert pair.started("alice") == ["INVITE"] * 7  # at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s


def test_an_unacknowledged_answer_is_torn_down():
    pair = Pair()
    pair.call()
    theirs = pair.of("bob", InviteReceived)[0].session
    pair._lose = lambda number: pair.sent[-1][0] == "alice"
    theirs.answer(b"answer", pair.now)
    pair.settle()
    pair.pass_time(40)
    ended = pair.of("bob", Ended)[0]
    assert (ended.by, ended.cause) == ("timeout", 102)
    assert "BYE" in pair.started("bob")


def test_cancel_ends_the_ringing_and_both_sides_know():
    pair = Pair()
    mine = pair.call()
    pair.of("bob", InviteReceived)[0].session.ring(pair.now)
    pair.settle()
    mine.cancel(pair.now)
    pair.settle()
    assert len(pair.of("bob", Cancelled)) == 1
    assert pair.of("alice", Rejected)[0].status == 487
    pair.pass_time(40)
    assert pair.alice.live() == pair.bob.live() == {"sessions": 0, "transactions": 0}


def test_a_cancel_before_any_answer_waits_for_the_first_provisional():
    pair = Pair(lose=lambda number: number == 2)  # the 100 is lost
    mine = pair.call()
    mine.cancel(pair.now)
    pair.settle()
    assert "CANCEL" not in pair.started("alice")
    pair.pass_time(1)
    assert "CANCEL" in pair.started("alice")
    assert pair.of("alice", Rejected)[0].status == 487


def test_a_cancel_that_loses_the_race_hangs_up_instead():
    pair = Pair()
    mine = pair.call()
    theirs = pair.of("bob", InviteReceived)[0].session
    theirs.answer(b"answer", pair.now)
    mine.cancel(pair.now)  # crosses the 200
    pair.settle()
    assert pair.of("alice", Answered) == []
    assert pair.of("bob", Ended)[0].by == "peer"


def test_a_refusal_carries_its_status_and_is_acknowledged():
    pair = Pair()
    pair.call()
    pair.of("bob", InviteReceived)[0].session.reject(486, "", pair.now)
    pair.settle()
    assert pair.of("alice", Rejected)[0].status == 486
    assert pair.started("alice") == ["INVITE", "ACK"]


def test_a_call_without_an_offer_gets_its_answer_in_the_ack():
    pair = Pair()
    pair.call(sdp=None)
    theirs = pair.of("bob", InviteReceived)[0].session
    assert theirs.remote_sdp is None
    theirs.answer(b"offer", pair.now)
    pair.settle()
    assert pair.of("alice", Answered)[0].sdp == b"offer"


def test_a_new_offer_in_the_call_is_answered_or_refused():
    pair = Pair()
    mine, theirs = up(pair)
    mine.reoffer(b"hold", pair.now)
    pair.settle()
    assert pair.of("bob", ReofferReceived)[0].sdp == b"hold"
    theirs.accept_reoffer(b"held", pair.now)
    pair.settle()
    assert pair.of("alice", ReofferAnswered)[0].sdp == b"held"
    theirs.reoffer(b"other", pair.now)
    pair.settle()
    mine.reject_reoffer(488, pair.now)
    pair.settle()
    assert pair.of("bob", ReofferRejected)[0].status == 488
    assert not mine.over


def test_two_offers_at_once_are_glare():
    pair = Pair()
    mine, theirs = up(pair)
    mine.reoffer(b"a", pair.now)
    theirs.reoffer(b"b", pair.now)
    pair.settle()
    assert pair.of("alice", ReofferRejected)[0].status == 491
    assert pair.of("bob", ReofferRejected)[0].status == 491


def test_keys_by_info_and_what_is_no_key():
    pair = Pair()
    mine, _ = up(pair)
    mine.info("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", pair.now)
    mine.info("application/unheard-of", b"x", pair.now)
    pair.settle()
    assert [event.body for event in pair.of("bob", InfoReceived)] == [b"Signal=5\r\nDuration=160\r\n"]
    assert pair.started("bob")[-2:] == ["200", "415"]


def test_a_blind_transfer_is_accepted_and_reported():
    pair = Pair()
    mine, theirs = up(pair)
    mine.refer("sip:carol@lab", pair.now)
    pair.settle()
    assert pair.of("bob", ReferReceived)[0].target_uri == "sip:carol@lab"
    theirs.accept_refer(pair.now)
    theirs.notify_refer("SIP/2.0 100 Trying", False, pair.now)
    theirs.notify_refer("SIP/2.0 200 OK", True, pair.now)
    pair.settle()
    assert [(e.status_line, e.final) for e in pair.of("alice", ReferProgress)] == [
        ("SIP/2.0 100 Trying", False),
        ("SIP/2.0 200 OK", True),
    ]


def test_a_transfer_may_be_refused():
    pair = Pair()
    mine, theirs = up(pair)
    mine.refer("sip:carol@lab", pair.now)
    pair.settle()
    theirs.reject_refer(603, pair.now)
    pair.settle()
    progress = pair.of("alice", ReferProgress)[0]
    assert progress.final
    assert "603" in progress.status_line


def test_record_route_of_a_proxy_is_kept_for_every_later_request():
    pair = Pair()
    bob = stack(BOB, 2)
    headers = [("Via", "SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKproxy"), ("Max-Forwards", "69")]
    headers += [("Record-Route", "<sip:10.0.0.9;lr>"), ("From", "<sip:a@lab>;tag=1"), ("To", "<sip:bob@lab>")]
    headers += [("Call-ID", "x"), ("CSeq", "1 INVITE"), ("Contact", "<sip:a@10.0.0.1:5060>")]
    bob.receive(bytes(Request("INVITE", "sip:bob@10.0.0.2", headers)), ALICE, 0.0)
    session = bob.take_events()[0].session
    session.answer(b"answer", 0.0)
    assert b"Record-Route: <sip:10.0.0.9;lr>" in bob.take_outgoing()[-1].data
    session.info("application/dtmf-relay", b"Signal=1", 1.0)
    info = bob.take_outgoing()[-1]
    assert info.data.startswith(b"INFO sip:a@10.0.0.1:5060 ")
    assert b"Route: <sip:10.0.0.9;lr>" in info.data
    assert info.to.host == "10.0.0.9"
    assert pair.now == 0.0


def test_a_second_refer_before_the_first_is_answered_is_told_to_wait():
    pair = Pair()
    mine = pair.call()
    theirs = pair.of("bob", InviteReceived)[0].session
    theirs.answer(b"answer", pair.now)
    pair.settle()
    for who in ("carol", "dave"):
        mine.refer(f"sip:{who}@lab", pair.now)
        pair.settle()
    theirs.accept_refer(pair.now)
    pair.settle()
    assert [code for code in pair.started("bob") if code in ("202", "491")] == ["491", "202"]
    assert [event.target_uri for event in pair.of("bob", ReferReceived)] == ["sip:carol@lab"]
    assert pair.bob.live() == {"sessions": 1, "transactions": 0}


def test_a_refer_that_was_not_answered_before_the_bye_is_answered_with_it():
    pair = Pair()
    mine = pair.call()
    pair.of("bob", InviteReceived)[0].session.answer(b"answer", pair.now)
    pair.settle()
    mine.refer("sip:carol@lab", pair.now)
    pair.settle()
    mine.bye(pair.now)
    pair.settle()
    assert "487" in pair.started("bob")
    assert pair.bob.live() == {"sessions": 0, "transactions": 0}


def test_an_ack_with_a_made_up_to_tag_is_tolerated_and_counted():
    """Stock pyVoIP makes up the To tag of its ACK and repeats the branch of the INVITE."""
    pair = Pair()
    pair.call()
    theirs = pair.of("bob", InviteReceived)[0].session
    pair._lose = lambda number: pair.sent[-1][1].startswith(b"ACK")
    theirs.answer(b"answer", pair.now)
    pair.settle()
    ack = next(data for _, data in pair.sent if data.startswith(b"ACK"))
    pair.bob.receive(ack.replace(theirs.local.tag.encode(), b"madeup"), ALICE, pair.now)
    pair.settle()
    assert len(pair.of("bob", Confirmed)) == 1
    assert pair.bob.tolerances.forgiven == {Tolerance.ACK_TO_TAG: 1}


def test_a_late_ack_of_an_earlier_invite_does_not_stop_the_repetition_of_a_newer_answer():
    pair = Pair()
    mine, theirs = up(pair)
    late = next(data for _, data in pair.sent if data.startswith(b"ACK"))
    mine.reoffer(b"offer 2", pair.now)
    pair.settle()
    pair._lose = lambda number: pair.sent[-1][1].startswith(b"ACK")
    theirs.accept_reoffer(b"answer 2", pair.now)
    pair.settle()
    pair.bob.receive(late, ALICE, pair.now)
    before = len(pair.sent)
    pair._lose = lambda number: False
    pair.pass_time(0.6)
    assert [data.split(b"\r\n", 1)[0] for _, data in pair.sent[before:]] == [
        b"SIP/2.0 200 OK", b"ACK sip:bob@10.0.0.2:5060 SIP/2.0",
    ]  # fmt: skip
    assert len(pair.of("bob", Confirmed)) == 2


def test_options_in_a_call_is_answered_and_changes_nothing():
    """Phones and session border controllers ask so whether the call is still up (RFC 3261 §11)."""
    pair = Pair()
    mine, _ = up(pair)
    mine.send("OPTIONS", pair.now, [])
    pair.settle()
    assert pair.started("bob")[-1] == "200"
    assert b"Allow: INVITE, ACK" in pair.sent[-1][1]
    assert not mine.over


@pytest.mark.parametrize(
    ("via", "to"),
    [
        ("10.0.0.1:5060;rport", 40_000),  # asked to answer where it came from (RFC 3581)
        ("192.168.1.7:5060", 40_000),  # behind NAT, and says nothing of it
        ("10.0.0.1:5062", 5062),  # sends from one port and listens at another (RFC 3261 §18.2.2)
        ("10.0.0.1", 5060),
    ],
)
def test_answers_go_where_the_sender_listens(via, to):
    bob = stack(BOB, 2)
    bob.receive(
        f"FETCH sip:bob@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\n"
        "To: <sip:b@x>\r\nCall-ID: 1\r\nCSeq: 1 FETCH\r\nContent-Length: 0\r\n\r\n".encode(),
        Peer("udp", "10.0.0.1", 40_000),
        0.0,
    )
    (asked,) = bob.take_events()
    bob.respond(asked.transaction, 200, now=0.0)
    (answer,) = bob.take_outgoing()
    assert (answer.to.host, answer.to.port) == ("10.0.0.1", to)
    assert (b";received=10.0.0.1" in answer.data) == ("rport" in via or "192" in via)
    assert (b";rport=40000" in answer.data) == ("rport" in via)


def test_requests_for_a_dialog_that_is_gone_get_481():
    pair = Pair()
    mine, _ = up(pair)
    pair.bob._sessions.clear()
    mine.bye(pair.now)
    pair.settle()
    assert pair.started("bob")[-1] == "481"


def test_a_request_outside_a_call_is_answered_and_reported():
    pair = Pair()
    pair.alice.request(
        "OPTIONS", "sip:bob@10.0.0.2", BOB, from_=NameAddr("sip:a@lab"), to=NameAddr("sip:bob@lab"), now=0.0
    )
    pair.settle()
    event = pair.events["bob"][0]
    assert event.request.method == "OPTIONS"
    pair.bob.respond(event.transaction, 200, now=0.0)
    pair.settle()
    assert pair.events["alice"][0].response.status == 200


@pytest.mark.parametrize(
    ("uri", "peer", "contact"),
    [
        ("sip:bob@lab", Peer("udp", "10.0.0.2", 5060), "<sip:alice@10.0.0.1:5060>"),
        ("sip:bob@lab", Peer("tcp", "10.0.0.2", 5060), "<sip:alice@10.0.0.1:5060;transport=tcp>"),
        ("sip:bob@lab;transport=tls", Peer("tls", "10.0.0.2", 5061), "<sip:alice@10.0.0.1:5061;transport=tls>"),
        ("sips:bob@lab", Peer("tls", "10.0.0.2", 5061), "<sips:alice@10.0.0.1:5061>"),
        ("sip:bob@lab", Peer("udp", "2001:db8::2", 5060), "<sip:alice@[2001:db8::1]:5060>"),
        ("sips:bob@lab", Peer("tls", "2001:db8::2", 5061), "<sips:alice@[2001:db8::1]:5061>"),
    ],
)
def test_a_contact_says_how_we_are_reached_and_stays_secure_where_the_call_is(uri, peer, contact):
    host = "2001:db8::1" if ":" in peer.host else "10.0.0.1"
    ports = {"udp": (host, 5060), "tcp": (host, 5060), "tls": (host, 5061)}
    it = Stack(ports, token=token(1), user_agent="it")
    alice = NameAddr("sip:alice@lab")
    session = it.invite(uri, peer, from_=alice, to=NameAddr(uri), sdp=b"offer", now=0.0)
    (sent,) = it.take_outgoing()
    invite = parse(sent.data)
    assert (sent.to, invite.need("Contact")) == (peer, contact)
    assert (invite.via.transport, invite.via.port) == (peer.transport, ports[peer.transport][1])
    assert invite.via.host == (f"[{host}]" if ":" in host else host)
    ok = reply(invite, 200, to_tag="b", headers=[("Contact", "<sip:bob@10.0.0.2>")], body=b"")
    it.receive(bytes(ok), peer, 0.1)
    it.take_outgoing()
    session.reoffer(b"again", 1.0)
    (sent,) = it.take_outgoing()
    assert (sent.to, parse(sent.data).need("Contact")) == (peer, contact)


@pytest.mark.parametrize(
    ("route", "to"),
    [
        ("<sip:10.0.0.9;lr>", Peer("udp", "10.0.0.9", 5060)),
        ("<sip:10.0.0.9:5070;transport=tcp;lr>", Peer("tcp", "10.0.0.9", 5070)),
        ("<sip:[2001:db8::9];transport=tls;lr>", Peer("tls", "2001:db8::9", 5061)),
        ("<sips:[2001:db8::9]:5071;lr>", Peer("tls", "2001:db8::9", 5071)),
        ("<sip:proxy.example.com;lr>", BOB),
        ("<sip:broken host;lr>", BOB),
    ],
)
def test_a_request_in_a_call_goes_to_the_first_route_that_names_an_address(route, to):
    pair = Pair()
    mine, _ = up(pair)
    mine.routes = [route]
    mine.bye(pair.now)
    (sent,) = pair.alice.take_outgoing()
    assert sent.to == to


def test_a_challenge_leaves_no_state_behind_and_is_the_same_answer_when_it_is_asked_for_again():
    """RFC 3261 §8.2.7: else a flood of requests that prove nothing fills the server."""
    ports = {"udp": (BOB.host, BOB.port)}
    nonces = iter("ab")
    it = Stack(
        ports, token=token(2), user_agent="it",
        challenge=lambda request, source: (
            None if request.get("Authorization") else (401, [("WWW-Authenticate", f"Digest nonce={next(nonces)}")])
        ),
    )  # fmt: skip
    alice = Stack({"udp": (ALICE.host, ALICE.port)}, token=token(1), user_agent="alice")
    who, whom = NameAddr("sip:alice@lab"), NameAddr("sip:bob@lab")
    alice.invite("sip:bob@lab", BOB, from_=who, to=whom, sdp=b"offer", now=0.0)
    (sent,) = alice.take_outgoing()
    for at in (0.0, 0.5):
        it.receive(sent.data, ALICE, at)
    first, second = (parse(each.data) for each in it.take_outgoing())

    assert (first.status, second.status) == (401, 401)
    assert first.need("To") == second.need("To") != parse(sent.data).need("To")
    assert [each.need("WWW-Authenticate")[-1] for each in (first, second)] == ["a", "b"]
    assert (it.take_events(), it.live(), it.next_deadline()) == ((), {"sessions": 0, "transactions": 0}, float("inf"))

    alice.receive(bytes(first), BOB, 0.6)
    (ack,) = (each for each in alice.take_outgoing() if each.data.startswith(b"ACK"))
    it.receive(ack.data, ALICE, 0.7)
    assert (it.take_events(), it.take_outgoing()) == ((), [])
