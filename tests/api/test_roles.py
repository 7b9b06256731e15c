"""Every route of the API × the five roles: 403 where the role matrix has nothing, and no thing out of reach."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lab.seeds.load import load_seed
from tests.api.office import ROUTES, Office, opened

ROLES = {
    "Office Manager": "101", "Call Center Supervisor": "103", "Site Manager": "105", "Call Center Agent": "106",
    "Basic User": "102",
}  # fmt: skip

# Who may at all, written down once more from the role matrix: Office Manager, Call Center Supervisor, Site Manager,
# Call Center Agent, Basic User; to view, edit, create, delete.
MATRIX = """
home              | yyyyy ----- ----- -----
user              | y-y-- ----- y---- y----
profile           | yyyyy yyyyy ----- -----
answering rule    | yyyyy yyyyy yyyyy yyyyy
time frame        | yyyyy yyyyy yyyyy yyyyy
shared time frame | y-y-- y---- y---- y----
greeting          | yyyyy yyyyy yyyyy yyyyy
voicemail         | yyyyy yyyyy ----- yyyyy
device            | yyyyy y-y-- y-y-- y-y--
attendant         | y-y-- y-y-- y---- y----
queue             | yyy-- yyy-- y---- y----
agent             | yyyy- yyyy- yyy-- yyy--
statistics        | yyyy- ----- ----- -----
music             | y---- y---- y---- y----
number            | y---- y---- ----- -----
sms number        | y---- y---- ----- -----
hardware          | y-y-- y-y-- y---- y----
call              | yyyyy yyyyy yyyyy yyyyy
call record       | yyyyy ----- ----- -----
recording         | yyyyy ----- ----- y----
conference        | yyyyy yyyyy y---- y----
contact           | yyyyy yyyyy yyyyy yyyyy
shared contact    | yyyyy y---- y---- y----
emergency address | y---- y---- y---- y----
billing           | y---- y---- ----- -----
site              | y-y-- y---- ----- -----
department        | y-y-- ----- ----- -----
domain            | y---- ----- ----- -----
reseller          | ----- ----- ----- -----
dial plan         | y---- ----- ----- -----
audit log         | y---- ----- ----- -----
api key           | y---- ----- y---- y----
subscription      | yyyyy yyyyy yyyyy yyyyy
phone             | yyyyy ----- ----- -----
sip trace         | y---- ----- ----- -----
"""
_ACTIONS = ("view", "edit", "create", "delete")
LETS_IN = {
    (kind.strip(), action, role): cells[place] == "y"
    for kind, row in (line.split("|") for line in MATRIX.strip().splitlines())
    for action, cells in zip(_ACTIONS, row.split(), strict=True)
    for place, role in enumerate(ROLES)
}
ASKED = [route for route in ROUTES.all if route.right is not None]
NOBODY = "199"
OTHERS = {"101": "Office Manager", "104": "Call Center Agent of Toronto"}
"""Whom nobody but the office manager has within reach."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return opened(load_seed(), Path(tmp_path_factory.mktemp("recordings")))


