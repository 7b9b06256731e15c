"""Who calls and by whose rules, as the carrier is told and as it tells us; the trunk's own login."""

from __future__ import annotations

import pytest

from pbx.events import CallRinging
from pbx.sip.address import Peer
from pbx.sip.digest import Credentials, DigestServer
from pbx.sip.uri import NameAddr
from pbx.switch.settings import SwitchSettings
from tests.switch.town import CARRIER_HOST, DOMAIN, Town, assert_at_rest, directory, token_of

MOBILE = NameAddr(f"sip:+14165550142@{DOMAIN}", "Pat Caller")
NOBODY = NameAddr("sip:anonymous@anonymous.invalid", "Anonymous")
ELSEWHERE = "external 14165550199"


def forwarding(**rule: str) -> Town:
    """101 sends calls on to an outside number."""
    return Town(directory(users={"101": {"rules": [rule]}}))


def told(town: Town) -> dict[str, list[str]]:
    """The identity headers the carrier got with its newest call."""
    request = town.carrier.talk.session.request
    names = ("From", "P-Asserted-Identity", "Privacy", "Diversion", "History-Info")
    return {name: [value.partition(";tag=")[0] for value in request.all(name)] for name in names if request.all(name)}


def end(town: Town, *phones) -> None:
    for phone in phones:
        phone.hang_up()
    assert_at_rest(town)


def test_our_number_is_vouched_for_on_the_trunk(town):
    ana = town.phone("101")
    ana.dial("4165550190")
    town.run(0.5)
    assert told(town) == {
        "From": [f'"Ana Silva" <sip:+14165550101@{DOMAIN}>'],
        "P-Asserted-Identity": [f"<sip:+14165550101@{DOMAIN}>"],
    }
    ana.hang_up()


@pytest.mark.parametrize(
    ("rule", "reason", "cause"),
    [
        ({"forward_always": ELSEWHERE}, "unconditional", 302),
        ({"forward_no_answer": ELSEWHERE}, "no-answer", 408),
        ({"forward_on_busy": ELSEWHERE}, "user-busy", 486),
        ({"forward_offline": ELSEWHERE}, "unavailable", 480),
    ],
)
def test_a_call_sent_on_tells_by_whom_and_why(rule, reason, cause):
    town = forwarding(**rule)
    ben = town.phone("102")
    if reason != "unavailable":
        town.phone("101").answers_with = 486 if reason == "user-busy" else 0
    ben.dial("101")
    town.run(5.0)
    assert town.carrier.talk.session.request.uri.startswith("sip:+14165550199@")
    assert told(town)["Diversion"] == [f"<sip:+14165550101@{DOMAIN}>;reason={reason};counter=1"]
    assert told(town)["History-Info"] == [
        f"<sip:+14165550101@{DOMAIN}>;index=1, <sip:+14165550199@{DOMAIN};cause={cause}>;index=1.1;mp=1"
    ]
    end(town, ben)


def test_the_last_diversion_stands_first():
    rules = [{"forward_always": "user 101"}]
    onwards = [{"forward_always": ELSEWHERE}]
    town = Town(directory(users={"102": {"rules": rules}, "101": {"rules": onwards}}))
    cleo = town.phone("103")
    cleo.dial("102")
    town.run(0.5)
    numbers = [value.partition("@")[0] for value in told(town)["Diversion"]]
    assert numbers == ["<sip:+14165550101", "<sip:+14505550110"] or len(numbers) == 2
    assert told(town)["History-Info"][0].count("index=") == 3
    end(town, cleo)


def test_a_caller_from_outside_keeps_its_number_when_it_is_sent_on():
    town = forwarding(forward_always=ELSEWHERE)
    town.carrier.dial("+14165550101", who=MOBILE)
    town.run(0.5)
    assert told(town)["From"] == [f'"Pat Caller" <sip:+14165550142@{DOMAIN}>']
    assert told(town)["P-Asserted-Identity"] == [f"<sip:+14165550142@{DOMAIN}>"]
    end(town, town.carrier)


def test_the_carriers_word_counts_more_than_from(town):
    ana = town.phone("101")
    vouched = [("P-Asserted-Identity", f'"Real Name" <sip:+14165550177@{DOMAIN}>')]
    town.carrier.dial("+14165550101", who=MOBILE, headers=vouched)
    town.run(0.5)
    assert ana.talk.shown == ("14165550177", "SALES: Real Name")
    town.carrier.hang_up()


