"""A caller in a queue, as a conversation."""

import pytest

from pbx.callflow.question import Asked
from pbx.callflow.queue import wait_in_queue
from pbx.callflow.vocabulary import CALLER, AgentsOffered, KeyPressed, LegAnswered, LegGone, LegRefused
from pbx.events import CallbackAsked, CallbackBegun, CallbackExpired, Event
from tests.callflow.playbook import Playbook
from tests.callflow.small_office import office


def queued(**fields):
    queue = {"extension": 500, "name": "Care", "site": "Toronto", "agent_ring_s": 3, "overflow": "mailbox 101",
             "agents": [{"extension": 101}, {"extension": 102}], **fields}  # fmt: skip
    directory = office(queues=[queue], numbers=[], attendants=[])
    book = Playbook(directory)
    return book, wait_in_queue(book, directory.queues_by_extension["500"])


def start(**fields):
    book, script = queued(**fields)
    return book.start(script)


def test_the_greeting_is_heard_before_agents_are_offered():
    book = start(greeting="queue-welcome")
    assert book.take() == ["join 500", "answer", "play prompt:queue-welcome"]
    book.played()
    assert book.take() == ["play moh:jazz", "ready 500"]


def test_the_agents_offered_ring_while_the_music_plays():
    book = start()
    assert book.take() == ["join 500", "answer", "play moh:jazz", "ready 500"]
    book.hear(AgentsOffered(("101", "102")))
    assert book.take() == ["dial 101", "dial 101a", "dial 102"]
    book.hear(LegAnswered("102"))
    assert book.take() == [
        "answered elsewhere 101",
        "answered elsewhere 101a",
        "taken 500 by 102 on 102",
        "connect 102",
    ]
    book.hear(LegGone("102", 16))
    assert (book.goes_to, book.take()) == ("", [])


def test_an_agent_who_does_not_answer_is_missed_and_the_caller_waits_on():
    book = start().hear(AgentsOffered(("102",))).wait(3)
    assert book.said[-2:] == ["drop 102", "missed 500 102"]
    book.hear(AgentsOffered(("102",))).hear(LegRefused("102", 486))
    assert book.said[-2:] == ["dial 102", "missed 500 102"]
    assert not book.done


def test_the_longest_wait_leads_to_the_overflow_and_cuts_the_ringing_short():
    book = start(max_wait_s=4).wait(2).hear(AgentsOffered(("102",))).wait(2)
    assert book.said[-3:] == ["drop 102", "missed 500 102", "leave 500 overflow"]
    assert book.goes_to == "mailbox:101"


def test_without_a_longest_wait_the_caller_waits_for_ever():
    assert not start().wait(1e6).done


def test_a_queue_that_takes_nobody_overflows_without_answering():
    book, script = queued()
    book.takes_callers = False
    assert book.start(script).take() == ["join 500"]
    assert book.goes_to == "mailbox:101"


def test_without_an_overflow_the_call_ends():
    book = start(overflow=None, max_wait_s=1).wait(1)
    assert book.goes_to == "hangup:no-answer"


def test_a_caller_who_hangs_up_has_abandoned_the_queue():
    book = start().hear(AgentsOffered(("102",)))
    book.take()
    book.hang_up_caller()
    assert book.take() == ["drop 102", "leave 500 abandoned"]


def test_refused_callers_may_go_elsewhere_than_those_who_waited_in_vain():
    book, script = queued(unavailable="user 102")
    book.takes_callers = False
    assert book.start(script).goes_to == "user:102"
    assert start(unavailable="user 102", max_wait_s=1).wait(1).goes_to == "mailbox:101"


def test_a_greeting_that_need_not_be_heard_plays_while_agents_ring_and_music_follows():
    book = start(greeting="queue-welcome", force_greeting=False)
    assert book.take() == ["join 500", "answer", "play prompt:queue-welcome", "ready 500"]
    book.hear(AgentsOffered(("102",))).played()
    assert book.take() == ["dial 102", "play moh:jazz"]
    book.wait(3)
    assert book.take() == ["drop 102", "missed 500 102"]


def test_the_place_is_announced_again_and_again():
    book, script = queued(announce="callers ahead", announce_every_s=10)
    book.place = 12
    book.start(script)
    assert book.take() == ["join 500", "answer", "play prompt:queue-position+number-12", "ready 500"]
    book.wait(60)
    assert book.take() == []  # not before the last one has been heard
    book.place = 3
    book.played().wait(9)
    assert book.take() == ["play moh:jazz"]
    book.wait(1)
    assert book.take() == ["play prompt:queue-position+digit-3"]


def test_the_expected_wait_is_announced_once_in_whole_minutes():
    book, script = queued(announce="expected wait", greeting="queue-welcome", force_greeting=False)
    book.expected_s = 130.0
    book.start(script).played().wait(3600)
    assert book.take() == [
        "join 500", "answer", "play prompt:queue-welcome+queue-wait+digit-3", "ready 500", "play moh:jazz",
    ]  # fmt: skip


OFF_NET = {"agents": [{"extension": 102}, {"number": 14165550199, "confirm": True}]}


