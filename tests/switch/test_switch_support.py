"""611 and the provider's number: the provider's own domain answers everybody, always; tickets tell of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pbx.domain.support import SUCCESS_BOX, support_domain
from pbx.events import LegInvited, MenuEntered, QueueLeft, TicketAnswered, TicketOpened, VoicemailLeft
from pbx.sip.uri import NameAddr
from tests.switch.town import DOMAIN, Town, assert_at_rest, directory

AGENT = "18885550161"


def support_called(town: Town, device: str = "101", dialled: str = "611"):
    phone = town.phone(device)
    phone.dial(dialled)
    town.run(3.0)  # the announcement is over
    return phone


def test_611_comes_to_the_menu_and_key_three_to_an_agent(town):
    ana = support_called(town)
    assert town.last(MenuEntered).attendant == "611"
    ana.press("3")
    town.run(1.0)
    assert town.last(LegInvited).number == AGENT
    town.carrier.answer()
    town.run(2.0)
    assert town.last(QueueLeft).outcome == "answered"
    opened, answered = town.last(TicketOpened), town.last(TicketAnswered)
    assert (opened.team, opened.extension, opened.answer_by) == ("technical support", "101", "")
    assert (answered.ticket, answered.by) == (opened.ticket, AGENT)
    assert town.carrier.heard[-1].startswith("signature:101")
    ana.hang_up()


@pytest.mark.parametrize("device", ["103", "104"])  # barred from calling outside; not to be disturbed
def test_nothing_bars_it(town, device):
    phone = support_called(town, device)
    assert phone.talk.state == "up"
    assert town.last(MenuEntered).menu == "main"
    phone.hang_up()


def test_the_providers_number_reaches_the_same_attendant_from_inside_and_outside(town):
    cleo = support_called(town, "103", "18775550161")
    town.carrier.dial("+18775550161", who=NameAddr(f"sip:+14165550142@{DOMAIN}"))
    town.run(3.0)
    assert [entered.attendant for entered in town.seen(MenuEntered)] == ["611", "611"]
    assert [ticket.caller_number for ticket in town.seen(TicketOpened)] == ["103", "14165550142"]
    cleo.hang_up()
    town.carrier.hang_up()


def test_a_queue_of_the_house_and_that_of_the_support_do_not_meet(town):
    ben = town.phone("102")
    ana = support_called(town)
    ana.press("3")
    town.run(1.0)
    assert ben.talks == []
    ana.dial("500")
    town.run(3.0)
    assert ben.talk.state == "ringing"
    for talk in ana.talks:
        ana.hang_up(talk)


def at(town: Town, text: str) -> None:
    """Let the wall clock be `text`, Toronto's."""
    wanted = datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(hours=5)
    town.mono = town.mono + max(0.0, (wanted - town.now.wall).total_seconds())


def test_out_of_hours_a_message_is_taken(town):
    town.phone("101")
    at(town, "2026-11-28T03:00")  # a Saturday
    ana = town.phone("102")
    ana.dial("611")
    town.run(30.0)
    assert town.last(MenuEntered).menu == "closed"
    town.run(20.0)
    ana.hang_up()
    town.run(2.0)
    left, ticket = town.last(VoicemailLeft), town.last(TicketOpened)
    assert (left.box, ticket.team) == ("70613", "technical support")
    assert ticket.answer_by == "2026-11-30T22:00:00+00:00"  # Monday, when the day's work ends


def test_a_request_to_the_success_team_is_answered_within_one_business_day(town):
    ana = support_called(town)
    ana.press("1")
    town.run(15.0)
    ana.hang_up()
    town.run(2.0)
    ticket = town.last(TicketOpened)
    assert ticket.team == "success team"
    assert ticket.answer_by.startswith("2026-11-25T15:00")  # Tuesday 10:00 in Toronto and a day
    town.run(20 * 3600.0)
    assert [answer for answer in town.seen(TicketAnswered) if answer.ticket == ticket.ticket] == []
    town.run(3 * 3600.0)  # Wednesday, 9 o'clock
    assert town.last(TicketAnswered).ticket == ticket.ticket
    assert [message.folder for message in town.switch.history.messages(SUCCESS_BOX)] == ["saved"]


def test_the_providers_extensions_are_those_no_customer_can_have():
    support = support_domain()
    document = support.model_dump(mode="json")
    with pytest.raises(ValueError, match="attendant 611: 611 is reserved and never an extension"):
        type(support).model_validate({**document, "domain": {**document["domain"], "kind": "customer"}})
    with pytest.raises(ValueError, match="user 101: a provider's extension is a reserved number, as 611"):
        directory(domain={"name": "acme.lab", "kind": "provider"})
    with pytest.raises(ValueError, match="number 18775550161: it is the provider's own; take another"):
        directory(numbers=[{"number": 18775550161}])


def test_it_leaves_nothing_behind():
    town = Town(directory())
    support_called(town).hang_up()
    assert_at_rest(town)
