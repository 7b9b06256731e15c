"""Session timers and UPDATE (RFC 4028, RFC 3311): a call whose other end vanished is found out."""

from __future__ import annotations

import pytest

from pbx.sip.message import Request, Response, parse
from pbx.sip.session import Session
from pbx.sip.session_timer import session_expires
from pbx.sip.sip_events import Ended, InviteReceived, ReofferAnswered, ReofferReceived, ReofferRejected
from tests.sip.pair import Pair


def up(pair: Pair) -> tuple[Session, Session]:
    """Alice calls Bob, who answers: (her session, his)."""
    hers = pair.call()
    (invited,) = pair.of("bob", InviteReceived)
    invited.session.answer(b"answer", pair.now)
    pair.settle()
    return hers, invited.session


def sent(pair: Pair, who: str, what: str) -> list[Request | Response]:
    """Messages somebody sent, by method, or by status and CSeq method such as `200 INVITE`."""
    found = []
    for name, data in pair.sent:
        message = parse(data)
        label = message.method if isinstance(message, Request) else f"{message.status} {message.cseq.method}"
        if name == who and label == what:
            found.append(message)
    return found


def test_nobody_asks_and_there_is_no_limit():
    pair = Pair()
    hers, his = up(pair)
    assert (hers.timer.interval_s, his.timer.interval_s) == (0, 0)
    assert sent(pair, "alice", "INVITE")[0].get("Session-Expires") is None
    pair.pass_time(4000.0)
    assert not hers.over


def test_the_caller_asks_and_refreshes_half_way_by_update():
    pair = Pair(session_expires_s=(600, 0))
    hers, his = up(pair)
    (ok,) = sent(pair, "bob", "200 INVITE")
    assert ok.get("Session-Expires") == "600;refresher=uac"
    assert ok.tokens("Require") == ["timer"]
    assert (hers.timer.ours, his.timer.ours) == (True, False)
    pair.pass_time(299.0)
    assert sent(pair, "alice", "UPDATE") == []
    pair.pass_time(1000.0)
    refreshes = sent(pair, "alice", "UPDATE")
    assert len(refreshes) == 4
    assert {r.get("Session-Expires") for r in refreshes} == {"600;refresher=uac"}
    assert not hers.over
    assert not his.over


def test_a_called_one_that_proposes_refreshes_itself():
    pair = Pair(session_expires_s=(0, 300))
    hers, his = up(pair)
    assert sent(pair, "bob", "200 INVITE")[0].get("Session-Expires") == "300;refresher=uas"
    assert (hers.timer.ours, his.timer.ours) == (False, True)
    pair.pass_time(1000.0)
    assert len(sent(pair, "bob", "UPDATE")) == 6
    assert not hers.over


def test_the_shorter_wish_wins():
    pair = Pair(session_expires_s=(1800, 600))
    hers, his = up(pair)
    assert (hers.timer.interval_s, his.timer.interval_s) == (600, 600)


@pytest.mark.parametrize(("lost", "left"), [("alice", "bob"), ("bob", "alice")])
def test_who_is_left_ends_the_call_before_the_interval_is_over(lost, left):
    pair = Pair(session_expires_s=(300, 0))
    hers, his = up(pair)
    (hers if lost == "alice" else his).stack.receive = lambda *_: None  # pulled out of the wall
    (hers if lost == "alice" else his).timer.close()
    pair.pass_time(300.0)
    (ended,) = pair.of(left, Ended)
    assert ended.by == "timeout"
    if left == "bob":  # Alice, whose turn it was, has had no answer to her UPDATE: there is nobody to say BYE to
        assert 'text="session expired"' in sent(pair, "bob", "BYE")[0].need("Reason")


def test_a_422_is_answered_by_a_longer_wish():
    pair = Pair(session_expires_s=(30, 0))
    hers = pair.call()
    assert pair.started("bob")[:2] == ["422", "100"]
    (_, again) = sent(pair, "alice", "INVITE")
    assert again.get("Session-Expires") == "90"
    assert again.cseq.number == 2
    (invited,) = pair.of("bob", InviteReceived)
    invited.session.answer(b"answer", pair.now)
    pair.settle()
    assert hers.timer.interval_s == 90


def test_without_update_a_reinvite_refreshes():
    pair = Pair(session_expires_s=(300, 0))
    hers, _ = up(pair)
    hers._peer_allows = frozenset({"INVITE"})
    pair.pass_time(151.0)
    (event,) = pair.of("bob", ReofferReceived)
    assert event.sdp == b"offer"
    event.session.accept_reoffer(b"answer", pair.now)
    pair.settle()
    assert len(pair.of("alice", ReofferAnswered)) == 1
    assert hers.timer.interval_s == 300


def test_an_update_with_an_offer_is_answered_and_no_ack_follows():
    pair = Pair()
    hers, his = up(pair)
    before = len(sent(pair, "alice", "ACK"))
    hers.send("UPDATE", pair.now, [], b"held", "application/sdp")
    pair.settle()
    (event,) = pair.of("bob", ReofferReceived)
    assert event.sdp == b"held"
    event.session.accept_reoffer(b"fine", pair.now)
    pair.settle()
    (ok,) = sent(pair, "bob", "200 UPDATE")
    assert ok.body == b"fine"
    assert ok.get("Contact")
    pair.pass_time(40.0)
    assert len(sent(pair, "alice", "ACK")) == before
    assert not his.over


def test_an_offer_in_an_update_meets_one_under_way():
    pair = Pair()
    hers, his = up(pair)
    his.reoffer(b"his", pair.now)
    hers.send("UPDATE", pair.now, [], b"hers", "application/sdp")
    pair.settle()
    assert [m.status for m in sent(pair, "bob", "491 UPDATE")] == [491]
    assert pair.of("bob", ReofferRejected) == []


def test_a_refresh_that_met_another_is_tried_again():
    pair = Pair(session_expires_s=(300, 0))
    hers, his = up(pair)
    his.reoffering = True
    hers._peer_allows = frozenset()
    pair.pass_time(151.0)
    assert len(sent(pair, "bob", "491 INVITE")) == 1
    his.reoffering = False
    pair.pass_time(2.2)
    assert len(sent(pair, "alice", "INVITE")) == 3
    pair.of("bob", ReofferReceived)[-1].session.accept_reoffer(b"answer", pair.now)
    pair.settle()
    assert hers.timer.interval_s == 300


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("1800", (1800, "")), ("1800;refresher=uac", (1800, "uac")), (" 90 ; Refresher=UAS ;x", (90, "uas")),
        ("soon", None), ("", None),
    ],
)  # fmt: skip
def test_session_expires_reads(value, read):
    found = session_expires(Request("UPDATE", "sip:a@b", [("Session-Expires", value)]))
    assert (found.interval_s, found.refresher) == read if read else found is None
