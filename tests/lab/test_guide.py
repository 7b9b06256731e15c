"""Requests to people over the API: asked for, answered, and refused with a reason."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from aiohttp import web

from lab.api.guide import Guide
from lab.people import ATTENDS_S, MOST, People
from pbx.clock import Moment, moment_at

EPOCH = datetime(2026, 11, 24, 15, tzinfo=UTC)


class Time:
    def __init__(self) -> None:
        self.mono = 0.0

    def now(self) -> Moment:
        return moment_at(self.mono, EPOCH)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def people(time: Time) -> People:
    return People(time.now)


@pytest.fixture
async def api(aiohttp_client, people):
    app = web.Application()
    Guide(people).route(app)
    return await aiohttp_client(app)


async def test_who_asks_for_the_requests_attends_for_a_while(api, people, time):
    assert not people.attended
    assert await (await api.get("/api/v1/guide")).json() == []
    assert people.attended
    time.mono += ATTENDS_S
    assert not people.attended


async def test_an_answer_has_a_name_and_a_moment(api, people, time):
    asked = people.ask("Look at 102", "102", "Is its lamp lit?")
    time.mono = 5.0
    answered = await (await api.post(f"/api/v1/guide/{asked.number}", json={"answer": "yes", "by": "Ana"})).json()
    assert (answered["state"], answered["by"], answered["answered"]) == (
        "answered", "Ana", "2026-11-24T15:00:05+00:00",
    )  # fmt: skip
    assert (await api.post(f"/api/v1/guide/{asked.number}", json={"answer": "no", "by": "Bo"})).status == 404


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"answer": "yes"}, "'by'"),
        ({"answer": "yes", "by": " "}, "name of who gives it"),
        ({"answer": "maybe", "by": "Ana"}, "not 'maybe'"),
        ([], ""),
        ("x", ""),
    ],
)
async def test_what_is_no_answer_is_refused_and_the_request_stays(document, says, api, people):
    asked = people.ask("Look at 102", "102", "Is its lamp lit?")
    refused = await api.post(f"/api/v1/guide/{asked.number}", json=document)
    assert refused.status == 400
    assert says in await refused.text()
    assert asked.state == "open"


async def test_nobody_tells_that_something_is_done(api, people):
    asked = people.ask("On 101: dial 102", "101")
    assert (await api.post(f"/api/v1/guide/{asked.number}", json={"answer": "yes", "by": "Ana"})).status == 400
    people.observed(asked)
    assert asked.state == "observed"


def test_the_ring_of_requests_is_bounded_and_the_open_ones_come_first(people):
    first = people.ask("one")
    for _ in range(MOST - 1):
        people.withdraw(people.ask("again"))
    assert people.requests()[0] is first
    assert len(people.requests()) == MOST
    people.ask("one more")
    assert len(people.requests()) == MOST
