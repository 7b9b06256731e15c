"""Out through the carrier: outside numbers, support, the emergency desk."""

import pytest

from pbx.callflow.emergency import call_emergency
from pbx.callflow.external import call_number
from pbx.callflow.support import call_support
from pbx.callflow.vocabulary import LegAnswered, LegEarlyMedia, LegGone, LegRang, LegRefused
from pbx.domain.destinations import ToExternal
from tests.callflow.playbook import Playbook

NUMBER = "14165550190"


def calling():
    book = Playbook()
    return book.start(call_number(book, ToExternal(number=NUMBER)))


def test_it_rings_passes_early_media_on_and_talks():
    book = calling().hear(LegRang(NUMBER)).hear(LegEarlyMedia(NUMBER)).hear(LegAnswered(NUMBER))
    assert book.take() == ["progress", f"dial {NUMBER}", f"early {NUMBER}", f"connect {NUMBER}"]
    book.hear(LegGone(NUMBER, 16))
    assert book.goes_to == ""
    assert book.take() == []


@pytest.mark.parametrize(
    ("status", "cause"),
    [(486, "busy"), (603, "busy"), (404, "not-found"), (484, "not-found"), (403, "forbidden"), (503, "congestion"),
     (480, "no-answer"), (408, "no-answer")],
)  # fmt: skip
def test_a_refusal_says_why(status, cause):
    assert calling().hear(LegRefused(NUMBER, status)).goes_to == f"hangup:{cause}"


def test_it_does_not_ring_for_ever_whatever_else_is_heard():
    book = calling()
    for _ in range(7):
        book.wait(8).hear(LegEarlyMedia(NUMBER))
    book.wait(4)
    assert book.said[-1] == f"drop {NUMBER}"
    assert book.goes_to == "hangup:no-answer"


def test_without_a_way_out_the_caller_hears_congestion():
    book = Playbook()
    book.dead.add(NUMBER)
    assert book.start(call_number(book, ToExternal(number=NUMBER))).goes_to == "hangup:congestion"


def test_a_caller_who_hangs_up_cancels_it():
    book = calling()
    book.hang_up_caller()
    assert book.said[-1] == f"drop {NUMBER}"


def test_the_emergency_desk_is_rung_at_once():
    book = Playbook()
    assert book.start(call_emergency(book, "933")).take() == ["progress", "dial emergency-933"]


def test_the_support_says_where_the_caller_is_before_its_own_attendant():
    book = Playbook()
    assert book.start(call_support(book)).take() == ["enter support", "answer", "play prompt:support-welcome"]
