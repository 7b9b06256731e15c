"""`/api/v1/outbox` over a lab on real sockets: mail of a message left by phone, and mail that waits."""

from __future__ import annotations

import email
from email import policy

import aiohttp
import pytest

from lab.lab_settings import LabSettings
from lab.office import Office
from lab.seeds.load import load_seed
from pbx.domain.kept import Notice
from pbx.events import MailDelayed, MailSent

pytestmark = pytest.mark.realtime


@pytest.fixture
async def office():
    async with Office(load_seed(), LabSettings(phones=False)) as made:
        yield made


async def ask(office, method, path=""):
    async with (
        aiohttp.ClientSession(office.console_url) as session,
        session.request(method, f"/api/v1/outbox{path}") as answer,
    ):
        return answer.status, await answer.read(), answer.headers.get("Content-Type", "").partition(";")[0]


async def listing(office):
    async with aiohttp.ClientSession(office.console_url) as session, session.get("/api/v1/outbox") as answer:
        return await answer.json()


async def test_mail_is_caught_listed_read_and_thrown_away(office):
    lab, seen = office.lab, []
    lab.bus.subscribe(lambda stamped: seen.append(type(stamped.event)), [MailSent, MailDelayed])
    lab.outbox.takes = False
    owed = Notice("", "101", "", ("ana@acme.lab", "ben@acme.lab"), "Mailbox 101 is full", "Delete some.")
    lab.command_switch(lambda switch, now: switch.notices.queue(owed))
    assert await lab.until(lambda: seen == [MailDelayed, MailDelayed], 20)
    told = await listing(office)
    assert told["letters"] == []
    assert [(one["to"], one["tries"], "451" in one["problem"]) for one in told["waiting"]] == [
        (["ana@acme.lab"], 1, True), (["ben@acme.lab"], 1, True),
    ]  # fmt: skip

    lab.outbox.takes = True
    assert (await ask(office, "POST", "/again"))[0] == 202
    assert await lab.until(lambda: seen.count(MailSent) == 2, 20)
    told = await listing(office)
    assert told["waiting"] == []
    first = told["letters"][0]
    assert (first["from"], first["to"], first["subject"], first["text"].strip()) == (
        "switchroom@acme.lab", ["ana@acme.lab"], "Mailbox 101 is full", "Delete some.",
    )  # fmt: skip
    status, octets, kind = await ask(office, "GET", f"/{first['number']}")
    assert (status, kind) == (200, "message/rfc822")
    assert email.message_from_bytes(octets, policy=policy.default)["Subject"] == "Mailbox 101 is full"
    assert (await ask(office, "DELETE"))[0] == 204
    assert (await listing(office))["letters"] == []
    for number in (first["number"], "nothing"):
        assert (await ask(office, "GET", f"/{number}"))[0] == 404
