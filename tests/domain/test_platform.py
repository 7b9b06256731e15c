"""Presets: the platform's defaults and quirks as data; a domain names one and may differ in any setting."""

import pytest
from pydantic import ValidationError

from pbx.domain.directory import Directory
from pbx.domain.platform import PRESETS, Platform, facts, platform


def test_the_generic_preset_holds_every_setting_and_the_others_nothing_else():
    assert set(facts("generic")) == set(Platform.model_fields)
    assert {name for preset in PRESETS for name in facts(preset)} == set(Platform.model_fields)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_value_says_how_well_it_is_known(preset):
    assert all(fact.tag and fact.because for fact in facts(preset).values())
    assert platform(preset)


def directory(domain: dict[str, object], **sections: object) -> Directory:
    return Directory.model_validate({"domain": {"name": "acme.lab", **domain}, **sections})


def test_a_domain_has_the_settings_of_its_preset_and_its_own_before_them():
    quiet = directory({"preset": "n2p", "platform": {"read_back_933": True}}).domain.platform
    assert (quiet.busy_forwarding, quiet.read_back_933, quiet.ring_s) == ("inert", True, 25)
    assert directory({"preset": "oit"}).domain.platform.ring_s == 30
    assert directory({}).domain.platform == platform("generic")


def test_a_changed_domain_keeps_its_settings():
    before = directory({"preset": "oit", "platform": {"ring_s": 12}})
    after = before.replaced(domain=before.domain.model_copy(update={"description": "Acme"}))
    assert after.domain.platform == before.domain.platform
    assert Directory.model_validate_json(before.model_dump_json()) == before


@pytest.mark.parametrize(
    ("domain", "told"),
    [
        ({"preset": "n3p"}, "preset"),
        ({"platform": {"ring_s": 3601}}, "platform.ring_s"),
        ({"platform": {"rings": 4}}, "platform.rings"),
        ({"platform": "n2p"}, "platform"),
    ],
)
def test_what_is_no_preset_or_setting_is_refused_by_name(domain, told):
    with pytest.raises(ValidationError, match=f"domain.{told}"):
        directory(domain)


def a_user(extension: int, **fields: object) -> dict[str, object]:
    return {"extension": extension, "first_name": "Ana", "email": "ana@acme.lab", **fields}


@pytest.mark.parametrize(
    ("domain", "user", "told"),
    [
        ({"preset": "n2p"}, a_user(12345), "user 12345: an extension has 3 or 4 digits here; choose one of these"),
        ({"preset": "n2p"}, a_user(101, email=""), "user 101: email is required here; give one"),
        ({"name": "abc", "preset": "oit"}, a_user(101), "domain abc: the name has 4 characters or more here"),
        (
            {"platform": {"also_reserved": ["9xx"]}},
            a_user(950),
            "user 950: 9xx is reserved here and never an extension",
        ),
    ],
)
def test_a_platform_asks_more_than_another(domain, user, told):
    with pytest.raises(ValidationError) as refused:
        directory(domain, users=[user])
    assert told in str(refused.value)
    directory({"name": "abc"}, users=[user])  # fine on the generic one


@pytest.mark.parametrize(
    ("user", "site", "domain", "rings"), [(4, 5, 6, 4), (None, 5, 6, 5), (None, None, 6, 6), (None, None, None, 25)]
)
def test_ring_time_is_the_users_then_the_sites_then_the_domains_then_the_platforms(user, site, domain, rings):
    found = directory({"ring_s": domain}, users=[a_user(101, ring_s=user, site="Here")], sites=[
        {"name": "Here", "ring_s": site}])  # fmt: skip
    assert found.ring_s_of(found.users[0]) == rings
