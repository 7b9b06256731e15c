"""`/api/v1/queues` over a lab on real sockets: figures of a call, statuses set and refused."""

from __future__ import annotations

import aiohttp
import pytest

from lab.bench import LabBench
from lab.lab_settings import LabSettings
from lab.office import Office
from lab.phones.boot import BootPace
from lab.seeds.load import load_seed

pytestmark = pytest.mark.realtime


@pytest.fixture
async def office():
    async with Office(load_seed(), LabSettings(pyvoip=False, pace=BootPace(0.02, 0.02, 0.02))) as made:
        yield made


async def ask(office, method, path, **body):
    async with (
        aiohttp.ClientSession(office.console_url) as session,
        session.request(method, f"/api/v1/queues{path}", json=body or None) as answer,
    ):
        return answer.status, await answer.json()


async def queue(office, extension):
    status, rows = await ask(office, "GET", "")
    assert status == 200
    return next(row for row in rows if row["queue"] == extension)


async def test_the_figures_of_a_caller_who_was_served(office):
    lab = office.lab
    assert await lab.boot_phones(30)
    device = {item.id: item for item in LabBench(lab).devices()}
    device["101"].do("dial", "500")
    assert await lab.until(lambda: not device["103"].idle, 10)
    device["103"].do("answer")
    assert await lab.until(lambda: any(h.sound == "signature:103" for h in device["101"].heard()), 10)
    device["101"].do("hangup")
    assert await lab.until(lambda: not any(lab.switch.live().values()), 40)
    row = await queue(office, "500")
    assert (row["total"], row["presented"], row["answered"], row["service_level"]) == (1, 1, 1, 1.0)
    assert row["average_talk_s"] > 0
    agents = {agent["agent"]: agent for agent in row["agents"]}
    assert (agents["103"]["offered"], agents["103"]["answered"], agents["104"]["answered"]) == (1, 1, 0)
    assert agents["104"]["status_s"]["available"] > 0


async def test_an_agent_is_given_a_status_in_one_queue_or_in_all(office):
    assert await ask(office, "PUT", "/501/agents/105", status="lunch") == (
        200, {"agent": "105", "status": "lunch", "queues": ["501"]},
    )  # fmt: skip
    _, told = await ask(office, "PUT", "/all/agents/105", status="logged out")
    assert told["queues"] == ["501", "502"]
    row = await queue(office, "502")
    assert {agent["agent"]: agent["status"] for agent in row["agents"]} == {"104": "available", "105": "logged out"}


async def test_what_cannot_be_set_is_said_in_four_parts(office):
    for path, body, status, happened in (
        ("/501/agents/105", {"status": "asleep"}, 400, "'asleep' is no status of an agent"),
        ("/501/agents/105", {}, 400, "None is no status of an agent"),
        ("/501/agents/109", {"status": "lunch"}, 404, "the status of '109' was not changed"),
        ("/all/agents/999", {"status": "lunch"}, 404, "the status of '999' was not changed"),
    ):
        got, told = await ask(office, "PUT", path, **body)
        assert (got, told["error"]["happened"]) == (status, happened)
        assert set(told["error"]) == {"happened", "why", "remedy", "reference"}
