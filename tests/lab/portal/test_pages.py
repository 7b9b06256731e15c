"""Lists and forms of the portal: what they say of this moment, what they change, and what they refuse."""

import json
import re

import pytest

from lab.portal.sections import SECTIONS
from pbx.domain.history import CallRecord
from pbx.domain.sites import assign_site
from tests.lab.portal.town import PERSONS, Town

HOSTILE = '"><script>alert(1)</script>\u202e'


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
async def page(aiohttp_client, town):
    return await aiohttp_client(town.app)


async def form_of(page, address: str, **cookies) -> dict[str, str]:
    """Return what a browser would send of the first form that has a tag."""
    text = await (await page.get(address, **cookies)).text()
    return {"tag": re.search(r'name="tag" value="([0-9a-f]+)"', text)[1]}


async def edited(page, address: str, cookies=None, **fields):
    told = {"cookies": cookies} if cookies else {}
    form = await form_of(page, address, **told)
    return await page.post(address, data={**form, **fields}, allow_redirects=False, **told)


async def test_a_row_says_where_a_call_goes_now_and_by_which_rule(page, town):
    frame = {"name": "today", "kind": "always"}
    rules = [{"time_frame": "today", "forward_always": "external 14165550199"}, {"time_frame": "*"}]
    ben = town.acme.users_by_extension["102"]
    user = type(ben).model_validate({**{n: getattr(ben, n) for n in type(ben).model_fields}, "rules": rules})
    frames = (*town.acme.time_frames, type(town.acme.time_frames[0]).model_validate(frame))
    town.apply(
        town.acme.replaced(time_frames=frames, users=tuple(user if one is ben else one for one in town.acme.users)), ""
    )
    text = await (await page.get("/d/acme.lab/users?q=ben")).text()
    row = re.search(r"<tr><th scope=\"row\"><a href=\"/d/acme.lab/users/102\".*?</tr>", text)[0]
    assert "external 14165550199" in row
    assert '<span class="chip boot">Active: today</span>' in row
    rules_page = await (await page.get("/d/acme.lab/users/102/rules")).text()
    assert re.search(r'is-active">\s*<h2>today <span class="chip boot">Active</span>', rules_page)


async def test_an_edit_is_kept_with_who_as_whom_before_and_after(page, town):
    manager = town.session("101")
    answer = await edited(page, "/d/acme.lab/users/102", manager, first_name="Benedict", email="b@acme.lab")
    assert (answer.status, answer.headers["Location"]) == (303, "/d/acme.lab/users/102?said=kept")
    assert town.acme.users_by_extension["102"].first_name == "Benedict"
    (entry,) = town.store.audit()
    assert (entry.actor, entry.as_whom, entry.scope) == ("101@acme.lab", "", "Office Manager")
    assert (entry.domain, entry.kind, entry.name, entry.action) == ("acme.lab", "profile", "102", "edit")
    assert json.loads(entry.before) == {"first_name": "Ben", "email": "ben@acme.lab"}
    assert json.loads(entry.after) == {"first_name": "Benedict", "email": "b@acme.lab"}
    assert entry.origin.startswith("console 127.0.0.1")
    shown = await (await page.get("/d/acme.lab/audit", cookies=manager)).text()
    assert "Benedict" in shown


async def test_what_was_not_changed_is_no_write(page, town):
    before = town.acme
    await edited(page, "/d/acme.lab/users/101", first_name="Ana", email="ana@acme.lab")
    assert town.acme is before
    assert town.store.audit() == []


async def test_who_was_slower_is_shown_yours_and_theirs_and_nothing_is_changed(page, town):
    form = await form_of(page, "/d/acme.lab/queues/500")
    await edited(page, "/d/acme.lab/queues/500", town.session("101"), name="Front desk")
    answer = await page.post("/d/acme.lab/queues/500", data={**form, "name": "Reception"})
    text = await answer.text()
    assert answer.status == 412
    assert "Changed by 101@acme.lab" in text
    assert re.search(r"<td>Reception</td><td>Front desk</td>", text)
    assert 'value="Reception"' in text
    assert town.acme.queues_by_extension["500"].name == "Front desk"


