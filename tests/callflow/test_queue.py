"""A caller in a queue, as a conversation."""

from playbook import Playbook
from small_office import office

from pbx.callflow.queue import wait_in_queue
from pbx.callflow.vocabulary import AgentsOffered, LegAnswered, LegGone, LegRefused
from pbx.events import Event


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
    assert book.take() == ["drop 101", "drop 101a", "leave 500 answered 102", "connect 102"]
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


def test_nothing_is_published_by_the_script_itself():
    events: list[Event] = start().hear(AgentsOffered(("102",))).events
    assert events == []
