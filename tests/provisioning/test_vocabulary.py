"""The canonical names: what each may be, which families are told of it, and what an operator hears of the others."""

from __future__ import annotations

import pytest

from pbx.domain.directory import Directory
from provisioning_server.coverage import NAMES, canonical, reaches, why_not
from provisioning_server.families import shipped_families
from provisioning_server.respond import explain, passwords, unused
from provisioning_server.vocabulary import SECRETS, VOCABULARY
from tests.provisioning.provisioned import YEALINK, Counter, small_domain, with_device

FAMILIES = shipped_families()
OF_THE_SERVICE = {
    "lines.*.enabled", "lines.*.label", "lines.*.display_name", "lines.*.user", "lines.*.auth_user", "lines.*.domain",
    "lines.*.server.host", "lines.*.server.port", "lines.*.transport", "network.ntp", "time.zone",
}  # fmt: skip
"""What no default is needed for: the directory, or where the service is, says it."""


def test_the_lowest_layer_speaks_of_every_name_and_of_no_other():
    assert {*FAMILIES.defaults} | OF_THE_SERVICE == {*VOCABULARY}


def test_every_default_is_what_its_name_may_be():
    wrong = {name: VOCABULARY[name].refuses(value) for name, value in FAMILIES.defaults.items()}
    assert {name: why for name, why in wrong.items() if why} == {}


def test_what_is_secret_is_called_a_password_for_the_store_knows_it_by_that():
    assert {name for name in VOCABULARY if name.endswith("password")} == SECRETS


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("network.mtu", 1400, ""),
        ("network.mtu", "", ""),
        ("network.mtu", 10, "not a number from 576 to 1500"),
        ("network.mtu", "1400", "not a number from 576 to 1500"),
        ("network.vlan.priority", 8, "not a number from 0 to 7"),
        ("network.vlan.priority", True, "not a number from 0 to 7"),
        ("network.dns", "192.0.2.53, 192.0.2.54", ""),
        ("network.dns", "192.0.2.53;reboot", "not a host name or address, or several with commas between them"),
        ("network.dns", "[2001:db8::1]", ""),
        ("time.format", "24", ""),
        ("time.format", "13", "none of 12, 24"),
        ("locale.language", "xx", "none of de, en, es, fr, it, nl, pt"),
        ("provisioning.resync.at", "23:59", ""),
        ("provisioning.resync.at", "24:00", "not a time of day, 00:00 to 23:59"),
        ("provisioning.resync.at", "", "not a time of day, 00:00 to 23:59"),
        ("features.pickup_code", "*35", ""),
        ("features.forward.always", "sip:x@y", "not a number or code: digits, * and #"),
        ("security.verify_server", "yes", "neither true nor false"),
        ("lines.*.dtmf", "morse", "none of rfc4733, inband, info"),
        ("phonebook.ldap.base", 'ou="a",dc=b', ""),
    ],
)
def test_a_value_is_what_its_name_may_be_or_is_refused_in_words(name, value, why):
    assert VOCABULARY[name].refuses(value) == why


def test_a_value_that_is_refused_is_told_with_its_name_and_its_layer():
    desk = Counter(small_domain(settings={"site:Toronto": {"network.mtu": 9000}}))
    assert desk.own(YEALINK).why == "network.mtu = 9000 (site Toronto) is not a number from 576 to 1500"


# --- names and families ------------------------------------------------------------------------------------


REACHES = {family.id: reaches(family) for family in FAMILIES.by_id.values()}


def test_every_name_reaches_some_family():
    assert {name for of_family in REACHES.values() for name, mark in of_family.items() if mark == "written"} == {*NAMES}


def test_a_desk_phone_of_a_maker_that_publishes_its_parameters_lacks_few():
    least = {"yealink/t4x_t5x": 110, "cisco/mpp": 75, "grandstream/grp": 75, "snom/d": 75, "poly/vvx": 70}
    for family, count in least.items():
        assert sum(mark in ("written", "doubted") for mark in REACHES[family].values()) >= count, family


