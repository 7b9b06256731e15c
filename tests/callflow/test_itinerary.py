"""A call from destination to destination."""

import pytest

from pbx.callflow.itinerary import travel
from pbx.callflow.vocabulary import LegAnswered, LegRefused, TransferAsked
from pbx.domain.destinations import ToEmergency, ToUser, parse_destination
from tests.callflow.playbook import Playbook
from tests.callflow.small_office import office


def travelling(text, directory=None, *, answered=False):
    book = Playbook(directory, answered=answered)
    destination = ToEmergency(code="911") if text == "911" else parse_destination(text)
    return book.start(travel(book, destination))


@pytest.mark.parametrize(
    ("destination", "first"),
    [
        ("user 101", ["progress", "dial 101", "dial 101a"]),
        ("device 101a", ["progress", "dial 101a"]),
        ("attendant 400", ["answer", "play prompt:attendant-welcome"]),
        ("queue 500", ["join 500", "answer", "play moh:jazz", "ready 500"]),
        ("mailbox 102", ["answer", "play prompt:vm-greeting+digit-1+digit-0+digit-2+vm-not-available"]),
        ("voicemail-login 102", ["answer", "play prompt:vm-password"]),
        ("external 14165550190", ["progress", "dial 14165550190"]),
        ("support", ["enter support", "answer", "play prompt:support-welcome"]),
        ("service 988", ["progress", "dial service-988"]),
        ("toggle lunch", ["answer", "switch lunch on", "play prompt:night-switch-on"]),
        ("toggle-timeframe ever", ["answer", "switch ever off", "play prompt:night-switch-off"]),
        ("toggle gone", ["hang up not-found"]),
        ("911", ["progress", "dial emergency-911"]),
        ("hangup busy", ["hang up busy"]),
        ("user 999", ["hang up not-found"]),
        ("queue 999", ["hang up not-found"]),
        ("attendant 999", ["hang up not-found"]),
    ],
)
def test_every_destination_is_visited_in_its_way(destination, first):
    assert travelling(destination).take() == first


@pytest.mark.parametrize(
    ("destination", "first"),
    [
        ("to-user-notify-of-recording 101", ["answer", "play prompt:recording-notice"]),
        ("to-user-answer-and-fake-ringback 101", ["answer", "progress", "dial 101", "dial 101a"]),
        ("to-callqueue-announce-count-callers-ahead 500",
         ["join 500", "answer", "play prompt:queue-position+digit-1", "ready 500"]),
    ],
)  # fmt: skip
def test_a_number_has_treatments_of_its_own(destination, first):
    assert travelling(destination).take() == first


def test_a_refused_queue_goes_to_its_overflow():
    assert travelling("queue 501").take() == ["progress", "dial 102"]  # require agents, none there: user 102


@pytest.mark.parametrize(
    ("status", "end"), [(486, "hang up busy"), (480, "hang up no-answer"), (404, "hang up unavailable")]
)
def test_a_device_alone_has_no_rules_to_follow(status, end):
    assert travelling("device 101a").hear(LegRefused("101a", status)).said[-1] == end


@pytest.mark.parametrize(
    ("cause", "said"),
    [("not-found", "not-in-service"), ("loop", "not-in-service"), ("forbidden", "barred"), ("busy", "not-available")],
)
def test_a_caller_who_was_answered_is_told_why_it_ends(cause, said):
    book = travelling(f"hangup {cause}", answered=True)
    assert book.take() == [f"play prompt:{said}"]
    assert book.played().take() == [f"hang up {cause}"]


def test_a_normal_end_needs_no_words():
    assert travelling("hangup normal", answered=True).take() == ["hang up normal"]


def test_forwards_in_a_circle_end_as_a_loop():
    rules = [{"time_frame": "*", "forward_always": "user 101"}]
    assert travelling("user 101", office(rules=rules)).take() == ["hang up loop"]


def test_ten_stops_are_a_journey_the_eleventh_is_a_loop():
    book = travelling("device 101")
    for number in range(9):
        here, there = ("101", "102") if number % 2 == 0 else ("102", "101")
        book.hear(LegAnswered(here)).hear(TransferAsked(here, ToUser(extension=there), there))
        assert not book.done
    book.hear(LegAnswered("102")).hear(TransferAsked("102", ToUser(extension="101"), ""))
    assert book.said[-1] == "hang up loop"
