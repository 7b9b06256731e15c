"""RFC 5359: the service examples, whole ladders, as far as the switch offers the service.

Not offered by signalling: instant messaging (2.6), a third party joined by the phones (2.10, 2.11), park (2.15),
automatic redial (2.17), click to dial (2.18).
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.switch.ladders import Ladder, rungs
from tests.switch.test_replacing import dialog_of
from tests.switch.town import Phone, Town, assert_at_rest, directory

Flow = Callable[[Town, Ladder], None]


def talking(town: Town, ladder: Ladder) -> tuple[Phone, Phone, Phone]:
    """Ana talks to Ben; Cleo is there. The ladder begins here."""
    ana, ben, cleo = town.phone("101"), town.phone("102"), town.phone("103")
    ana.dial("102")
    town.run(0.5)
    ben.answer()
    town.run(1.0)
    ladder.clear()
    return ana, ben, cleo


def hold_and_resume(town: Town, ladder: Ladder) -> None:
    ana, ben, _ = talking(town, ladder)
    ben.reoffer("sendonly")
    town.run(0.5)
    assert ana.heard[-1].startswith("moh:")
    ben.reoffer("sendrecv")
    town.run(0.5)
    assert ana.heard[-1] == "signature:102"
    ana.hang_up()
    town.run(1.0)


def consultation_hold(town: Town, ladder: Ladder) -> None:
    ana, ben, cleo = talking(town, ladder)
    first = ana.talk
    ana.reoffer("sendonly")
    second = ana.dial("103")
    town.run(0.5)
    cleo.answer()
    town.run(0.5)
    ana.hang_up(second)
    town.run(0.5)
    ana.talks.append(first)
    ana.reoffer("sendrecv")
    assert ben.heard[-1] == "signature:101"
    ben.hang_up()
    town.run(1.0)


def unattended_transfer(town: Town, ladder: Ladder) -> None:
    ana, ben, cleo = talking(town, ladder)
    ben.refer("sip:103@acme.lab")
    cleo.answer()
    town.run(1.0)
    assert (ana.heard[-1], cleo.heard[-1]) == ("signature:103", "signature:101")
    ana.hang_up()
    town.run(1.0)


def attended_transfer(town: Town, ladder: Ladder) -> None:
    ana, ben, cleo = talking(town, ladder)
    first = ben.talk
    ben.reoffer("sendonly")
    second = ben.dial("103")
    town.run(0.5)
    cleo.answer()
    town.run(0.5)
    ben.refer_into(second, first)
    town.run(1.0)
    assert (ana.heard[-1], cleo.heard[-1]) == ("signature:103", "signature:101")
    ana.hang_up()
    town.run(1.0)


def forwarded(town: Town, ladder: Ladder, ben_says: int = 0) -> None:
    """Ana calls Ben, Cleo answers."""
    ana, ben, cleo = town.phone("101"), town.phone("102"), town.phone("103")
    ben.answers_with = ben_says
    ladder.clear()
    ana.dial("102")
    town.run(1.0)
    if not cleo.talks:
        town.run(4.0)  # Ben's phone rings so long
    cleo.answer()
    town.run(0.5)
    cleo.hang_up()
    town.run(1.0)


def forwarded_when_busy(town: Town, ladder: Ladder) -> None:
    forwarded(town, ladder, 486)


def find_me(town: Town, ladder: Ladder) -> None:
    """Ben's desk and his number outside ring together; outside answers."""
    ana, ben = town.phone("101"), town.phone("102")
    ladder.clear()
    ana.dial("102")
    town.run(0.5)
    assert ben.talk.state == "ringing"
    town.carrier.answer()
    town.run(0.5)
    assert ben.talk.state == "over"
    ana.hang_up()
    town.run(1.0)


def outgoing_screened(town: Town, ladder: Ladder) -> None:
    cleo = town.phone("103")
    ladder.clear()
    cleo.dial("4165550190")
    town.run(3.0)
    assert cleo.talk.state == "over"


def incoming_screened(town: Town, ladder: Ladder) -> None:
    ana, _ = town.phone("101"), town.phone("102")
    ladder.clear()
    ana.dial("102")
    town.run(3.0)
    assert ana.talk.state == "over"


def picked_up(town: Town, ladder: Ladder) -> None:
    ana, ben, cleo = town.phone("101"), town.phone("102"), town.phone("103")
    ana.dial("102")
    town.run(0.5)
    ladder.clear()
    cleo.dial("102", headers=[("Replaces", dialog_of(ben)), ("Require", "replaces")])
    town.run(1.0)
    assert (ana.heard[-1], cleo.heard[-1]) == ("signature:103", "signature:101")
    cleo.hang_up()
    town.run(1.0)