async def test_if_match_does_for_a_script_what_the_tag_does_for_a_page(page, town):
    seen = await page.get("/d/acme.lab/numbers/14165550100")
    named = {"If-Match": seen.headers["ETag"]}
    taken = await page.post("/d/acme.lab/numbers/14165550100", data={"description": "Main"}, headers=named)
    assert taken.status == 200
    late = await page.post("/d/acme.lab/numbers/14165550100", data={"description": "Other"}, headers=named)
    assert late.status == 412


async def test_a_box_that_was_shown_and_is_not_ticked_is_off(page, town):
    await edited(page, "/d/acme.lab/users/102", first_name="Ben")
    assert town.acme.users_by_extension["102"].voicemail
    await edited(page, "/d/acme.lab/users/102", shown="first_name,voicemail")
    assert not town.acme.users_by_extension["102"].voicemail


@pytest.mark.parametrize(
    ("address", "fields", "section", "look"),
    [
        ("queues/500", {"agents": "104\n106"}, "queues_by_extension", lambda it: [a.name for a in it.agents]),
        ("numbers/14165550100", {"routes": "* user 101"}, "numbers_by_digits", lambda it: it.routes[0].to.label),
        ("sites/Laval", {"greeting": "laval-welcome"}, "sites_by_name", lambda it: it.greeting),
        ("timeframes/lunch", {"weekdays": "mon-tue 11:00-12:00"}, "frames_by_name", lambda it: list(it.weekdays)),
    ],
)
async def test_a_form_writes_what_its_lines_say(page, town, address, fields, section, look):
    assert (await edited(page, f"/d/acme.lab/{address}", **fields)).status == 303
    item = getattr(town.acme, section)[address.partition("/")[2]]
    assert look(item) == {
        "queues": ["104", "106"], "numbers": "user:101", "sites": "laval-welcome", "timeframes": ["mon", "tue"],
    }[address.partition("/")[0]]  # fmt: skip


async def test_what_lines_leave_as_it_was_keeps_all_it_had(page, town):
    before = town.acme.attendants[0]
    shown = await (await page.get(f"/d/acme.lab/attendants/{before.extension}")).text()
    keys = re.search(r'name="keys" rows="5">(.*?)</textarea>', shown, re.DOTALL)[1].replace("&gt;", ">")
    answer = await edited(page, f"/d/acme.lab/attendants/{before.extension}", keys=f"{keys}\n7 user 101")
    assert answer.status == 303
    after = town.acme.attendants_by_extension[before.extension]
    assert {key: action for key, action in after.menus[0].keys.items() if key != "7"} == before.menus[0].keys
    assert after.menus[1:] == before.menus[1:]


async def test_greeting_and_keys_of_an_attendant_are_changed_in_one_go(page, town):
    before = town.acme.attendants[0]
    address = f"/d/acme.lab/attendants/{before.extension}"
    assert (await edited(page, address, greeting="summer", keys="7 user 101")).status == 303
    menu = town.acme.attendants_by_extension[before.extension].menus[0]
    assert (menu.greeting, list(menu.keys)) == ("summer", ["7"])


@pytest.mark.parametrize(
    ("address", "fields", "told"),
    [
        ("users/102", {"email": "no address"}, "is no mail address"),
        ("users/102", {"caller_id": "911"}, "a number is written with 11 digits"),
        ("queues/500", {"agents": "104 999"}, "agent 999 is no user"),
        ("queues/500", {"agent_ring_s": "soon"}, "is no number"),
        ("numbers/14165550100", {"routes": "nonsense"}, "two parts belong on a line"),
        ("numbers/14165550100", {"routes": "* moon 1"}, "is no destination"),
        ("timeframes/lunch", {"weekdays": "sun-mon 1-2"}, "runs backwards"),
        ("sites/Laval", {"time_zone": "Mars/Olympus"}, "is no time zone"),
    ],
)
async def test_what_cannot_be_is_told_beside_the_field_and_nothing_is_kept(page, town, address, fields, told):
    before = town.acme
    answer = await edited(page, f"/d/acme.lab/{address}", **fields)
    assert answer.status == 422
    text = await answer.text()
    assert told in text
    assert next(iter(fields.values())).split("\n")[0] in text, "what was typed is still there"
    assert town.acme is before
    assert town.store.audit() == []


