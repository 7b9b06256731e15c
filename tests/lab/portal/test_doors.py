"""Log in, links, sessions, looking as somebody else: what the doors of the portal let happen."""

import asyncio

import pytest
from aiohttp import web

from lab.onboarding.reading import NORTHSIDE
from tests.lab.portal.town import Town

WORD = "seven wet umbrellas"
OTHERS = {"Sec-Fetch-Site": "cross-site"}


@pytest.fixture
async def town() -> Town:
    made = Town(lab=False)
    await made.accounts.set_password("acme.lab", "105", WORD)
    return made


@pytest.fixture
async def page(aiohttp_client, town):
    return await aiohttp_client(town.app)


async def log_in(page, password: str = WORD, login: str = "105@acme.lab", **more):
    return await page.post("/login", data={"login": login, "password": password, **more}, allow_redirects=False)


async def test_who_logs_in_comes_back_to_where_it_wanted_to_go(page):
    asked = await page.get("/d/acme.lab/sites", allow_redirects=False)
    assert asked.headers["Location"] == "/login?back=/d/acme.lab/sites"
    answer = await log_in(page, back="/d/acme.lab/sites")
    assert (answer.status, answer.headers["Location"]) == (303, "/d/acme.lab/sites")
    assert (await page.get("/d/acme.lab/sites")).status == 200


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:x"])
async def test_a_login_leads_to_no_other_site(page, back):
    assert (await log_in(page, back=back)).headers["Location"] == "/"


async def test_the_cookie_is_for_this_site_alone_and_no_script(page):
    cookie = (await log_in(page)).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie


async def test_the_session_before_ends_with_a_new_login(page, town):
    await log_in(page)
    first = page.session.cookie_jar.filter_cookies(page.make_url("/"))["session"].value
    await log_in(page)
    assert town.accounts.shown(first, ("session",)) is None
    assert len(town.accounts.passes_of("acme.lab", "105")) == 1


async def test_ten_wrong_logins_for_one_name_are_answered_429_with_how_long(page):
    for _ in range(10):
        assert (await log_in(page, "wrong")).status == 401
    answer = await log_in(page)
    assert answer.status == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert "Too many wrong logins" in await answer.text()


async def test_what_was_typed_comes_back_escaped_and_never_the_password(page):
    answer = await log_in(page, '"><script>p</script>', login='"><script>alert(1)</script>')
    text = await answer.text()
    assert "<script>alert" not in text
    assert "<script>p<" not in text
    assert "&#34;&gt;&lt;script&gt;alert(1)" in text


async def test_logging_out_ends_the_session_and_not_the_cookie_alone(page, town):
    await log_in(page)
    secret = page.session.cookie_jar.filter_cookies(page.make_url("/"))["session"].value
    await page.post("/logout")
    assert town.accounts.shown(secret, ("session",)) is None
    assert (await page.get("/account", allow_redirects=False)).status == 303


async def test_another_sites_page_changes_nothing_logged_in_or_not(page, town):
    await log_in(page)
    for path in ("/logout", "/login", "/account/password", "/d/acme.lab/users/105", "/link/x"):
        assert (await page.post(path, headers=OTHERS)).status == 403
        assert (await page.post(path, headers={"Origin": "http://evil.example"})).status == 403
    assert len(town.accounts.passes_of("acme.lab", "105")) == 1


