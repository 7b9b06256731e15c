"""Onboarding in a lab in real time: over the API and its page, kept over a restart, its mails in the outbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from lab.cli.users import imported, sheet, undone
from lab.floor import real_token
from lab.lab_settings import LabSettings
from lab.office import Office
from lab.onboarding.build import build
from lab.onboarding.reading import NORTHSIDE
from lab.seeds.load import load_seed
from pbx.events import MailSent
from provisioning_server.spreadsheet import read_rows
from tests.lab.onboarding.story import ADMIN, PACKET

pytestmark = [pytest.mark.realtime, pytest.mark.asyncio(loop_scope="module")]
AT = "/api/v1/onboarding"


def packet_of_today(domain: str = "northside.lab", **changes: str) -> str:
    text = NORTHSIDE.read_text().replace("start: porting", "start: asap")
    text = text.replace("bill_dated: 2026-10-20", f"bill_dated: {datetime.now(UTC).date()}")  # noqa: TID251 - as a person
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text.replace("northside.lab", domain)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[tuple[Office, aiohttp.ClientSession]]:
    """An office for tests that have a domain of their own each."""
    async with (
        Office(load_seed(), LabSettings(phones=False)) as office,
        aiohttp.ClientSession(office.console_url) as http,
    ):
        yield office, http


SHEET = "Poste;First name;Site\n205;Tove;Laval\n206;Ann;Mars\n"


async def test_the_spreadsheet_of_users_comes_in_by_api_by_command_and_by_page(house, tmp_path: Path):
    (office, http), table = house, tmp_path / "users.csv"
    table.write_text(SHEET)
    await http.post(AT, data=packet_of_today("sheet.lab"))
    users, at = f"{AT}/sheet.lab/users", Path(office.console_url)

    async def extensions() -> list[str]:
        sheet = read_rows(await (await http.get(f"{users}.xlsx")).read())
        return [row.cells[0] for row in sheet[1:]]

    assert "no column is the extension" in (await (await http.post(users, data=SHEET)).json())["error"]["why"]
    query = {"map": "Poste=extension", "name": "users.csv"}
    dry = await (await http.post(users, data=SHEET, params={**query, "dry": "1"})).json()
    assert (dry["added"], dry["problems"]) == (2, []), "forms make the sites they name"
    assert await extensions() == ["201", "202", "203", "204"]

    await http.post(f"{AT}/sheet.lab/steps", json={"step": "forms returned"})
    office.onboarding.desk.tick()  # now there is a domain, with two sites
    text, well = await asyncio.to_thread(
        imported, at, "sheet.lab", table, ["Poste=extension"], dry=False, as_json=False
    )
    assert not well
    assert "1 users were added" in text
    assert "✗ users.csv line 3, site: user 206: there is no site Mars" in text
    assert await extensions() == ["201", "202", "203", "204", "205"]
    assert (await http.get("/d/sheet.lab/users/205")).status == 200
    await asyncio.to_thread(sheet, at, "sheet.lab", tmp_path / "back.csv")
    assert "205" in (tmp_path / "back.csv").read_text("utf-8-sig")
    assert "4 users" in await asyncio.to_thread(undone, at, "sheet.lab")
    assert (await http.get("/d/sheet.lab/users/205")).status == 404
    assert (await http.post(f"{users}/undo")).status == 409

    form = aiohttp.FormData({"do": "try"})
    form.add_field("table", SHEET.encode(), filename="users.csv")
    page = await (await http.post("/onboard/sheet.lab/users", data=form)).text()
    assert "no column is the extension" in page
    form = aiohttp.FormData({"do": "apply", "text": SHEET, "column-0": "extension", "column-1": "first_name",
                             "column-2": "site", "name": "<i>users.csv"})  # fmt: skip
    answer = await http.post("/onboard/sheet.lab/users", data=form)
    page = await answer.text()
    assert answer.status == 200
    assert "Done: 1 added, 0 changed, 0 as they were, 1 problems" in page
    assert "there is no site Mars" in page
    assert "&lt;i&gt;users.csv" in page
    assert "Undo the import" in await (await http.get("/onboard/sheet.lab")).text()
    assert (await http.post(users, data=b"a" * 5_000_001)).status == 400
    undo = await http.post("/onboard/sheet.lab/users/undo", allow_redirects=False)
    assert undo.status == 303


async def test_who_may_add_no_users_to_the_domain_adds_none_by_a_table(house):
    office, http = house
    await http.post(AT, data=packet_of_today("manned.lab", **{"preset: generic": "preset: n2p"}))
    await http.post(f"{AT}/manned.lab/steps", json={"step": "forms returned"})
    office.onboarding.desk.tick()
    manager = {"Authorization": f"Bearer {office.accounts.issue('token', 'manned.lab', '201')}"}
    users, added = f"{AT}/manned.lab/users", "extension,first name,email\n205,Tove,tove@northside.example\n"
    assert (await http.post(users, data="extension,first name\n202,Quentin B.\n", headers=manager)).status == 200
    assert (await http.post(users, data=added, headers=manager)).status == 403
    directory = office.ns.directory("manned.lab")
    assert directory is not None
    assert directory.users_by_extension["202"].first_name == "Quentin B."
    assert "205" not in directory.users_by_extension
    assert (await http.post(users, data=added)).status == 200, "the provider adds them"
    assert (await http.post(f"{users}/undo", headers=manager)).status == 403
    assert (await http.post(f"{users}/undo")).status == 200


async def test_nobody_but_the_provider_comes_in_before_the_welcome_mail(house):
    office, http = house
    waiting = packet_of_today("welcome.lab", **{"start: asap": "start: porting"})
    assert (await http.post(AT, data=waiting)).status == 201
    await http.post(f"{AT}/welcome.lab/steps", json={"step": "forms returned"})
    office.onboarding.desk.tick()
    home = office.lab.directory
    office.lab.apply(home.with_user(home.users_by_extension["101"].model_copy(update={"scope": "Reseller"})))
    token = office.accounts.issue("token", home.domain.name, "101")
    partner = {"Authorization": f"Bearer {token}"}
    for path in ("/ns-api/v2/domains/welcome.lab/users", "/d/welcome.lab/users"):
        answer = await http.get(path, headers=partner)
        assert answer.status == 403
        assert "the welcome mail of welcome.lab is not out yet" in await answer.text()
    assert (await http.get("/onboard/welcome.lab", headers=partner)).status == 200, "the case itself is theirs"
    assert (await http.get("/d/welcome.lab/users")).status == 200, "the provider is there already"
    await http.post(f"{AT}/welcome.lab/steps", json={"step": "welcome sent"})
    for path in ("/ns-api/v2/domains/welcome.lab/users", "/d/welcome.lab/users"):
        assert (await http.get(path, headers=partner)).status == 200


async def test_a_domain_beside_the_first_is_served_by_an_exchange_of_its_own(house):
    office, http = house
    exchanges = "/api/v1/exchanges"
    assert (await http.post(f"{exchanges}/northside.lab")).status == 404
    office.ns.adopt(build(PACKET, date(2026, 11, 2), real_token), "onboarding")
    assert (await http.post(f"{exchanges}/{office.lab.directory.domain.name}")).status == 409
    begun = await http.post(f"{exchanges}/northside.lab")
    assert begun.status == 201
    assert (await http.post(f"{exchanges}/northside.lab")).status == 409
    there = office.exchanges.lab("northside.lab")
    assert there is not None
    assert there.sip_address("udp") != office.lab.sip_address("udp")

    async with aiohttp.ClientSession((await begun.json())["console"]) as beside:
        assert (await beside.get("/d/northside.lab/users/203")).status == 200
        assert (await beside.get(f"/d/{office.lab.directory.domain.name}/users")).status == 404
    changed = there.directory.users_by_extension["203"].model_copy(update={"department": "Front"})
    there.apply(there.directory.with_user(changed), "there")
    assert office.ns.directory("northside.lab") is there.directory, "what is changed there is known here"
    back = changed.model_copy(update={"department": "Back"})
    office.ns.adopt(there.directory.with_user(back), "here")
    assert there.switch.directory.users_by_extension["203"].department == "Back", "and the other way round"
    assert (await http.delete(f"{exchanges}/northside.lab")).status == 204
    assert (await http.delete(f"{exchanges}/northside.lab")).status == 404
    assert await (await http.get(exchanges)).json() == []


@pytest.mark.soak
async def test_what_was_in_service_is_so_again_after_a_restart(tmp_path: Path):
    settings = LabSettings(phones=False, data=tmp_path / "data")
    async with Office(load_seed(), settings) as office:
        office.ns.adopt(build(PACKET, date(2026, 11, 2), real_token), "onboarding")
        await office.exchanges.serve("northside.lab")
        await office.lab.store.written()
    async with Office(load_seed(), settings) as office:
        assert await office.lab.until(lambda: bool(office.exchanges.offices()), 60)
        lab = office.exchanges.lab("northside.lab")
        assert lab is not None
        assert lab.directory.users_by_extension.keys() == {"201", "202", "203", "204"}


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