async def test_every_field_of_every_form_may_be_hostile(page, town):
    before = town.acme
    for section in SECTIONS:
        item = section.all(before)[0] if section.all(before) else None
        if item is None:
            continue
        address = f"/d/acme.lab/{section.path}/{getattr(item, section.key)}"
        for text in (HOSTILE, "x" * 10_001, "\x00", "²"):
            answer = await edited(
                page, address, **{field.name: text for field in section.fields if field.shape != "check"}
            )
            assert answer.status in (303, 422), (address, text[:20])
            shown = await answer.text()
            assert "<script>alert" not in shown
            assert "Traceback" not in shown
    assert "<script>alert" not in await (await page.get("/d/acme.lab/audit")).text()


async def test_text_from_a_call_is_escaped_in_the_history(page, town):
    town.calls = [
        CallRecord("c-1", HOSTILE, HOSTILE, "101", HOSTILE, "", HOSTILE, "inbound", 1.0, 0, 2.0, 0.0, 16, HOSTILE)
    ]
    text = await (await page.get("/d/acme.lab/history")).text()
    assert "&lt;script&gt;" in text
    assert "<script>alert" not in text


async def test_a_basic_user_assigned_to_a_site_sees_byte_equal_pages(aiohttp_client):
    town = Town()
    ben = town.acme.users_by_extension["102"]
    town.apply(town.acme.with_user(ben.model_copy(update={"site": "", "rules": (*ben.rules,)})), "")
    client, cookies = await aiohttp_client(town.app), town.session("102")
    addresses = [
        "/floor", "/calls", "/d/acme.lab/users/102", "/d/acme.lab/users/102/rules", "/d/acme.lab/timeframes",
        "/account", "/d/acme.lab/conferences", "/d/acme.lab/history", "/d/acme.lab/roles", "/d/acme.lab/users",
        "/d/acme.lab/sites", "/d/acme.lab/why-may-i?kind=profile&of=102",
    ]  # fmt: skip
    before = [await (await client.get(one, cookies=cookies)).read() for one in addresses]
    for site in ("Toronto", "Laval"):
        town.apply(assign_site(town.acme, ["102"], site), "")
        after = [await (await client.get(one, cookies=cookies)).read() for one in addresses]
        assert [one for one, old, new in zip(addresses, before, after, strict=True) if old != new] == []
    assert town.acme.users_by_extension["102"].site == "Laval"
    assert b"Laval" not in b"".join(before[2:])


async def test_an_office_manager_assigns_a_site_with_or_without_its_defaults(page, town):
    manager = town.session("101")
    for overwrite in ({}, {"overwrite": "on"}):
        data = {"extensions": "102, 104", "site": "Laval", **overwrite}
        await page.post("/d/acme.lab/site-assignment", data=data, cookies=manager)
        users = [town.acme.users_by_extension[one] for one in ("102", "104")]
        assert {user.site for user in users} == {"Laval"}
        assert (users[0].area_code == "") is bool(overwrite), "the label alone keeps what held"
    assert {entry.kind for entry in town.store.audit()} == {"site assignment"}
    wrong = await page.post("/d/acme.lab/site-assignment", data={"extensions": "102", "site": "Mars"}, cookies=manager)
    assert (wrong.status, "there is no site Mars" in await wrong.text()) == (422, True)


async def test_what_a_form_does_not_show_it_does_not_take_either(page, town):
    lead = town.session("105")
    for fields in ({"site": "Toronto"}, {"caller_id": "14165550100"}, {"login": "boss"}, {"scope": "Office Manager"}):
        answer = await edited(page, "/d/acme.lab/users/106", lead, **fields)
        assert answer.status == 403, fields
    assert town.acme.users_by_extension["106"] == Town().acme.users_by_extension["106"]


