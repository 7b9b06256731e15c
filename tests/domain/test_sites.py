"""Users and sites: what is inherited, and the two ways to move."""

import pytest

from pbx.callflow.identity import emergency_location
from pbx.domain.directory import Directory
from pbx.domain.sites import assign_and_overwrite, assign_site


def two_sites(**ana: object) -> Directory:
    address = {"caller_name": "Acme", "street": "1 Example St", "city": "X", "region": "ON", "postal_code": "M5X 1A1"}
    return Directory.model_validate(
        {
            "domain": {"name": "acme.lab", "area_code": "416", "ring_s": 20},
            "addresses": [{"key": "west", "callback": 16045550100, **address},
                          {"key": "east", "callback": 14165550100, **address}],
            "sites": [
                {"name": "East", "emergency_address": "east"},
                {"name": "West", "time_zone": "America/Vancouver", "area_code": "604", "caller_id": 16045550100,
                 "emergency_address": "west", "ring_s": 12},
            ],
            "users": [{"extension": 101, "first_name": "Ana", "site": "East", **ana},
                      {"extension": 102, "first_name": "Ben", "site": "East"}],
        }
    )  # fmt: skip


def in_force(directory: Directory) -> tuple[object, ...]:
    ana = directory.users_by_extension["101"]
    where = emergency_location(directory, "101")
    return directory.zone_of_user(ana), directory.area_code_of(ana), directory.ring_s_of(ana), where.callback


def test_the_label_alone_changes_nothing_else():
    before = two_sites()
    after = assign_site(before, ["101"], "West")
    assert after.users_by_extension["101"].site == "West"
    assert in_force(after) == in_force(before) == ("America/Toronto", "416", 20, "14165550100")


def test_overwriting_brings_everything_the_site_says():
    own = two_sites(time_zone="Asia/Tokyo", ring_s=4, area_code="819", caller_id=18195550100)
    after = assign_and_overwrite(own, ["101"], "West")
    assert in_force(after) == ("America/Vancouver", "604", 12, "16045550100")
    assert after.users_by_extension["102"] == own.users_by_extension["102"]


def test_what_is_inherited_follows_the_site():
    moved = assign_and_overwrite(two_sites(), ["101"], "West")
    west = moved.sites_by_name["West"].model_copy(update={"ring_s": 7})
    assert moved.replaced(sites=(moved.sites[0], west)).ring_s_of(moved.users_by_extension["101"]) == 7


@pytest.mark.parametrize(("who", "site", "told"), [("101", "North", "no site North; there are East, West"),
                                                   ("199", "West", "no user 199")])  # fmt: skip
def test_a_site_or_user_there_is_not_is_named(who, site, told):
    with pytest.raises(ValueError, match=told):
        assign_site(two_sites(), [who], site)
