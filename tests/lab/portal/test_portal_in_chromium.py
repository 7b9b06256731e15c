"""The portal's pages in a real browser: fit for everybody in both themes and languages, at any width, no complaint."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser

from tests.conftest import need
from tests.lab.console.chromium import chromium, opened, unfit_in
from tests.lab.portal.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

OFTEN = ["/d/acme.lab/users/102/rules"]
"""Every part of a form is on it; lists are as that of devices. The others are of the same parts."""
PAGES = [
    "/login", "/account", "/d/acme.lab/users", "/d/acme.lab/users/102", "/d/acme.lab/sites", "/d/acme.lab/sites/Laval",
    "/d/acme.lab/timeframes", "/d/acme.lab/timeframes/lunch", "/d/acme.lab/attendants", "/d/acme.lab/attendants/400",
    "/d/acme.lab/queues", "/d/acme.lab/queues/500", "/d/acme.lab/conferences", "/d/acme.lab/numbers",
    "/d/acme.lab/numbers/14165550100", "/d/acme.lab/faxes", "/d/acme.lab/history", "/d/acme.lab/audit",
    "/d/acme.lab/roles", "/d/acme.lab/why-may-i?of=102", "/d/acme.lab/users?q=zzz", "/link/none", "/onboard",
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium(need("chromium")) as launched:
        yield launched


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url() -> AsyncIterator[str]:
    runner = web.AppRunner(Town().app, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize("path", [*OFTEN, *(pytest.param(path, marks=pytest.mark.soak) for path in PAGES)])
async def test_a_page_is_fit_for_everybody_and_no_wider_than_the_window(browser, url, path):
    missing = path == "/link/none"  # the browser itself tells a 404 as an error
    async with opened(browser, url + path, faults_allowed=missing) as page:
        found = []
        for scheme, language in (("light", "en"), ("dark", "fr")):
            await page.context.add_cookies([{"name": "language", "value": language, "url": url}])
            await page.reload()
            await page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
            found += await unfit_in(page, scheme)
        assert found == []
        for width in (320, 1000):
            await page.set_viewport_size({"width": width, "height": 800})
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
