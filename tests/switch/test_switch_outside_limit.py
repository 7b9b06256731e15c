"""How many parties outside may be in calls at once."""

from __future__ import annotations

from pbx.sip.uri import NameAddr
from tests.switch.town import DOMAIN, Town, assert_at_rest, directory

MOBILE = NameAddr(f"sip:+14165550142@{DOMAIN}")


def one_outside() -> Town:
    base = directory().domain.model_dump(exclude={"platform"})
    return Town(directory(domain={**base, "max_outside_calls": 1}))


def test_one_more_is_refused_in_either_direction_and_taken_when_the_first_is_gone():
    town = one_outside()
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("4165550190")
    town.run(0.5)
    ben.dial("4165550191")
    town.run(0.5)
    assert (len(town.carrier.talks), ben.talk.status) == (1, 503)
    town.carrier.dial("+14165550101", who=MOBILE)
    town.run(0.5)
    assert town.carrier.talk.status == 503
    ana.hang_up()
    town.run(0.5)
    ben.dial("4165550191")
    town.run(0.5)
    assert town.carrier.talk.state == "ringing"
    ben.hang_up()
    assert_at_rest(town)


def test_calls_inside_and_for_help_do_not_count():
    town = one_outside()
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("4165550190")
    town.run(0.5)
    ben.dial("911")
    town.run(0.5)
    assert town.carrier.talk.session.request.uri.startswith("sip:emergency-operator@")
    ben.dial("101")
    town.run(0.5)
    assert ana.talk.state == "ringing"
    for phone in (ana, ben):
        for talk in phone.talks:
            phone.hang_up(talk)
    town.run(10.0)
    for phone in (ana, ben):
        for talk in phone.talks:
            phone.hang_up(talk)
    assert_at_rest(town)
