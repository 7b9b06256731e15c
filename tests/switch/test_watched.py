"""Lamps of what is no telephone: queues and agents; park slots are in `test_parking` (I11)."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from pbx.domain.queues import AgentStatus
from pbx.events import BusyLampSent
from tests.switch.test_packages import ACTIVITY, states
from tests.switch.town import Town, directory


def lamps(town: Town, resource: str) -> list[str]:
    return [lamp.state for lamp in town.seen(BusyLampSent) if lamp.extension == resource]


def test_the_lamp_of_a_queue_says_who_waits(town):
    dev = town.phone("104")
    assert dev.watch("dialog", "500").status == 200
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("500")
    town.run(2.5)
    assert states(dev.told("dialog")[-1]) == [("recipient", "early")]
    assert b"sip:101@acme.lab" in dev.told("dialog")[-1].body
    ben.answer()
    town.run(1.5)
    assert lamps(town, "500") == ["idle", "ringing", "idle"]
    ana.hang_up()


def test_the_lamp_of_an_agent_says_whether_it_works(town):
    ana, ben = town.phone("101"), town.phone("102")
    assert ana.watch("dialog", "agent-102").status == 200
    for status in (AgentStatus.LUNCH, AgentStatus.LOGGED_OUT):
        town.switch.set_agent_status("102", status, town.now)
        town.run(1.5)
    ben.dial("*88")
    town.run(3.0)
    assert lamps(town, "agent-102") == ["in-use", "ringing", "idle", "in-use"]


@pytest.mark.parametrize("resource", ["agent-101", "agent-199", "agent-", "600"])
def test_what_is_neither_cannot_be_watched(town, resource):
    assert town.phone("101").watch("dialog", resource).status == 404


def test_a_lamp_ends_with_its_queue(town):
    ana = town.phone("101")
    ana.watch("dialog", "501")
    document = directory()
    queues = [queue for queue in document.queues if queue.extension != "501"]
    town.switch.apply(document.replaced(queues=queues), town.now)
    town.run(1.0)
    assert ana.told("dialog")[-1].get("Subscription-State") == "terminated;reason=noresource"


@pytest.mark.parametrize(
    ("status", "activity"),
    [(AgentStatus.LUNCH, "meal"), (AgentStatus.BREAK, "away"), (AgentStatus.MEETING, "meeting")],
)
def test_presence_says_what_keeps_an_agent_away(town, status, activity):
    ana = town.phone("101")
    town.phone("102")
    ana.watch("presence", "102")
    town.switch.set_agent_status("102", status, town.now)
    town.run(1.5)
    (found,) = ElementTree.fromstring(ana.told("presence")[-1].body).findall(ACTIVITY)
    assert found.tag.endswith(f"}}{activity}")
