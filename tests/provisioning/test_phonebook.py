"""Directories in each maker's own form: the people of the domain and contacts, for the holder of the device's key."""

from __future__ import annotations

import pytest
from defusedxml.ElementTree import fromstring

from provisioning_server.families import shipped_families
from provisioning_server.lint import problems
from provisioning_server.phonebook import people
from tests.provisioning.provisioned import (
    POLY,
    WRONG,
    YEALINK,
    Counter,
    first,
    reason,
    served,
    small_domain,
    with_device,
)

CONTACTS = [
    {"first_name": "Zoe", "last_name": "Z\u00e9 & <Co>", "numbers": [14165550190, 14165550191]},
    {"first_name": "Adam", "numbers": [14165550192], "owner": "101"},
    {"first_name": "Eve", "numbers": [14165550193], "owner": "102"},
    {"first_name": "Nobody"},
]
DOMAIN = small_domain(contacts=CONTACTS)
BOOKS = {
    "yealink/t4x_t5x": ("T46S", f"{YEALINK}-phonebook.xml", "Name", "Telephone"),
    "poly/vvx": ("VVX450", f"{YEALINK}-directory.xml", "ln", "ct"),
    "cisco/spa": ("SPA504G", f"directory-{YEALINK}.xml", "Name", "Telephone"),
    "cisco/mpp": ("6841", f"Cisco/CP-6841-3PCC/directory-{YEALINK}.xml", "Name", "Telephone"),
    "grandstream/gxp": ("GXP2135", "phonebook.xml", "LastName", "phonenumber"),
    "grandstream/grp": ("GRP2612", "phonebook.xml", "LastName", "phonenumber"),
    "yealink/dect": ("W70B", f"{YEALINK}-phonebook.xml", "Name", "Telephone"),
    "fanvil/x": ("X6U", f"{YEALINK}-phonebook.xml", "Name", "Telephone"),
    "htek/uc": ("UC903", f"{YEALINK}-phonebook.xml", "Name", "Telephone"),
    "snom/d": ("D785", f"{YEALINK}-phonebook.xml", "Name", "Telephone"),
    "vtech/vcs": ("VCS754", f"{YEALINK}-directory.xml", "DIR_ENTRY_NAME_LAST", "DIR_ENTRY_NUMBER_WORK"),
}


def desk(family: str, model: str) -> Counter:
    return Counter(with_device(DOMAIN, "101", family=family, model=model))


def test_a_phone_knows_everybody_shared_contacts_and_those_of_its_own_user():
    box = DOMAIN.devices_by_mac[YEALINK]
    listed = people(DOMAIN, box)
    assert [person.name for person in listed][-2:] == ["Adam", "Zoe Z\u00e9 & <Co>"]
    assert len(listed) == len(DOMAIN.users) + 2


def test_who_is_hidden_stands_in_no_directory():
    users = [user.model_copy(update={"visual_directory": user.extension != "102"}) for user in DOMAIN.users]
    hidden = DOMAIN.replaced(users=users)
    assert "102" not in [number for person in people(hidden, ()) for number in person.numbers]


@pytest.mark.parametrize("family", BOOKS)
def test_each_maker_gets_its_own_form_with_every_number(family):
    model, name, named, numbered = BOOKS[family]
    it = desk(family, model)
    body = it.ask(name, it.steady(YEALINK)).body
    whole = fromstring(body)
    numbers = {element.text for element in whole.iter(numbered)}
    assert {"101", "113", "14165550190", "14165550191", "14165550192"} <= numbers
    assert "14165550193" not in numbers
    assert any("Z\u00e9 & <Co>" in (element.text or "") for element in whole.iter(named))
    known = shipped_families().by_id[family]
    rule = [rule for rule in known.files if rule.kind == "directory"][-1]
    assert problems(known, rule, body) == []


@pytest.mark.parametrize("family", BOOKS)
def test_a_directory_is_for_the_holder_of_a_key_alone(family):
    model, name, _, _ = BOOKS[family]
    it = desk(family, model)
    for token in ("", WRONG):
        answer = it.ask(name, token)
        assert (answer.status, answer.body) == (404, b"404 Not Found\n")


@pytest.mark.parametrize("family", BOOKS)
def test_switched_off_it_is_empty_and_the_phone_is_told_of_none(family):
    model, name, _, numbered = BOOKS[family]
    off = with_device(DOMAIN, "101", family=family, model=model, settings={"phonebook.enabled": False})
    it = Counter(off)
    assert list(fromstring(it.ask(name, it.steady(YEALINK)).body).iter(numbered)) == []


def test_the_url_in_the_configuration_is_the_one_that_opens_it():
    it = Counter(DOMAIN)
    config = it.own(YEALINK).body.decode()
    url = next(line for line in config.splitlines() if line.startswith("remote_phonebook.data.1.url"))
    token, name = url.rpartition(" ")[2].split("/")[-2:]
    assert it.ask(name, token).status == 200
    assert served(it.ask(name, token)).file_kind == "directory"


def test_a_private_common_name_is_written_for_the_box_of_the_token():
    two = with_device(with_device(DOMAIN, "101", family="grandstream/gxp", model="GXP2135"), "102",
                      family="grandstream/gxp", model="GXP2135")  # fmt: skip
    it = Counter(two)
    one, other = (it.ask("phonebook.xml", first(mac)).body for mac in (YEALINK, POLY))
    assert b"14165550192" in one
    assert b"14165550193" in other
    assert one != other
    assert reason(it.ask("phonebook.xml")) == "no token"
