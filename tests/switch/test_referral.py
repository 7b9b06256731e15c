"""REFER beside a call (RFC 3515, RFC 4538): only who has the call, and names it, transfers it."""

from __future__ import annotations

from typing import Any

import pytest

from pbx.events import CallTransferred
from tests.switch.test_switch_calls import up
from tests.switch.town import DOMAIN


def target(phone: Any) -> str:
    it = phone.talk.session
    return f"{it.call_id};local-tag={it.remote.tag};remote-tag={it.local.tag}"


def refer(phone: Any, to: str = f"<sip:103@{DOMAIN}>", **headers: str) -> Any:
    return phone.request("REFER", Refer_To=to, Contact=f"<sip:{phone.name}@{phone.host}>", **headers)


def test_who_has_the_call_transfers_it_from_beside(town):
    ana, ben = up(town)
    cleo = town.phone("103")
    assert refer(ana, Target_Dialog=target(ana)).status == 202
    town.run(1.0)
    cleo.answer()
    town.run(2.0)
    assert (ana.talk.state, ben.heard[-1], cleo.heard[-1]) == ("over", "signature:103", "signature:102")
    told = ana.told("refer")
    assert [notice.body for notice in told] == [b"SIP/2.0 100 Trying\r\n", b"SIP/2.0 200 OK\r\n"]
    states = [(notice.get("Subscription-State") or "").partition(";")[0] for notice in told]
    assert states == ["active", "terminated"]
    assert town.last(CallTransferred).transfer == "blind"
    ben.hang_up()


@pytest.mark.parametrize("named", ["", "nonsense", "x;local-tag=a;remote-tag=b"])
def test_without_a_call_that_is_there_nothing_is_transferred(town, named):
    ana, _ = up(town)
    assert refer(ana, **({"Target_Dialog": named} if named else {})).status == 403
    assert ana.talk.state == "up"
    ana.hang_up()


def test_another_s_call_is_not_transferred(town):
    ana, _ = up(town)
    cleo = town.phone("103")
    assert refer(cleo, Target_Dialog=target(ana)).status == 403
    assert ana.talk.state == "up"
    ana.hang_up()


def test_a_refer_to_nowhere_is_refused(town):
    ana, _ = up(town)
    assert refer(ana, to="nonsense", Target_Dialog=target(ana)).status == 400
    assert ana.talk.state == "up"
    ana.hang_up()
