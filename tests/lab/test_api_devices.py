"""The boxes of a running lab, by its API and the commands that use it: bought, assigned, behind, swapped, retired."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from lab.addresses import write_ready
from lab.cli import devices as cli
from lab.cli import provision, remote
from lab.cli.once import once
from lab.errors import UserError
from lab.office import Office
from lab.phones.boot import BootPace
from lab.seeds.load import OFFICE as SEED
from lab.seeds.load import load_seed
from lab.service import LabSettings
from pbx.store.protocol import DirectorySaved, StoredDirectory
from provisioning_server.uploads import Sent

pytestmark = [pytest.mark.realtime, pytest.mark.asyncio(loop_scope="module")]

NEW, SPARE, ELSEWHERE = "805ec0a1f001", "805ec0a1f002", "805ec0a1f009"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office():
    async with Office(load_seed(), LabSettings(pace=BootPace(0.02, 0.02, 0.02))) as made:
        birch = json.dumps({"devices": [{"mac": ELSEWHERE}], "hardware": []})
        made.lab.store.submit(DirectorySaved(StoredDirectory("birch.lab", 1, birch)))
        assert await made.lab.boot_phones(60)
        yield made


@pytest.fixture
def ready(office, tmp_path: Path) -> Path:
    write_ready(tmp_path / "ready.json", office.lab.ready(office.console_port))
    return tmp_path / "ready.json"


async def run(do, *told, **how):
    return await asyncio.to_thread(do, *told, **how)


async def row(ready: Path, words: str) -> dict:
    (found,) = json.loads(await run(cli.listed, ready, words, "", as_json=True))
    return found


async def test_a_box_is_bought_arrives_is_assigned_and_its_phone_may_fetch(office, ready) -> None:
    assert "10 ordered" in await run(cli.order, ready, "PO-77", "Phones Inc", ["T46S=10"])
    assert "1 on the way" in await run(cli.ship, ready, "PO-77", "1Z9", "Post", [NEW])
    assert (await row(ready, NEW))["standing"] == "on its way"
    assert "1 arrived" in await run(cli.arrived, ready, "1Z9")
    assert (await row(ready, "1z9"))["standing"] == "in stock"
    assert "device 102a" in await run(cli.done, ready, NEW, "assign", {"extension": "102"}, as_json=False)
    told = await row(ready, NEW)
    assert (told["standing"], [line["device"] for line in told["lines"]]) == ("assigned", ["102a"])
    made = office.lab.directory.devices_by_id["102a"]
    url = office.lab.provisioning.config_url(made)
    async with aiohttp.ClientSession() as session, session.get(f"{url}{NEW}.cfg") as answer:
        assert answer.status == 200
        assert made.password.get_secret_value() in await answer.text()
    assert (await row(ready, NEW))["served_at"] > 0


async def test_a_stranger_that_asks_is_seen_and_assigned_without_naming_its_model(office, ready) -> None:
    base = office.lab.listening.provisioning_url
    agent = {"User-Agent": f"Yealink SIP-T54W 96.86.0.100 {SPARE}"}
    async with aiohttp.ClientSession(headers=agent) as session, session.get(f"{base}/{SPARE}.cfg") as answer:
        assert answer.status == 404
    told = await row(ready, SPARE)
    assert (told["standing"], told["model"], told["asked"]) == ("quarantined", "T54W", 1)
    await run(cli.done, ready, SPARE, "assign", {"extension": "103"}, as_json=False)
    assert (await row(ready, SPARE))["standing"] == "assigned"


async def test_a_phone_is_behind_until_a_resync_whose_answer_is_shown(office, ready) -> None:
    mac = office.lab.directory.devices_by_id["101"].mac
    assert (await row(ready, mac))["behind"] == []
    await run(cli.done, ready, mac, "assign", {"extension": "101", "label": "Front desk"}, as_json=False)
    assert (await row(ready, mac))["behind"] == [f"{mac}.cfg"]
    said = await run(remote.resync, ready, mac, reboot=False)
    assert said == "NOTIFY check-sync;reboot=false sent to 101: it answered 200"
    desk = office.devices
    assert await office.lab.until(lambda: desk.row(mac).behind == (), 30)
    kept = desk.row(mac)
    desk.recall()
    assert desk.row(mac) == kept, "what a box holds outlives the process"


async def test_a_table_is_tried_and_then_taken_in(ready, tmp_path) -> None:
    table = tmp_path / "boxes.csv"
    table.write_text(f"mac,model,extension\n805ec0a1f010,T46S,104\n{ELSEWHERE},T46S,104\n805ec0a1f011,T46S,\n")
    text, well = await run(cli.imported, ready, table, dry=True, as_json=False)
    assert (text.splitlines()[0], well) == (
        "1 boxes would be assigned, 1 taken into stock, 1 problems", False
    )  # fmt: skip
    assert "boxes.csv line 3" in text
    assert "belongs to domain birch.lab" in text
    assert await run(cli.listed, ready, "f010", "", as_json=False) == "no box fits"
    await run(cli.imported, ready, table, dry=False, as_json=False)
    assert (await row(ready, "f010"))["standing"] == "assigned"
    assert (await row(ready, "f011"))["standing"] == "in stock"
    table.write_text("mac,colour\n")
    with pytest.raises(UserError, match="no column 'colour'"):
        await run(cli.imported, ready, table, dry=False, as_json=False)


async def test_a_box_is_swapped_and_the_old_one_retired(office, ready) -> None:
    mac = office.lab.directory.devices_by_id["103"].mac
    before = office.lab.directory.devices_by_id["103"]
    said = await run(cli.done, ready, mac, "swap", {"with": "805ec0a1f020", "model": "T46S"}, as_json=False)
    assert "devices 103" in said
    after = office.lab.directory.devices_by_id["103"]
    assert (after.mac, after.settings) == ("805ec0a1f020", before.settings)
    await run(cli.done, ready, mac, "retire", {}, as_json=False)
    assert (await row(ready, mac))["standing"] == "retired"
    with pytest.raises(UserError, match="it is retired"):
        await run(cli.done, ready, mac, "assign", {"extension": "103"}, as_json=False)


async def test_the_card_for_setting_up_by_hand(office, ready) -> None:
    mac = office.lab.directory.devices_by_id["101"].mac
    text = await run(cli.card, ready, mac, secrets=False)
    assert "user name                 101" in text
    assert office.lab.directory.devices_by_id["101"].password.get_secret_value() not in text


@pytest.mark.parametrize(
    ("mac", "deed", "body", "why"),
    [
        ("805ec0a1f001", "paint", {}, "it is none of the deeds"),
        ("805ec0a1f001", "assign", {}, "extension is missing"),
        ("805ec0a1f001", "assign", {"extension": "104", "lines": 2}, "no field"),
        ("nonsense", "assign", {"extension": "104"}, "is not a MAC"),
        ("805ec0a1f001", "swap", {"model": "T46S"}, "is missing"),
    ],
)
async def test_what_is_not_understood_is_refused_in_four_parts(ready, mac, deed, body, why) -> None:
    with pytest.raises(UserError) as told:
        await run(cli.done, ready, mac, deed, body, as_json=False)
    assert why in told.value.text()


async def test_provision_asks_the_running_one_by_its_console(office, ready) -> None:
    console = Path(office.console_url)
    mac = office.lab.directory.devices_by_id["101"].mac
    assert json.loads(await run(provision.show, mac, None, console, as_json=True))["lines"]["1"] == "101"
    told = await run(provision.why, mac, "account.1.password", None, console, as_json=False)
    assert "account.1.password: ***" in told
    text = await run(provision.fetch, mac, "", None, console, reveal=False)
    assert "account.1.password = ***" in text
    port = office.lab.sip_address("udp").port
    assert f"account.1.sip_server.1.port = {port}" in text or f"outbound_proxy.1.port = {port}" in text
    found, same = await run(provision.diff, mac, SEED, None, console)
    assert not same
    assert f"{port}" in found
    with pytest.raises(UserError, match="there is no phone"):
        await run(provision.show, "000000000001", None, ready, as_json=True)


async def test_a_code_typed_into_an_unknown_phone_makes_it_the_users(office, ready) -> None:
    told = await run(cli.code, ready, "104")
    code = told.split()[0]
    assert len(code) == 16
    desk, mac = office.devices, "00562b0f0001"
    assert desk.activate("0" * 16, mac, "8851") == "there is no such activation code"
    assert desk.activate(code, mac, "8851") == ""
    assert (await row(ready, mac))["lines"][0]["extension"] == "104"
    assert desk.activate(code, "00562b0f0002", "8851") == "there is no such activation code"
    with pytest.raises(UserError, match="there is no user 999"):
        await run(cli.code, ready, "999")


async def test_the_devices_page_finds_a_box_by_name_and_says_where_it_stands(office) -> None:
    async with aiohttp.ClientSession(office.console_url) as session:
        async with session.get("/devices", params={"q": "101", "standing": "assigned"}) as answer:
            page = await answer.text()
        async with session.get("/devices", params={"standing": "quarantined"}) as answer:
            strangers = await answer.text()
    mac = office.lab.directory.devices_by_id["101"].mac
    assert mac in page
    assert "Assigned" in page
    assert mac not in strangers


async def test_a_devices_page_tells_what_it_was_given_and_hands_out_what_it_has_sent(office):
    lab = office.lab
    mac = lab.directory.devices_by_id["101"].mac
    lab.provisioning.uploads.keep(Sent(mac, f"{mac}-local.cfg", "overrides"), b"account.1.label = Ana\n")
    async with aiohttp.ClientSession(office.console_url) as session:
        async with session.get("/devices") as listing:
            assert f'href="/devices/{mac}"' in await listing.text()
        async with session.get(f"/devices/{mac}") as answer:
            page = await answer.text()
        assert f"{mac}.cfg" in page
        link = f"/api/v1/phones/{mac}/uploads/{mac}-local.cfg"
        assert link in page
        async with session.get(link) as answer:
            assert (answer.status, await answer.read()) == (200, b"account.1.label = Ana\n")
            assert answer.headers["Content-Disposition"] == "attachment"
        async with session.get("/devices/..%2f..%2fetc") as answer:
            assert answer.status == 404


async def test_values_for_once_reach_the_phone_by_command_page_and_api_and_are_gone(office, ready):
    lab, desk = office.lab, office.devices
    mac = lab.directory.devices_by_id["102"].mac
    said = await run(once, ready, mac, ["lines.1.label=Drill"], "Ana", resync=True)
    assert said.startswith(f"{mac}: lines.1.label stand in ")
    assert "it answered 200" in said
    assert await lab.until(lambda: desk.one_shots.of(mac) is None or desk.one_shots.of(mac).fetched != (), 30)
    desk.recall()
    assert desk.one_shots.of(mac) is None, "what was fetched is not given again after a restart"
    assert (await row(ready, mac))["behind"] != [], "the phone still shows it"
    async with aiohttp.ClientSession(office.console_url) as session:
        form = {"settings": "lines.1.label = Drill\nnetwork.vlan.id = 7", "minutes": "5", "by": "Ana", "do": "say"}
        async with session.post(f"/devices/{mac}/once", data=form) as answer:
            page = await answer.text()
        assert "network.vlan.id" in page
        assert "Ana · until" in page
        async with session.post(f"/devices/{mac}/once", data=form | {"settings": "nonsense"}) as answer:
            assert (answer.status, "is no `name = value`" in await answer.text()) == (400, True)
        desk.recall()
        async with session.get("/api/v1/one-shots") as answer:
            (told,) = await answer.json()
        assert (told["settings"], told["by"]) == ({"lines.1.label": "Drill", "network.vlan.id": 7}, "Ana")
        assert "one-shot (Ana, until" in await run(provision.why, mac, "Drill", None, ready, as_json=False)
        async with session.post(f"/devices/{mac}/once", data={"do": "lift"}) as answer:
            assert "Ana ·" not in await answer.text()
    with pytest.raises(UserError, match="nothing was lifted"):
        await run(once, ready, mac, [], "Ana", lift=True)
    with pytest.raises(UserError, match="lable nowhere") as no:
        await run(once, ready, mac, ["lines.1.lable=x"], "Ana")
    assert "lines.1.label" in no.value.remedy
    with pytest.raises(UserError, match="it is later"):
        await run(once, ready, mac, ["lines.1.label=x"], "Ana", until="2020-01-01T00:00")
