"""`switchroom up` as a process of its own: what it tells, what its settings do, how it refuses and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.interop.office import free_base
from tests.lab.cli.up_process import COMMAND, up

pytestmark = pytest.mark.realtime

LONG_CALL = """
plan: 1
id: long-call
roles: {caller: {can: [dial]}, desk: {can: [answer]}}
cases:
  - id: LONG
    title: Two talk for as long as they are let
    timeout: 120s
    steps:
      - {do: caller.dial, to: $desk.extension}
      - {expect: call.ringing, where: {role: desk}, within: 10s}
      - {do: desk.answer}
      - {expect: call.up, within: 10s}
      - {wait: 60s, because: the switchroom ends first}
"""


async def refused(folder: Path, *flags: object) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "up", *map(str, flags), cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        _, said = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_the_ready_file_says_where_everything_answers(tmp_path: Path) -> None:
    async with up(tmp_path) as running, aiohttp.ClientSession() as session:
        ready = running.ready
        assert (ready["ready"], ready["pid"]) == (True, running.process.pid)
        challenge = await running.ask(running.register)
        assert challenge.startswith("SIP/2.0 407 ")
        assert "algorithm=MD5" in challenge
        assert "SHA-256" not in challenge
        _, writer = await asyncio.open_connection(ready["sip"]["host"], ready["sip"]["tcp"])
        writer.close()
        async with session.get(f"{ready['console']}/readyz") as answer:
            assert answer.status == 200
        assert set(ready["devices"]) == {str(extension) for extension in range(101, 113)}
        for device in ready["devices"].values():
            assert {"extension", "auth_user", "password", "mac", "config_url", "config_files"} <= set(device)
            assert device["config_url"].startswith(ready["provisioning"]["http"])
        async with session.get(ready["devices"]["110"]["config_files"][-1]) as answer:
            assert answer.status == 200
            assert ready["devices"]["110"]["password"] in await answer.text()
        assert await running.end() == 0
    assert "registration.added" not in [json.loads(line)["event"] for line in running.lines]
    assert os.listdir(tmp_path) == ["ready.json"]


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A service manager: its `NOTIFY_SOCKET`, and what it was told."""
    said: list[bytes] = []
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{tmp_path}")
        manager.setblocking(False)
        loop.add_reader(manager, lambda: said.append(manager.recv(4096)))
        yield f"@{tmp_path}", said
        loop.remove_reader(manager)


async def test_sigterm_during_a_call_drains_and_ends_with_0_within_ten_seconds(
    tmp_path: Path, told: tuple[str, list[bytes]]
) -> None:
    environment = {"NOTIFY_SOCKET": told[0]}
    async with up(tmp_path, "--phones", "--data", "state", environment=environment) as running:
        async with aiohttp.ClientSession(running.ready["console"]) as session:
            async with session.post("/api/v1/runs", data=LONG_CALL) as answer:
                assert answer.status == 202, await answer.text()
            await in_a_call(session)
            assert await running.end() == 0
    log = [json.loads(line) for line in running.lines]
    events = [line["event"] for line in log]
    assert events.count("registration.added") >= 12
    assert events.index("call.up") < events.index("call.ended")
    assert [line for line in log if line["level"] == "error"] == []
    once = [state for state in told[1] if state != b"WATCHDOG=1"]
    assert once == [b"READY=1", b"STOPPING=1"]
    assert b"WATCHDOG=1" in told[1]


async def in_a_call(session: aiohttp.ClientSession) -> None:
    """Wait for the first call of the lab to be answered."""
    async with asyncio.timeout(30):
        async with session.get("/api/v1/events", timeout=aiohttp.ClientTimeout(total=None)) as stream:
            async for line in stream.content:
                if b"call.up" in line:
                    return


async def test_an_interrupt_while_the_phones_boot_ends_it_too(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "up", "--port-base", "0", "--phones", "--set", "log.form=json", cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    async with asyncio.timeout(60):
        while b"phone." not in (line := await process.stderr.readline()) and b"provisioning." not in line:
            assert line, "it ended before a phone began to boot"
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(10):
        await process.communicate()
    assert process.returncode == 0


# --- settings -----------------------------------------------------------------------------------------------


async def test_settings_of_file_environment_and_flags_are_what_it_runs_with(tmp_path: Path) -> None:
    (tmp_path / "switchroom.toml").write_text("[sip]\nchallenge = 401\n[log]\nform = 'text'\nlevel = 'debug'\n")
    environment = {"SWITCHROOM_SIP__ALGORITHMS": "SHA-256"}
    async with up(tmp_path, "--listen", "127.0.0.2", environment=environment) as running:
        challenge = await running.ask(running.register)
        hosts = {running.ready["sip"]["host"], urlsplit(running.ready["console"]).hostname}
        assert await running.end() == 0
    assert challenge.startswith("SIP/2.0 401 ")
    assert "algorithm=SHA-256" in challenge
    assert "MD5" not in challenge
    assert hosts == {"127.0.0.2"}
    assert running.lines
    assert not any(line.startswith("{") for line in running.lines)


async def test_state_is_kept_where_it_is_told_and_not_shared(tmp_path: Path) -> None:
    environment = {"SWITCHROOM_STORE__FOLDER": "state", "SWITCHROOM_LOG__LEVEL": "error"}
    hook = 'grep -o acme.lab "$READY_FILE" >hooked; echo done >>hooked; exit 7'
    async with up(tmp_path, "--on-ready", hook, environment=environment) as running:
        code, said = await refused(tmp_path, "--port-base", 0, "--data", "state")
        assert code == 3
        assert str(running.process.pid) in said
        assert (await running.ask(running.register)).startswith("SIP/2.0 407 ")
        assert await running.end() == 0
    assert (tmp_path / "state" / "switchroom.sqlite3").exists()
    assert {*(tmp_path / "hooked").read_text().split()} == {"acme.lab", "done"}
    assert running.lines == [f"the command of --on-ready ended with 7: {hook}"]


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "place"), [(socket.SOCK_DGRAM, 60), (socket.SOCK_STREAM, 1)])
async def test_a_taken_port_is_named_with_who_holds_it(tmp_path: Path, kind: int, place: int) -> None:
    base = free_base()  # nobody else's layout: another port of it that is taken would be named instead
    port = base + place
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        code, said = await refused(tmp_path, "--port-base", base)
    assert code == 3
    assert f"port {port} is held by pid {os.getpid()}" in said
    assert "Traceback" not in said


async def test_a_database_that_is_none_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "switchroom.sqlite3").write_bytes(rubbish := os.urandom(20_000))
    code, said = await refused(tmp_path, "--port-base", 0, "--data", "state")
    assert code == 3
    assert "state/switchroom.sqlite3" in said
    assert "Traceback" not in said
    assert (state / "switchroom.sqlite3").read_bytes() == rubbish
