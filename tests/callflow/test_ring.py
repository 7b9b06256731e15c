"""Ringing and talking, as a conversation."""

import pytest

from pbx.callflow.question import Ringing, RingPlan
from pbx.callflow.ring import ring_user
from pbx.callflow.vocabulary import (
    CALLER,
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
