"""RFC 3665: the basic call flows, whole, with the switch in the place of registrar and proxy.

The switch answers calls on its own account and places others (RFC 7092, a back-to-back user agent), so each flow of
the RFC shows twice, once a side. What the RFC shows between two proxies has no counterpart here.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.switch.ladders import Ladder, rungs
from tests.switch.town import Town

Flow = Callable[[Town, Ladder], None]


def new_registration(town: Town, ladder: Ladder) -> None:
    town.phone("101")


def contacts_are_asked_for(town: Town, ladder: Ladder) -> None:
    ana = town.phone("101")
    ladder.clear()
    answer = ana.request("REGISTER")
    assert [contact.partition(";")[0] for contact in answer.all("Contact")] == [f"<sip:101@{ana.host}:5060>"]


def registration_is_cancelled(town: Town, ladder: Ladder) -> None:
    ana = town.phone("101")
    ladder.clear()
    answer = ana.register(0)
    assert answer is not None
    assert answer.all("Contact") == []


def wrong_password(town: Town, ladder: Ladder) -> None:
    ana = town.phone("101", registered=False)
    answer = ana.register(password="guessed")
    assert answer is not None
    assert answer.status == 403


def established_and_ended(town: Town, ladder: Ladder) -> None:
    ana, ben = town.phone("101"), town.phone("102")
    ladder.clear()
    ana.dial("102")
    town.run(0.5)
    ben.answer()
    town.run(1.0)
    ben.hang_up()
    town.run(1.0)


def offer_changes(town: Town, ladder: Ladder) -> None:
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("102")
    town.run(0.5)
    ben.answer()
    town.run(1.0)
    ladder.clear()
    ana.reoffer("sendrecv")
    ben.hang_up()
    town.run(1.0)


def nobody_answers(town: Town, ladder: Ladder) -> None:
    ana, _ = town.phone("101"), town.phone("103")
    ladder.clear()
    ana.dial("103")
    town.run(2.0)
    ana.hang_up()
    town.run(1.0)


def busy(town: Town, ladder: Ladder) -> None:
    ana, cleo = town.phone("101"), town.phone("103")
    cleo.answers_with = 486
    ladder.clear()
    ana.dial("103")
    town.run(3.0)


def temporarily_away(town: Town, ladder: Ladder) -> None:
    ana, cleo = town.phone("101"), town.phone("103")
    cleo.answers_with = 480
    ladder.clear()
    ana.dial("103")
    town.run(3.0)


def no_response(town: Town, ladder: Ladder) -> None:
    ana, cleo = town.phone("101"), town.phone("103")
    cleo.rings = False
    cleo.receive = lambda data, source: None
    ladder.clear()
    ana.dial("103")
    town.run(40.0)


CHALLENGED = "ana > INVITE*  ana < 407  ana > ACK  ana > INVITE*  "
FLOWS: dict[str, tuple[Flow, str]] = {
    "2.1": (new_registration, "ana > REGISTER  ana < 407  ana > REGISTER  ana < 200"),
    "2.3": (contacts_are_asked_for, "ana > REGISTER  ana < 407  ana > REGISTER  ana < 200"),
    "2.4": (registration_is_cancelled, "ana > REGISTER  ana < 407  ana > REGISTER  ana < 200"),
    "2.5": (wrong_password, "ana > REGISTER  ana < 407  ana > REGISTER  ana < 403"),
    "3.3": (established_and_ended, CHALLENGED + """
        ana < 180  ben < INVITE*  ben > 180  ben > 200*  ben < ACK  ana < 200*  ana > ACK
        ben > BYE  ben < 200  ana < BYE  ana > 200"""),
    "3.7": (offer_changes, "ana > INVITE*  ana < 200*  ana > ACK  ben > BYE  ben < 200  ana < BYE  ana > 200"),
    "3.8": (nobody_answers, CHALLENGED + """
        ana < 180  cleo < INVITE*  cleo > 180
        ana > CANCEL  ana < 200  ana < 487  cleo < CANCEL  ana > ACK  cleo > 200  cleo > 487  cleo < ACK"""),
    "3.9": (busy, CHALLENGED + "ana < 180  cleo < INVITE*  cleo > 486  cleo < ACK  ana < 486  ana > ACK"),
    "3.10": (no_response, CHALLENGED + """
        ana < 180  cleo < INVITE*  cleo < INVITE*  cleo < INVITE*  cleo < INVITE*  ana < 480  ana > ACK
        cleo < INVITE*  cleo < INVITE*  cleo < INVITE*"""),
    "3.11": (temporarily_away, CHALLENGED + "ana < 180  cleo < INVITE*  cleo > 480  cleo < ACK  ana < 480  ana > ACK"),
}  # fmt: skip
"""A new address of Ben's is no matter of the switch's other side: it relays the media (3.7). Nobody may cancel what was
never answered at all (3.10, RFC 3261 §9.1): the INVITE is repeated until 64·T1. A late offer (3.6) has a test of its
own among those of the switch."""


@pytest.mark.parametrize("section", FLOWS)
def test_the_flow_of_a_section_is_the_whole_ladder(town, section):
    flow, expected = FLOWS[section]
    ladder = Ladder(town)
    flow(town, ladder)
    assert ladder.rungs == rungs(expected)
