"""`/api/v1/reset` over a lab on real sockets: what was named begins anew, and nothing else."""

from __future__ import annotations

from email.message import EmailMessage

import aiohttp
import pytest

from lab.bench import LabBench
from lab.lab_settings import LabSettings
from lab.office import Office
from lab.phones.boot import BootPace
from lab.seeds.load import load_seed
from pbx.events import ConfigServed

pytestmark = pytest.mark.realtime


@pytest.fixture
async def office():
    pace = BootPace(link_s=0.02, dhcp_s=0.02, discover_s=0.02)
    async with Office(load_seed(), LabSettings(pyvoip=False, pace=pace)) as made:
        yield made


async def reset(office, body):
    async with (
        aiohttp.ClientSession(office.console_url) as session,
        session.post("/api/v1/reset", json=body) as answer,
    ):
        return answer.status, await answer.json()


async def test_what_is_named_begins_anew_and_nothing_else(office):
    lab = office.lab
    bench = {device.id: device for device in LabBench(lab).devices()}
    caller, called = bench["101"], bench["103"]
    for device in (caller, called):
        device.power(True)
    assert await lab.until(lambda: caller.registered and called.registered, 30)
    caller.do("dial", called.number)
    assert await lab.until(lambda: not called.idle, 30)
    lab.outbox.put(EmailMessage(), "a@acme.lab", ["b@acme.lab"], 0.0)

    assert await reset(office, {"mail": True}) == (200, {"mail": 1})
    assert lab.outbox.letters() == []
    assert not called.idle
    assert await reset(office, {"calls": True}) == (200, {"calls": 1})
    assert called.idle
    assert (list(office.source.book.entries()), list(lab.store.records())) == ([], [])
    assert caller.registered

    served = []
    lab.bus.subscribe(lambda stamped: served.append(stamped.event), [ConfigServed])
    assert await reset(office, {"phone": "101"}) == (200, {"phone": ["101"]})
    assert await lab.until(lambda: bool(served) and caller.registered, 30)
    assert called.registered

    for body, status, why in [
        ({}, 400, "nothing was named"), ({"call": True}, 400, "call: "), ({"calls": "yes"}, 400, "calls: "),
        ([], 400, "the body: "), ({"phone": "999"}, 404, "no phone '999'"),
    ]:  # fmt: skip
        told, answer = await reset(office, body)
        assert told == status
        assert why in answer["error"]["why"]
