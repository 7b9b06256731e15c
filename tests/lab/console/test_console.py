"""The console answers with what its source says, escaped, guarded and live."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from lab.console.app import CSP, Console
from lab.console.views import (
    STATES,
    BootPart,
    CallPage,
    CallRow,
    CaseRow,
    Health,
    Lamp,
    PhoneCard,
    RouteView,
    RunView,
)

HOSTILE = '<script>alert("x")</script>'


class Office:
    """A lab of fixed snapshots: the console's source needs nothing more."""

    domain = "acme.lab"

    def __init__(self) -> None:
        self.cards = {"101": card("101", state="idle"), "102": card("102", state="booting", name=HOSTILE)}
        self.ready = False

    def phones(self) -> list[PhoneCard]:
        return list(self.cards.values())

    def calls(self) -> list[CallRow]:
        return [ROW]

    def call(self, call: str) -> CallPage | None:
        return PAGE if call == "c-0001" else None

    def runs(self) -> list[RunView]:
        return [RUN]

    def run(self, run: str) -> RunView | None:
        return RUN if run == "run-1" else None

    def report(self, run: str) -> str | None:
        return "<!doctype html><title>report</title>" if run == "run-1" else None

    def health(self) -> Health:
        return Health(self.ready, {"sip/udp": True, "tftp": self.ready})

    def clock_words(self) -> str:
        return "Tue 24 Nov 2026 10:15 Toronto"


def card(device: str, *, state: str, name: str = "Ana Reyes") -> PhoneCard:
    return PhoneCard(
        device=device,
        extension=device,
        name=name,
        site="Toronto",
        model="T54W",
        mac="805ec0000101",
        state=state,
        screen=("Acme Dental 10:15", device, name),
        soft_keys=("DND", "Dir", "Fwd", "Menu"),
        lamps=(Lamp("line 1", "idle"), Lamp("line 2", "busy")),
        boot=(BootPart("link", "ok", 0.1), BootPart("config", "now")),
    )


ROW = CallRow("c-0001", "10:15:02", "101", "102", ("user:102",), "ANSWERED", 4.2, live=False)
PAGE = CallPage(
    ROW,
    (RouteView("102", "user:102", (("✓", "extension", "102 is a user", "users/102"), ("✗", "DND", "off", ""))),),
    "<svg role='img' aria-label='ladder'></svg>",
    (("0.000 INVITE", f"INVITE sip:102 SIP/2.0\r\nSubject: {HOSTILE}"),),
    ("101 hears 102",),
)
RUN = RunView(
    "run-1",
    "office",
    "10:15:02",
    "running",
    (CaseRow("A01", "Boots", "passed", 1.0), CaseRow("B01", "Registers", "waiting", 0.0)),
    has_report=True,
)


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
    assert re.search(r'<li class="now" title="config">', text)


async def test_names_from_outside_are_escaped_everywhere(page):
    for path in ("/floor", "/calls/c-0001"):
        text = await (await page.get(path)).text()
        assert HOSTILE not in text
        assert "&lt;script&gt;" in text


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


async def read_fragment(stream) -> tuple[int, str, str]:
    """Return (id, target, html) of the next fragment."""
    number = 0
    while True:
        line = (await stream.content.readline()).decode()
        assert line, "the stream ended"
        if line.startswith("id: "):
            number = int(line[4:])
        if line.startswith("data: ") and number:
            body = json.loads(line[6:])
            return number, body["target"], body["html"]


async def test_a_ringing_phone_reaches_the_open_page_as_one_card(page, office, console):
    async with page.get("/stream") as stream:
        await stream.content.readline()
        office.cards["101"] = card("101", state="ringing")
        console.phone_changed(office.cards["101"])
        _, target, html = await read_fragment(stream)
        assert target == "phone-101"
        assert 'data-state="ringing"' in html
        _, target, html = await read_fragment(stream)
        assert (target, "1 ringing" in html) == ("floor-tally", True)
        _, target, html = await read_fragment(stream)
        assert (target, html) == ("say", "101 ringing")


async def test_a_returning_page_gets_what_it_missed(page, office, console):
    async with page.get("/stream") as stream:
        await stream.content.readline()
        console.phone_changed(card("101", state="idle"))
        seen, _, _ = await read_fragment(stream)
        console.run_changed(RUN)
        console.calls_changed()
    async with page.get("/stream", headers={"Last-Event-ID": str(seen)}) as stream:
        targets = [(await read_fragment(stream))[1] for _ in range(3)]
    assert targets == ["floor-tally", "run-run-1", "calls"]


async def test_a_page_from_another_life_is_told_to_start_again(page):
    async with page.get("/stream", headers={"Last-Event-ID": "4711"}) as stream:
        text = b""
        while b"\n\n" not in text.partition(b"event:")[2]:
            text += await stream.content.readany()
    assert b"event: resync" in text


async def test_closed_pages_leave_nothing_behind(page, console):
    for _ in range(20):
        async with page.get("/stream") as stream:
            await stream.content.readline()
    console.phone_changed(card("101", state="idle"))
    async with page.get("/stream") as stream:
        await stream.content.readline()
        for _ in range(2):
            console.phone_changed(card("101", state="idle"))
            await read_fragment(stream)
        assert console.hub.clients == 1


def test_without_a_page_nothing_is_rendered(console):
    console.hub.publish("phone-101", lambda: pytest.fail("nobody watches"))


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
    assert contrast(token["lcd-fg"], token["lcd"]) >= 4.5
    assert contrast(token["lcd-dim"], token["lcd"]) >= 4.5
    assert contrast(token["border-strong"], token["surface"]) >= 3