@pytest.mark.parametrize(
    ("family", "name", "why"),
    [
        ("grandstream/ht8xx", "keys.3.type", "an adapter has no keys"),
        ("algo/ip", "lines.1.digit_map", "nobody dials at a speaker"),
        ("poly/vvx", "expansion.2.keys.7.value", "its modules go on counting where the keys of the phone end"),
        ("cisco/spa", "keys.3.type", "its keys are none, line, speed, blf, park"),
        ("gigaset/nx70", "network.mtu", "no parameter for it is known here; vendor.raw.<parameter> writes one"),
        ("yealink/t4x_t5x", "network.mut", "there is no setting of that name; network.mtu is one"),
        ("yealink/t4x_t5x", "colour", "there is no setting of that name"),
    ],
)
def test_what_a_family_is_not_told_has_a_reason(family, name, why):
    assert why_not(FAMILIES.by_id[family], name).startswith(why)


def test_a_name_has_letters_for_its_numbers():
    numbered = {"lines.2.stun": "lines.*.stun", "keys.3.type": "keys.K.type", "network.mtu": "network.mtu"}
    numbered["expansion.1.keys.12.label"] = "expansion.M.keys.K.label"
    assert {canonical(name) for name in numbered} == {*numbered.values()} <= {*NAMES}


def test_a_key_of_a_kind_the_family_lacks_is_written_as_none_and_reported():
    said = {"keys.1.type": "url", "keys.1.value": "http://192.0.2.1/", "keys.2.type": "blf", "keys.2.value": "102"}
    desk = Counter(with_device(small_domain(), "102", settings=said))
    device = desk.directory.devices_by_id["102"]
    assert unused(desk.office, desk.directory, device, desk.now) == ["keys.1.type", "keys.1.value"]


# --- layers that the domain fills, keys of modules ---------------------------------------------------------


def test_a_user_without_call_waiting_has_a_phone_without_it():
    quiet = [{**user.model_dump(), "call_waiting": user.extension != "101"} for user in small_domain().users]
    assert b"call_waiting.enable = 1\n" in Counter().own(YEALINK).body
    desk = Counter(small_domain(users=quiet))
    assert b"call_waiting.enable = 0\n" in desk.own(YEALINK).body
    told = {
        value.name: value
        for value in explain(desk.office, desk.directory, desk.directory.devices_by_id["101"], desk.now)
    }
    assert told["lines.1.call_waiting"].stack == (("defaults", True), ("user 101", False))


@pytest.mark.parametrize(
    ("settings", "modules"),
    [
        ({}, 0),
        ({"expansion.modules": 2}, 2),
        ({"expansion.1.keys.3.type": "blf", "expansion.1.keys.3.value": "102"}, 1),
    ],
)
def test_all_keys_of_the_modules_beside_a_phone_are_written_so_that_one_that_is_gone_goes(settings, modules):
    body = Counter(with_device(small_domain(), "101", settings=settings)).own(YEALINK).body
    assert body.count(b".type = ", body.find(b"expansion_module") if modules else len(body)) == 60 * modules
    assert (b"expansion_module.1.key.3.type = 16\n" in body) is ("expansion.1.keys.3.type" in settings)


# --- passwords of phones -------------------------------------------------------------------------------------

_SECRET = {"security.admin_password": "of-the-admin", "phonebook.ldap.password": "of-the-book"}


def test_a_password_of_a_phone_is_explained_to_nobody():
    desk = Counter(small_domain(settings={"domain": _SECRET}))
    device = desk.directory.devices_by_id["101"]
    told = str(explain(desk.office, desk.directory, device, desk.now))
    assert "'***'" in told
    assert not any(secret in told for secret in _SECRET.values())
    assert passwords(desk.office, desk.directory, device, desk.now) == {*_SECRET.values()}
    assert b"static.security.user_password = admin:of-the-admin\n" in desk.own(YEALINK).body


def test_a_password_of_a_phone_is_sealed_where_the_directory_is_written_down():
    whole = with_device(small_domain(settings={"domain": _SECRET}), "101", settings={"security.user_password": "own"})
    masked = whole.model_dump_json()
    sealed = whole.model_dump_json(context={"secrets": lambda text: text[::-1]})
    assert not any(secret in masked for secret in [*_SECRET.values(), '"own"'])
    assert "nimda-eht-fo" in sealed
    again = Directory.model_validate_json(sealed, context={"unseal": lambda text: text[::-1]})
    assert again.settings == whole.settings
    assert again.devices_by_id["101"].settings == {"security.user_password": "own"}
