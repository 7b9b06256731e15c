import re
from functools import cached_property

import pytest
from pydantic import ValidationError

from pbx.domain.attendants import Attendant, MenuAction
from pbx.domain.destinations import ToAttendant
from pbx.domain.devices import normal_mac
from pbx.domain.directory import Directory
from pbx.domain.tenancy import Domain, User

DOCUMENT = {
    "domain": {"name": "acme.lab"},
    "sites": [{"name": "Laval", "time_zone": "America/Vancouver"}, {"name": "Toronto"}],
    "users": [
        {"extension": 101, "first_name": "Ana", "last_name": "Silva", "site": "Laval"},
        {"extension": 102, "first_name": "Ben", "time_zone": "UTC"},
    ],
    "devices": [
        {"id": "101a", "extension": 101, "password": "x", "mac": "000b82000001", "port": 2},
        {"id": "101", "extension": 101, "password": "x", "mac": "000b82000001", "port": 1},
        {"id": "102", "extension": 102, "password": "x"},
    ],
}


def test_devices_are_found_by_id_extension_and_by_box_in_the_order_of_ports():
    directory = Directory.model_validate(DOCUMENT)
    assert directory.devices_by_id["101a"].port == 2
    assert [device.id for device in directory.devices_by_extension["101"]] == ["101a", "101"]
    assert [device.id for device in directory.devices_by_mac["000b82000001"]] == ["101", "101a"]
    assert list(directory.devices_by_mac) == ["000b82000001"]


def test_zones_fall_back_from_user_to_site_to_domain():
    directory = Directory.model_validate(DOCUMENT)
    ana, ben = directory.users
    assert directory.zone_of_user(ben) == "UTC"
    assert directory.zone_of_user(ana) == "America/Vancouver"
    assert directory.zone_of_site("Toronto") == directory.zone_of_site("") == "America/Toronto"


@pytest.mark.parametrize("copied", [Directory.replaced, lambda d, **c: d.model_copy(update=c)])
def test_a_changed_copy_has_its_own_look_ups_and_the_next_revision(copied):
    directory = Directory.model_validate(DOCUMENT)
    assert set(directory.users_by_extension) == {"101", "102"}
    changed = copied(directory, users=(*directory.users, User(extension="103", first_name="Chloé")))
    assert set(changed.users_by_extension) == {"101", "102", "103"}
    assert (directory.revision, changed.revision) == (1, 2)
    assert set(directory.users_by_extension) == {"101", "102"}


def test_a_change_that_contradicts_is_refused():
    directory = Directory.model_validate(DOCUMENT)
    with pytest.raises(ValidationError, match="device 102: there is no user 102"):
        directory.replaced(users=directory.users[:1])


def test_names_are_written_as_people_write_them():
    directory = Directory.model_validate(DOCUMENT)
    assert [user.name for user in directory.users] == ["Ana Silva", "Ben"]


@pytest.mark.parametrize("spelling", ["805ec0a10101", "80:5E:C0:A1:01:01", "80-5e-c0-a1-01-01", "805e.c0a1.0101"])
def test_a_mac_has_one_spelling_inside(spelling):
    assert normal_mac(spelling) == "805ec0a10101"


@pytest.mark.parametrize("text", ["", "805ec0a1010", "805ec0a1010g", "8-0-5-e-c-0-a-1-0-1-0-1"])
def test_what_is_no_mac_is_refused(text):
    with pytest.raises(ValueError, match="not a MAC"):
        normal_mac(text)


@pytest.mark.parametrize("zone", ["Mars/Base", "", "../etc/passwd", "America"])
def test_a_domain_needs_a_known_time_zone(zone):
    with pytest.raises(ValidationError, match="no time zone"):
        Domain(name="acme.lab", time_zone=zone)


def test_secrets_do_not_show():
    assert "geheim" not in repr(Directory.model_validate({**DOCUMENT, "devices": [
        {"id": "101", "extension": 101, "password": "geheim", "token": "geheim"}]}))  # fmt: skip


def test_keys_are_written_for_short():
    read = MenuAction.model_validate
    assert read("menu sales") == MenuAction(action="menu", menu="sales")
    assert read("hangup").action == "hangup"
    assert read("repeat").action == "repeat"
    assert read("queue 500").to is not None


