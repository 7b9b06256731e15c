"""A changed configuration counts for the next call at once and disturbs none that is in progress."""

from __future__ import annotations

from pbx.domain.removal import without
from pbx.events import CallEnded, QueueJoined
from tests.switch.town import Town, assert_at_rest, directory


def changed(town: Town, extension: str, **fields: object) -> None:
    users = tuple(
        user.model_validate({**dict(user), **fields}) if user.extension == extension else user
        for user in town.switch.directory.users
    )
    town.switch.apply(town.switch.directory.replaced(users=users), town.now)


def test_a_rule_counts_for_the_next_call_while_the_one_before_goes_on_ringing():
    town = Town(directory())
    ana, ben, cleo = town.phone("101"), town.phone("102"), town.phone("103")
    ana.dial("102")
    town.run(0.5)
    changed(town, "102", rules=[{"forward_always": "user 103"}])
    town.run(0.5)
    assert ben.talk.state == "ringing"
    town.phone("104").dial("102")
    town.run(0.5)
    assert cleo.talk.state == "ringing"
    ben.answer()
    town.run(0.5)
    assert ana.talk.state == ben.talk.state == "up"
    for phone in (ana, cleo):
        phone.hang_up()
    town.run(5.0)


def test_a_conversation_outlives_the_user_the_queue_and_the_number_it_came_by():
    town = Town(directory(domain={"name": "acme.lab", "platform": {"missing_references": "kept"}}))
    ben = town.phone("102")
    town.carrier.dial("+14165550100")
    town.run(2.0)
    town.carrier.press("2")
    town.run(2.0)
    ben.answer()
    town.run(1.0)
    assert ben.talk.state == "up"
    ended = len(town.seen(CallEnded))
    for kind, name in (("user", "102"), ("queue", "500"), ("attendant", "400"), ("number", "14165550100")):
        town.switch.apply(without(town.switch.directory, kind, name), town.now)
        town.run(1.0)
    assert (ben.talk.state, len(town.seen(CallEnded))) == ("up", ended)
    assert ben.heard[-1].startswith("signature:")
    town.carrier.hang_up()
    assert_at_rest(town)


def test_a_queue_that_needs_no_agent_any_more_takes_the_next_caller():
    town = Town(directory())
    ana = town.phone("101")
    ana.dial("502")
    town.run(0.5)
    assert town.seen(QueueJoined) == []
    strict = town.switch.directory.queues_by_extension["502"].model_copy(update={"require_agents": False})
    queues = tuple(strict if q.extension == "502" else q for q in town.switch.directory.queues)
    town.switch.apply(town.switch.directory.replaced(queues=queues), town.now)
    ana.hang_up()
    town.run(0.5)
    ana.dial("502")
    town.run(0.5)
    assert town.last(QueueJoined).queue == "502"
    ana.hang_up()
    assert_at_rest(town)
