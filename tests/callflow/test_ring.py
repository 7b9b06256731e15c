"""Ringing and talking, as a conversation."""

from dataclasses import replace

import pytest

from pbx.callflow.question import Ringing, RingPlan
from pbx.callflow.ring import ring_user
from pbx.callflow.vocabulary import (
    CALLER,
    KeyPressed,
    LegAnswered,
    LegEarlyMedia,
    LegGone,
    LegRang,
    LegRefused,
    TransferAsked,
)
from pbx.domain.destinations import Cause, HangUp, ToDevice, ToExternal, ToMailbox, ToUser
from tests.callflow.playbook import Playbook


def plan(*targets, ring_s=10.0):
    made = tuple(
        Ringing(ToDevice(device=name) if len(name) < 6 else ToExternal(number=name), at) for name, at in targets
    )
    return RingPlan(made, ring_s, HangUp(cause=Cause.BUSY), ToMailbox(extension="101"), HangUp(cause=Cause.UNAVAILABLE))


def ringing(*targets, ring_s=10.0, dead=()):
    book = Playbook()
    book.dead.update(dead)
    return book.start(ring_user(book, plan(*targets, ring_s=ring_s)))


def screened():
    """A caller who is asked for a name before anybody rings."""
    book = Playbook()
    book.start(ring_user(book, replace(plan(("101", 0), ("102", 0)), screening=True), "101"))
    assert book.take() == ["answer", "play prompt:screen-name"]
    book.played()
    assert book.take() == ["play tone:beep"]
    book.played()
    assert book.take() == ["record draft"]
    return book


ASKED = "prompt:screen-call-from+recording:rec-1+screen-choice"


def test_whoever_answers_a_screened_call_hears_the_name_and_takes_it_with_one():
    book = screened().recorded(2.0)
    assert book.take() == ["progress", "dial 101", "dial 102"]
    book.hear(LegAnswered("101"))
    assert book.take() == [f"tell 101 {ASKED}"]
    book.hear(KeyPressed("101", "1"))
    assert book.take() == ["answered elsewhere 102", "connect 101"]


def test_a_screened_call_that_is_refused_with_two_rings_on_elsewhere_then_counts_as_busy():
    book = screened().recorded(2.0)
    book.take()
    book.hear(LegAnswered("101")).hear(KeyPressed("101", "2"))
    assert book.take() == [f"tell 101 {ASKED}", "drop 101"]
    book.hear(LegRefused("102", 603))
    assert (book.goes_to, book.diversions) == ("hangup:busy", [("101", "busy")])


@pytest.mark.parametrize("seconds", [0.0, 0.2])
def test_a_caller_who_says_no_name_is_announced_as_nobody(seconds):
    book = screened().recorded(seconds)
    book.take()
    book.hear(LegAnswered("101"))
    assert book.take() == ["tell 101 prompt:screen-call-from+screen-nobody+screen-choice"]


def test_while_nothing_can_be_recorded_a_screened_caller_is_nobody():
    book = Playbook()
    book.can_record = False
    book.start(ring_user(book, replace(plan(("101", 0)), screening=True), "101"))
    assert book.take() == ["answer", "progress", "dial 101"]


def test_an_outside_phone_that_has_to_confirm_does_not_steal_the_call():
    book = Playbook()
    targets = plan(("101", 0), ("14165550199", 0)).targets
    asked = replace(plan(("101", 0)), targets=(targets[0], replace(targets[1], confirm=True)))
    book.start(ring_user(book, asked, "101"))
    book.take()
    book.hear(LegAnswered("14165550199")).hear(KeyPressed("14165550199", "5"))
    assert book.take() == ["tell 14165550199 prompt:confirm-call"]
    book.hear(LegGone("14165550199", 16))
    book.wait(10.1)
    assert book.take() == ["drop 101"]
    assert book.goes_to == "mailbox:101"


def test_everybody_rings_and_the_first_to_answer_talks():
    book = ringing(("101", 0), ("101a", 0))
    assert book.take() == ["progress", "dial 101", "dial 101a"]
    book.hear(LegRang("101")).hear(LegAnswered("101a"))
    assert book.take() == ["answered elsewhere 101", "connect 101a"]
    book.hear(LegGone("101a", 16))
    assert book.goes_to == ""


def test_delayed_targets_ring_when_their_time_has_come():
    book = ringing(("101", 0), ("14165550199", 3), ("102", 1.5))
    assert book.take() == ["progress", "dial 101"]
    book.wait(1.4)
    assert book.take() == []
    book.wait(0.2)
    assert book.take() == ["dial 102"]
    book.wait(1.5)
    assert book.take() == ["dial 14165550199"]


def test_a_target_whose_delay_is_longer_than_the_ring_time_never_rings():
    book = ringing(("101", 0), ("102", 30)).wait(20)
    assert book.take() == ["progress", "dial 101", "drop 101"]
    assert book.goes_to == "mailbox:101"


def test_the_ring_time_ends_the_ringing():
    book = ringing(("101", 0)).wait(9.9)
    assert not book.done
    book.wait(0.1)
    assert book.said[-1] == "drop 101"
    assert book.goes_to == "mailbox:101"


@pytest.mark.parametrize(
    ("statuses", "goes_to"),
    [
        ((486, 480), "hangup:busy"),
        ((480, 603), "hangup:busy"),
        ((480, 480), "mailbox:101"),
        ((404, 503), "hangup:unavailable"),
        ((408, 480), "mailbox:101"),
    ],
)
def test_when_all_refuse_busy_comes_first_and_offline_last(statuses, goes_to):
    book = ringing(("101", 0), ("102", 0))
    book.hear(LegRefused("101", statuses[0]))
    assert not book.done
    book.hear(LegRefused("102", statuses[1]))
    assert book.goes_to == goes_to
    assert "drop 101" not in book.said


def test_a_refusal_does_not_stop_the_others():
    book = ringing(("101", 0), ("102", 2)).hear(LegRefused("101", 486)).wait(2)
    assert book.said[-1] == "dial 102"
    book.wait(8)
    assert book.goes_to == "mailbox:101"


def test_nobody_who_can_be_dialled_is_offline():
    assert ringing(("101", 0), dead=("101",)).goes_to == "hangup:unavailable"


def test_early_media_of_the_only_target_is_passed_on_of_several_it_is_not():
    book = ringing(("101", 0)).hear(LegEarlyMedia("101"))
    assert book.said[-1] == "early 101"
    book = ringing(("101", 0), ("102", 0)).hear(LegEarlyMedia("101"))
    assert book.said[-1] == "dial 102"


def test_a_caller_who_hangs_up_cancels_the_ringing():
    book = ringing(("101", 0), ("102", 5))
    book.take()
    book.hang_up_caller()
    assert book.take() == ["drop 101"]


@pytest.mark.parametrize("who", ["101", CALLER])
def test_a_blind_transfer_takes_the_call_on(who):
    book = ringing(("101", 0)).hear(LegAnswered("101"))
    book.hear(TransferAsked(who, ToUser(extension="103"), "103"))
    assert book.said[-1] == f"hand over {who} to 103"
    assert book.goes_to == "user:103"


def test_the_caller_leaving_ends_the_talk():
    book = ringing(("101", 0)).hear(LegAnswered("101"))
    book.hear(LegGone("103", 16))
    assert not book.done
    book.hear(LegGone(CALLER, 16))
    assert book.goes_to == ""
