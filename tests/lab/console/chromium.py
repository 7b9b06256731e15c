"""Debian's chromium on pages of the console, watched: no error, no policy violation, no word to anybody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import urlsplit

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Notes every state the cards of the floor went through, with the moment it was seen.
RECORDER = """
window.seen = [];
document.addEventListener("DOMContentLoaded", () => {
  const floor = document.getElementById("floor");
  if (!floor) return;
  const note = (card) => {
    const text = (where) => card.querySelector(where).textContent.trim().replace(/\\s+/g, " ");
    const parts = [...card.querySelectorAll(".strip li")].map((part) => [part.dataset.part, part.classList[0]]);
    window.seen.push({
      device: card.dataset.device, state: card.dataset.state, at: Date.now() / 1000, big: text(".lcd .big"),
      second: text(".lcd .second"), chip: text(".chip"), lit: !!card.querySelector(".lamp.message.lit"),
      parts: Object.fromEntries(parts),
    });
  };
  new MutationObserver((records) => {
    for (const record of records)
      for (const card of record.addedNodes) if (card.matches?.(".phone")) note(card);
  }).observe(floor, { childList: true });
});
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
});
"""


PATIENCE_MS = 15_000
"""For what must come true, on a machine that is busy; what must be quick is measured by the page's own clock."""
expect.set_options(timeout=PATIENCE_MS)


@asynccontextmanager
async def chromium(path: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(browser: Browser, url: str, *, faults_allowed: bool = False, **look: object) -> AsyncIterator[Page]:
    """A page of its own at `url`; whatever is wrong with it, or with where it went since, fails at the end."""
    context = await browser.new_context(**look)  # type: ignore[arg-type]
    await context.add_init_script(RECORDER)
    page = await context.new_page()
    faults: list[str] = []
    home = urlsplit(url).netloc
    page.on("console", lambda told: faults.append(told.text) if told.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda asked: faults.append(asked.url) if urlsplit(asked.url).netloc != home else None)
    await page.goto(url)
    yield page
    await context.close()
    assert faults_allowed or not faults, faults


async def unfit_for_everybody(page: Page) -> list[str]:
    """What axe finds on a page in either theme of the system."""
    return [*await unfit_in(page, "light"), *await unfit_in(page, "dark")]


async def unfit_in(page: Page, scheme: Literal["light", "dark"]) -> list[str]:
    """What axe finds on a page in one theme of the system."""
    await page.emulate_media(color_scheme=scheme)
    violations = (await Axe().run(page)).response["violations"]
    return [f"{scheme} {item['id']}: {node['html']}" for item in violations for node in item["nodes"]]


class Line:
    """A line to a server that can be cut, and mended."""

    def __init__(self, port: int) -> None:
        self._far, self._ends = port, set[asyncio.StreamWriter]()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for end in list(self._ends):
            end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._far)
        self._ends |= {writer, far_writer}
        await asyncio.gather(_pour(reader, far_writer), _pour(far_reader, writer))
        self._ends -= {writer, far_writer}


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass  # cut
    finally:
        writer.close()