@pytest.mark.parametrize(
    "action",
    [{"action": "go"}, {"action": "menu"}, {"action": "repeat", "menu": "x"}, {"action": "hangup", "to": "support"}],
)
def test_a_key_that_leads_nowhere_or_twice_is_refused(action):
    with pytest.raises(ValidationError, match="a key that"):
        MenuAction.model_validate(action)


def test_main_is_the_first_menu_unless_one_has_that_name():
    document = {"extension": "400", "name": "x", "menus": [{"name": "day"}, {"name": "night"}]}
    attendant = Attendant.model_validate(document)
    assert attendant.menu("main") is attendant.menus[0]
    assert attendant.menu("night") is attendant.menus[1]
    assert attendant.menu("noon") is None


def test_an_attendant_may_be_meant_by_its_name():
    document = {
        "domain": {"name": "acme.lab"},
        "users": [{"extension": 101, "first_name": "Ana", "rules": [{"forward_always": "aa_Main line"}]}],
        "attendants": [{"extension": 400, "name": "Main line", "menus": [{"name": "main"}]}],
    }
    assert Directory.model_validate(document).users[0].rules[0].forward_always == ToAttendant(extension="400")
    document["attendants"] = [{"extension": 400, "name": "Other", "menus": [{"name": "main"}]}]
    with pytest.raises(ValidationError, match="'aa_Main line' is no destination"):
        Directory.model_validate(document)


CACHED = [name for name, value in vars(Directory).items() if isinstance(value, cached_property)]


@pytest.mark.parametrize(
    "changes",
    [
        {"ring_s": 9},
        {"max_calls": 2},
        {"site": "Toronto", "caller_id": "14165550100"},
        {"rules": [{"forward_always": "user 101"}]},
        {"department": "Sales"},
        {"login": "ben@acme.test"},
        {"voicemail": False},
    ],
)
def test_one_changed_user_is_adopted_as_if_everything_had_been_read_again(changes):
    before = Directory.model_validate(DOCUMENT)
    for name in CACHED:
        getattr(before, name)
    ben = User.model_validate({**dict(before.users[1]), **changes})
    changed = before.with_user(ben)
    again = before.replaced(users=(before.users[0], ben))
    assert changed == again
    assert {name: getattr(changed, name) for name in CACHED} == {name: getattr(again, name) for name in CACHED}
    assert before.users_by_extension["102"] == before.users[1]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"site": "Berlin"}, "user 102: there is no site Berlin"),
        ({"rules": [{"forward_always": "user 199"}]}, "user 102, forward always: there is no user 199"),
        ({"login": "101@acme.lab"}, "login 101@acme.lab exists twice"),
        ({"department": "Laval"}, "there is a site Laval"),
    ],
)
def test_a_change_that_spoils_the_domain_is_refused(changes, told):
    before = Directory.model_validate(DOCUMENT)
    with pytest.raises(ValueError, match=re.escape(told)):
        before.with_user(User.model_validate({**dict(before.users[1]), **changes}))


def test_a_mailbox_others_forward_to_is_not_taken_away_by_changing_its_user():
    ana, ben = DOCUMENT["users"]
    rules = [{"forward_always": "mailbox 102"}]
    before = Directory.model_validate({**DOCUMENT, "users": [{**ana, "rules": rules}, ben]})
    with pytest.raises(ValueError, match="user 101, forward always: user 102 has no mailbox"):
        before.with_user(before.users[1].model_copy(update={"voicemail": False}))


def test_a_switched_frame_is_adopted_as_if_everything_had_been_read_again():
    frames = [{"name": "night", "weekdays": {"mon": "09:00-10:00"}}, {"name": "day", "kind": "always"}]
    before = Directory.model_validate({**DOCUMENT, "time_frames": frames})
    for name in CACHED:
        getattr(before, name)
    changed = before.with_frame_switched("night", "on")
    night = before.time_frames[0].model_copy(update={"switched": "on"})
    again = before.replaced(time_frames=(night, before.time_frames[1]))
    assert changed == again
    assert {name: getattr(changed, name) for name in CACHED} == {name: getattr(again, name) for name in CACHED}
    assert before.frames_by_name["night"].switched == ""
