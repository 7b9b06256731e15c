"""`/api/v1` and the commands that use it, against a lab on real sockets."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import zipfile
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from lab.addresses import write_ready
from lab.bench import LabBench
from lab.cli import remote
from lab.cli.phone import phone
from lab.errors import BAD_INPUT, NO_START, UserError
from lab.lab_settings import LabSettings
from lab.office import Office
from lab.phones.boot import BootPace
from lab.seeds.load import load_seed
from lab.terms import Terms
from pbx.events import ConfigServed, SecretsRevealed, Stamped
from test_plans.report.document import exit_code
from test_plans.report.html import html
from test_plans.report.journal import recalled
from test_plans.selection import Selection
from tests.conftest import need

pytestmark = [pytest.mark.realtime, pytest.mark.asyncio(loop_scope="module")]

OFFICE = Path(__file__).parents[2] / "test_plans" / "plans" / "office.yaml"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office():
    async with Office(load_seed(), LabSettings(pace=BootPace(0.02, 0.02, 0.02))) as made:
        assert await made.lab.boot_phones(20)
        yield made


@pytest.fixture
def ready(office, tmp_path: Path) -> Path:
    write_ready(tmp_path / "ready.json", office.lab.ready(office.console_port))
    return tmp_path / "ready.json"


async def test_a_plan_runs_there_told_line_by_line_and_its_documents_lie_in_a_folder(office, ready, capsys) -> None:
    lines: list[str] = []
    terms = Terms("Ana Roy")
    fault = await asyncio.to_thread(remote.run_there, ready, OFFICE, Selection("C01"), terms, lines.append)
    assert fault == ""
    assert " C01" in capsys.readouterr().out
    it = recalled(lines)
    assert {case["verdict"] for case in it["cases"]} == {"passed"}
    assert (it["state"], it["tester"], exit_code(it)) == ("complete", "Ana Roy", 0)
    assert any(seen["agent"] for seen in it["devices"].values())
    (view,) = office.source.runs()
    folder = office.lab.runs_folder / view.run
    assert json.loads((folder / "results.json").read_text()) == it
    assert office.source.report(view.run) == html(it)
    found = {one["kind"]: folder / one["path"] for case in it["cases"] for one in case["evidence"]}
    assert found["sound"].read_bytes()[:4] == b"RIFF"
    tshark = [need("tshark"), "-r", str(found["capture"]), "-Y", "rtp or rtcp or _ws.malformed", "-T", "fields"]
    told = await asyncio.to_thread(
        subprocess.run, [*tshark, "-e", "_ws.col.Protocol"], capture_output=True, text=True, timeout=60, check=True
    )
    assert set(told.stdout.split()) == {"RTP", "RTCP"}
    assert list(folder.glob("taps")) == []
    async with aiohttp.ClientSession(office.console_url) as session:
        async with session.get(f"/api/v1/runs/{view.run}/junit.xml") as answer:
            assert "<testsuite" in await answer.text()
        async with session.get(f"/runs/{view.run}/{found['sound'].relative_to(folder)}") as answer:
            assert (answer.status, answer.content_type) == (200, "audio/wav")
            assert "sandbox" in answer.headers["Content-Security-Policy"]
        async with session.get(f"/runs/{view.run}/evidence/..%2F/journal.jsonl") as answer:
            assert answer.status == 404
        async with session.get(f"/api/v1/runs/{view.run}/evidence.zip") as answer:
            assert zipfile.ZipFile(io.BytesIO(await answer.read())).testzip() is None
        async with session.post(f"/api/v1/runs/{view.run}/go") as answer:
            assert answer.status == 409
    rows = json.loads(await asyncio.to_thread(remote.calls, ready, as_json=True))
    assert rows
    told = await asyncio.to_thread(remote.call, ready, rows[0]["call"], as_json=False)
    assert "INVITE sip:" in told
    assert "→" in told


async def test_what_is_not_there_is_said(ready) -> None:
    with pytest.raises(UserError, match="there is no call 'nothing'") as raised:
        await asyncio.to_thread(remote.call, ready, "nothing", as_json=False)
    assert raised.value.exit_code == BAD_INPUT


async def test_every_setting_of_a_device_is_explained_there_as_from_its_seed(office, ready) -> None:
    there = json.loads(await asyncio.to_thread(phone, "101", None, ready, as_json=True))
    here = json.loads(phone("101", None, None, as_json=True))
    ports = {"lines.1.server.port", "lines.1.server.host", "network.ntp", "security.ca_url"}
    told, seeded = ({s["name"]: s for s in view["settings"] if s["name"] not in ports} for view in (there, here))
    assert told == seeded
    password = office.lab.directory.devices_by_id["101"].password.get_secret_value()
    assert password not in str(there)
    async with aiohttp.ClientSession(office.console_url) as session, session.get("/api/v1/phones") as answer:
        assert [row["device"] for row in await answer.json()] == [d.id for d in office.lab.directory.devices]
    with pytest.raises(UserError, match="there is no device '1/0'") as raised:
        await asyncio.to_thread(phone, "1/0", None, ready, as_json=False)
    assert raised.value.exit_code == BAD_INPUT


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("80:5E:C0:A1:01:01", "NOTIFY check-sync;reboot=false sent to 101"),
        ("111", "NOTIFY check-sync sent to 111"),
    ],
)
async def test_a_phone_is_asked_in_its_makers_words_to_fetch_again(office, ready, name, words) -> None:
    fetched = asyncio.Event()
    device = words.rpartition(" ")[2]

    def served(stamped: Stamped) -> None:
        if getattr(stamped.event, "device", "") == device:
            fetched.set()

    office.lab.bus.subscribe(served, [ConfigServed])
    assert await asyncio.to_thread(remote.resync, ready, name, reboot=False) == f"{words}: it answered 200"
    async with asyncio.timeout(20):
        await fetched.wait()


async def test_a_phone_fetches_its_new_credentials_by_those_it_holds(office, ready) -> None:
    device = office.lab.directory.devices_by_id["101"]
    old = device.password.get_secret_value()
    fetched = asyncio.Event()

    def served(stamped: Stamped) -> None:
        event = stamped.event
        if isinstance(event, ConfigServed) and event.device == "101" and "before the rotation" in event.reason:
            fetched.set()

    office.lab.bus.subscribe(served, [ConfigServed])
    said = await asyncio.to_thread(remote.rotate, ready, device.mac, 1)
    assert said.endswith("the old ones are taken for 1 h more; told: 101")
    async with asyncio.timeout(20):
        await fetched.wait()
    looked: list[str] = []
    office.lab.bus.subscribe(lambda stamped: looked.append(stamped.event.by), [SecretsRevealed])
    shown = await asyncio.to_thread(remote.reveal, ready, "101", "Ana of support")
    new = office.lab.directory.devices_by_id["101"].password.get_secret_value()
    assert f"101  {new}" in shown
    assert new != old
    assert len(new) >= 20
    assert looked == ["Ana of support from 127.0.0.1"]
    with pytest.raises(UserError, match="nothing is revealed"):
        await asyncio.to_thread(remote.reveal, ready, "101", " ")


async def test_who_is_banned_is_shown_and_let_in_again(office, ready) -> None:
    desk = office.lab.provisioning.office.bans
    for number in range(desk.limit):
        desk.guessed("192.0.2.66", f"805ec0{number:06x}", "", office.lab.now.mono)
    assert "192.0.2.66" in await asyncio.to_thread(remote.bans, ready, "")
    await asyncio.to_thread(remote.bans, ready, "192.0.2.66")
    assert await asyncio.to_thread(remote.bans, ready, "") == "nobody is banned"
    with pytest.raises(UserError, match=r"'10.0.0.0/24' is not banned"):
        await asyncio.to_thread(remote.bans, ready, "10.0.0.0/24")


@pytest.mark.parametrize("name", ["805ec0a1ffff", "nobody", "1/0"])
async def test_a_phone_that_is_not_there_is_not_asked(ready, name) -> None:
    with pytest.raises(UserError, match="there is no phone") as raised:
        await asyncio.to_thread(remote.resync, ready, name, reboot=True)
    assert raised.value.exit_code == BAD_INPUT


async def test_a_plan_with_a_fault_is_refused_with_its_line(ready, tmp_path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("plan: [\n")
    with pytest.raises(UserError, match="the plan cannot be run"):
        await asyncio.to_thread(remote.run_there, ready, bad, Selection(), Terms(), print)


NO_HTTP = {
    "rubbish": b"\x00\xff\x16\x03 rubbish\r\n\r\n",
    "an address without end": b"GET /floor?q=" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a header without end": b"GET /floor HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
    "two lengths": b"POST /theme HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 9\r\n\r\nx",
}


async def test_what_is_no_http_is_refused_on_both_listeners_in_one_line(caplog) -> None:
    async with Office(load_seed(), LabSettings(phones=False)) as office:
        assert office.lab.listening is not None
        for port in (office.console_port, office.lab.listening.provisioning_port):
            for what, sent in NO_HTTP.items():
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(sent)
                async with asyncio.timeout(5):
                    answer = await reader.read()
                assert answer.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400")), what
                assert b"Traceback" not in answer
                writer.close()
        async with aiohttp.ClientSession(office.console_url) as session, session.get("/readyz") as ready:
            assert (ready.status, (await ready.json())["listeners"]["sip"]) == (200, True)
    told = [record for record in caplog.records if record.name == "aiohttp.server"]
    assert told
    assert [record.getMessage() for record in told if record.exc_info] == []


async def test_what_a_run_would_do_is_told_before_it_is_done(ready, capsys) -> None:
    before = await asyncio.to_thread(remote.calls, ready, as_json=True)
    code = await asyncio.to_thread(remote.preview_there, ready, OFFICE, Selection("C01", repeat=2))
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith(" ·")]
    assert code == 0
    assert [line.split()[1] for line in told] == ["C01", "C01-foreign", "C01#2", "C01-foreign#2"]
    assert all("[caller 1" in line for line in told)
    assert await asyncio.to_thread(remote.calls, ready, as_json=True) == before


async def test_a_selection_that_is_not_understood_starts_nothing(office) -> None:
    async with aiohttp.ClientSession(office.console_url) as session:
        for path in ("/api/v1/runs", "/api/v1/previews"):
            async with session.post(path, params={"repeat": "often"}, data=OFFICE.read_bytes()) as answer:
                assert answer.status == 400
                assert "repeat='often' is no number" in (await answer.json())["error"]["why"]


async def test_a_page_of_another_site_starts_nothing(office) -> None:
    async with aiohttp.ClientSession(office.console_url) as session:
        headers = {"Origin": "http://elsewhere.example"}
        async with session.post("/api/v1/runs", data=OFFICE.read_bytes(), headers=headers) as answer:
            assert answer.status == 403


async def test_one_run_at_a_time(office) -> None:
    async with aiohttp.ClientSession(office.console_url) as session:
        text = OFFICE.read_bytes()
        async with session.post("/api/v1/runs", params={"only": "C01"}, data=text) as first:
            assert first.status == 202
        async with session.post("/api/v1/runs", params={"only": "C01"}, data=text) as second:
            assert second.status == 409
            assert (await second.json())["error"]["happened"] == "a run is in progress"


async def test_a_switchroom_that_is_gone_is_said(tmp_path) -> None:
    ready = tmp_path / "ready.json"
    ready.write_text('{"console": "http://127.0.0.1:9"}')
    with pytest.raises(UserError, match="does not answer") as raised:
        await asyncio.to_thread(remote.calls, ready, as_json=False)
    assert raised.value.exit_code == NO_START


async def test_a_file_that_is_no_ready_file_is_said(tmp_path) -> None:
    with pytest.raises(UserError, match="is no ready file"):
        remote.calls(tmp_path / "nothing.json", as_json=False)


async def test_a_recorded_conversation_is_listed_fetched_and_removed(office) -> None:
    lab = office.lab
    device = {item.id: item for item in LabBench(lab).devices()}
    caller, called = device["101"], device["103"]
    caller.do("dial", "103")
    assert await lab.until(lambda: not called.idle, 10)
    called.do("answer")
    assert await lab.until(lambda: any(heard.sound == "signature:103" for heard in caller.heard()), 10)
    caller.do("press", "*80")
    assert await lab.until(lambda: lab.switch.live()["conversations recorded"] == 1, 10)
    since = lab.now.mono
    assert await lab.until(lambda: any(heard.at > since for heard in called.heard()), 10)  # the beep is over
    caller.do("hangup")
    assert await lab.until(lambda: len(lab.store.call_recordings()) == 1, 10)
    async with aiohttp.ClientSession(office.console_url) as session:
        async with session.get("/api/v1/recordings?extension=101") as answer:
            (row,) = await answer.json()
        assert (row["left"], row["right"], row["why"]) == ("101", "103", "code")
        async with session.get("/api/v1/recordings?extension=103") as answer:
            assert await answer.json() == []
        path = f"/api/v1/recordings/{row['recording']}"
        async with session.get(path) as answer:
            audio = await answer.read()
        assert (audio[:4], audio[22:24]) == (b"RIFF", b"\2\0")
        assert (len(audio) - 44) / 16_000 == pytest.approx(row["seconds"], abs=0.05)
        async with session.delete(path) as answer:
            assert answer.status == 204
        async with session.get(path) as answer:
            assert answer.status == 404
    assert await lab.until(lambda: not list(lab.recordings_folder.glob("call-*.wav")), 10)
