"""911, 933 and the services of the network: which desk, what it is told, who else is told."""

from __future__ import annotations

import pytest

from pbx.events import EmergencyAddressMissing, EmergencyCalled
from pbx.media.sdp import parse_sdp
from tests.switch.town import Town, assert_at_rest, directory


def town_with(**domain: object) -> Town:
    base = directory().domain.model_dump(exclude={"platform", "preset"})
    return Town(directory(domain={**base, **domain}))


def desk_of_a_call(town: Town, device: str, dialled: str) -> str:
    phone = town.phone(device)
    phone.dial(dialled)
    town.run(0.5)
    desk = town.carrier.talk.session.request.uri
    phone.hang_up()
    assert_at_rest(town)
    return desk.removeprefix("sip:").partition("@")[0]


@pytest.mark.parametrize(
    ("domain", "device", "dialled", "desk"),
    [
        ({}, "101", "911", "emergency-911"),
        ({}, "101", "9911", "emergency-911"),
        ({}, "102", "911", "emergency-operator"),  # no address on file
        ({"platform": {"emergency_flow": "operator"}}, "101", "911", "emergency-operator"),
        ({"preset": "n2p", "platform": {"email_required": False}}, "101", "911", "emergency-operator"),
        ({}, "102", "933", "emergency-933"),
        ({}, "103", "988", "service-988"),
        ({}, "103", "711", "service-711"),
        ({}, "102", "211", "service-211"),
    ],
)
def test_a_call_for_help_comes_to_its_desk(domain, device, dialled, desk):
    assert desk_of_a_call(town_with(**domain), device, dialled) == desk


@pytest.mark.parametrize("dialled", ["911", "933"])
def test_an_emergency_trunk_is_offered_ulaw_alone_whatever_the_phone_speaks(dialled):
    town = town_with()
    ana = town.phone("101")
    ana.codecs = ("G722",)
    ana.dial(dialled)
    town.run(0.5)
    offered = parse_sdp(town.carrier.talk.session.request.body)
    assert [name for name, _ in offered.codecs] == ["PCMU"]
    town.carrier.answer()
    town.run(2)
    assert (ana.heard[-1], town.carrier.heard[-1]) == ("signature:14165550142", "signature:101")
    ana.hang_up()
    assert_at_rest(town)


def test_people_on_site_are_told_by_mail_that_911_was_dialled():
    town = town_with(emergency_contacts="safety@acme.lab; hall@acme.lab")
    desk_of_a_call(town, "101", "911")
    owed = town.switch.history.notices()
    assert [one.to for one in owed] == [("safety@acme.lab",), ("hall@acme.lab",)]
    notice = owed[0]
    assert notice.subject == "911 dialled by Ana Silva, extension 101"
    for fact in ("2026-11-24 10:00", "EST", "Telephone: 101", "Callback number: 14165550100",
                 "Location: 1 Example St, Floor 3, Toronto ON M5X 1A1"):  # fmt: skip
        assert fact in notice.text


def test_the_site_of_the_caller_has_contacts_of_its_own():
    base = directory()
    sites = [{**site.model_dump(), "emergency_contacts": f"{site.name}@acme.lab"} for site in base.sites]
    town = Town(directory(sites=sites))
    desk_of_a_call(town, "102", "911")
    assert [notice.to for notice in town.switch.history.notices()] == [("Laval@acme.lab",)]


@pytest.mark.parametrize(("contacts", "dialled"), [("", "911"), ("safety@acme.lab", "933")])
def test_a_test_call_and_a_domain_without_contacts_send_no_mail(contacts, dialled):
    town = town_with(emergency_contacts=contacts)
    desk_of_a_call(town, "101", dialled)
    assert town.switch.history.notices() == []
    assert town.last(EmergencyCalled).code == dialled


def test_a_phone_without_an_emergency_address_raises_an_alarm_when_it_registers():
    town = Town(directory())
    town.phone("101")
    ben = town.phone("102")
    assert [(alarm.device, alarm.callback_number) for alarm in town.seen(EmergencyAddressMissing)] == [
        ("102", "14505550110")
    ]
    ben.register()
    assert len(town.seen(EmergencyAddressMissing)) == 1
    assert_at_rest(town)


def test_whoever_moves_is_found_at_the_new_place_with_the_next_call():
    town = Town(directory())
    ben = town.phone("102")
    users = [user.model_copy(update={"site": "Toronto"}) if user.extension == "102" else user
             for user in town.switch.directory.users]  # fmt: skip
    town.switch.apply(town.switch.directory.replaced(users=tuple(users)), town.now)
    ben.dial("911")
    town.run(0.5)
    assert town.last(EmergencyCalled).location == "1 Example St, Floor 3, Toronto ON M5X 1A1"
    ben.hang_up()
    assert_at_rest(town)
