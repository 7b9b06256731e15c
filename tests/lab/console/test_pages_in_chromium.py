"""Every page of the console in a real browser: readable by everybody, by keys alone, in both themes, at any width."""

from __future__ import annotations

import re

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import expect

from tests.conftest import need
from tests.lab.console.chromium import chromium, opened, unfit_in
from tests.lab.console.fixed_lab import Office, every_state
from tests.lab.portal.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PAGES = [
    "/floor", "/phones/101", "/calls/c-0001", "/runs/run-1", "/outbox/1", "/clock?at=2030-01-01T10:15",
    "/d/acme.lab/map?node=attendant:400/main&reaches=101",
    "/d/acme.lab/what-if?number=101&from=102&at=2026-11-24T10:15",
]  # fmt: skip
FURTHER = ["/floor?kiosk=1", "/calls", "/devices", "/devices/805ec0000000", "/runs", "/search?q=10", "/nowhere"]
"""Made of the same parts."""
ROOMS = ["/floor", "/calls", "/runs/run-1", "/d/acme.lab/map", "/outbox/1", "/clock"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    async with chromium(need("chromium")) as launched:
        yield launched


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def console():
    """A console over a town in which every state of a phone and every verdict is to be seen."""
    town = Town(office=every_state())
    town.post("ana@acme.lab", "Choose: http://127.0.0.1/link/x", b"RIFF")
    runner = web.AppRunner(town.app, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    town.console.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield town.console
    await runner.cleanup()


@pytest.mark.parametrize("path", [*PAGES, *(pytest.param(path, marks=pytest.mark.soak) for path in FURTHER)])
async def test_a_page_is_fit_for_everybody_in_both_themes_and_languages_and_complains_of_nothing(
    browser, console, path
):
    missing = path == "/nowhere"  # the browser itself tells a 404 as an error
    async with opened(browser, console.url + path, faults_allowed=missing, locale="en-CA") as page:
        found = [await unfit_in(page, "light")]
        await page.context.add_cookies([{"name": "language", "value": "fr", "url": console.url}])
        await page.reload()
        assert await page.evaluate("document.documentElement.lang") == "fr-CA"
        found.append(await unfit_in(page, "dark"))
        assert found == [[], []]
        for width in (320, 400, 1000, 1360):
            await page.set_viewport_size({"width": width, "height": 800})
            assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def ground(page) -> str:
    return await page.evaluate("getComputedStyle(document.body).backgroundColor")


LIGHT, DARK = "rgb(246, 247, 249)", "rgb(15, 20, 26)"


async def test_the_theme_follows_the_system_until_it_is_pinned(browser, console):
    async with opened(browser, f"{console.url}/floor?site=Toronto", color_scheme="light") as page:
        assert await ground(page) == LIGHT
        await page.emulate_media(color_scheme="dark")
        assert await ground(page) == DARK
        async with page.expect_navigation():
            await page.get_by_label("Theme").select_option("Light")
        assert page.url == f"{console.url}/floor?site=Toronto"
        assert await ground(page) == LIGHT
        await page.goto(f"{console.url}/runs")
        assert await ground(page) == LIGHT
        async with page.expect_navigation():
            await page.get_by_label("Theme").select_option("Dark")
        await page.emulate_media(color_scheme="light")
        assert await ground(page) == DARK


async def test_nothing_moves_for_who_wants_no_motion(browser, console):
    moving = "document.getAnimations().length"
    async with opened(browser, f"{console.url}/floor") as page:
        assert await page.evaluate(moving) > 0
        await page.emulate_media(reduced_motion="reduce")
        assert await page.evaluate(moving) == 0
        ringing = page.locator(".phone.is-ringing article").first
        assert "2px" in await ringing.evaluate("e => getComputedStyle(e).boxShadow")


STOPS = """
[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary, [tabindex="0"]')]
  .filter((item) => item.checkVisibility()).length
"""


async def focused(page) -> str:
    return await page.evaluate("document.activeElement.id")


@pytest.mark.parametrize("path", ROOMS)
async def test_the_tab_key_visits_everything_in_reading_order_and_shows_where_it_is(browser, console, path):
    async with opened(browser, console.url + path) as page:
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
        stops = await page.evaluate(STOPS)
        places = []
        for _ in range(stops - 1):
            await page.keyboard.press("Tab")
            places.append(
                await page.evaluate(
                    """() => {
                      const here = document.activeElement;
                      const shown = here.closest(".phone")?.querySelector("article") ?? here;
                      const style = getComputedStyle(shown);
                      const width = style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth);
                      const all = [...document.querySelectorAll("*")];
                      return [here.tagName, all.indexOf(here), width];
                    }"""
                )
            )
        assert [place for place in places if place[0] == "BODY"] == []
        assert [place for place in places if place[2] < 3] == []
        order = [place[1] for place in places]
        assert order == sorted(order)


async def test_the_skip_link_leads_to_the_content(browser, console):
    async with opened(browser, f"{console.url}/floor") as page:
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        assert await focused(page) == "main"
        await page.keyboard.press("Tab")
        assert await focused(page) == "filter"


async def test_rooms_cards_and_filter_are_reached_by_letters(browser, console):
    async with opened(browser, f"{console.url}/floor") as page:
        await page.keyboard.press("/")
        assert await focused(page) == "filter"
        await page.keyboard.type("ringing 102")
        await expect(page.locator(".phone:visible")).to_have_count(1)
        await expect(page).to_have_url(re.compile(r"/floor\?q=ringing\+102$"))
        await page.keyboard.type(" nobody")
        await expect(page.locator("#filtered")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page).to_have_url(re.compile(r"/floor$"))
        await expect(page.locator(".phone:visible")).to_have_count(await page.locator(".phone").count())
        await page.keyboard.press("j")
        await page.keyboard.press("j")
        second = await focused(page)
        await page.keyboard.press("k")
        first = await focused(page)
        cards = await page.locator(".phone h2 a").evaluate_all("links => links.map(link => link.id)")
        assert [first, second] == cards[:2]
        await page.keyboard.press("Enter")
        await expect(page.locator("#drawer .hand")).to_have_attribute("data-device", first.removeprefix("open-"))
        await page.keyboard.press("Escape")
        await page.keyboard.press("Escape")
        await expect(page.locator("#drawer")).to_be_hidden()
        assert await focused(page) == first
        for letter, heading in (("t", "Test runs"), ("d", "Devices"), ("f", "Lab floor"), ("c", "Calls")):
            # The heading of a page is there before its script is: a key pressed in between goes nowhere.
            await page.wait_for_load_state()
            await page.keyboard.press("g")
            await page.keyboard.press(letter)
            await expect(page.get_by_role("heading", level=1)).to_have_text(heading)


async def test_the_keys_are_listed_and_the_letters_can_be_turned_off_and_on_again(browser, console):
    async with opened(browser, f"{console.url}/floor") as page:
        await page.keyboard.press("?")
        listed = page.get_by_role("dialog", name="Keyboard")
        await expect(listed).to_be_visible()
        await page.get_by_label("Single-letter keys").uncheck()
        await page.keyboard.press("Escape")
        await expect(listed).to_be_hidden()
        await page.reload()
        await page.keyboard.press("?")
        await page.keyboard.press("/")
        assert await focused(page) == ""
        await expect(listed).to_be_hidden()
        await page.get_by_role("button", name="Keyboard").click()
        await page.get_by_label("Single-letter keys").check()
        await page.get_by_role("button", name="Close").click()
        await page.keyboard.press("/")
        assert await focused(page) == "filter"


async def test_where_somebody_stands_stays_when_the_card_is_drawn_anew(browser, console):
    async with opened(browser, f"{console.url}/floor") as page:
        await expect(page.locator("#live")).to_have_attribute("data-state", "live")
        await page.locator("#open-101").focus()
        await page.evaluate("document.getElementById('phone-101').dataset.old = 'yes'")
        console.phone_changed(Office().cards["101"])
        await expect(page.locator("#phone-101[data-old]")).to_have_count(0)
        assert await focused(page) == "open-101"


async def test_a_page_without_its_script_still_reads_and_leads_on(browser, console):
    async with opened(browser, f"{console.url}/floor", java_script_enabled=False) as page:
        await expect(page.locator("#phone-101 .lcd")).to_contain_text("101")
        await page.get_by_role("link", name="Test runs").click()
        await page.get_by_role("link", name="run-1").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("run-1")
