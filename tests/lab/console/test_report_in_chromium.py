"""The page of a run from the disk, in a real browser: readable by everybody, its evidence there, printed on paper."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest
import pytest_asyncio

from lab.evidence import sound
from pbx.media import sounds_made
from test_plans.report.document import document
from test_plans.report.html import html
from test_plans.verdicts import Exhibit
from tests.conftest import need
from tests.lab.console.chromium import chromium, opened, unfit_for_everybody
from tests.test_plans.report.test_reports import BLOCKED
from tests.test_plans.toy_office import TALK, ToyBench, plan_of, run

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    async with chromium(need("chromium")) as launched:
        yield launched


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    """A run with a case that failed, one blocked and one broken, interrupted, with sound and a file."""
    folder = tmp_path_factory.mktemp("report")
    result = run(plan_of(TALK + BLOCKED + "  - {id: N01, steps: [{do: caller.reboot}]}\n"), ToyBench("deaf caller"))
    octets = b"".join(sounds_made.signature_frames("101"))
    (folder / "says #1 ü.wav").write_bytes(sound.as_wav(octets))
    (folder / "ladder.txt").write_text("INVITE")
    result.cases[0].evidence += [
        Exhibit("says #1 ü.wav", "sound", "11 says", len(octets), 1.0, sound.peaks(octets)),
        Exhibit("ladder.txt", "ladder", "Ladder, text", 6),
    ]
    result.cases[0].problems.append("Capture: No space left on device")
    result.interrupted = "by hand"
    (folder / "report.html").write_text(html(document(result)))
    return folder / "report.html"


def missing(files: list[str]) -> list[str]:
    return [file for file in files if not Path(file).is_file()]


async def test_everybody_can_read_it_and_every_link_leads_to_what_is_there(browser, report):
    async with opened(browser, report.as_uri()) as page:
        await page.evaluate("document.querySelectorAll('details').forEach((it) => it.open = true)")
        assert await unfit_for_everybody(page) == []
        links = await page.eval_on_selector_all("a, audio", "all => all.map((it) => it.href || it.src)")
        files = [unquote(link.removeprefix("file://")) for link in links if "#" not in link]
        assert len(files) == 2
        assert missing(files) == []
        for link in links:
            if "#" in link:
                assert await page.locator(f"[id='{unquote(link.partition('#')[2])}']").count() == 1
        for width in (320, 1000):
            await page.set_viewport_size({"width": width, "height": 800})
            assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_sound_plays_and_the_certificate_is_printed(browser, report):
    async with opened(browser, report.as_uri()) as page:
        seconds = await page.evaluate(
            """() => new Promise((done) => {
              const it = document.querySelector("audio");
              it.addEventListener("loadedmetadata", () => done(it.duration));
              it.addEventListener("error", () => done(-1));
              it.preload = "metadata";
              it.load();
            })"""
        )
        assert seconds > 0.1
        await page.emulate_media(media="print")
        assert await page.get_by_text("Customer, date").is_visible()
        assert await page.locator("audio").is_hidden()
        assert (await page.pdf(format="A4"))[:5] == b"%PDF-"