@pytest.mark.parametrize(
    ("who", "headers"),
    [
        (MOBILE, [("Privacy", "id")]),
        (NOBODY, [("P-Asserted-Identity", "<sip:+14165550142@x.example>")]),
        (NOBODY, [("P-Asserted-Identity", "broken <")]),
    ],
)
def test_a_private_caller_is_not_shown(town, who, headers):
    ana = town.phone("101")
    town.carrier.dial("+14165550101", who=who, headers=headers)
    town.run(0.5)
    assert "14165550142" not in "".join(ana.talk.shown)
    assert town.last(CallRinging).caller_number == "anonymous"
    town.carrier.hang_up()


def test_star_67_hides_the_caller_from_the_callee_and_is_told_to_the_carrier(town):
    ana = town.phone("101")
    ana.dial("*6714165550199")
    town.run(0.5)
    assert told(town)["From"] == ['"Anonymous" <sip:anonymous@anonymous.invalid>']
    assert told(town)["Privacy"] == ["id"]
    end(town, ana)


def test_star_67_hides_a_colleague_too(town):
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("*67102")
    town.run(0.5)
    assert ben.talk.shown == ("anonymous", "Anonymous")
    end(town, ana)


def test_a_private_caller_that_is_sent_on_is_told_to_the_carrier_alone():
    town = forwarding(forward_always=ELSEWHERE)
    town.carrier.dial("+14165550101", who=MOBILE, headers=[("Privacy", "id")])
    town.run(0.5)
    assert told(town)["From"] == ['"Anonymous" <sip:anonymous@anonymous.invalid>']
    assert told(town)["Privacy"] == ["id"]
    assert told(town)["P-Asserted-Identity"] == [f"<sip:+14165550142@{DOMAIN}>"]
    end(town, town.carrier)


@pytest.mark.parametrize(("password", "up"), [("trunk-secret", True), ("wrong", False)])
def test_a_trunk_that_asks_who_we_are_is_answered(password, up):
    settings = SwitchSettings(
        carrier=Peer("udp", CARRIER_HOST, 5060), carrier_credentials=Credentials("trunk", password)
    )
    town = Town(directory(), settings=settings)
    town.carrier.digest = DigestServer("carrier.example", token_of("nonce"), algorithms=("MD5",))
    ana = town.phone("101")
    ana.dial("4165550190")
    town.run(0.5)
    assert (ana.talk.state == "ringing") is up
    if up:
        town.carrier.answer()
        town.run(1.0)
        assert ana.heard[-1] == "signature:14165550142"
        ana.hang_up()
    assert_at_rest(town)


@pytest.mark.parametrize(
    ("user", "platform", "shown"),
    [
        ({}, {}, "14165550142"),
        ({"forwarded_caller_id": "own"}, {}, "14165550101"),
        ({}, {"forwarded_caller_id": "own"}, "14165550101"),
        ({"forwarded_caller_id": "original"}, {"forwarded_caller_id": "own"}, "14165550142"),
    ],
)
def test_a_forwarded_call_shows_the_caller_or_who_forwarded_it(user, platform, shown):
    base = directory().domain.model_dump(exclude={"platform"})
    ana = {"rules": [{"forward_always": ELSEWHERE}], **user}
    town = Town(directory(users={"101": ana}, domain={**base, "platform": platform}))
    town.carrier.dial("+14165550101", who=MOBILE)
    town.run(0.5)
    assert town.carrier.talk.shown[0] == shown
    assert told(town)["P-Asserted-Identity"] == [f"<sip:+{shown}@{DOMAIN}>"]
    assert told(town)["Diversion"] == [f"<sip:+14165550101@{DOMAIN}>;reason=unconditional;counter=1"]
    end(town, town.carrier)


def test_a_user_may_always_call_without_being_shown_but_not_for_help():
    town = Town(directory(users={"101": {"caller_id_hidden": True}}))
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("4165550190")
    town.run(0.5)
    assert told(town)["From"] == ['"Anonymous" <sip:anonymous@anonymous.invalid>']
    assert told(town)["Privacy"] == ["id"]
    ana.dial("102")
    town.run(0.5)
    assert ben.talk.shown == ("anonymous", "Anonymous")
    ana.dial("911")
    town.run(0.5)
    assert town.carrier.talk.shown == ("14165550100", "Ana Silva")
    for talk in ana.talks:
        ana.hang_up(talk)
    assert_at_rest(town)
