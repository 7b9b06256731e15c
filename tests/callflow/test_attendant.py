"""The attendant, as a conversation."""

import pytest

from pbx.callflow.attendant import attend
from pbx.events import MenuChosen, MenuEntered
from tests.callflow.playbook import Playbook
from tests.callflow.small_office import office


def attendant(**main):
    menus = [
        {"name": "main", "greeting": "attendant-welcome", "keys": {1: "user 101", 3: "menu sales", "*": "repeat"},
         "tries": 2, **main},
        {"name": "sales", "greeting": "attendant-sales", "keys": {9: "menu main", 0: "hangup"}},
    ]  # fmt: skip
    directory = office(attendants=[{"extension": 400, "name": "Main", "menus": menus}], numbers=[])
    found = directory.attendants_by_extension["400"]
    book = Playbook(directory)
    return book.start(attend(book, found, found.menus[0], "office"))


def chosen(book):
    return [(e.menu, e.keys, e.destination) for e in book.events if isinstance(e, MenuChosen)]


def test_it_answers_greets_and_a_key_leads_on():
    book = attendant()
    assert book.take() == ["answer", "play prompt:attendant-welcome"]
    book.key("1").wait(3)
    assert book.goes_to == "user:101"
    assert chosen(book) == [("main", "1", "user:101")]
    entered = [e for e in book.events if isinstance(e, MenuEntered)]
    assert [(e.attendant, e.menu, e.time_frame) for e in entered] == [("400", "main", "office")]


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
    book.start(attend(book, found, found.menus[0], ""))
    for _ in range(12):
        if not book.done:
            book.played().wait(1)
    assert book.goes_to == "hangup:loop"


def test_a_prompt_whose_end_is_never_reported_does_not_hang_the_call():
    book = attendant().wait(2000)
    assert book.goes_to == "hangup:normal"
