"""Which calls outside cost what, and who may make them."""

import pytest
from pydantic import ValidationError

from pbx.domain.dialpolicy import CallKind, kind_of_call
from pbx.domain.directory import Directory


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("14165550100", CallKind.LOCAL),
        ("16135550100", CallKind.NATIONAL),
        ("17875550100", CallKind.NATIONAL),  # Puerto Rico
        ("18005550100", CallKind.TOLL_FREE),
        ("18335550100", CallKind.TOLL_FREE),
        ("18765550100", CallKind.CARIBBEAN),
        ("19005550100", CallKind.PREMIUM),
        ("14169760100", CallKind.PREMIUM),
        ("16135551212", CallKind.DIRECTORY),
        ("411", CallKind.DIRECTORY),
        ("211", CallKind.SERVICE),
        ("+442079460000", CallKind.INTERNATIONAL),
    ],
)
def test_a_call_is_of_one_kind(number, kind):
    assert kind_of_call(number, "416") is kind


def directory(domain: dict[str, object] | None = None, **ana: object) -> Directory:
    return Directory.model_validate({
        "domain": {"name": "acme.lab", **(domain or {})},
        "sites": [{"name": "Hall", "dial_policy": "Local"}],
        "users": [{"extension": 101, "first_name": "Ana", **ana}],
    })  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "may", "may_not"),
    [
        ("", "16135550100", "+442079460000"),
        ("", "18005550100", "18765550100"),
        ("", "411", "19005550100"),
        ("US, Canada and Caribbean", "18765550100", "+442079460000"),
        ("International", "+442079460000", "19005550100"),
        ("Unrestricted", "19005550100", None),
        ("Local", "14165550100", "16135550100"),
        ("Local", "211", "411"),
        ("Internal", "988", "14165550100"),
        ("Internal", "711", "211"),
    ],
)
def test_a_dial_policy_allows_kinds_of_calls(policy, may, may_not):
    office = directory(dial_policy=policy)
    ana = office.users[0]
    assert office.why_barred(ana, may) == ""
    if may_not:
        told = office.why_barred(ana, may_not)
        assert told.endswith(f"calls are barred by dial policy {policy or 'US and Canada'}")


def test_a_policy_is_the_users_then_the_sites_then_the_domains():
    assert directory().dial_policy_of(directory().users[0]) == "US and Canada"
    office = directory({"dial_policy": "International"})
    assert office.dial_policy_of(office.users[0]) == "International"
    office = directory({"dial_policy": "International"}, site="Hall")
    assert office.dial_policy_of(office.users[0]) == "Local"
    office = directory({"dial_policy": "International"}, site="Hall", dial_policy="Internal")
    assert office.dial_policy_of(office.users[0]) == "Internal"


def test_a_domain_may_have_policies_of_its_own_beside_those_of_the_platform():
    office = directory({"platform": {"dial_policies": {"Hall phones": ["toll-free"]}}}, dial_policy="Hall phones")
    assert office.why_barred(office.users[0], "18005550100") == ""
    assert office.why_barred(office.users[0], "14165550100")
    assert "Local" in office.domain.platform.dial_policies


def test_a_policy_there_is_not_is_refused_with_those_there_are():
    with pytest.raises(
        ValidationError, match="user 101: there is no dial policy Boss; there are US and Canada, US, Can"
    ):
        directory(dial_policy="Boss")
    with pytest.raises(ValidationError, match="there is no dial policy Boss"):
        directory({"platform": {"dial_policy": "Boss"}})
