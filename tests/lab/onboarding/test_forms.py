"""From forms to a domain, to letters, to the audit of the day of port."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from lab.onboarding.audit import LINES, Gap, Line, audit, open_lines
from lab.onboarding.build import after_port, build
from lab.onboarding.case import Case
from lab.onboarding.letters import failed_line, letters
from lab.onboarding.packet import Packet, final_order
from lab.onboarding.reading import read_packet
from lab.seeds.located import SeedError
from pbx.domain.answering import AnsweringRule
from pbx.domain.directory import Directory
from pbx.domain.seed import BadSeed
from tests.lab.onboarding.story import ADMIN, BILLING, PACKET, Story

TODAY = date(2026, 11, 26)
PHONES = [
    {"id": "201", "extension": "201", "mac": "805ec0a10201", "family": "yealink/t4x_t5x", "model": "T54W"},
    {"id": "202", "extension": "202", "mac": "805ec0a10202", "family": "yealink/t4x_t5x", "model": "T54W"},
    {"id": "203", "extension": "203", "mac": "64167fa20203", "family": "poly/vvx", "model": "VVX450"},
    {"id": "201a", "extension": "201", "mac": "000b82a30205", "family": "grandstream/ht8xx", "port": 1},
    {"id": "202a", "extension": "202", "mac": "000b82a30205", "family": "grandstream/ht8xx", "port": 2},
]


NUMBERS = {"carrier": "Example Telecom"}


def ready() -> Directory:
    """The domain of the packet with its hardware plugged in."""
    made = build(PACKET, TODAY, lambda length: "a" * length)
    return made.replaced(devices=(*made.devices, *({**phone, "password": "a" * 24} for phone in PHONES)))


def without(field: str, **match: object) -> Callable[[Directory], Directory]:
    name, value = next(iter(match.items()))

    def change(directory: Directory) -> Directory:
        items = getattr(directory, field)
        assert any(getattr(item, name) == value for item in items)
        return directory.replaced(**{field: tuple(item for item in items if getattr(item, name) != value)})

    return change


def changed(field: str, place: int, **values: object) -> Callable[[Directory], Directory]:
    def change(directory: Directory) -> Directory:
        items = list(getattr(directory, field))
        items[place] = items[place].model_copy(update=values)
        return directory.replaced(**{field: tuple(items)})

    return change


def test_the_domain_is_what_the_forms_say():
    made = build(PACKET, TODAY, lambda length: "a" * length)
    assert [user.extension for user in made.users] == ["201", "202", "203", "204"]
    assert made.users[0].scope == "Office Manager", "an admin contact manages the office"
    assert {number.number: [route.to.label for route in number.routes] for number in made.numbers} == {
        "14165550180": ["attendant:600/main"],
        "14165550160": ["attendant:600/main"],
        "14505550161": ["user:203"],
        "14165550162": ["fax:main"],
        "18885550163": ["attendant:600/main"],
    }
    assert made.domain.caller_id == "14165550180", "until the port the lent number is shown"
    assert made.sites_by_name["Laval"].emergency_address == "Laval"
    assert made.orders[0].lines[0].quantity == 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"texts": [{"number": "14165550160", "to": "209"}]}, "texts to 14165550160 go to 209, no user and no queue"),
        ({"texts": [{"number": "14165550199", "to": "650"}]}, "14165550199 is for texts, and is none of the numbers"),
        ({"fax": None}, "14165550162 is for fax, and leads to no fax account"),
        ({"porting": {**NUMBERS, "numbers": [{"number": "14165550160", "use": "sms"}]}, "texts": (), "fax": None},
         "14165550160 is for texts, and nobody says who gets them"),
    ],
)  # fmt: skip
def test_what_a_number_is_for_has_to_have_somewhere_to_go(changes, told):
    packet = Packet.model_validate({**PACKET.model_dump(), **changes})
    with pytest.raises(BadSeed, match=told):
        build(packet, TODAY, lambda length: "a" * length)


def test_on_the_day_the_lent_numbers_go_and_the_own_one_is_shown():
    ported = after_port(build(PACKET, TODAY, lambda length: "a" * length), PACKET)
    assert "14165550180" not in ported.numbers_by_digits
    assert ported.domain.caller_id == "14165550160"


def test_a_domain_that_is_ready_passes_all_ten_lines():
    directory = ready()
    lines = audit(directory, {*directory.devices_by_id}, PACKET)
    assert [line.name for line in lines] == list(LINES)
    assert len(lines) == 10
    assert [(line.name, line.missing) for line in lines if not line.good] == []
    assert lines[0].evidence == "4 of 4 on the form"


TO_EACH_OTHER = [AnsweringRule.model_validate({"forward_always": f"user {other}"}) for other in (202, 201)]
PLANTED: dict[str, tuple[Callable[[Directory], Directory], frozenset[str], str]] = {
    "users created": (changed("users", 1, email=""), frozenset(), "user 202 has no mail address"),
    "numbers routed": (changed("numbers", 2, routes=()), frozenset(), "14505550161 is not routed"),
    "native fax": (changed("fax_accounts", 0, email=""), frozenset(), "has nobody its pages are mailed to"),
    "adapters online": (lambda it: it, frozenset({"202a"}), "port 2 of 000b82a30205 (202a) is not registered"),
    "attendants and queues": (
        lambda it: it.replaced(users=(*(user.model_copy(update={"rules": (rule,)})
                                        for user, rule in zip(it.users, TO_EACH_OTHER, strict=False)), *it.users[2:])),
        frozenset(), "a call can go round by itself"),
    "recordings and applications": (
        lambda it: it.replaced(attendants=(it.attendants[0].model_copy(
            update={"menus": (it.attendants[0].menus[0].model_copy(update={"greeting": "nobody-has-this"}),
                              *it.attendants[0].menus[1:])}),)),
        frozenset(), "nobody-has-this"),
    "phones in queues": (changed("queues", 0, agents=()), frozenset(), "queue 650 Appointments has no agent"),
    "hardware online": (lambda it: it, frozenset({"203"}), "VVX450 of 203 (64167fa20203) is not registered"),
    "softphones registered": (lambda it: it, frozenset({"204"}), "softphone 204 is not registered"),
    "E911 for every location": (changed("sites", 1, emergency_address=""), frozenset(), "site Laval has no emergency"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_each_planted_gap_is_found_at_its_line_and_nowhere_else(name):
    change, offline, sentence = PLANTED[name]
    directory = change(ready())
    found = [line for line in audit(directory, {*directory.devices_by_id} - offline, PACKET) if not line.good]
    assert [line.name for line in found] == [name]
    assert sentence in found[0].missing
    assert all(gap.fix.startswith("/") for gap in found[0].gaps)


def test_a_user_of_the_form_and_a_number_of_the_port_that_are_not_there_are_missed():
    directory = without("numbers", number="18885550163")(ready())
    form = PACKET.users[0].model_copy(update={"extension": "209", "device": ""})
    packet = PACKET.model_copy(update={"users": (*PACKET.users, form)})
    missing = {
        line.name: line.missing for line in audit(directory, {*directory.devices_by_id}, packet) if not line.good
    }
    assert missing == {
        "users created": "209 Nadia is on the form and not in the domain",
        "numbers routed": "18885550163 is to be ported and not in the domain",
    }


def test_an_attested_line_is_open_no_more_and_stays_bad():
    story = Story().until("foc received")
    directory = ready()
    lines = audit(directory, {*directory.devices_by_id} - {"204"}, PACKET)
    assert open_lines(lines, story.case) == ("softphones registered",)
    story.at(timedelta(days=18), open_lines=open_lines(lines, story.case))
    story.take("line attested", by="A. Roy", about="softphones registered", note="on leave until Monday")
    assert open_lines(lines, story.case) == ()
    assert not next(line for line in lines if line.name == "softphones registered").good


def test_partner_and_client_get_the_same_letter_at_each_stage():
    story = Story().until("live")
    sent = {mark.step: letters(story.case, mark) for mark in story.case.marks}
    told = {step: letter[0].subject.partition(": ")[2] for step, letter in sent.items() if letter}
    assert told == {
        "forms sent": "welcome, and what we need", "order complete": "onboarding complete", "welcome sent": "welcome",
        "brand registered": "10DLC brand registered", "campaign submitted": "10DLC campaign submitted",
        "hardware shipped": "hardware shipped", "training booked": "training session",
        "port requested": "port submitted", "foc received": "port date confirmed (FOC)",
        "numbers moved": "numbers are here", "live": "you are live",
    }  # fmt: skip
    assert {letter.to for found in sent.values() for letter in found} == {(PACKET.partner.email, ADMIN)}
    order = sent["order complete"][0].text
    assert all(f"{name}: {value}" in order for name, value in final_order(PACKET).items())


def test_the_final_order_has_every_field_of_the_document():
    assert len(final_order(PACKET)) == 25
    assert final_order(PACKET)["Partial or Full port"] == "full"


def test_a_statement_goes_to_the_billing_contacts_alone_one_for_the_account():
    story = Story().until("domain created")
    story.take("statement sent", note="4 users", about="2026-11")
    (letter,) = letters(story.case, story.case.marks[-1])
    assert letter.to == (BILLING,)
    assert "Separate statements need separate domains" in letter.text


def test_the_partner_is_asked_about_each_line_that_is_not_in_order():
    line = Line("native fax", 1, (Gap("fax number 14165550162 has nobody", "/d/northside.lab/numbers"),), "")
    letter = failed_line(Story().case, line, "http://switchroom")
    assert letter.to == (PACKET.partner.email,)
    assert "fax number 14165550162 has nobody\n  fix: http://switchroom/d/northside.lab/numbers" in letter.text
    alone = Case(packet=PACKET.model_copy(update={"partner": None}))
    assert failed_line(alone, line, "").to == (ADMIN,), "without a channel partner the client is asked"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("company: X\n", "x.yaml:1: domain is missing"),
        ("company: X\ndomain: x.lab\nuser: []\npartner: {name: P, email: p@x}\n", "x.yaml:3: user is no field here"),
        ("company: X\ndomain: x.lab\npartner: {name: P, email: nobody}\n", "x.yaml:3: partner, email is 'nobody'"),
        ("- 1\n", "x.yaml:1: it is no mapping"),
        ("company: [\n", "is not YAML"),
    ],
)
def test_a_packet_that_is_wrong_names_file_and_line(text, told):
    with pytest.raises(SeedError) as error:
        read_packet(text, "x.yaml")
    assert told in str(error.value)
    assert "northside.yaml is a complete example" in str(error.value)