def test_an_outside_agent_has_the_call_when_it_presses_1_and_the_others_ring_on_till_then():
    """H11."""
    book = start(**OFF_NET).hear(AgentsOffered(("102", "14165550199")))
    book.take()
    book.hear(LegAnswered("14165550199"))
    assert book.take() == ["tell 14165550199 prompt:confirm-call"]
    book.hear(KeyPressed("14165550199", "5"))
    assert book.take() == []
    book.hear(KeyPressed("14165550199", "1"))
    assert book.take() == ["answered elsewhere 102", "taken 500 by 14165550199 on 14165550199", "connect 14165550199"]


def test_who_never_confirms_has_missed_the_call():
    book = start(**OFF_NET).hear(AgentsOffered(("14165550199",))).hear(LegAnswered("14165550199")).wait(3)
    assert book.said[-2:] == ["drop 14165550199", "missed 500 14165550199"]
    book.hear(AgentsOffered(("14165550199",))).hear(LegAnswered("14165550199")).hear(LegGone("14165550199", 16))
    assert book.said[-1] == "missed 500 14165550199"


def test_an_agent_may_be_one_device():
    book = start(agents=[{"device": "101a"}]).hear(AgentsOffered(("101a",))).hear(LegAnswered("101a"))
    assert book.take()[-3:] == ["dial 101a", "taken 500 by 101a on 101a", "connect 101a"]


def test_nothing_is_published_by_the_script_itself():
    events: list[Event] = start().hear(AgentsOffered(("102",))).events
    assert events == []


# --- called back (H08) ----------------------------------------------------------------------------------

OFFER = "play prompt:queue-callback-offer"
AGREED = "play prompt:queue-callback-agreed+goodbye"


def waiting(number="14165550142", **fields):
    """A caller who has heard the offer of a call back."""
    book, script = queued(callback_hours=2, max_wait_s=60, **fields)
    book.asked = Asked("500", number)
    book.start(script)
    book.take()
    return book.wait(1)


OVER = "promise to 14165550142 is over"


def test_a_caller_who_presses_1_is_let_go_and_keeps_its_place():
    book, script = queued(callback_hours=2)
    book.asked = Asked("500", "14165550142")
    assert book.start(script).take() == ["join 500", "answer", OFFER, "ready 500"]
    book.wait(1).key("1")
    assert book.take() == ["goes on alone", "promise 14165550142 a call back", AGREED]
    book.played()
    assert book.take() == ["let caller go"]
    assert [(e.queue, e.number) for e in book.events if isinstance(e, CallbackAsked)] == [("500", "14165550142")]
    assert not book.wait(3600).done


def test_when_an_agent_is_there_the_caller_is_called():
    book = waiting().key("1").played()
    book.take()
    book.hear(AgentsOffered(("102",))).hear(LegAnswered("102"))
    said = "play prompt:queue-callback+" + "+".join(f"digit-{digit}" for digit in "4165550142")
    assert book.take() == ["dial 102", "taken 500 by 102 on 102", OVER, "seat 102", said]
    assert book.played().goes_to == "external:14165550142"
    assert [(e.number, e.agent) for e in book.events if isinstance(e, CallbackBegun)] == [("14165550142", "102")]


def test_a_caller_inside_is_called_by_extension():
    book = waiting("103").key("1").played().hear(AgentsOffered(("102",))).hear(LegAnswered("102"))
    assert book.played().goes_to == "user:103"


def test_who_hangs_up_as_soon_as_it_has_pressed_1_is_called_back_too():
    book = waiting().key("1").hear(LegGone(CALLER, 16)).played()
    assert book.take()[-1] == AGREED
    book.hear(AgentsOffered(("102",))).hear(LegAnswered("102"))
    assert "seat 102" in book.take()


def test_an_agent_who_answers_while_the_caller_is_told_so_calls_back_all_the_same():
    book = waiting().key("1").hear(AgentsOffered(("102",))).hear(LegAnswered("102"))
    assert book.take()[-5:-1] == ["let caller go", "taken 500 by 102 on 102", OVER, "seat 102"]


def test_the_hours_a_call_back_is_kept_replace_the_longest_wait():
    book = waiting().key("1").played().wait(2 * 3600 - 5)
    assert not book.done
    book.wait(5)
    assert book.goes_to == "hangup:no-answer"
    assert book.said[-1] == "leave 500 overflow"
    assert [e.number for e in book.events if isinstance(e, CallbackExpired)] == ["14165550142"]


@pytest.mark.parametrize(
    ("asked", "hours"),
    [(Asked("500", ""), 2), (Asked("500", "4"), 2), (Asked("500", "14165550142", private=True), 2),
     (Asked("500", "14165550142"), 0)],
)  # fmt: skip
def test_there_is_no_offer_to_who_cannot_be_called_or_where_it_is_not_set(asked, hours):
    book, script = queued(callback_hours=hours)
    book.asked = asked
    book.start(script)
    assert OFFER not in book.take()
    book.wait(1).key("1")
    assert book.take() == []


def test_keys_typed_ahead_are_no_wish_to_be_called_back():
    book, script = queued(callback_hours=2, greeting="queue-welcome")
    book.asked = Asked("500", "14165550142")
    book.start(script).key("1").played()
    assert "goes on alone" not in book.take()