async def test_a_manager_appoints_within_what_the_preset_lets(aiohttp_client):
    for roles, scope, status in (("n2p", "Site Manager", 403), ("n2p", "Call Center Agent", 303),
                                 ("generic", "Office Manager", 303), ("b1", "Site Manager", 403)):  # fmt: skip
        town = Town(roles=roles)
        page, manager = await aiohttp_client(town.app), town.session("101")
        answer = await edited(page, "/d/acme.lab/users/102", manager, scope=scope)
        assert answer.status == status, (roles, scope)


async def test_a_page_opened_before_a_demotion_does_not_undo_it(page, town):
    text = await (await page.get("/d/acme.lab/users/105")).text()
    was = re.search(r'name="scope_was" value="([^"]*)"', text)[1]
    assert was == town.acme.users_by_extension["105"].scope == "Site Manager"
    town.with_user("105", scope="Basic User")
    tag = re.search(r'name="tag" value="([0-9a-f]+)"', text)[1]
    sent = {"tag": tag, "first_name": "Eve", "scope": was, "scope_was": was}
    assert (await page.post("/d/acme.lab/users/105", data=sent, allow_redirects=False)).status == 303
    user = town.acme.users_by_extension["105"]
    assert (user.first_name, user.scope) == ("Eve", "Basic User")


async def test_support_alone_adds_users_with_n2p_and_a_site_manager_with_b1(aiohttp_client):
    for roles, extension, status in (("n2p", "101", 403), ("b1", "105", 303), ("b1", "101", 303)):
        town = Town(roles=roles)
        page = await aiohttp_client(town.app)
        data = {"extension": "190", "first_name": "New", "scope": "Basic User"}
        answer = await page.post("/d/acme.lab/users", data=data, cookies=town.session(extension), allow_redirects=False)
        assert answer.status == status, (roles, extension)
        if status == 303:
            assert town.acme.users_by_extension["190"].site == ("Laval" if extension == "105" else "")
    wrong = await page.post("/d/acme.lab/users", data={**data, "extension": "911"}, cookies=town.session("101"))
    assert (wrong.status, "911" in await wrong.text()) == (422, True)


async def test_rules_are_moved_switched_added_changed_and_removed(page, town):
    address, me = "/d/acme.lab/users/102/rules", town.session("102")

    async def done(deed: str, **fields):
        return (await edited(page, address, me, do=deed, **fields)).status

    def frames() -> list[tuple[str, bool]]:
        return [(rule.time_frame, rule.enabled) for rule in town.acme.users_by_extension["102"].rules]

    start = frames()
    assert await done("add", time_frame="lunch", forward_always="user 101") == 303
    assert await done("add", time_frame="night", do_not_disturb="yes", shown="do_not_disturb") == 303
    assert frames() == [("night", True), ("lunch", True), *start]
    assert await done("down", place="0") == 303
    assert await done("switch", place="0") == 303
    assert frames()[:2] == [("lunch", False), ("night", True)]
    assert await done("change", place="0", forward_always="mailbox 102") == 303
    assert town.acme.users_by_extension["102"].rules[0].forward_always.label == "mailbox:102"
    assert await done("add", time_frame="lunch") == 422
    assert await done("remove", place="0") == 303
    assert await done("remove", place="99") == 422
    assert await done("explode", place="0") == 422
    assert await done("settings", ring_s="7") == 303
    assert (town.acme.users_by_extension["102"].ring_s, frames()) == (7, [("night", True), *start])


async def test_a_user_others_need_is_not_deleted_and_one_nobody_needs_is(page, town):
    refused = await page.post("/d/acme.lab/users/101/delete")
    assert refused.status == 409
    assert "still referred to" in await refused.text()
    await page.post("/d/acme.lab/users", data={"extension": "190", "first_name": "New"})
    await page.post("/d/acme.lab/users/190/delete")
    assert "190" not in town.acme.users_by_extension
    assert [entry.action for entry in town.store.audit()] == ["delete", "create"]


