"""What a running plan asks of people, on the console: shown, answered with a name, and who looks attends."""

from __future__ import annotations

import pytest

from lab.console.app import Console
from lab.console.views import Request
from tests.lab.console.fixed_lab import HOSTILE, Office

LAMP = Request(7, "Look at 102", "102", "Is its lamp lit?", "")
DIAL = Request(8, f"On {HOSTILE}: dial 102", "101", "", "seen instead: it dialled 103")


@pytest.fixture
def office() -> Office:
    office = Office()
    office.asked = [DIAL, LAMP]
    return office


@pytest.fixture
async def page(aiohttp_client, office):
    return await aiohttp_client(Console(office).app)


@pytest.mark.parametrize("path", ["/runs", "/runs/run-1"])
async def test_requests_stand_above_the_runs_with_what_was_seen_instead(page, path):
    text = await (await page.get(path)).text()
    assert "On &lt;script&gt;" in text
    assert "it dialled 103" in text
    assert "Is its lamp lit?" in text
    assert 'id="yes-7"' in text
    assert 'id="yes-8"' not in text, "what is to be done is ticked by observation, never told"


async def test_an_answer_is_signed_with_the_name_that_was_given(page, office):
    given = await page.post("/guide/me", data={"by": " Zoë Martin ", "back": "/runs"}, allow_redirects=False)
    assert (given.status, given.headers["Location"]) == (303, "/runs")
    assert 'value="Zoë Martin"' in await (await page.get("/runs")).text()
    answered = await page.post("/guide/7", data={"answer": "yes", "back": "/runs"}, allow_redirects=False)
    assert answered.status == 303
    assert office.answers == [(7, "yes", "Zoë Martin")]


async def test_without_a_name_no_answer_is_taken(page):
    refused = await page.post("/guide/7", data={"answer": "yes"})
    assert refused.status == 400
    assert "say who you are" in await refused.text()


@pytest.mark.parametrize("number", ["x", "²", "-1"])
async def test_a_request_that_is_none_is_a_page_that_says_so(page, number):
    assert (await page.post(f"/guide/{number}", data={"answer": "yes"})).status == 404


async def test_another_site_cannot_answer(page, office):
    refused = await page.post("/guide/7", data={"answer": "yes"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status == 403
    assert office.answers == []