class Keys:
    """A token of a role, a new one each time: some routes end those there are."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def __getitem__(self, role: str) -> str:
        return self._office.identities.desk.issue("token", "acme.lab", ROLES[role])


@pytest.fixture
def keys(office: Office) -> Keys:
    return Keys(office)


def filled(path: str, domain: str = "acme.lab", user: str = NOBODY) -> str:
    path = path.replace("{domain}", domain).replace("{user}", user).replace("{folder}", "new")
    return re.sub(r"\{[^}]*\}", "none", path)


def test_every_right_a_route_needs_is_in_the_matrix():
    assert {route.right for route in ASKED} <= {kind for kind, _, _ in LETS_IN}
    assert len(ASKED) > 300


@pytest.mark.parametrize("role", ROLES)
async def test_every_route_is_403_for_whom_the_matrix_has_nothing_and_for_nobody_else(office, keys, role):
    wrong = []
    for route in ASKED:
        told = await office.ask(route.method, filled(route.path), {}, key=keys[role])
        let_in = LETS_IN[route.right, route.does, role]
        if (told.status == 403) is let_in or told.status == 500:
            wrong.append((route.method, route.path, route.right, told.status, told.body))
    assert wrong == []


async def test_every_route_of_another_domain_is_as_unknown_as_one_there_is_not(office, keys):
    other = office.directory.domain.model_copy(update={"name": "other.lab"})
    await office.house.create(office.directory.replaced(domain=other))
    wrong = []
    for role in ROLES:
        for route in (route for route in ASKED if "{domain}" in route.path):
            there, nowhere = [
                await office.ask(route.method, filled(route.path, domain, "101"), {}, key=keys[role])
                for domain in ("other.lab", "none.lab")
            ]
            if route.path == "/domains/{domain}/count":  # it counts what the asker knows: none
                continue
            same = json.dumps(there.body).replace("other.lab", "none.lab") == json.dumps(nowhere.body)
            if (there.status, nowhere.status) != (404, 404) or not same:
                wrong.append((role, route.method, route.path, there.status, there.body, nowhere.status))
    assert wrong == []


@pytest.mark.parametrize("role", [role for role in ROLES if role != "Office Manager"])
async def test_nothing_of_a_user_out_of_reach_is_told_or_changed(office, keys, role):
    before, wrong = office.directory, []
    for route in (route for route in ASKED if "{user}" in route.path):
        for extension in OTHERS:
            told = await office.ask(route.method, filled(route.path, user=extension), {}, key=keys[role])
            nothing = told.status == 200 and route.method == "GET" and empty(told.body)
            if told.status not in (403, 404) and not nothing:
                wrong.append((route.method, route.path, extension, told.status, told.body))
    assert wrong == []
    assert office.directory is before


def empty(body: object) -> bool:
    """An empty list, or counts of nothing: that there is such a user everybody reads in the directory."""
    return body == [] or (isinstance(body, dict) and bool(body) and not any(body.values()))


@pytest.mark.parametrize(
    ("role", "users", "queues", "sites"),
    [
        ("Office Manager", None, None, 200),
        ("Call Center Supervisor", {"103"}, set(), 403),
        ("Call Center Agent", {"106"}, 403, 403),
        ("Basic User", {"102"}, 403, 403),
    ],
)
async def test_lists_hold_what_is_within_reach(office, keys, role, users, queues, sites):
    everybody = {user.extension for user in office.directory.users}
    listed = {one["user"] for one in await office.get("/domains/acme.lab/users?limit=1000", key=keys[role])}
    assert listed & everybody == (everybody if users is None else users)
    assert users is None or listed == users
    devices = {one["user"] for one in await office.get("/domains/acme.lab/devices?limit=1000", key=keys[role])}
    assert devices <= listed
    told = await office.ask("GET", "/domains/acme.lab/callqueues", key=keys[role])
    if isinstance(queues, set):
        assert {one["callqueue"] for one in told.body} == queues
    else:
        assert told.status == (queues or 200)
    assert (await office.ask("GET", "/domains/acme.lab/sites", key=keys[role])).status == sites


async def test_a_site_manager_lists_the_own_site(office, keys):
    lead = keys["Site Manager"]
    laval = {user.extension for user in office.directory.users if user.site == "Laval"}
    assert {one["user"] for one in await office.get("/domains/acme.lab/users?limit=1000", key=lead)} == laval
    assert {one["user"] for one in await office.get("/domains/acme.lab/devices?limit=1000", key=lead)} <= laval
    assert [one["site"] for one in await office.get("/domains/acme.lab/sites", key=lead)] == ["Laval"]


@pytest.mark.parametrize(
    ("role", "paths"),
    [
        ("Site Manager", ("callqueues", "sites", "conferences", "users/{}/autoattendants/main", "phones")),
        ("Call Center Supervisor", ("callqueues", "conferences")),
        ("Basic User", ("conferences",)),
    ],
)
async def test_a_thing_out_of_reach_is_as_unknown_as_one_there_is_not(office, keys, role, paths):
    directory, wrong = office.directory, []
    there = {
        "callqueues": [queue.extension for queue in directory.queues if queue.site != "Laval"],
        "sites": ["Toronto"],
        "conferences": [one.extension for one in directory.conferences if one.owner != ROLES[role] and not one.site],
        "users/{}/autoattendants/main": [one.extension for one in directory.attendants if one.site != "Laval"],
        "phones": [device.mac for device in directory.devices if device.mac and device.extension == "101"],
    }
    for path in paths:
        for key in there[path]:
            asked = path.replace("{}", key) if "{}" in path else f"{path}/{key}"
            seen = await office.ask("GET", f"/domains/acme.lab/{asked}", key=keys[role])
            absent = {"phones": "0" * 12, "users/{}/autoattendants/main": "199"}.get(path, "599")
            none = await office.ask("GET", f"/domains/acme.lab/{asked.replace(key, absent)}", key=keys[role])
            told = json.dumps(seen.body).replace(key, absent)
            if seen.status != 404 or told != json.dumps(none.body):
                wrong.append((asked, seen.status, seen.body, none.body))
    assert wrong == []


async def test_a_site_manager_puts_no_line_of_another_site_on_a_box_of_the_own(office, keys):
    before = office.directory
    own, other = (next(it for it in before.devices if it.extension == who and it.mac) for who in ("106", "104"))
    body = {"device-provisioning-mac-address": own.mac, "device-provisioning-sip-uri-1": other.id}
    told = await office.ask("PUT", "/domains/acme.lab/phones", body, key=keys["Site Manager"])
    assert (told.status, office.directory is before) == (404, True)


async def test_a_site_manager_puts_no_line_of_the_own_site_on_a_box_of_another(office, keys):
    before = office.directory
    own, other = (next(it for it in before.devices if it.extension == who and it.mac) for who in ("106", "104"))
    for method, path, body in (
        ("PUT", f"users/106/devices/{own.id}", {"device-provisioning-mac-address": other.mac}),
        ("POST", "users/106/devices", {"device": "106z", "device-provisioning-mac-address": other.mac}),
    ):
        told = await office.ask(method, f"/domains/acme.lab/{path}", body, key=keys["Site Manager"])
        assert (told.status, office.directory is before) == (404, True)


async def test_a_key_for_a_wider_user_is_not_made_however_narrow_it_is_asked_for(office, keys):
    ana = office.directory.users_by_extension["102"]
    before = office.directory
    office.world.apply(before.with_user(ana.model_copy(update={"scope": "Super User"})), "")
    asked = {"description": "for machines alone", "domain": "acme.lab", "user": "102", "user-scope": "Basic User"}
    told = await office.ask("POST", "/apikeys", asked, key=keys["Office Manager"])
    office.world.apply(before, "")
    assert told.status == 403


async def test_messages_of_the_served_domain_are_for_who_may_see_it(office):
    other = office.directory.domain.model_copy(update={"name": "other.lab"})
    await office.house.create(office.directory.replaced(domain=other))
    foreign = office.identities.desk.issue("token", "other.lab", "101")
    assert (await office.ask("GET", "/sipflow?callids=x", key=foreign)).status in (403, 404)
    assert (await office.ask("GET", "/sipflow?callids=x")).status == 200


async def test_a_site_manager_gives_a_user_of_the_own_site_a_new_device(office, keys):
    before = office.directory
    told = await office.ask("POST", "/domains/acme.lab/users/106/devices", {"device": "106z"}, key=keys["Site Manager"])
    office.world.apply(before, "")
    assert told.status == 202, told
