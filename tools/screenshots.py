"""Draw the pictures of `docs/`: the office of the demo at work, as chromium shows it.

python tools/screenshots.py [FOLDER]
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright, expect

from lab.bench import LabBench
from lab.lab_settings import LabSettings
from lab.office import Office
from lab.seeds.load import load_seed
from test_plans.bench import BenchDevice
from test_plans.plan import load_plan
from test_plans.runner import VERBS

OFFICE = Path(__file__).parents[1] / "test_plans" / "plans" / "office.yaml"
WINDOW = {"width": 1360, "height": 860}
SHOWN = ("A", "C", "F", "G", "I")
"""The groups of the office plan that are run: enough for a page of verdicts and a lit lamp."""


async def draw(folder: Path) -> None:
    async with async_playwright() as playwright, Office(load_seed(), LabSettings()) as office:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        light, dark = await page_of(browser, "light"), await page_of(browser, "dark")
        assert await office.lab.boot_phones(), "not every phone registered"
        plan = load_plan(OFFICE, VERBS)
        await office.desk.run(plan, only=lambda case: case.id.startswith(SHOWN))
        await dark.goto(f"{office.console_url}/runs/run-1")
        await dark.screenshot(path=folder / "run-dark.png")
        calls = office.source.calls()
        best = next(call for call in calls if len(call.path) == 2 and call.path[0].startswith("attendant:"))
        await light.goto(f"{office.console_url}/calls/{best.call}")
        await light.screenshot(path=folder / "call-light.png")

        for page in (light, dark):
            await page.goto(f"{office.console_url}/floor")
            await expect(page.locator("#live")).to_have_text("live")
        await work(office, {device.id: device for device in LabBench(office.lab).devices()})
        for page, name in ((light, "floor-light.png"), (dark, "floor-dark.png")):
            await expect(page.locator("#phone-104[data-state=ringing]")).to_be_visible()
            await page.screenshot(path=folder / name)
        await browser.close()


async def page_of(browser: Browser, scheme: str) -> Page:
    context = await browser.new_context(viewport=WINDOW, color_scheme=scheme, reduced_motion="reduce")
    return await context.new_page()


async def work(office: Office, phones: dict[str, BenchDevice]) -> None:
    """Two talk, one holds another, one rings, one has voicemail and one has lost its power."""
    lab = office.lab

    async def becomes(device: str, state: str) -> None:
        shown = lambda: {card.device: card.state for card in office.source.phones()}[device] == state  # noqa: E731
        assert await lab.until(shown, 10), f"{device} is not {state}"

    began = lab.now.mono
    phones["107"].do("dial", "7105")
    beeps = lambda: any(s.sound == "tone:beep" and s.at > began for s in phones["107"].heard())  # noqa: E731
    assert await lab.until(beeps, 15), "no beep at the mailbox of 105"
    await lab.until(lambda: False, 2.0)
    phones["107"].do("hangup")
    assert await lab.until(lambda: phones["105"].lamp, 10), "the lamp of 105 is not lit"
    for caller, called in (("101", "102"), ("103", "106")):
        phones[caller].do("dial", called)
        await becomes(called, "ringing")
        phones[called].do("answer")
        await becomes(caller, "in-call")
    phones["103"].do("hold")
    await becomes("103", "held")
    lab.power(False, [phone for phone in lab.phones if phone.extensions[0].device == "108"])
    phones["109"].do("dial", "104")
    await becomes("104", "ringing")


if __name__ == "__main__":
    pictures = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    pictures.mkdir(parents=True, exist_ok=True)
    asyncio.run(draw(pictures))
