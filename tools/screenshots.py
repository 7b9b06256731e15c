"""Draw the pictures of `docs/screens/`: every screen in both themes, of the office of the demo at work, as chromium
shows it. In French where the picture's name says so.

python tools/screenshots.py [FOLDER]
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright, expect

from lab.bench import LabBench
from lab.lab_settings import LabSettings
from lab.office import Office
from lab.onboarding.reading import NORTHSIDE, read_packet
from lab.seeds.load import load_seed
from test_plans.bench import BenchDevice
from test_plans.plan import load_plan
from test_plans.runner import VERBS

OFFICE = Path(__file__).parents[1] / "test_plans" / "plans" / "office.yaml"
WINDOW = {"width": 1360, "height": 860}
SHOWN = ("A", "C", "F", "G", "I")
"""The groups of the office plan that are run: enough for a page of verdicts and a lit lamp."""


SCREENS = {
    "calls": "/calls", "map": "/d/acme.lab/map?from=number:14165550100&at=2026-11-24T10:15",
    "what-if": "/d/acme.lab/what-if?number=14165550100&from=14165550142&at=2026-12-25T10:15",
    "devices": "/devices", "box": "/devices/{mac}", "runs": "/runs", "run": "/runs/run-1", "onboarding": "/onboard",
    "customer": "/onboard/northside.lab", "outbox": "/outbox/1",
    "clock": "/clock?at=2026-12-25T10:15", "faults": "/faults",
    "search": "/search?q=101", "users": "/d/acme.lab/users", "user": "/d/acme.lab/users/101",
    "rules": "/d/acme.lab/users/102/rules", "sites": "/d/acme.lab/sites", "timeframes": "/d/acme.lab/timeframes",
    "attendant": "/d/acme.lab/attendants/400", "queue": "/d/acme.lab/queues/500", "numbers": "/d/acme.lab/numbers",
    "faxes": "/d/acme.lab/faxes", "history": "/d/acme.lab/history", "audit": "/d/acme.lab/audit",
    "roles": "/d/acme.lab/roles", "why-may-i": "/d/acme.lab/why-may-i?of=102", "account": "/account", "login": "/login",
}  # fmt: skip
"""Picture → address; the floor, a phone in the hand, a call and French are drawn beside them."""


async def draw(folder: Path) -> None:
    async with async_playwright() as playwright, Office(load_seed(), LabSettings()) as office:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        pages = {theme: await page_of(browser, theme) for theme in ("light", "dark")}
        assert await office.lab.boot_phones(), "not every phone registered"
        office.onboarding.desk.open(read_packet(NORTHSIDE.read_text(encoding="utf-8"), "packet"), "Ana")
        plan = load_plan(OFFICE, VERBS)
        await office.desk.run(plan, only=lambda case: case.id.startswith(SHOWN))
        best = next(call for call in office.source.calls() if len(call.path) == 2 and "attendant:" in call.path[0])
        mac = office.lab.directory.devices_by_id["101"].mac
        screens = {name: path.format(mac=mac) for name, path in SCREENS.items()} | {"call": f"/calls/{best.call}"}
        for theme, page in pages.items():
            for name, path in screens.items():
                await page.goto(f"{office.console_url}{path}")
                await shoot(page, folder / f"{name}-{theme}.png")

        for page in pages.values():
            await page.goto(f"{office.console_url}/floor")
            await expect(page.locator("#live")).to_have_attribute("data-state", "live")
        await work(office, {device.id: device for device in LabBench(office.lab).devices()})
        for theme, page in pages.items():
            await expect(page.locator("#phone-104[data-state=ringing]")).to_be_visible()
            await shoot(page, folder / f"floor-{theme}.png")
        for theme, page in pages.items():
            await page.locator("#open-101").click()
            await expect(page.locator("#drawer .hand[data-state=in-call]")).to_be_visible()
            await shoot(page, folder / f"phone-{theme}.png")
            await page.context.add_cookies([{"name": "language", "value": "fr", "url": office.console_url}])
            await page.goto(f"{office.console_url}/floor?density=compact")
            await expect(page.locator("#live")).to_have_attribute("data-state", "live")
            await shoot(page, folder / f"floor-compact-fr-{theme}.png")
        await browser.close()


async def shoot(page: Page, path: Path) -> None:
    """Keep what the window shows, in as few colours as nobody misses."""
    await page.screenshot(path=path)
    Image.open(path).quantize(128).save(path, optimize=True)


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
    pictures = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/screens")
    pictures.mkdir(parents=True, exist_ok=True)
    asyncio.run(draw(pictures))
