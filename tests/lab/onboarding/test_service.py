"""Onboarding in a lab in real time: over the API and its page, kept over a restart, its mails in the outbox."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from lab.lab_settings import LabSettings
from lab.office import Office
from lab.onboarding.reading import NORTHSIDE
from lab.seeds.load import load_seed
from pbx.events import MailSent
from tests.lab.onboarding.story import ADMIN, PACKET

pytestmark = pytest.mark.realtime
AT = "/api/v1/onboarding"


def packet_of_today(**changes: str) -> str:
    text = NORTHSIDE.read_text().replace("start: porting", "start: asap")
    text = text.replace("bill_dated: 2026-10-20", f"bill_dated: {datetime.now(UTC).date()}")  # noqa: TID251 - as a person
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


async def test_a_packet_becomes_a_domain_and_waits_for_its_test_week(tmp_path: Path):
    settings, sent = LabSettings(phones=False, data=tmp_path / "data"), []
    async with Office(load_seed(), settings) as office, aiohttp.ClientSession(office.console_url) as http:
        office.lab.bus.subscribe(lambda stamped: sent.append(stamped.event), [MailSent])

        async def take(step: str, **told: str) -> tuple[int, dict]:
            answer = await http.post(f"{AT}/northside.lab/steps", json={"step": step, **told})
            return answer.status, await answer.json()

        assert (await http.post(AT, data="company: X\n")).status == 400
        assert (await http.post(AT, data=packet_of_today())).status == 201
        assert (await http.post(AT, data=packet_of_today())).status == 409
        assert (await http.put(f"{AT}/other.lab", data=packet_of_today())).status == 409
        assert (await take("forms returned"))[0] == 200
        office.onboarding.desk.tick()
        status = await (await http.get(f"{AT}/northside.lab")).json()
        assert [stage["title"] for stage in status["stages"] if stage["state"] == "done"] == [
            "Forms",
            "Order",
            "Domain",
        ]
        assert status["partner_may_log_in"]
        lines = {line["line"]: line for line in status["audit"]}
        assert lines["users created"]["evidence"] == "4 of 4 on the form"
        assert lines["hardware online"]["gaps"][0]["fix"] == "/inventory"

        flow = await (await http.get(f"{AT}/northside.lab/flow")).json()
        assert any("attendant:600/main" in way for number in flow for way in number["ways"])
        for step, by in (
            ("flow approved", ADMIN),
            ("brand registered", ""),
            ("campaign submitted", ""),
            ("configured", ""),
        ):
            assert (await take(step, by=by))[0] == 200
        code, said = await take("test begun")
        assert code == 409
        assert {lack["sentence"] for lack in said["error"]["lacks"]} == {
            "the training session has not been held", "the hardware has not arrived",
        }  # fmt: skip
        assert (await take("fly"))[0] == (await take("users imported"))[0] == 400
        assert (await take("change requested", by="stranger@x.example"))[0] == 409
        assert (await take("change requested", by=ADMIN, note="a new <b>extension</b>"))[0] == 200

        page = await (await http.get("/onboard/northside.lab")).text()
        assert "a new &lt;b&gt;extension&lt;/b&gt;" in page
        assert "FOC audit" in page
        assert "4711" not in page, "the PIN of the account is nobody's to read"
        assert PACKET.company in await (await http.get("/onboard")).text()
        assert (await http.get("/d/northside.lab/users/203")).status == 200
        await office.lab.until(lambda: len(sent) >= 8, 20)
        subjects = {caught.subject for caught in office.lab.outbox.letters(to=ADMIN)}
        assert {f"{PACKET.company}: {what}" for what in ("onboarding complete", "welcome")} <= subjects

    async with Office(load_seed(), settings) as office, aiohttp.ClientSession(office.console_url) as http:
        status = await (await http.get(f"{AT}/northside.lab")).json()
        assert status["marks"][-1]["step"] == "change requested"
        answer = await http.put(f"{AT}/northside.lab", data=packet_of_today(**{"Nadia Roy\nusers": "\nusers"}))
        assert answer.status == 400
