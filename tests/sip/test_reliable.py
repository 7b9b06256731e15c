"""Reliable provisional responses (RFC 3262), both ends."""

from __future__ import annotations

import pytest

from pbx.sip.dialog import Phase
from pbx.sip.message import Request, Response, parse
from pbx.sip.reliable import RAck, rack_of, rseq_of
from pbx.sip.sip_events import Answered, Cancelled, Confirmed, InviteReceived, Progress, Rejected
from tests.sip.pair import BOB, Pair
from tests.sip.test_session_timer import sent

REQUIRED = [("Require", "100rel")]


def rung(pair: Pair, headers=REQUIRED, sdp: bytes | None = b"offer"):
    """Alice calls and Bob's phone is there to ring: (her session, his)."""
    hers = pair.call(sdp, headers=headers)
    (invited,) = pair.of("bob", InviteReceived)
    return hers, invited.session


def test_a_180_is_acknowledged_where_it_is_required():
    pair = Pair()
    hers, his = rung(pair)
    his.ring(pair.now)
    pair.settle()
    (ringing,) = sent(pair, "bob", "180 INVITE")
    (prack,) = sent(pair, "alice", "PRACK")
    assert (rseq_of(ringing), rack_of(prack)) == (1, RAck(1, 1, "INVITE"))
    assert prack.to.tag == ringing.to.tag
    assert len(sent(pair, "bob", "200 PRACK")) == 1
    assert [event.status for event in pair.of("alice", Progress)] == [180]
    his.answer(b"answer", pair.now)
    pair.settle()
    hers.bye(pair.now)
    pair.settle()
    assert [m.cseq.number for m in (*sent(pair, "alice", "PRACK"), *sent(pair, "alice", "BYE"))] == [2, 3]
    pair.pass_time(40.0)
    assert (pair.alice.live(), pair.bob.live()) == ({"sessions": 0, "transactions": 0},) * 2


def test_early_media_is_reliable_where_it_is_known_and_a_plain_180_is_not():
    pair = Pair()
    _, his = rung(pair, headers=())
    his.ring(pair.now)
    pair.settle()
    assert sent(pair, "alice", "PRACK") == []
    his.ring(pair.now, b"early")
    pair.settle()
    assert len(sent(pair, "alice", "PRACK")) == 1
    assert pair.of("alice", Progress)[-1].sdp == b"early"


def test_it_is_repeated_until_the_prack_comes_and_heard_once():
    lost = {3, 4}  # the 180 twice (1 INVITE, 2 100)
    pair = Pair(lambda number: number in lost)
    _, his = rung(pair)
    his.ring(pair.now)
    pair.settle()
    pair.pass_time(2.0)
    assert len(sent(pair, "bob", "180 INVITE")) == 3
    assert len(sent(pair, "alice", "PRACK")) == 1
    assert len(pair.of("alice", Progress)) == 1


def test_without_a_prack_the_call_is_refused():
    pair = Pair(lambda number: number > 2)
    _, his = rung(pair)
    his.ring(pair.now)
    pair.settle()
    pair.pass_time(33.0)
    assert his.over
    assert len(pair.of("bob", Cancelled)) == 1
    assert [m.status for m in sent(pair, "bob", "504 INVITE")][:1] == [504]


def test_the_200_waits_for_the_prack_of_what_was_described():
    held: list[bytes] = []
    pair = Pair()
    _, his = rung(pair)
    receive, pair.bob.receive = pair.bob.receive, lambda data, source, now: held.append(data)
    his.ring(pair.now, b"early")
    his.answer(b"early", pair.now)
    pair.settle()
    assert his.phase is Phase.EARLY
    assert pair.of("alice", Answered) == []
    pair.bob.receive = receive
    prack = next(data for data in held if data.startswith(b"PRACK"))
    pair.bob.receive(prack, _source(), pair.now)
    pair.settle()
    assert len(pair.of("alice", Answered)) == 1


def _source():
    from tests.sip.pair import ALICE

    return ALICE


def test_what_is_said_meanwhile_waits_for_its_turn():
    pair = Pair()
    _, his = rung(pair)
    his.ring(pair.now)
    his.ring(pair.now, b"early")
    pair.settle()
    assert [rseq_of(m) for m in (*sent(pair, "bob", "180 INVITE"), *sent(pair, "bob", "183 INVITE"))] == [1, 2]
    assert [rack_of(m).rseq for m in sent(pair, "alice", "PRACK")] == [1, 2]


def test_an_offer_in_a_183_is_answered_in_the_prack():
    pair = Pair()
    _, his = rung(pair, sdp=None)
    his.ring(pair.now, b"our offer")
    prack = his_prack(pair, b"their answer")
    pair.bob.receive(prack, _source(), pair.now)
    (confirmed,) = pair.of("bob", Confirmed) or pair.bob.take_events()
    assert confirmed.sdp == b"their answer"


def his_prack(pair: Pair, body: bytes) -> bytes:
    """The PRACK Alice would send, with a body."""
    (data,) = [item.data for item in pair.bob.take_outgoing() if b" 183 " in item.data[:16]]
    early = parse(data)
    assert isinstance(early, Response)
    headers = [("Via", "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKprack"), ("Max-Forwards", "70")]
    headers += [(name, early.need(name)) for name in ("From", "To", "Call-ID")]
    headers += [("CSeq", "2 PRACK"), ("RAck", f"{rseq_of(early)} 1 INVITE"), ("Content-Type", "application/sdp")]
    return bytes(Request("PRACK", "sip:bob@10.0.0.2", headers, body))


@pytest.mark.parametrize("rack", ["2 1 INVITE", "1 2 INVITE", "1 1 BYE", "nonsense"])
def test_a_prack_for_nothing_on_its_way_is_refused_and_ends_nothing(rack):
    pair = Pair(lambda number: number == 3)  # the first 180 is lost, so no PRACK of Alice's interferes
    hers, his = rung(pair)
    his.ring(pair.now)
    pair.settle()
    (ringing,) = sent(pair, "bob", "180 INVITE")
    hers.remote = ringing.to
    hers.cseq += 1
    prack = hers.in_dialog("PRACK", cseq=hers.cseq)
    prack.headers.append(("RAck", rack))
    pair.bob.receive(bytes(prack), _source(), pair.now)
    pair.settle()
    assert [m.status for m in sent(pair, "bob", "481 PRACK")] == [481]
    assert pair.of("alice", Rejected) == []
    assert not his.over


def test_a_reliable_response_out_of_order_is_not_acknowledged():
    pair = Pair()
    hers, his = rung(pair, headers=())
    for rseq in (5, 7, 6):
        headers = [("Require", "100rel"), ("RSeq", str(rseq)), ("Contact", "<sip:bob@10.0.0.2>")]
        response = his._response(his._transaction, 180, None, headers)
        pair.alice.receive(bytes(response), BOB, pair.now)
    pair.settle()
    assert [rack_of(m).rseq for m in sent(pair, "alice", "PRACK")] == [5, 6]
    assert not hers.over
