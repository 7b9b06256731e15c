"""A caller in a conference room, as a conversation."""

import pytest
from pydantic import ValidationError

from pbx.callflow.conference import confer
from pbx.callflow.question import Asked
from pbx.callflow.routing import resolve_conference, route
from pbx.callflow.vocabulary import CALLER, ConferenceClosed, ConferenceOpened, Recorded
from pbx.domain.conferences import Conference
from pbx.events import ConferenceRefused
from tests.callflow.playbook import Playbook
from tests.callflow.small_office import EVERYBODY, moment, office

PINS = {"leader_pin": "9911", "participant_pin": "1234"}


def directory(**fields):
    return office(conferences=[{"extension": 600, "name": "Monday", **fields}])


def caller(*, caller="101", conference="begun", **fields):
    book = Playbook(directory(**fields))
    book.conference = conference
    found = resolve_conference(book.directory, "600", Asked("600", caller, caller, caller))
    assert found is not None
    return book.start(confer(book, found))


def test_without_pins_who_dials_the_room_is_in():
    book = caller()
    assert book.take() == ["answer", "join 600 as participant", "enter 600"]
    book.hang_up_caller()
    assert book.take() == ["leave 600"]


@pytest.mark.parametrize(("pin", "role"), [("1234#", "participant"), ("9911#", "leader"), ("9911", "leader")])
def test_the_pin_says_who_is_leader_and_who_participant(pin: str, role: str):
    book = caller(**PINS)
    assert book.take() == ["answer", "play prompt:conference-pin"]
    book.key(pin).wait(4)
    assert book.take() == ["stop", f"join 600 as {role}", "enter 600"]


@pytest.mark.parametrize("entered", ["", "#", "4711#", "0000000000"])
def test_three_wrong_pins_end_the_call(entered: str):
    book = caller(**PINS)
    for _ in range(3):
        book.played().key(entered).wait(9)
        assert book.said[-1] == "play prompt:conference-wrong-pin"
        book.played()
    assert [event.reason for event in book.events if isinstance(event, ConferenceRefused)] == ["wrong PIN"] * 3
    assert book.said[-1] == "play prompt:goodbye"
    assert book.played().goes_to == "hangup:normal"


def test_where_only_leaders_have_a_pin_who_enters_none_is_a_participant():
    book = caller(leader_pin="9911").key("#")
    assert book.take()[-2:] == ["join 600 as participant", "enter 600"]


def test_the_owner_is_the_leader_and_is_asked_for_nothing():
    assert caller(owner=101, **PINS).take() == ["answer", "join 600 as leader", "enter 600"]
    assert caller(caller="102", owner=101, **PINS).take() == ["answer", "play prompt:conference-pin"]


def test_who_comes_early_waits_on_music_until_it_begins():
    book = caller(conference="waiting", quorum=2, music="harp")
    assert book.take() == ["answer", "join 600 as participant", "play prompt:conference-waiting"]
    assert book.played().take() == ["play moh:harp"]
    book.hear(ConferenceOpened())
    assert book.take() == ["enter 600"]


def test_who_hangs_up_while_waiting_is_no_participant_any_more():
    book = caller(conference="waiting", quorum=2)
    book.hang_up_caller()
    assert book.take()[-1] == "leave 600"


def test_who_is_asked_for_its_name_is_announced_by_it():
    book = caller(ask_name=True)
    assert book.take() == ["answer", "play prompt:conference-name"]
    assert book.played().take() == ["play tone:beep"]
    book.played()
    assert book.take()[-1].startswith("record")
    book.recorded()
    assert book.take() == ["join 600 as participant by rec-1", "enter 600"]


def test_a_name_nobody_said_and_one_that_cannot_be_kept_are_none():
    book = caller(ask_name=True).played().played()
    book.hear(Recorded(CALLER, 0.0, "silence", "r1"))
    assert book.take()[-2:] == ["join 600 as participant", "enter 600"]
    full_disk = Playbook(directory(ask_name=True))
    full_disk.can_record = False
    found = resolve_conference(full_disk.directory, "600", Asked("600", "101", "101", "101"))
    assert full_disk.start(confer(full_disk, found)).take()[-1] == "enter 600"


def test_a_full_room_says_so():
    book = caller(conference="full", max_participants=2)
    assert book.take()[-1] == "play prompt:conference-full"
    assert book.played().goes_to == "hangup:normal"


@pytest.mark.parametrize("conference", ["begun", "waiting"])
def test_when_it_is_closed_everybody_is_told_and_leaves(conference: str):
    book = caller(conference=conference, leader_pin="9911", ends_with_leader=True).key("#")
    book.take()
    book.hear(ConferenceClosed())
    assert set(book.take()) == {"leave 600", "play prompt:conference-ended"}
    assert book.played().goes_to == "hangup:normal"


def test_the_decision_record_explains_the_room():
    asked = Asked("600", "101", "101", "101")
    found = route(directory(quorum=3, max_participants=9, **PINS), asked, EVERYBODY, moment())
    assert found.destination.label == found.record.outcome == "conference:600"
    said = {(it.step, it.rule): (it.verdict, it.saw, it.because) for it in found.record.decisions}
    assert said["conference", "600 Monday"] == ("✓", "at most 9", "takes callers")
    assert said["conference", "PIN"][0] == "·"
    assert said["then", "begins when"][1] == "3 are there"
    own = route(directory(owner=101, require_leader=True), asked, EVERYBODY, moment())
    said = {(it.step, it.rule): (it.verdict, it.saw) for it in own.record.decisions}
    assert said["conference", "PIN"] == ("✓", "101 is the owner")
    assert said["then", "begins when"][1] == "somebody is there and a leader"


def test_a_key_of_an_attendant_and_a_number_lead_to_a_room():
    room = directory()
    room = room.replaced(numbers=[{"number": 14165550199, "routes": [{"to": "conference 600"}]}])
    found = route(room, Asked("14165550199", "14165550142"), EVERYBODY, moment())
    assert found.record.outcome == "conference:600"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"leader_pin": "12"}, "leader_pin has 3 to 10 digits"),
        ({"participant_pin": "12a4"}, "participant_pin has 3 to 10 digits"),
        ({"leader_pin": "1234", "participant_pin": "1234"}, "give leaders one of their own"),
        ({"require_leader": True}, "give a leader_pin or an owner"),
        ({"ends_with_leader": True, "participant_pin": "1234"}, "give a leader_pin or an owner"),
        ({"quorum": 5, "max_participants": 4}, "never comes together"),
        ({"quorum": 0}, "greater than or equal to 1"),
    ],
)
def test_a_room_that_cannot_work_is_refused(fields: dict, why: str):
    with pytest.raises(ValidationError, match=why):
        Conference.model_validate({"extension": 600, "name": "Monday", **fields})


def test_pins_are_masked_wherever_a_room_is_shown():
    room = Conference.model_validate({"extension": 600, "name": "Monday", **PINS})
    assert "9911" not in repr(room) + room.model_dump_json()
    assert "9911" in room.model_dump_json(context={"secrets": True})
