"""What crosses on the wire: forks, spirals, glare, CANCEL and BYE against everything, repetitions in every state."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pbx.sip.message import parse, reply
from pbx.sip.session import Session
from pbx.sip.sip_events import (
    Answered,
    Cancelled,
    Confirmed,
    Ended,
    InviteReceived,
    Progress,
    Rejected,
    ReofferAnswered,
    ReofferReceived,
    ReofferRejected,
)
from pbx.sip.uri import NameAddr
from tests.sip.pair import ALICE, BOB, Pair, first, stack
from tests.sip.test_session import up

NOTHING = {"sessions": 0, "transactions": 0}


def at_rest(pair: Pair) -> bool:
    pair.pass_time(70)
    return pair.alice.live() == pair.bob.live() == NOTHING


# --- hanging up before the ACK ------------------------------------------------------------------------


def hung_up_unheard(*unheard: str) -> tuple[Pair, set[str], Session]:
    """Bob answers, his 200 or its ACK does not arrive, and he hangs up; the set names what is lost for now."""
    lost = set(unheard)
    pair = Pair(lambda number: first(pair.sent[-1][1]) in lost)
    mine, theirs = up(pair)
    pair.pass_time(2.0)
    theirs.bye(pair.now)
    pair.settle()
    assert theirs.over
    assert "BYE" not in pair.started("bob")
    return pair, lost, mine


def test_the_bye_of_who_is_called_waits_for_the_ack_of_his_200():
    pair, lost, mine = hung_up_unheard("200")
    lost.clear()
    pair.pass_time(4.0)
    assert pair.started("bob")[-2:] == ["200", "BYE"]
    assert pair.of("alice", Ended)[-1].session is mine
    assert pair.of("bob", Ended) == []
    assert at_rest(pair)


def test_a_cancel_that_meets_the_200_of_who_has_hung_up_leaves_nothing_behind():
    pair, lost, mine = hung_up_unheard("200")
    mine.cancel(pair.now)
    lost.clear()
    pair.pass_time(4.0)
    assert pair.alice.live() == pair.bob.live() == NOTHING


def test_no_ack_within_64_t1_is_the_end_of_waiting():
    pair, lost, _ = hung_up_unheard("200")
    pair.pass_time(30.1)
    assert pair.started("bob")[-1] == "BYE"
    lost.clear()
    pair.pass_time(40.0)
    assert pair.bob.live() == NOTHING


def keys(session: Session, now: float) -> None:
    session.info("application/dtmf-relay", b"Signal=1", now)


@pytest.mark.parametrize(("deed", "status"), [(Session.bye, "200"), (keys, "481")])
def test_who_has_hung_up_takes_only_the_bye_of_the_other(deed: Callable[[Session, float], None], status: str):
    pair, _, mine = hung_up_unheard("ACK")
    deed(mine, pair.now)
    pair.settle()
    assert pair.started("bob")[-1] == status
    assert pair.of("bob", Ended) == []
    assert at_rest(pair)


# --- the same INVITE again ----------------------------------------------------------------------------


def ringing(pair: Pair, theirs: Session) -> None:
    theirs.ring(pair.now)
    pair.settle()


def answered(pair: Pair, theirs: Session) -> None:
    theirs.answer(b"answer", pair.now)
    pair.settle()


def refused(pair: Pair, theirs: Session) -> None:
    theirs.reject(486, "", pair.now)
    pair.settle()


def given_up(pair: Pair, theirs: Session) -> None:
    ringing(pair, theirs)
    next(session for session in pair.alice.sessions()).cancel(pair.now)
    pair.settle()


def over(pair: Pair, theirs: Session) -> None:
    answered(pair, theirs)
    theirs.bye(pair.now)
    pair.settle()


REPEATED = [(state, after_s) for state in (ringing, answered, over) for after_s in (0.0, 1.0, 20.0)]
REPEATED += [(state, after_s) for state in (refused, given_up) for after_s in (0.0, 4.0)]
"""An acknowledged refusal is remembered for T4 (timer I), everything else for 64·T1 (timer L) or while it lasts."""


@pytest.mark.parametrize(("state", "after_s"), REPEATED, ids=lambda value: getattr(value, "__name__", value))
def test_an_invite_that_comes_again_rings_once_whatever_has_become_of_it(state, after_s):
    pair = Pair()
    pair.call()
    theirs = pair.of("bob", InviteReceived)[0].session
    state(pair, theirs)
    pair.pass_time(after_s)
    invite = pair.sent[0][1]
    pair.bob.receive(invite, ALICE, pair.now)
    pair.settle()
    assert len(pair.of("bob", InviteReceived)) == 1
    assert len(pair.of("alice", Answered)) == (1 if state in (answered, over) else 0)


def test_accepted_absorbs_the_invite_and_passes_every_200_on_until_64_t1():
    """RFC 6026 §7.1: neither end answers or forgets by itself what the core still needs."""
    pair = Pair()
    mine, _ = up(pair)
    ok = next(data for name, data in pair.sent if name == "bob" and b"\r\nCSeq: 1 INVITE" in data and b" 200 " in data)
    acks = pair.started("alice").count("ACK")
    for second in (1, 10, 20):
        pair.pass_time(second - pair.now if second > pair.now else 0)
        pair.alice.receive(ok, BOB, pair.now)
        pair.settle()
    assert pair.started("alice").count("ACK") == acks + 3
    assert not mine.over
    mine.bye(pair.now)
    pair.settle()
    assert at_rest(pair)


# --- forking ------------------------------------------------------------------------------------------


def forked(pair: Pair, status: int, tag: str, *, contact: str = "sip:b@10.0.0.2", body: bytes = b"") -> None:
    """One branch of a proxy in front of Alice says something."""
    invite = parse(next(data for name, data in pair.sent if data.startswith(b"INVITE")))
    headers = [("Contact", f"<{contact}>"), *([("Content-Type", "application/sdp")] if body else [])]
    pair.alice.receive(bytes(reply(invite, status, to_tag=tag, headers=headers, body=body)), BOB, pair.now)
    pair.settle()


def test_each_branch_may_ring_and_the_one_that_answers_is_the_call():
    pair = Pair(lose=lambda number: True)
    mine = pair.call()
    forked(pair, 180, "desk")
    forked(pair, 183, "mobile", body=b"early")
    assert [(e.status, e.sdp) for e in pair.of("alice", Progress)] == [(180, None), (183, b"early")]
    forked(pair, 200, "mobile", contact="sip:mobile@10.0.0.8", body=b"answer")
    assert mine.remote.tag == "mobile"
    assert pair.of("alice", Answered)[0].sdp == b"answer"
    ack = parse(pair.sent[-1][1])
    assert (ack.method, ack.uri, ack.to.tag) == ("ACK", "sip:mobile@10.0.0.8", "mobile")


def test_a_second_branch_that_answers_too_is_acknowledged_and_ended():
    pair = Pair(lose=lambda number: True)
    mine = pair.call()
    forked(pair, 200, "desk", contact="sip:desk@10.0.0.7")
    forked(pair, 200, "mobile", contact="sip:mobile@10.0.0.8")
    sent = [parse(data) for name, data in pair.sent[-2:]]
    assert [(m.method, m.uri, m.to.tag) for m in sent] == [
        ("ACK", "sip:mobile@10.0.0.8", "mobile"),
        ("BYE", "sip:mobile@10.0.0.8", "mobile"),
    ]
    assert mine.remote.tag == "desk"
    assert len(pair.of("alice", Answered)) == 1
    assert not mine.over


def test_a_branch_that_answers_after_we_gave_up_is_ended():
    pair = Pair(lose=lambda number: True)
    mine = pair.call()
    forked(pair, 180, "desk")
    mine.cancel(pair.now)
    pair.settle()
    forked(pair, 200, "desk")
    assert pair.started("alice")[-2:] == ["ACK", "BYE"]
    assert pair.of("alice", Answered) == []
    assert pair.of("alice", Rejected)[0].status == 487


# --- spirals ------------------------------------------------------------------------------------------


def test_a_call_that_comes_back_to_its_own_stack_is_two_calls_that_do_not_mix():
    it, now = stack(BOB, 1), 0.0
    mine = it.invite(
        "sip:bob@10.0.0.2", BOB, from_=NameAddr("sip:bob@lab"), to=NameAddr("sip:bob@lab"), sdp=b"offer", now=now
    )
    theirs: list[Session] = []
    seen = []

    def turn() -> None:
        while sent := it.take_outgoing():
            for item in sent:
                it.receive(item.data, BOB, now)
        for event in it.take_events():
            seen.append(type(event))
            if isinstance(event, InviteReceived):
                theirs.append(event.session)

    turn()
    (other,) = theirs
    other.ring(now)
    turn()
    other.answer(b"answer", now)
    turn()
    assert (mine.remote_sdp, other.remote_sdp) == (b"answer", b"offer")
    assert it.live()["sessions"] == 2
    mine.bye(now)
    turn()
    assert seen == [InviteReceived, Progress, Answered, Confirmed, Ended]
    it.tick(70.0)
    assert it.live() == NOTHING


# --- glare --------------------------------------------------------------------------------------------


def test_offers_that_cross_are_refused_on_both_sides_and_one_after_the_other_is_taken():
    pair = Pair()
    mine, theirs = up(pair)
    mine.reoffer(b"mine", pair.now)
    theirs.reoffer(b"theirs", pair.now)
    pair.settle()
    assert [e.status for who in ("alice", "bob") for e in pair.of(who, ReofferRejected)] == [491, 491]
    assert pair.of("alice", ReofferReceived) == pair.of("bob", ReofferReceived) == []
    theirs.reoffer(b"again", pair.now)
    pair.settle()
    mine.accept_reoffer(b"yes", pair.now)
    pair.settle()
    assert pair.of("bob", ReofferAnswered)[0].sdp == b"yes"


def test_an_offer_while_another_is_not_answered_yet_is_refused():
    pair = Pair()
    mine, theirs = up(pair)
    mine.reoffer(b"first", pair.now)
    pair.settle()
    theirs.reoffer(b"second", pair.now)
    pair.settle()
    assert pair.of("bob", ReofferRejected)[0].status == 491
    theirs.accept_reoffer(b"yes", pair.now)
    pair.settle()
    assert pair.of("alice", ReofferAnswered)[0].sdp == b"yes"


def test_byes_that_cross_end_the_call_once_on_each_side():
    pair = Pair()
    mine, theirs = up(pair)
    mine.bye(pair.now)
    theirs.bye(pair.now)
    pair.settle()
    assert mine.over
    assert theirs.over
    assert at_rest(pair)


def test_a_bye_that_crosses_an_offer_wins():
    pair = Pair()
    mine, theirs = up(pair)
    mine.reoffer(b"hold", pair.now)
    theirs.bye(pair.now)
    pair.settle()
    assert pair.of("alice", Ended)[0].by == "peer"
    assert theirs.over
    assert at_rest(pair)


def test_a_bye_while_an_offer_waits_for_its_answer_ends_both():
    pair = Pair()
    mine, theirs = up(pair)
    mine.reoffer(b"hold", pair.now)
    pair.settle()
    mine.bye(pair.now)
    pair.settle()
    assert pair.of("bob", Ended)[0].by == "peer"
    theirs.accept_reoffer(b"too late", pair.now)
    assert at_rest(pair)


# --- CANCEL -------------------------------------------------------------------------------------------


def cancel_of(pair: Pair) -> bytes:
    invite = parse(pair.sent[0][1])
    text = pair.sent[0][1].replace(b"INVITE sip:", b"CANCEL sip:", 1).replace(b"1 INVITE", b"1 CANCEL")
    assert invite.method == "INVITE"
    head = b"\r\n".join(line for line in text.partition(b"\r\n\r\n")[0].split(b"\r\n") if b"Content-" not in line)
    return head + b"\r\nContent-Length: 0\r\n\r\n"


RACES: dict[str, tuple[Callable[[Pair, Session], None], list[str], bool]] = {
    "before it rings": (lambda pair, theirs: None, ["200", "487"], True),
    "while it rings": (ringing, ["200", "487"], True),
    "after the 200": (answered, ["200"], False),
    "after a refusal": (refused, ["200"], False),
    "after the end": (over, ["200"], False),
}
"""When it comes: what it is answered with, and whether the call is cancelled by it (RFC 3261 §9.2)."""


@pytest.mark.parametrize("when", RACES)
def test_a_cancel_is_answered_and_has_an_effect_only_before_a_final_answer(when):
    happened, said, cancels = RACES[when]
    pair = Pair()
    pair.call()
    happened(pair, pair.of("bob", InviteReceived)[0].session)
    before = len(pair.started("bob"))
    pair.bob.receive(cancel_of(pair), ALICE, pair.now)
    pair.settle()
    assert pair.started("bob")[before:] == said
    assert len(pair.of("bob", Cancelled)) == cancels


def test_a_cancel_that_is_repeated_is_answered_again_and_cancels_once():
    pair = Pair()
    pair.call()
    for _ in range(3):
        pair.bob.receive(cancel_of(pair), ALICE, pair.now)
        pair.settle()
    assert pair.started("bob").count("200") == 3
    assert len(pair.of("bob", Cancelled)) == 1
    assert at_rest(pair)


def test_a_cancel_of_nothing_is_481():
    pair = Pair()
    pair.call()
    stranger = cancel_of(pair).replace(b"branch=z9hG4bK", b"branch=z9hG4bKother")
    pair.bob.receive(stranger, ALICE, pair.now)
    pair.settle()
    assert pair.started("bob")[-1] == "481"
    assert pair.of("bob", Cancelled) == []


@pytest.mark.parametrize("lost", range(1, 12))
def test_a_cancelled_call_leaves_nothing_whichever_datagram_is_lost(lost):
    pair = Pair(lose=lambda number: number == lost)
    mine = pair.call()
    pair.pass_time(1)
    theirs = pair.of("bob", InviteReceived)[0].session
    theirs.ring(pair.now)
    pair.settle()
    mine.cancel(pair.now)
    pair.settle()
    pair.pass_time(40)
    assert pair.of("alice", Rejected)[0].status == 487
    assert len(pair.of("bob", Cancelled)) == 1
    assert at_rest(pair)
