"""The attendant, as a conversation."""

import pytest

from pbx.callflow.attendant import attend
from pbx.callflow.decisions import DecisionRecord
from pbx.callflow.question import AttendantRoute
from pbx.callflow.routing import resolve_attendant
from pbx.domain.kept import KeptPrompt
from pbx.events import MenuChosen, MenuEntered, NameSearched
from tests.callflow.playbook import Playbook
from tests.callflow.small_office import moment, office, user


def attendant(**main):
    menus = [
        {"name": "main", "greeting": "attendant-welcome", "keys": {1: "user 101", 3: "menu sales", "*": "repeat"},
         "tries": 2, **main},
        {"name": "sales", "greeting": "attendant-sales", "keys": {9: "menu main", 0: "hangup"}},
    ]  # fmt: skip
    directory = office(attendants=[{"extension": 400, "name": "Main", "menus": menus}], numbers=[])
    found = directory.attendants_by_extension["400"]
    book = Playbook(directory)
    return book.start(attend(book, entered(found, "office")))


def entered(attendant, time_frame="", intro=""):
    return AttendantRoute(attendant, attendant.menus[0], time_frame, DecisionRecord("", "", ()), intro)


def chosen(book):
    return [(e.menu, e.keys, e.destination) for e in book.events if isinstance(e, MenuChosen)]


def test_it_answers_greets_and_a_key_leads_on():
    book = attendant()
    assert book.take() == ["answer", "play prompt:attendant-welcome"]
    book.key("1").wait(3)
    assert book.goes_to == "user:101"
    assert chosen(book) == [("main", "1", "user:101")]
    told = [e for e in book.events if isinstance(e, MenuEntered)]
    assert [(e.attendant, e.menu, e.time_frame) for e in told] == [("400", "main", "office")]


def test_a_key_silences_the_greeting():
    book = attendant().key("3")
    assert book.take()[2:] == ["stop", "play prompt:attendant-sales"]


def test_a_key_after_the_greeting_has_its_time():
    book = attendant().played().wait(4.9)
    assert len(book.take()) == 2
    book.key("1").wait(3)
    assert book.goes_to == "user:101"


def test_no_key_repeats_and_then_hangs_up_with_a_goodbye():
    book = attendant().played().wait(5)
    assert book.take()[2:] == ["play prompt:attendant-welcome"]
    book.played().wait(5)
    assert book.take() == ["play prompt:goodbye"]
    book.played()
    assert book.goes_to == "hangup:normal"
    assert chosen(book) == [("main", "", "hangup:normal")]


def test_an_unassigned_key_is_said_to_be_none_and_the_menu_repeats():
    book = attendant().key("8")
    assert book.take()[2:] == ["stop", "play prompt:invalid-key"]
    book.played()
    assert book.take() == ["play prompt:attendant-welcome"]
    book.key("8").played()
    assert chosen(book) == [("main", "8", "hangup:normal")]


def test_a_key_that_repeats_is_no_mistake():
    book = attendant().key("*")
    assert book.take()[2:] == ["stop", "play prompt:attendant-welcome"]


def test_submenus_lead_there_and_back():
    book = attendant().key("3").key("9").key("1").wait(3)
    assert chosen(book) == [("main", "3", "attendant:400/sales"), ("sales", "9", "attendant:400/main"),
                            ("main", "1", "user:101")]  # fmt: skip


def test_a_key_may_hang_up():
    assert attendant().key("3").key("0").played().goes_to == "hangup:normal"


@pytest.mark.parametrize(
    ("keys", "goes_to"),
    [("102", "user:102"), ("500", "queue:500"), ("400", "attendant:400/main"), ("102#", "user:102")],
)
def test_an_extension_may_be_dialled(keys, goes_to):
    assert attendant().key(keys).wait(3).goes_to == goes_to


def test_a_key_that_begins_an_extension_waits_for_the_next_key():
    book = attendant().key("1").wait(2.9)
    assert not book.done
    book.key("0").wait(2.9).key("2")
    assert book.goes_to == "user:102"


def test_a_number_that_is_no_extension_is_unassigned():
    book = attendant(unassigned_key="user 103").key("19").wait(3)
    assert (book.goes_to, chosen(book)) == ("user:103", [("main", "19", "user:103")])


@pytest.mark.parametrize("lengths", [[], [4]])
def test_a_length_that_may_not_be_dialled_is_refused(lengths):
    book = attendant(dial_by_extension=lengths, unassigned_key="hangup").key("5")
    assert chosen(book) == [("main", "5", "hangup:normal")]


def test_keys_typed_ahead_go_through_the_menus():
    assert attendant().key("391").wait(3).goes_to == "user:101"


def test_menus_that_lead_on_by_themselves_are_a_loop():
    menus = [{"name": name, "no_key": f"menu {other}", "first_key_s": 1} for name, other in (("a", "b"), ("b", "a"))]
    directory = office(attendants=[{"extension": 400, "name": "Main", "menus": menus}], numbers=[])
    found = directory.attendants_by_extension["400"]
    book = Playbook(directory)
    book.start(attend(book, entered(found)))
    for _ in range(12):
        if not book.done:
            book.played().wait(1)
    assert book.goes_to == "hangup:loop"


def test_a_prompt_whose_end_is_never_reported_does_not_hang_the_call():
    book = attendant().wait(2000)
    assert book.goes_to == "hangup:normal"


# --- intros, messages, prompts of one's own -------------------------------------------------------------


def with_intros(*intros):
    menus = [{"name": "main", "keys": {1: "user 101"}, "tries": 2}]
    return office(attendants=[{"extension": 400, "name": "Main", "menus": menus, "intros": intros}], numbers=[])