async def test_a_welcome_link_sets_a_password_once(page, town):
    link = f"/link/{town.accounts.link('welcome', 'acme.lab', '102', 'lab engineer')}"
    assert "102@acme.lab" in await (await page.get(link)).text()
    assert (await page.post(link, data={"password": "short"})).status == 422
    answer = await page.post(link, data={"password": "nine dry umbrellas"}, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/login")
    assert (await page.get(link)).status == 404
    assert (await page.post(link, data={"password": "ten dry umbrellas"})).status == 404
    assert (await log_in(page, "nine dry umbrellas", login="102@acme.lab")).status == 303


async def test_a_changed_password_ends_every_session_and_is_in_the_audit_without_itself(page, town):
    elsewhere = town.session("105")
    await log_in(page)
    wrong = await page.post("/account/password", data={"old": "wrong", "password": "nine dry umbrellas"})
    assert wrong.status == 422
    await page.post("/account/password", data={"old": WORD, "password": "nine dry umbrellas"})
    assert (await page.get("/account", cookies=elsewhere, allow_redirects=False)).status == 303
    (entry,) = [one for one in town.store.audit() if one.name == "105"]
    assert (entry.actor, entry.kind, entry.before, entry.after) == (
        "105@acme.lab",
        "profile",
        '"password"',
        '"password"',
    )


async def test_a_session_ends_when_its_user_may_log_in_no_more(page, town):
    await log_in(page)
    town.with_user("105", scope="No Portal")
    assert (await page.get("/account", allow_redirects=False)).status == 303


@pytest.mark.parametrize("value", ["", "x", "a" * 5000, "%00", "../etc"])
async def test_a_wrong_session_is_nobody(page, value):
    assert (await page.get("/account", cookies={"session": value}, allow_redirects=False)).status == 303


async def test_lab_mode_ends_where_a_request_was_forwarded(aiohttp_client):
    lab = await aiohttp_client(Town().app)
    assert (await lab.get("/d/acme.lab/users")).status == 200
    for name in ("Forwarded", "X-Forwarded-For", "Via"):
        assert (await lab.get("/d/acme.lab/users", headers={name: "192.0.2.1"}, allow_redirects=False)).status == 303


async def test_a_token_that_is_none_is_nobody_even_in_lab_mode(aiohttp_client):
    town = Town()
    lab = await aiohttp_client(town.app)
    wrong = await lab.get("/api/v1/calls", headers={"Authorization": "Bearer wrong"})
    assert (wrong.status, wrong.headers.get("WWW-Authenticate")) in [(401, "Bearer"), (404, None)]
    key = town.accounts.issue("key", "acme.lab", "101", read_only=True)
    named = {"Authorization": f"Bearer {key}"}
    assert (await lab.get("/d/acme.lab/numbers", headers=named)).status == 200
    changed = await lab.post("/d/acme.lab/numbers/14165550100", headers=named, data={"description": "x"})
    assert changed.status == 403


async def test_a_key_is_no_wider_at_this_door_than_it_was_made_and_for_its_addresses_alone(aiohttp_client):
    town = Town(lab=False)
    page = await aiohttp_client(town.app)
    for more, status in (({}, 200), ({"scope": "Basic User"}, 403), ({"addresses": "192.0.2.0/24"}, 303)):
        named = {"Authorization": f"Bearer {town.accounts.issue('key', 'acme.lab', '101', **more)}"}
        assert (await page.get("/d/acme.lab/numbers", headers=named, allow_redirects=False)).status == status
    town.with_user("101", scope="Basic User")
    wide = {"Authorization": f"Bearer {town.accounts.issue('key', 'acme.lab', '101', scope='Super User')}"}
    assert (await page.get("/d/acme.lab/numbers", headers=wide)).status == 403


async def test_a_key_for_reading_alone_changes_nothing_of_the_lab_either(aiohttp_client):
    async def put_in(_: web.Request) -> web.Response:
        return web.Response()

    town = Town(lab=False)
    town.with_user("101", scope="Super User")
    town.app.router.add_route("*", "/api/v1/faults", put_in)
    page = await aiohttp_client(town.app)
    for read_only, status in ((True, 403), (False, 200)):
        named = {"Authorization": f"Bearer {town.accounts.issue('key', 'acme.lab', '101', read_only=read_only)}"}
        assert (await page.get("/api/v1/faults", headers=named)).status == 200
        assert (await page.post("/api/v1/faults", headers=named)).status == status


@pytest.mark.parametrize("header", [b"Authorization: Bearer \xff", b"Cookie: session=\xff"])
async def test_octets_that_are_no_text_are_nobody(page, header):
    reader, writer = await asyncio.open_connection(page.host, page.port)
    here = f"{page.host}:{page.port}".encode()
    writer.write(b"GET /account HTTP/1.1\r\nHost: " + here + b"\r\nConnection: close\r\n" + header + b"\r\n\r\n")
    assert b" 303 " in await reader.readline()
    writer.close()


async def test_looking_as_a_site_manager_shows_that_persons_portal_and_changes_nothing(aiohttp_client):
    town = Town()
    lab = await aiohttp_client(town.app)
    await lab.post("/view-as", data={"domain": "acme.lab", "extension": "105"})
    text = await (await lab.get("/d/acme.lab/users")).text()
    assert "Viewing as Site Manager 105@acme.lab · read-only" in text
    assert "/users/106" in text
    assert "/users/101" not in text
    assert (await lab.get("/d/acme.lab/numbers")).status == 403
    assert (await lab.get("/api/v1/runs/run-1")).status in (403, 404)
    assert (await lab.post("/d/acme.lab/users/106", data={"first_name": "Fred"})).status == 403
    assert town.acme.users_by_extension["106"].first_name == "Farid"
    await lab.post("/view-as/stop")
    assert (await lab.get("/d/acme.lab/numbers")).status == 200
    begun, ended = reversed([one for one in town.store.audit() if one.kind == "view as"])
    assert [(one.actor, one.name, one.action) for one in (begun, ended)] == [
        ("lab engineer", "105", "create"), ("lab engineer", "105", "delete"),
    ]  # fmt: skip


@pytest.mark.parametrize("extension", ["103", "105", "106", "102"])
async def test_nobody_below_an_office_manager_looks_as_somebody_else(aiohttp_client, extension):
    town = Town()
    client, cookies = await aiohttp_client(town.app), town.session(extension)
    asked = await client.post("/view-as", data={"domain": "acme.lab", "extension": "101"}, cookies=cookies)
    assert asked.status == 403
    taken = {**cookies, "view_as": "acme.lab/101"}
    assert (await client.get("/d/acme.lab/numbers", cookies=taken)).status == 403
    nobody = await client.post(
        "/view-as", data={"domain": "other.lab", "extension": "101"}, cookies=town.session("101")
    )
    assert nobody.status == 404


async def test_a_reseller_begins_a_case_and_goes_on_with_it_before_there_is_its_domain(aiohttp_client):
    town = Town(lab=False)
    town.with_user("101", scope="Reseller")
    client, cookies = await aiohttp_client(town.app), town.session("101")
    assert "<textarea" in await (await client.get("/onboard", cookies=cookies)).text()
    begun = await client.post("/onboard", data={"packet": NORTHSIDE.read_text()}, cookies=cookies)
    assert begun.status == 200
    assert "northside.lab" in await (await client.get("/onboard", cookies=cookies)).text()
    assert "/onboard/northside.lab/steps" in await (await client.get("/onboard/northside.lab", cookies=cookies)).text()
