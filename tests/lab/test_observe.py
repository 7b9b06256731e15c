"""The event stream, the live trace and a call's documents, over a lab on real sockets."""

from __future__ import annotations

import asyncio
import json
import subprocess
import zipfile
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from lab.addresses import write_ready
from lab.bench import LabBench
from lab.call_export import NAMES
from lab.cli import remote
from lab.errors import UserError
from lab.lab_settings import LabSettings
from lab.office import Office
from lab.phones.boot import BootPace
from lab.seeds.load import load_seed
from pbx.events import SipRequest
from tests.conftest import need

pytestmark = [pytest.mark.realtime, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office():
    async with Office(load_seed(), LabSettings(pyvoip=False, pace=BootPace(0.02, 0.02, 0.02))) as made:
        assert await made.lab.boot_phones(20)
        yield made


@pytest.fixture
def ready(office, tmp_path: Path) -> Path:
    write_ready(tmp_path / "ready.json", office.lab.ready(office.console_port))
    return tmp_path / "ready.json"


async def talk(office: Office, caller: str = "101", called: str = "102") -> str:
    """One calls the other, who answers; the caller hangs up. Return the call's name."""
    lab = office.lab
    device = {item.id: item for item in LabBench(lab).devices()}
    device[caller].do("dial", called)
    assert await lab.until(lambda: not device[called].idle, 10)
    device[called].do("answer")
    both = lambda: any(h.sound == f"signature:{called}" for h in device[caller].heard())  # noqa: E731
    assert await lab.until(both, 10)
    device[caller].do("hangup")
    call = next(iter(office.source.book.entries()))
    assert await lab.until(lambda: call.disposition == "ANSWERED" and not any(lab.switch.live().values()), 40)
    return call.call


async def get(office: Office, path: str) -> tuple[int, bytes]:
    async with aiohttp.ClientSession(office.console_url) as session, session.get(path) as answer:
        return answer.status, await answer.read()


async def test_a_call_is_exported_whole(office, ready, tmp_path):
    call = await talk(office, "101", "105")  # one on UDP, one on TCP
    packed = await asyncio.to_thread(remote.export, ready, call, tmp_path / "call.zip")
    with zipfile.ZipFile(packed) as archive:
        documents = {name.rpartition("/")[2]: archive.read(name) for name in archive.namelist()}
    assert set(documents) == set(NAMES)
    assert json.loads(documents["why.json"])[0]["outcome"] == "user:105"
    assert b"105  answers" in documents["call.txt"]
    assert documents["ladder.svg"].startswith(b"<svg")
    assert documents["ladder.mmd"].startswith(b"sequenceDiagram")
    assert b"INVITE" in documents["ladder.txt"]
    file = tmp_path / "call.pcapng"
    file.write_bytes(documents["call.pcapng"])
    command = [need("tshark"), "-r", str(file), "-Y", "sip", "-T", "fields", "-e", "sip.Method"]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=True)
    kept = [stamped.event for stamped in office.source.book.entry(call).messages]
    dissected = done.stdout.splitlines()
    assert dissected == [event.method if isinstance(event, SipRequest) else "" for event in kept]


async def test_the_live_trace_of_a_call_ends_with_it(office, ready, capsys):
    call = await talk(office)
    await asyncio.to_thread(remote.trace, ready, call, plain=True)
    told = capsys.readouterr().out
    assert "101  dials 102" in told
    assert "102  answers" in told
    status, body = await get(office, f"/api/v1/trace?call={call}")
    assert status == 200
    assert b"INVITE" in body


async def test_a_reader_that_comes_back_gets_what_it_missed(office):
    before = office.lab.bus.seq
    call = await talk(office)
    async with aiohttp.ClientSession(office.console_url) as session:
        headers = {"Last-Event-ID": str(before)}
        query = {"kind": "call.invited,call.up,cdr.written", "call": call}
        seen: list[dict[str, object]] = []
        async with session.get("/api/v1/events", params=query, headers=headers) as answer:
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            async for line in answer.content:
                if line.startswith(b"data: "):
                    seen.append(json.loads(line[6:]))
                if seen and seen[-1]["kind"] == "cdr.written":
                    break
    assert [one["kind"] for one in seen] == ["call.invited", "call.up", "call.up", "cdr.written"]
    assert all(before < int(str(one["seq"])) for one in seen)
    assert {one["call"] for one in seen} == {call}


async def test_what_is_not_there_is_said_in_four_parts(office, ready):
    call = await talk(office)
    for path, happened in (
        ("/api/v1/calls/c-9999/call.pcapng", "there is no call 'c-9999'"),
        (f"/api/v1/calls/{call}/call.exe", "a call has no 'call.exe'"),
        ("/api/v1/trace?call=c-9999", "there is no call 'c-9999'"),
        ("/api/v1/events?kind=call.up,call.sideways", "there is no event 'call.sideways'"),
    ):
        status, body = await get(office, path)
        assert status in (400, 404)
        assert json.loads(body)["error"]["happened"] == happened
    with pytest.raises(UserError, match="there is no call 'c-9999'"):
        await asyncio.to_thread(remote.trace, ready, "c-9999", plain=False)


async def test_an_open_stream_does_not_keep_the_office_open(office):
    async with aiohttp.ClientSession(office.console_url) as session, session.get("/api/v1/events") as answer:
        office.observer.close()
        async with asyncio.timeout(5):
            assert await answer.content.read() is not None