@pytest.mark.parametrize(
    ("at", "intro"),
    [("2026-11-24T12:30", "bon-appetit"), ("2026-12-25T12:30", "merry"), ("2026-11-24T10:00", "hello")],
)
def test_the_intro_is_that_of_the_first_time_frame_that_covers_the_moment(at, intro):
    directory = with_intros(
        {"prompt": "hello"},
        {"time_frame": "christmas", "prompt": "merry"},
        {"time_frame": "lunch", "prompt": "bon-appetit"},
    )
    assert resolve_attendant(directory, "400", "main", moment(at)).intro == intro


def test_out_of_its_time_frames_there_is_no_intro():
    directory = with_intros({"time_frame": "christmas", "prompt": "merry"})
    assert resolve_attendant(directory, "400", "main", moment()).intro == ""


def test_an_intro_is_heard_once_and_a_key_skips_it():
    directory = with_intros()
    found = directory.attendants_by_extension["400"]
    book = Playbook(directory)
    book.start(attend(book, entered(found, intro="hello")))
    assert book.take()[1] == "play prompt:hello+attendant-welcome"
    book.played().wait(5)
    assert book.take() == ["play prompt:attendant-welcome"]
    book = Playbook(directory)
    book.start(attend(book, entered(found, intro="hello"))).key("1").wait(3)
    assert book.goes_to == "user:101"


def test_a_message_is_played_and_the_menu_comes_again():
    book = attendant(keys={7: "message hours"}).key("7")
    assert book.take()[-1] == "play prompt:hours"
    book.played()
    assert book.take() == ["play prompt:attendant-welcome"]
    assert chosen(book) == [("main", "7", "message:hours")]


def test_a_prompt_of_the_domain_goes_before_the_one_that_ships():
    menus = [{"name": "main", "keys": {1: "user 101"}}]
    book = Playbook(office(attendants=[{"extension": 400, "name": "Main", "menus": menus}], numbers=[]))
    book.kept = [KeptPrompt("", "attendant-welcome", "ours", 2.0, "upload")]
    book.start(attend(book, entered(book.directory.attendants_by_extension["400"])))
    assert book.take()[1] == "play prompt:recording:ours"


def test_voicemail_its_management_and_numbers_outside_are_reached_by_a_key():
    keys = {6: "mailbox 101", 7: "voicemail-login", 8: "external 14165550199", 9: "voicemail-login 101"}
    for pressed, goes_to in (
        ("6", "mailbox:101"), ("7", "voicemail-login:"), ("8", "external:14165550199"), ("9", "voicemail-login:101")
    ):  # fmt: skip
        assert attendant(keys=keys).key(pressed).goes_to == goes_to


@pytest.mark.parametrize("pressed", list("0123456789*#"))
def test_every_key_may_be_assigned(pressed):
    book = attendant(keys={pressed: "user 103"}, dial_by_extension=[]).key(pressed)
    assert book.goes_to == "user:103"


# --- dial by name ---------------------------------------------------------------------------------------


def by_name(*people, keys):
    """An attendant whose key 9 finds people, and what is pressed there."""
    menus = [{"name": "main", "keys": {9: "directory"}, "dial_by_extension": []}]
    attendants = [{"extension": 400, "name": "Main", "menus": menus}]
    users = [user(extension, first, last_name=last) for extension, first, last in people]
    plain = {"devices": [], "queues": [], "numbers": []}
    book = Playbook(office(users=users, attendants=attendants, **plain))
    book.start(attend(book, entered(book.directory.attendants_by_extension["400"])))
    book.key(f"9{keys}")
    return book


ANA, SAM, SUE = (101, "Ana", "Silva"), (102, "Sam", "Silver"), (103, "Sue", "Young")


def test_three_keys_find_the_only_person_they_mean():
    book = by_name(ANA, SUE, keys="745")
    assert book.take()[-1] == "play prompt:name-calling+extension+digit-1+digit-0+digit-1"
    assert [e.found for e in book.events if isinstance(e, NameSearched)] == ["101"]
    assert chosen(book) == [("main", "9", "directory")]
    assert book.played().goes_to == "user:101"


def test_several_of_that_name_are_offered_by_the_names_they_recorded():
    book = by_name(ANA, SAM, SUE, keys="74")
    book.kept = [KeptPrompt("102", "name", "sam", 1.0, "call")]
    book.key("5")
    assert book.take()[-1] == (
        "play prompt:extension+digit-1+digit-0+digit-1+name-press+digit-1+recording:sam+name-press+digit-2"
    )
    assert book.key("2").goes_to == "user:102"


def test_nobody_of_that_name_is_said_and_asked_again_and_no_letters_lead_back():
    book = by_name(ANA, keys="999")
    assert book.take()[-1] == "play prompt:name-nobody"
    book.played()
    assert book.take() == ["play prompt:name-enter"]
    book.key("#")
    assert book.take()[-1] == "play prompt:attendant-welcome"


def test_more_people_than_keys_come_in_pages():
    many = [(100 + number, "A", "Silva") for number in range(1, 13)]
    book = by_name(*many, keys="745")
    assert book.take()[-1].endswith("name-more+digit-9")
    book.key("9")
    assert book.take()[-1].startswith("play prompt:extension+digit-1+digit-0+digit-9+name-press+digit-1+")
    assert book.key("4").goes_to == "user:112"


@pytest.mark.parametrize("fields", [{"audio_directory": False}, {"service_code": "system-aa"}])
def test_who_is_in_no_directory_is_not_found(fields):
    directory = office(users=[user(101, "Ana", last_name="Silva", **fields)], devices=[], queues=[], numbers=[],
                       attendants=[])  # fmt: skip
    assert directory.people_by_name("745") == ()