RULES = {
    "2.7": {"forward_always": "user 103"},
    "2.8": {"forward_on_busy": "user 103"},
    "2.9": {"forward_no_answer": "user 103"},
    "2.12": {"simultaneous_ring": [{"target": "own"}, {"target": "external 14165550199"}]},
    "2.13": {"block": ["101"]},
}
"""How Ben's calls are answered in these sections."""

CHALLENGED = "ana > INVITE*  ana < 407  ana > ACK  ana > INVITE*  "
CONSULTED = """
    {0} > INVITE*  {0} < 200*  {0} > ACK
    {0} > INVITE*  {0} < 407  {0} > ACK  {0} > INVITE*  {0} < 180  cleo < INVITE*  cleo > 180  cleo > 200*  cleo < ACK
    {0} < 200*  {0} > ACK  """
CLEO_ANSWERS = "ana < 180  cleo < INVITE*  {}cleo > 180  {}cleo > 200*  cleo < ACK  ana < 200*  ana > ACK  "
CLEO_ENDS = "cleo > BYE  cleo < 200  ana < BYE  ana > 200"
ANA_ENDS = "ana > BYE  ana < 200  cleo < BYE  cleo > 200"
FLOWS: dict[str, tuple[Flow, str]] = {
    "2.1": (hold_and_resume, """
        ben > INVITE*  ben < 200*  ben > ACK
        ben > INVITE*  ben < 200*  ben > ACK
        ana > BYE  ana < 200  ben < BYE  ben > 200"""),
    "2.2": (consultation_hold, CONSULTED.format("ana") + """
        ana > BYE  ana < 200  cleo < BYE  cleo > 200
        ana > INVITE*  ana < 200*  ana > ACK
        ben > BYE  ben < 200  ana < BYE  ana > 200"""),
    "2.4": (unattended_transfer, """
        ben > REFER  ben < 202  ben < NOTIFY  ben < NOTIFY  ben < BYE  cleo < INVITE*  ben > 200  ben > 200  ben > 200
        cleo > 180  cleo > 200*  cleo < ACK  """ + ANA_ENDS),
    "2.5": (attended_transfer, CONSULTED.format("ben") + """
        ben > REFER  ben < 202  ben < BYE  ben < NOTIFY  ben < BYE  ben > 200  ben > 200  ben > 200  """ + ANA_ENDS),
    "2.7": (forwarded, CHALLENGED + CLEO_ANSWERS.format("", "") + CLEO_ENDS),
    "2.8": (forwarded_when_busy, CHALLENGED + "ana < 180  ben < INVITE*  ben > 486  ben < ACK  "
            + CLEO_ANSWERS.format("", "") + CLEO_ENDS),
    "2.9": (forwarded, CHALLENGED + "ana < 180  ben < INVITE*  ben > 180  ben < CANCEL  "
            + CLEO_ANSWERS.format("ben > 200  ben > 487  ", "ben < ACK  ") + CLEO_ENDS),
    "2.12": (find_me, CHALLENGED + """
        ana < 180  ben < INVITE*  carrier < INVITE*  ben > 180  carrier > 180  carrier > 200*  carrier < ACK
        ben < CANCEL  ana < 200*  ben > 200  ben > 487  ana > ACK  ben < ACK
        ana > BYE  ana < 200  carrier < BYE  carrier > 200"""),
    "2.13": (incoming_screened, CHALLENGED + "ana < 486  ana > ACK"),
    "2.14": (outgoing_screened, """
        cleo > INVITE*  cleo < 407  cleo > ACK  cleo > INVITE*  cleo < 403  cleo > ACK"""),
    "2.16": (picked_up, """
        cleo > INVITE*  cleo < 407  cleo > ACK  cleo > INVITE*  cleo < 200*
        ben < CANCEL  ana < 200*  cleo > ACK  ben > 200  ben > 487  ana > ACK  ben < ACK  """ + CLEO_ENDS),
}  # fmt: skip
"""Music on hold (2.3) is what the held party hears in 2.1: the switch plays it itself."""


@pytest.mark.parametrize("section", FLOWS)
def test_the_service_of_a_section_is_the_whole_ladder(section):
    flow, expected = FLOWS[section]
    rule = RULES.get(section)
    town = Town(directory(users={"102": {"rules": [rule]}} if rule else {}))
    ladder = Ladder(town)
    flow(town, ladder)
    assert ladder.rungs == rungs(expected)
    assert_at_rest(town)
