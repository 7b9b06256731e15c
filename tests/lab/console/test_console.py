"""The console answers with what its source says, escaped, guarded and live."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from yarl import URL

from lab.console import app
from lab.console.app import CSP, Console
from lab.console.stream import KEPT_REGIONS
from lab.console.views import STATES
from tests.lab.console.fixed_lab import HOSTILE, RUN, Office, card


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def console(office: Office) -> Console:
    return Console(office)


@pytest.fixture
async def page(aiohttp_client, console: Console) -> TestClient[web.Request, web.Application]:
    return await aiohttp_client(console.app)


@pytest.mark.parametrize(
    "path", ["/floor", "/calls", "/calls/c-0001", "/runs", "/runs/run-1", "/static/console.css", "/htmx/htmx.min.js"]
)
async def test_every_room_opens_under_the_strict_policy(page, path):
    answer = await page.get(path)
    assert answer.status == 200
    assert answer.headers["Content-Security-Policy"] == CSP
    text = await answer.text()
    if answer.content_type == "text/html":
        assert " style=" not in text
        assert not re.search(r"<script(?![^>]*src=)", text)
        assert text.count("<h1") == 1


async def test_the_floor_shows_extension_state_and_boot_strip(page):
    text = await (await page.get("/floor")).text()
    assert '<p class="big">101</p>' in text
    assert "Idle" in text
    assert "Booting" in text
    assert re.search(r'<li class="now w\d" data-part="config"', text)


async def test_a_label_that_begins_with_the_extension_is_shown_as_number_and_name(page, office):
    office.cards = {"101": replace(card("101", state="idle"), screen=("Tue 10:15", "101 Ana Reyes", ""))}
    text = await (await page.get("/floor")).text()
    assert '<p class="big"><span>101</span> <span class="who">Ana Reyes</span></p>' in text


async def test_a_lit_message_lamp_is_told_in_words_too(page, office):
    assert "message lamp off" in await (await page.get("/floor")).text()
    office.cards = {"101": replace(card("101", state="idle"), message_lamp=True, waiting=2)}
    text = await (await page.get("/floor")).text()
    assert "lamp message lit" in text
    assert "message lamp on" in text
    assert '2 new<span class="quiet"> messages</span>' in text


async def test_names_from_outside_are_escaped_everywhere(page):
    for path in ("/floor", "/calls/c-0001"):
        text = await (await page.get(path)).text()
        assert HOSTILE not in text
        assert "&lt;script&gt;" in text


@pytest.mark.parametrize(("path", "told"), [("/calls", "<code>console-"), ("/api/v1/broken", '"reference": "console-')])
async def test_a_page_that_breaks_says_so_with_a_reference_and_the_next_one_works(
    aiohttp_client, console, office, path, told
):
    async def broken(request: web.Request) -> web.Response:
        raise RuntimeError("no such drawer <b>")

    console.app.router.add_get("/api/v1/broken", broken)
    broke: list[str] = []
    console.broke = broke.append
    page = await aiohttp_client(console.app)
    office.broken = True
    answer = await page.get(path)
    text = await answer.text()
    assert (answer.status, told in text, "no such drawer" in text) == (500, True, False)
    assert "RuntimeError: no such drawer <b>" in broke[0]
    assert answer.headers["Content-Security-Policy"] == CSP
    assert (await page.get("/floor")).status == 200


async def test_the_root_leads_to_the_floor(page):
    answer = await page.get("/", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (302, "/floor")


@pytest.mark.parametrize("path", ["/calls/c-9999", "/runs/run-9", "/runs/run-9/report", "/nowhere"])
async def test_what_is_not_there_is_a_page_that_says_so(page, path):
    answer = await page.get(path)
    assert answer.status == 404
    assert "There is no" in await answer.text()


async def test_a_report_is_served_with_a_policy_that_runs_nothing(page):
    answer = await page.get("/runs/run-1/report")
    assert answer.status == 200
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_readiness_lists_each_listener_and_is_503_until_all_are_there(page, office):
    answer = await page.get("/readyz")
    assert answer.status == 503
    assert (await answer.json())["listeners"] == {"sip/udp": True, "tftp": False}
    office.ready = True
    assert (await page.get("/readyz")).status == 200
    assert (await page.get("/healthz")).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/calls/..%2f..%2fetc%2fpasswd", 404),
        ("GET", "/calls/%00%ff", 404),
        ("GET", "/calls/" + "9" * 4000, 404),
        ("GET", "/runs/run-%E2%98%8E", 404),
        ("GET", "/static/..%2fapp.py", 404),
        ("GET", "/static/../app.py", 404),
        ("GET", "/static/", 403),
        ("GET", "/htmx/%2e%2e/%2e%2e/METADATA", 404),
        ("DELETE", "/floor", 405),
        ("HEAD", "/stream", 405),
        ("GET", "/theme", 405),
    ],
)
async def test_an_address_that_leads_nowhere_is_refused_on_a_page_under_the_policy(page, method, path, status):
    answer = await page.request(method, URL(path, encoded=True))
    assert answer.status == status
    assert answer.headers["Content-Security-Policy"] == CSP
    assert answer.content_type == "text/html"
    text = await answer.text()
    assert "Traceback" not in text
    assert method == "HEAD" or "Go back" in text


async def test_a_refused_method_names_those_allowed(page):
    assert set((await page.delete("/floor")).headers["Allow"].split(",")) == {"GET", "HEAD"}


async def test_the_api_refuses_in_its_own_shape(page):
    for answer in (await page.get("/api/v1/nothing"), await page.post("/api/v1/nothing")):
        assert answer.status == 404
        assert set((await answer.json())["error"]) == {"happened", "why", "remedy", "reference"}


@pytest.mark.parametrize(
    "query", ["q=%00%ff", "q=" + "x" * 4000, "site=<script>", "q=%22%3E%3Cimg%20src=x%3E", "&&&=;;"]
)
async def test_any_filter_gives_a_page_with_nothing_unescaped(page, query):
    for path in ("/floor", "/calls"):
        answer = await page.get(URL(f"{path}?{query}", encoded=True))
        assert answer.status == 200
        text = await answer.text()
        assert "<img src=x>" not in text
        assert "<script>" not in text


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"theme=%ff&back=%00", "application/x-www-form-urlencoded", 303),
        (b"theme=dark", "application/x-www-form-urlencoded; charset=nonsense", 400),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x", 400),
        (b"--x", "multipart/form-data", 400),
        (b"{", "application/json", 303),
        (b"theme=" + b"x" * 2_000_000, "application/x-www-form-urlencoded", 413),
    ],
)
async def test_a_form_that_is_none_changes_nothing(page, body, kind, status):
    answer = await page.post("/theme", data=body, headers={"Content-Type": kind}, allow_redirects=False)
    assert answer.status == status
    assert 'data-theme="system"' in await (await page.get("/floor")).text()


@pytest.mark.parametrize("host", ["", "[::1", "evil.example", "127.0.0.1.evil.example", "localhost:x:y", ":80"])
async def test_a_host_that_is_not_ours_is_refused_whatever_it_looks_like(page, host):
    assert (await page.get("/floor", headers={"Host": host})).status in (400, 421)


async def test_a_foreign_host_name_is_refused(page):
    assert (await page.get("/floor", headers={"Host": "evil.example:8600"})).status == 421
    assert (await page.get("/floor", headers={"Host": "localhost:8600"})).status == 200


async def test_another_site_cannot_change_the_theme(page):
    assert (await page.post("/theme", data={"theme": "dark"}, headers={"Sec-Fetch-Site": "cross-site"})).status == 403
    assert (await page.post("/theme", data={"theme": "dark"}, headers={"Origin": "http://evil.example"})).status == 403


async def test_a_theme_is_remembered_and_never_leads_off_the_console(page):
    answer = await page.post("/theme", data={"theme": "dark", "back": "//evil.example/"}, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/floor")
    assert '<html lang="en-CA" data-theme="dark">' in await (await page.get("/floor")).text()
    await page.post("/theme", data={"theme": "nonsense"})
    assert 'data-theme="system"' in await (await page.get("/floor")).text()


async def read_message(stream) -> dict[str, str]:
    """Return the next message of a stream: its `id`, `event` and `data`, as far as it has them."""
    message: dict[str, str] = {}
    while True:
        line = (await stream.content.readline()).decode().rstrip("\n")
        assert line or message or not stream.content.at_eof(), "the stream ended"
        if not line and "data" in message:
            return message
        name, colon, value = line.partition(": ")
        if name and colon:
            message[name] = value


async def read_fragment(stream) -> tuple[str, str, str]:
    """Return (id, region, html) of the next fragment."""
    while True:
        message = await read_message(stream)
        if "id" in message:
            body = json.loads(message["data"])
            return message["id"], body["region"], body["html"]


async def read_event(stream, kind: str):
    """Return the data of the next event of this kind."""
    while True:
        message = await read_message(stream)
        if message.get("event") == kind:
            return json.loads(message["data"])


FLOOR = {"regions": "phone-,floor-tally,run-,runs"}


async def test_a_ringing_phone_reaches_the_open_page_as_one_card(page, office, console):
    async with page.get("/stream", params=FLOOR) as stream:
        await read_event(stream, "clock")
        office.cards["101"] = card("101", state="ringing")
        console.phone_changed(office.cards["101"])
        _, region, html = await read_fragment(stream)
        assert region == "phone-101"
        assert 'data-state="ringing"' in html
        _, region, html = await read_fragment(stream)
        assert (region, "1 ringing" in html) == ("floor-tally", True)
        assert await read_event(stream, "say") == "101 ringing"


async def test_a_page_is_told_the_time_when_it_comes_and_when_it_changes(page, office, console):
    async with page.get("/stream") as stream:
        assert await read_event(stream, "clock") == {
            "words": "Tue 24 Nov 2026 10:15 EST", "screen": "Tue 10:15", "shifted": "",
        }  # fmt: skip
        office.time = "10:16"
        console.phone_changed(office.cards["101"])
        assert (await read_event(stream, "clock"))["screen"] == "Tue 10:16"


async def test_a_burst_for_one_region_is_one_fragment_the_newest(page, office, console):
    async with page.get("/stream", params=FLOOR) as stream:
        await read_event(stream, "clock")
        for state in ("calling", "in-call", "held"):
            console.phone_changed(card("101", state=state))
        fragments = [await read_fragment(stream) for _ in range(2)]
    assert [region for _, region, _ in fragments] == ["phone-101", "floor-tally"]
    assert 'data-state="held"' in fragments[0][2]


async def test_a_card_that_never_rests_is_told_four_times_a_second_at_most(page, console):
    loop = asyncio.get_running_loop()
    async with page.get("/stream", params={"regions": "phone-"}) as stream:
        await read_event(stream, "clock")
        told = []
        for state in ("calling", "in-call", "held"):
            console.phone_changed(card("101", state=state))
            await read_fragment(stream)
            told.append(loop.time())
    assert min(later - former for former, later in itertools.pairwise(told[1:])) > 0.2


async def test_a_page_gets_the_regions_it_shows_alone(page, office, console):
    async with page.get("/stream", params={"regions": "run-run-1"}) as stream:
        await read_event(stream, "clock")
        console.phone_changed(office.cards["101"])
        console.call_changed("c-0001")
        console.run_changed(RUN)
        assert (await read_fragment(stream))[1] == "run-run-1"


async def test_a_returning_page_gets_what_changed_while_nobody_was_there(page, office, console):
    async with page.get("/stream", params=FLOOR) as stream:
        await read_event(stream, "clock")
        console.phone_changed(card("101", state="idle"))
        await read_fragment(stream)
        seen, _, _ = await read_fragment(stream)
    await until_nobody_watches(console)
    console.phone_changed(card("102", state="ringing"))
    console.run_changed(RUN)
    async with page.get("/stream", params=FLOOR, headers={"Last-Event-ID": seen}) as stream:
        regions = [(await read_fragment(stream))[1] for _ in range(4)]
    assert regions == ["phone-102", "floor-tally", "run-run-1", "runs"]


async def test_what_changed_between_the_page_and_its_stream_is_not_lost(page, office, console):
    text = await (await page.get("/floor")).text()
    position = re.search(r'data-position="([^"]+)"', text)[1]
    console.phone_changed(card("101", state="ringing"))
    async with page.get("/stream", params={"after": position}) as stream:
        assert 'data-state="ringing"' in (await read_fragment(stream))[2]


async def until_nobody_watches(console: Console) -> None:
    """A stream whose page left is noticed when it is next written to."""
    async with asyncio.timeout(5):
        while console.hub.pages:
            console.hub.say(lambda language: "anybody?")
            gone = asyncio.Event()
            asyncio.get_running_loop().call_later(0.02, gone.set)
            await gone.wait()


@pytest.mark.parametrize("last", ["4711", "another-life.3", "x", ".", "é.1", "0" * 3000])
async def test_a_page_from_another_life_is_told_to_start_again(page, last):
    async with page.get("/stream", params={"after": last}) as stream:
        assert await read_event(stream, "resync") == {}


async def test_a_page_that_was_away_too_long_is_told_to_start_again(page, console):
    position = console.hub.position
    for number in range(KEPT_REGIONS + 1):
        console.hub.publish(f"call-{number}", lambda language: "")
    async with page.get("/stream", params={"after": position}) as stream:
        assert await read_event(stream, "resync") == {}


async def test_a_thousand_closed_pages_leave_nothing_behind(page, console):
    before = len(asyncio.all_tasks())
    for _ in range(1000):
        async with page.get("/stream") as stream:
            await stream.content.readline()
    await until_nobody_watches(console)
    assert len(asyncio.all_tasks()) <= before + 5


async def test_without_a_page_nothing_is_rendered(console):
    console.hub.publish("phone-101", lambda language: pytest.fail("nobody watches"))


async def test_several_pages_share_one_rendering(page, console):
    rendered = []
    async with page.get("/stream") as one, page.get("/stream") as other:
        await read_event(one, "clock")
        await read_event(other, "clock")
        console.hub.publish("calls", lambda language: rendered.append(1) or "<p>calls</p>")
        assert (await read_fragment(one))[2] == (await read_fragment(other))[2] == "<p>calls</p>"
    assert len(rendered) == 1


def test_the_first_page_is_light():
    """console.md 4.7: at most 8 KB of style, 16 of htmx, 15 of our own, as sent compressed."""
    static = Path(app.__file__).parent / "static"
    assert len(gzip.compress((static / "console.css").read_bytes())) <= 8_000
    assert len(gzip.compress((static / "console.js").read_bytes())) <= 15_000
    htmx = files("js_lib_htmx") / "static" / "htmx" / "htmx.min.js"
    assert len(gzip.compress(htmx.read_bytes())) <= 17_000


async def test_the_floor_with_all_it_loads_is_within_sixty_kilobytes(page):
    text = await (await page.get("/floor")).text()
    loaded = re.findall(r'(?:href|src)="(/(?:static|htmx)/[^"]+)"', text)
    parts = [text.encode(), *[await (await page.get(address)).read() for address in loaded]]
    assert len(loaded) == 4
    assert sum(len(gzip.compress(part)) for part in parts) <= 60_000


STYLE = (Path(__file__).parents[3] / "lab/console/static/console.css").read_text()


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def tokens(theme: str) -> dict[str, str]:
    light = dict(re.findall(r"--([\w-]+): (#\w+);", STYLE.partition("[data-theme=dark]")[0]))
    if theme == "light":
        found = light
    else:
        found = light | dict(
            re.findall(r"--([\w-]+): (#\w+);", STYLE.partition("[data-theme=dark]")[2].partition("@media")[0])
        )
    return {
        name: "#" + "".join(c * 2 for c in value[1:]) if len(value) == 4 else value for name, value in found.items()
    }


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_token_has_the_contrast_it_needs(theme):
    token = tokens(theme)
    for ground in ("bg", "surface", "sunk"):
        for text in ("text", "muted", "accent"):
            assert contrast(token[text], token[ground]) >= 4.5, (text, ground)
    for state in {look.colour for look in STATES.values()} - {"boot"} | {"sim"}:
        assert contrast(token[state], token[f"{state}-soft"]) >= 4.5, state
    assert contrast(token["on-accent"], token["accent"]) >= 4.5
    for text in ("lcd-fg", "lcd-dim", "lcd-ring", "lcd-fault"):
        assert contrast(token[text], token["lcd"]) >= 4.5, text
    for text in ("ink", "ink-dim", "ink-ring", "ink-fault"):
        assert contrast(token[text], token["paper"]) >= 4.5, text
    assert contrast(token["lcd-fg"], token["lcd-key"]) >= 4.5
    for lamp in ("lamp-idle", "lamp-on", "lamp-ring"):
        assert contrast(token[lamp], token["lamp"]) >= 3, lamp
    assert contrast(token["border-strong"], token["surface"]) >= 3
