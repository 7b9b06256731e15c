"""The console in a real browser, live, over an office of twelve phones on real sockets."""

from __future__ import annotations

import asyncio
import re
import time
from itertools import groupby
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from lab.bench import LabBench
from lab.lab_settings import LabSettings
from lab.office import Office
from lab.phones.boot import PARTS, BootPace
from lab.seeds.load import load_seed
from lab.terms import Terms
from test_plans.plan import load_plan
from test_plans.runner import VERBS
from tests.conftest import need
from tests.lab.console.chromium import Line, chromium, opened, unfit_for_everybody

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PLAN = Path(__file__).parents[3] / "test_plans" / "plans" / "office.yaml"
TWELVE = [str(number) for number in range(101, 113)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    async with chromium(need("chromium")) as launched:
        yield launched


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office():
    async with Office(load_seed(), LabSettings(pace=BootPace(0.02, 0.02, 0.02))) as made:
        assert await made.lab.boot_phones(20)
        yield made


@pytest.fixture
def device(office):
    return {item.id: item for item in LabBench(office.lab).devices()}


async def seen(page, device: str) -> list[dict]:
    """What the card of one phone went through since the page opened."""
    return [card for card in await page.evaluate("window.seen") if card["device"] == device]


async def test_twelve_phones_boot_before_your_eyes_each_part_in_its_turn(browser):
    async with Office(load_seed(), LabSettings(pace=BootPace(0.1, 0.1, 0.1))) as office:
        office.console.hub.spacing_s = 0.0
        async with opened(browser, f"{office.console_url}/floor") as page:
            await expect(page.locator("#live")).to_have_attribute("data-state", "live")
            await expect(page.locator(".phone[data-state=off]")).to_have_count(12)
            assert await office.lab.boot_phones(30)
            await expect(page.locator(".phone[data-state=idle]")).to_have_count(12)
            await expect(page.locator("#floor-tally")).to_have_text(re.compile(r"^\s*● 12 idle\s*$"))
            for phone in TWELVE:
                cards = await seen(page, phone)
                booting = [card for card in cards if card["state"] == "booting"]
                turns = [part for card in booting for part, result in card["parts"].items() if result == "now"]
                assert [part for part, _ in groupby(turns)][:5] == list(PARTS[:5]), phone
                assert booting[0]["big"] == "Starting…"
                assert all(phone not in card["big"] for card in booting if "wait" in card["parts"]["config"])
                assert any("Registering" in card["second"] for card in booting), phone
                last = cards[-1]
                assert set(last["parts"].values()) == {"ok"}, phone
                assert (last["state"], last["big"].split()[0], last["chip"]) == ("idle", phone, "● Idle")


async def test_a_ringing_phone_shows_it_within_a_second_and_the_call_goes_on_live(browser, office, device):
    async with opened(browser, f"{office.console_url}/floor") as page:
        await expect(page.locator("#live")).to_have_attribute("data-state", "live")
        dialled = time.time()
        device["101"].do("dial", "102")
        await expect(page.locator("#phone-102[data-state=ringing]")).to_be_visible()
        rang = next(card for card in await seen(page, "102") if card["state"] == "ringing")
        assert rang["at"] - dialled < 1.0
        assert (rang["chip"], rang["second"]) == ("◆ Ringing", "Ana Silva 101 calls")
        await expect(page.locator("#phone-102 .lamp.ringing")).to_have_text(re.compile("◆"))
        await expect(page.locator("#say")).to_have_text("102 ringing")
        device["102"].do("answer")
        for party in ("101", "102"):
            await expect(page.locator(f"#phone-{party}[data-state=in-call] .lamp.busy")).to_be_visible()
        await expect(page.locator("#phone-101 .chip")).to_have_text(re.compile(r"In call 00:0[1-9]"))
        device["101"].do("hold")
        await expect(page.locator("#phone-101 .chip")).to_have_text(re.compile("‖ On hold"))
        device["101"].do("hangup")
        await expect(page.locator(".phone[data-state=idle]")).to_have_count(12)


async def test_a_page_that_lost_its_line_shows_what_it_missed_without_starting_again(browser, office, device):
    line = Line(office.console_port)
    await line.mend()
    async with opened(browser, f"http://127.0.0.1:{line.port}/floor", faults_allowed=True) as page:
        live = page.locator("#live")
        await expect(live).to_have_attribute("data-state", "live")
        await page.evaluate("window.same = true")
        await line.cut()
        await expect(live).to_have_text("reconnecting")
        device["103"].do("dial", "104")
        assert await office.lab.until(lambda: not device["104"].idle, 3)
        await expect(page.locator("#phone-104")).to_have_attribute("data-state", "idle")
        await line.mend()
        await expect(page.locator("#phone-104[data-state=ringing]")).to_be_visible()
        await expect(live).to_have_text("live")
        assert await page.evaluate("window.same")
        device["103"].do("hangup")
        await expect(page.locator("#phone-104[data-state=idle]")).to_be_visible()
    await line.cut()


async def test_a_call_appears_in_the_list_and_its_page_says_why_and_how(browser, office, device):
    async with opened(browser, f"{office.console_url}/calls") as page:
        await expect(page.locator("#live")).to_have_attribute("data-state", "live")
        before = await page.locator("#calls tbody tr").count()
        device["105"].do("dial", "106")
        rows = page.locator("#calls tbody tr")
        await expect(rows).to_have_count(before + 1)
        await expect(rows.first).to_contain_text("▶ Live")
        await rows.first.get_by_role("link").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("105 → 106")
        why = page.locator(".why").first.locator("li")
        await expect(why.first).to_contain_text("dial plan")
        assert await why.count() >= 4
        assert await office.lab.until(lambda: not device["106"].idle, 3)
        device["106"].do("answer")
        await expect(page.locator(".chip").first).to_have_text("▶ Live")
        assert await office.lab.until(lambda: device["105"].heard() and device["106"].heard(), 4)
        device["105"].do("hangup")
        await expect(page.locator(".head .chip")).to_have_text("✓ Answered")
        await page.reload()
        captions = await page.locator(".ladder-svg .caption").all_text_contents()
        wanted = [
            "INVITE",
            "407 Proxy Authentication Required",
            "INVITE",
            "180 Ringing",
            "200 OK",
            "ACK",
            "BYE",
            "200 OK",
        ]
        left = iter(captions)
        assert all(caption in left for caption in wanted), captions
        arrow = page.locator(".ladder-svg .arrow").first
        assert await arrow.evaluate("line => getComputedStyle(line).stroke") != "none"
        assert await unfit_for_everybody(page) == []
        message = page.locator("details").first
        await message.locator("summary").click()
        await expect(message.locator("pre")).to_contain_text("INVITE sip:106")


async def test_a_run_ticks_through_its_verdicts_lights_a_lamp_and_leads_to_its_report(browser, office):
    plan = load_plan(PLAN, VERBS)
    wanted = ("C01", "I03")
    cases = [case.id for case in plan.cases if case.id in wanted]
    async with (
        opened(browser, f"{office.console_url}/runs") as page,
        opened(browser, f"{office.console_url}/floor") as floor,
    ):
        for open_page in (page, floor):
            await expect(open_page.locator("#live")).to_have_attribute("data-state", "live")
        live = office.desk.start(plan, lambda case: case.id in cases, Terms())
        running = asyncio.get_running_loop().create_task(live.done)
        await page.get_by_role("link", name=live.run).click()
        await expect(page.locator("tr[data-case]")).to_have_count(len(cases))
        await expect(page.locator("tr[data-verdict=running]").first).to_be_visible()
        await expect(page.locator("tr[data-verdict=passed]")).to_have_count(len(cases), timeout=60_000)
        await running
        await expect(page.locator("progress")).to_have_attribute("value", str(len(cases)))
        assert any(card["lit"] for card in await floor.evaluate("window.seen"))
        await page.get_by_role("link", name="Open the report").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Passed")
        for case in cases:
            await expect(page.locator(f"details[id='{case}']")).to_be_attached()
        assert await unfit_for_everybody(page) == []
