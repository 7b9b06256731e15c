"""The tools beside the portal: map, what if, search, outbox, time machine, a phone in the hand."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from pbx.events import HourSet
from tests.lab.portal.town import PERSONS, Town


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
async def page(aiohttp_client, town):
    return await aiohttp_client(town.app)


async def text_of(page, path: str, **more: object) -> str:
    answer = await page.get(path, **more)
    assert answer.status == 200, path
    return await answer.text()


# --- the map --------------------------------------------------------------------------------------------


async def test_graph_and_outline_have_the_same_stops_and_every_box_leads_on(page):
    text = await text_of(page, "/d/acme.lab/map")
    graph = re.search(r'<svg class="flow".*?</svg>', text, re.DOTALL)[0]
    outline = text.partition('<ul class="outline">')[2]
    drawn = set(re.findall(r'<a class="box[^"]*" href="[^"]*node=([^"#&]+)', graph))
    told = set(re.findall(r'href="[^"]*node=([^"#&]+)', outline))
    assert drawn == told
    assert {"number%3A14165550100", "user%3A101", "mailbox%3A101"} <= drawn
    assert re.findall(r'<a class="box[^"]*" href="[^"]*" aria-label=""', graph) == []


async def test_a_node_says_where_it_leads_what_leads_to_it_and_what_is_taken_now(page):
    text = await text_of(page, "/d/acme.lab/map?node=attendant:400/main&at=2026-11-24T10:15")
    chosen = text.partition('id="chosen"')[2].partition("</section>")[0]
    assert "/d/acme.lab/attendants/400" in chosen
    assert "key 2" in chosen
    assert "Active" in chosen


async def test_what_reaches_somebody_is_told_with_every_step(page):
    text = await text_of(page, "/d/acme.lab/map?reaches=101")
    reach = text.partition('id="reach-title"')[2].partition("</section>")[0]
    assert "+1 416 555 0100" in reach
    nobody = await text_of(page, "/d/acme.lab/map?reaches=8888")
    assert "Nothing here is called 8888" in nobody


async def test_findings_stand_beside_the_map_and_lead_to_their_place(page, town):
    number = town.acme.numbers[0].model_copy(update={"routes": ()})
    town.apply(town.acme.replaced(numbers=(number, *town.acme.numbers[1:])), "")
    text = await text_of(page, "/d/acme.lab/map")
    assert "has no treatment" in text
    assert f'href="/d/acme.lab/map?node=number%3A{number.number}#chosen"' in text
    assert 'class="box trouble"' in text


async def test_a_map_is_as_wide_as_its_readers_reach(page, town):
    whole = await text_of(page, "/d/acme.lab/map", cookies=town.session("101"))
    mine = await text_of(page, "/d/acme.lab/map", cookies=town.session("102"))
    assert "user%3A104" in whole
    assert "user%3A102" in mine
    assert "user%3A104" not in mine


@pytest.mark.parametrize("at", ["tomorrow", "9999-99-99", "<script>", "2026-13-01T00:00"])
async def test_a_moment_that_is_none_is_told_and_now_is_shown(page, at):
    text = await text_of(page, f"/d/acme.lab/map?at={at}")
    assert "is no moment" in text
    assert "<script>" not in text.partition("<main")[2]


async def test_what_if_answers_as_routing_does_with_whom_it_rings_and_what_comes_next(page):
    text = await text_of(page, "/d/acme.lab/what-if?number=101&from=102&at=2026-11-24T10:15")
    assert "user:101" in text
    assert "device:101" in text
    assert 'switchroom why 101 --from 102 --at "2026-11-24 10:15"' in re.sub("&#34;", '"', text)
    off = await text_of(page, "/d/acme.lab/what-if?number=101&from=102&at=2026-11-24T10:15&off=101")
    assert "mailbox:101" in off.partition('class="outcome"')[2][:80]
    assert "there is no phone 999 here" in await text_of(page, "/d/acme.lab/what-if?number=101&off=999")


async def test_a_queue_can_be_asked_about_without_its_agents(page, town):
    queue = town.acme.queues[0].extension
    manned = await text_of(page, f"/d/acme.lab/what-if?number={queue}&from=101&at=2026-11-24T10:15")
    empty = await text_of(page, f"/d/acme.lab/what-if?number={queue}&from=101&at=2026-11-24T10:15&empty={queue}")
    lines = [re.sub(r"\s+", " ", one.partition('<ol class="why">')[2].partition("</ol>")[0]) for one in (manned, empty)]
    assert lines[0] != lines[1]


async def test_who_sees_a_part_of_the_domain_asks_about_that_part(page, town):
    ben = town.session("102")
    assert (await page.get("/d/acme.lab/what-if?number=102&from=101", cookies=ben)).status == 200
    assert (await page.get("/d/acme.lab/what-if?number=104&from=101", cookies=ben)).status == 404


# --- search ---------------------------------------------------------------------------------------------


async def test_search_finds_objects_rooms_and_commands_and_names_the_nearest(page):
    found = await text_of(page, "/search?part=1&q=101")
    assert 'href="/d/acme.lab/users/101"' in found
    assert 'href="/phones/101"' in found
    assert 'href="/floor"' in await text_of(page, "/search?part=1&q=floor")
    assert "switchroom why" in await text_of(page, "/search?part=1&q=explain")
    near = await text_of(page, "/search?part=1&q=Ana+Silwa")
    assert "Nothing is called Ana Silwa" in near
    assert 'href="/d/acme.lab/users/101"' in near


@pytest.mark.parametrize("role", ["Site Manager", "Basic User"])
async def test_whatever_is_found_opens_for_its_reader(page, town, role):
    cookies = town.session(PERSONS[role])
    for words in ("10", "a"):
        text = await text_of(page, f"/search?part=1&q={words}", cookies=cookies)
        for address in set(re.findall(r'href="([^"]+)" class="hit"', text)):
            if not address.startswith(("/devices/", "/calls")):  # of the lab's own source, which this town has not
                assert (await page.get(address, cookies=cookies)).status == 200, (words, address)


# --- the outbox -----------------------------------------------------------------------------------------


async def test_a_letter_is_read_with_its_links_and_what_is_attached(page, town):
    number = town.post("ana@acme.lab", "Choose: http://127.0.0.1:8600/link/x.\n<i>", b"RIFF....")
    assert "not read:" in await text_of(page, "/outbox")
    text = await text_of(page, f"/outbox/{number}")
    assert '<a href="http://127.0.0.1:8600/link/x" rel="noreferrer">' in text
    assert "&lt;i&gt;" in text
    assert "New voicemail &lt;b&gt;" in text
    assert f'<audio controls preload="none" src="/outbox/{number}/0"' in text
    assert "not read:" not in await text_of(page, "/outbox")
    sound, script = await page.get(f"/outbox/{number}/0"), await page.get(f"/outbox/{number}/1")
    assert (sound.content_type, await sound.read()) == ("audio/wav", b"RIFF....")
    assert script.content_type == "application/octet-stream"
    assert script.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in script.headers["Content-Security-Policy"]
    assert "Content-Transfer-Encoding" in await text_of(page, f"/outbox/{number}?view=raw")


@pytest.mark.parametrize("path", ["/outbox/99", "/outbox/x", "/outbox/²", "/outbox/1/7", "/outbox/1/-1"])
async def test_a_letter_that_is_not_there_is_a_page_that_says_so(page, town, path):
    town.post("ana@acme.lab")
    assert (await page.get(path)).status == 404


async def test_everybody_sees_the_own_mail_and_the_lab_alone_what_waits(page, town):
    town.with_user("101", email="ana@acme.lab")
    town.with_user("102", email="ben@acme.lab")
    hers, his = town.post("ana@acme.lab"), town.post("BEN@acme.lab")
    ben = town.session("102")
    text = await text_of(page, "/outbox", cookies=ben)
    assert (f"/outbox/{his}" in text, f"/outbox/{hers}" in text, "kind=webhooks" in text) == (True, False, False)
    assert (await page.get(f"/outbox/{hers}", cookies=ben)).status == 404
    assert (await page.post("/outbox", data={"do": "empty"}, cookies=ben)).status == 403
    assert len(town.outbox.letters()) == 2
    assert f"/outbox/{hers}" in await text_of(page, "/outbox", cookies=town.session("101"))
    for kind, seen in (("waiting", "451 away"), ("webhooks", "127.0.0.1:1/hook"), ("emergency", "12 King St W")):
        assert seen in await text_of(page, f"/outbox?kind={kind}")
    assert (await page.post("/outbox", data={"do": "again"}, allow_redirects=False)).status == 303
    assert (await page.post("/outbox", data={"do": "empty"}, allow_redirects=False)).status == 303
    assert (town.tried_again, town.outbox.letters()) == (1, [])


# --- the time machine -----------------------------------------------------------------------------------


async def test_the_hour_jumps_forward_alone_stops_hurries_and_is_real_again(page, town):
    real = town.clock.wall
    ahead = (real + timedelta(days=3)).strftime("%Y-%m-%dT10:15")
    assert "If you jump to" in await text_of(page, f"/clock?at={ahead}")
    assert (await page.post("/clock", data={"do": "jump", "at": ahead}, allow_redirects=False)).status == 303
    assert town.hours.now().wall > real + timedelta(days=2)
    assert (await page.post("/clock", data={"do": "jump", "at": "2020-01-01T00:00"})).status == 400
    await page.post("/clock", data={"do": "pause"})
    assert (town.hours.rate, town.hours.word) == (0, "paused")
    await page.post("/clock", data={"do": "run", "rate": "60"})
    assert town.hours.word == "×60"
    for bad in ({"do": "run", "rate": "61"}, {"do": "run", "rate": "²"}, {"do": "dance"}, {"do": "jump", "at": "x"}):
        assert (await page.post("/clock", data=bad)).status == 400
    await page.post("/clock", data={"do": "real"})
    assert (town.hours.shifted, town.hours.now()) == (False, town.clock)
    assert [type(event) for event in town.events] == [HourSet] * 4


# --- a phone in the hand --------------------------------------------------------------------------------


async def test_a_phone_is_picked_up_and_pressed_by_form_and_by_script(page, town):
    text = await text_of(page, "/phones/101")
    assert 'name="do" value="dial"' in text
    assert "dial tone" in text
    form = await page.post("/phones/101", data={"do": "dial", "number": "102"}, allow_redirects=False)
    assert (form.status, form.headers["Location"]) == (303, "/phones/101")
    answer = await page.post("/api/v1/phones/101/press", json={"do": "press", "argument": "#"})
    assert (await answer.json())["device"] == "101"
    assert town.office.pressed == [("101", "dial", "102"), ("101", "press", "#")]
    stuck = await page.post("/api/v1/phones/101/press", json={"do": "reset"})
    assert (stuck.status, (await stuck.json())["error"]["why"]) == (409, "it is glued down")
    for body in ("[]", "{}", "x", '{"do": 1}x'):
        assert (await page.post("/api/v1/phones/101/press", data=body)).status == 400
    assert (await page.get("/phones/999")).status == 404
    assert (await page.post("/api/v1/phones/999/press", json={"do": "dial"})).status == 404


async def test_the_own_phone_alone_is_pressed_and_no_other_is_seen(page, town):
    ana, ben = town.session("101"), town.session("102")
    assert 'value="dial"' not in await text_of(page, "/phones/102", cookies=ana)
    assert (await page.post("/phones/102", data={"do": "dial", "number": "1"}, cookies=ana)).status == 403
    assert (await page.post("/api/v1/phones/101/press", json={"do": "dial"}, cookies=ben)).status == 404
    assert town.office.pressed == []