async def test_a_link_is_mailed_to_who_has_an_address(page, town):
    await page.post("/d/acme.lab/users/102/invite")
    assert town.invited == ["102"]
    assert [entry.after for entry in town.store.audit()] == ['"link mailed to ben@acme.lab"']


@pytest.mark.parametrize("role", PERSONS)
async def test_the_side_bar_has_the_rooms_that_open_and_no_other(page, town, role):
    cookies = town.session(PERSONS[role])
    text = await (await page.get("/account", cookies=cookies)).text()
    side = re.search(r'<nav class="side".*?</nav>', text, re.DOTALL)[0]
    for address in re.findall(r'href="([^"]+)"', side):
        assert (await page.get(address, cookies=cookies)).status == 200, address


async def test_a_refusal_names_the_right_and_who_has_it(page, town):
    text = await (await page.get("/d/acme.lab/numbers", cookies=town.session("102"))).text()
    assert "a Basic User may not view numbers" in text
    assert "Who may: Super User, Reseller, Office Manager" in text


async def test_why_may_i_answers_for_one_thing_and_tells_nothing_of_what_is_out_of_reach(page, town):
    lead = town.session("105")
    mine = await (await page.get("/d/acme.lab/why-may-i?action=edit&kind=profile&of=106", cookies=lead)).text()
    assert "✓ Yes" in mine
    assert "profile 106 is in site Laval" in mine
    other = await (await page.get("/d/acme.lab/why-may-i?action=view&kind=profile&of=102", cookies=lead)).text()
    none = await (await page.get("/d/acme.lab/why-may-i?action=view&kind=profile&of=199", cookies=lead)).text()
    assert "✗ No" in other
    assert other.replace("102", "199") == none


async def test_ten_thousand_rows_are_shown_a_hundred_at_a_time_and_found_by_words(page, town):
    ben = town.acme.users_by_extension["102"]
    crowd = tuple(ben.model_copy(update={"extension": str(20_000 + one), "login": "", "first_name": f"N{one}"})
                  for one in range(300))  # fmt: skip
    town.apply(town.acme.replaced(users=(*town.acme.users, *crowd)), "")
    text = await (await page.get("/d/acme.lab/users?first=100")).text()
    assert text.count('<th scope="row">') == 100
    assert "101 to 200 of" in text
    one = await (await page.get("/d/acme.lab/users?q=n299")).text()
    assert one.count('<th scope="row">') == 1
    none = await (await page.get("/d/acme.lab/users?q=zzz")).text()
    assert "Clear filter" in none
    assert (await page.get("/d/acme.lab/users?first=x")).status == 200


async def test_support_alone_enables_sites_and_takes_them_away_while_there_are_none(page, town):
    refused = await page.post("/d/acme.lab/sites-feature", cookies=town.session("101"))
    assert refused.status == 403
    there = await page.post("/d/acme.lab/sites-feature")
    assert (there.status, "there are 2" in await there.text()) == (422, True)
    users = tuple(user.model_copy(update={"site": ""}) for user in town.acme.users)
    stripped = {name: tuple(one.model_copy(update={"site": ""}) for one in getattr(town.acme, name))
                for name in ("attendants", "queues", "numbers", "conferences")}  # fmt: skip
    town.apply(town.acme.replaced(users=users, sites=(), settings={}, **stripped), "")
    assert (await page.post("/d/acme.lab/sites-feature")).status == 200
    assert not town.acme.domain.sites_enabled
    refused = await page.post("/d/acme.lab/sites", data={"name": "Laval"})
    assert (refused.status, "support enables them" in await refused.text()) == (422, True)
    await page.post("/d/acme.lab/sites-feature", data={"enabled": "yes"})
    assert (await page.post("/d/acme.lab/sites", data={"name": "Laval"})).status == 200
    assert [one.name for one in town.acme.sites] == ["Laval"]


async def test_now_goes_to_names_the_menu_and_the_agents(page):
    attendants = await (await page.get("/d/acme.lab/attendants")).text()
    assert "menu main" in attendants
    queues = await (await page.get("/d/acme.lab/queues")).text()
    assert "offered to 103, 104" in queues
    assert "hangup not-found" not in queues + attendants
