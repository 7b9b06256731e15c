"""Registrations and bridged calls: sipp against `switchroom up`, the server on one core, sipp on the other.

`python -m tests.bench.bench_signalling`. The server is the whole of it: durable store, event stream, log, console and
media workers; its CPU time is that of all its processes, as it is on a core of one's own (`pace`). Users come from a
store written beforehand, as after a restart. The floor is the same number of datagrams of the same size, echoed by the
same transport.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lab.seeds.load import load_seed
from pbx.domain.directory import Directory
from pbx.store.protocol import DirectorySaved, StoredDirectory
from pbx.store.sql import SqlStore
from tests.bench import echo
from tests.bench.figures import Figure, table
from tests.bench.machine import GENERATOR, SERVER, cpu_s, family, on_core, pss_kb
from tests.bench.pace import Paces, Span
from tests.interop import sipp
from tests.interop.office import Switchroom, free_base

RUNS = 3
USERS = 2000
FIRST = 20_000
REGISTER_RATE = 2000.0
IN_FLIGHT = 40
"""Registrations at once: the rate that is reached is the server's own, not the depth of a queue."""
CALL_RATES = (30.0, 60.0, 100.0, 150.0, 200.0, 250.0, 300.0)
"""Offered one after the other, until one is not served cleanly: the one before counts."""
OFFERED_S = 4.0
HELD_CALLS, HELD_RATE, HELD_MS = 300, 60.0, 12_000
"""Calls that are up together when their memory is looked at."""
REST_S = 60.0
"""A request that nobody answers is repeated for 32 seconds."""
EXCHANGES = 10_000
REGISTER_DATAGRAMS = 2
"""In, and as many out: REGISTER and its challenge, REGISTER and its 200."""
CALL_DATAGRAMS = 8.5
"""8 in (INVITE, ACK, INVITE, ACK, BYE of the caller; 180, 200, 200 of the called) and 9 out."""
MEDIA_PORTS = 2000
"""Pairs: a port rests two seconds after each call."""
_HOST = "127.0.0.1"
_PASSWORD = "load-secret-{}-abcdefgh"


def fleet() -> Directory:
    """The office of the lab with `USERS` users more, each with a device and a password."""
    document = load_seed().directory.model_dump(mode="json", context={"secrets": True})
    numbers = range(FIRST, FIRST + USERS)
    document["users"] += [{"extension": str(n), "first_name": f"Load {n}", "voicemail": False} for n in numbers]
    document["devices"] += [{"id": str(n), "extension": str(n), "password": _PASSWORD.format(n)} for n in numbers]
    return Directory.model_validate(document)


async def keep(directory: Directory, folder: Path) -> None:
    """Write the configuration where `switchroom up` finds it."""

    def failed(text: str) -> None:
        raise AssertionError(text)

    store = SqlStore(folder, lambda ticket: None, failed)
    await store.start(time.time())
    document = directory.model_dump_json(context={"secrets": True})
    store.submit(DirectorySaved(StoredDirectory(directory.domain.name, directory.revision, document)))
    await store.close()


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of sipp met, and what it cost the server."""

    cpu_ms: float
    span: Span
    failed: int
    retransmissions: int
    rate: float


def registrations(server: Switchroom, paces: Paces, folder: Path) -> Load:
    """Register every user once, a challenge and an answer each."""
    everybody = [_caller(n, n, server.domain) for n in range(FIRST, FIRST + USERS)]
    command = sipp.command(
        "register", f"{_HOST}:{server.sip_port}", _HOST, callers=sipp.write_callers(folder / "users.csv", everybody),
        count=USERS, rate=REGISTER_RATE, limit=IN_FLIGHT, timeout_s=120, port=free_base() + 50,
        media_port=_media_port(),
    )  # fmt: skip
    return _loaded(server, paces, command, folder, USERS)


def calls(server: Switchroom, paces: Paces, folder: Path, *, count: int, rate: float, talk_ms: int = 500) -> Load:
    """Make calls through the server to another sipp, which nothing of an earlier run may reach."""
    _come_to_rest(server)
    port, target = free_base() + 50, f"{_HOST}:{server.sip_port}"
    _register_at(server, paces, folder, port)
    answer = sipp.command("answer", target, _HOST, count=count, port=port, timeout_s=120, media_port=_media_port())
    with _sipp(answer, folder / "answering") as called:
        pairs = [_caller(FIRST + n, FIRST + USERS // 2 + n, server.domain) for n in range(USERS // 2)]
        command = sipp.command(
            "call", target, _HOST, callers=sipp.write_callers(folder / "callers.csv", pairs), count=count, rate=rate,
            limit=2000, timeout_s=120, media_port=_media_port(18_000), talk_ms=talk_ms,
        )  # fmt: skip
        load = _loaded(server, paces, command, folder, count)
        if load.failed:
            called.terminate()  # the answering end waits for calls that were refused
        called.communicate(timeout=120)
    return load


def clean_calls(server: Switchroom, paces: Paces, folder: Path) -> tuple[float, list[Load]]:
    """Return the highest rate that is served without a failure or a repetition, and several runs at it."""
    clean = 0
    for at, rate in enumerate(CALL_RATES):
        found = calls(server, paces, folder, count=int(rate * OFFERED_S), rate=rate)
        if found.failed or found.retransmissions:
            break
        clean = at
    while True:
        rate = CALL_RATES[clean]
        runs = [calls(server, paces, folder, count=int(rate * OFFERED_S), rate=rate) for _ in range(RUNS)]
        if clean == 0 or not any(run.failed for run in runs):
            return rate, runs
        clean -= 1  # it was luck


def kb_a_live_call(server: Switchroom, paces: Paces, folder: Path) -> float:
    """Return what the signalling process grows by for a call that is up."""
    before, most = pss_kb(server.process.pid), 0.0
    with ThreadPoolExecutor(1) as beside:
        run = beside.submit(calls, server, paces, folder, count=HELD_CALLS, rate=HELD_RATE, talk_ms=HELD_MS)
        while not run.done():
            live = _live_calls(server)
            if live >= HELD_CALLS * 0.9:
                most = max(most, (pss_kb(server.process.pid) - before) / live)
            time.sleep(0.5)
    run.result()
    assert most, "the calls were never up together"
    return most


def _live_calls(server: Switchroom) -> int:
    return _live(server)["calls"]


def _live(server: Switchroom) -> dict[str, int]:
    with urllib.request.urlopen(f"{server.ready['console']}/metrics", timeout=10) as answer:
        found = re.findall(r'^switchroom_live{what="(\w+)"} (\d+)', answer.read().decode(), re.MULTILINE)
    return {what: int(count) for what, count in found}


def _come_to_rest(server: Switchroom) -> None:
    """Wait until the server repeats nothing any more.

    The BYE of an earlier run is a call to the next sipp at its port, which then leaves before its last one has come.
    """
    deadline = time.monotonic() + REST_S
    while any(_live(server)[what] for what in ("calls", "sessions", "transactions")):
        assert time.monotonic() < deadline, f"something is in progress for ever: {_live(server)}"
        time.sleep(0.2)


def _register_at(server: Switchroom, paces: Paces, folder: Path, port: int) -> None:
    """The called half registers from the port where the answering sipp will listen."""
    called = [_caller(n, n, server.domain) for n in range(FIRST + USERS // 2, FIRST + USERS)]
    command = sipp.command(
        "register", f"{_HOST}:{server.sip_port}", _HOST, callers=sipp.write_callers(folder / "called.csv", called),
        count=len(called), rate=REGISTER_RATE, limit=IN_FLIGHT, timeout_s=120, port=port,
        media_port=_media_port(),
    )  # fmt: skip
    _loaded(server, paces, command, folder, len(called))


def _loaded(server: Switchroom, paces: Paces, command: Sequence[str], folder: Path, count: int) -> Load:
    with paces.measured() as span:
        before, begun = cpu_s(server.process.pid), time.monotonic()
        with on_core(GENERATOR):
            outcome = sipp.run(list(command), folder)
        elapsed = time.monotonic() - begun
        if outcome.successful + outcome.failed < count:
            raise AssertionError(f"sipp did not come through: {outcome.output}")
        used = cpu_s(server.process.pid) - before
    return Load(used * 1000 / count, span, outcome.failed, outcome.retransmissions, count / elapsed)


def _sipp(command: Sequence[str], folder: Path) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    with on_core(GENERATOR):
        return subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
        )  # fmt: skip


def _media_port(first: int = 10_000) -> int:
    """A port below the ephemeral ones whose neighbours are free too: sipp binds four even where nobody speaks."""
    for port in range(first + os.getpid() % 500 * 8, first + 8_000, 8):
        with ExitStack() as probes:
            try:
                for at in range(4):
                    probe = probes.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                    probe.bind((_HOST, port + at))
            except OSError:
                continue
            return port
    raise AssertionError("no media port is free for sipp")


def _caller(number: int, callee: int, domain: str) -> sipp.Caller:
    return sipp.Caller(str(number), _PASSWORD.format(number), str(callee), domain)


def _floor_ms(paces: Paces) -> tuple[float, Span]:
    with paces.measured() as span:
        ms = echo.ms_per_exchange(bytes(700), EXCHANGES)
    return ms, span


def figures() -> list[Figure]:
    paces = Paces(SERVER)
    echoed = [_floor_ms(paces) for _ in range(RUNS)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(keep(fleet(), folder / "data"))
        with on_core(SERVER):
            server = Switchroom(folder, None, "--set", f"media.ports={MEDIA_PORTS}")
        with server:
            pid = server.process.pid
            empty = pss_kb(pid)
            registered = [registrations(server, paces, folder)]
            grown = (pss_kb(pid) - empty) / USERS
            registered += [registrations(server, paces, folder) for _ in range(RUNS - 1)]
            held = kb_a_live_call(server, paces, folder)  # before a busier hour has left room for it
            rate, bridged = clean_calls(server, paces, folder)
            assert len(family(pid)) > 1, "the media workers were not counted"
    floors = paces.alone(echoed)
    return [
        Figure("signalling.pace", "of what a core of its own does", paces.all(), steady=False),
        Figure("register.cpu", "ms a registration", paces.alone([(load.cpu_ms, load.span) for load in registered]),
               tuple(floor * REGISTER_DATAGRAMS for floor in floors), must=0.5),
        Figure("register.rate", "a second offered and served", tuple(load.rate for load in registered),
               must=1700, more_is_better=True, steady=False),
        Figure("register.repeated", "messages sipp had to repeat",
               tuple(float(load.retransmissions) for load in registered), must=0, steady=False),
        Figure("register.failed", "registrations", tuple(float(load.failed) for load in registered), must=0),
        Figure("register.memory", "MB per 1000 registrations", (grown / 1024 * 1000,), must=6),
        Figure("call.cpu", "ms a call", paces.alone([(load.cpu_ms, load.span) for load in bridged]),
               tuple(floor * CALL_DATAGRAMS for floor in floors), must=2.5),
        Figure("call.rate", "a second offered and served", (rate,), must=300, more_is_better=True, steady=False),
        Figure("call.memory", "kB a live call", (held,), must=150),
        Figure("call.repeated", "messages sipp had to repeat", tuple(float(load.retransmissions) for load in bridged),
               must=0, steady=False),
        Figure("call.failed", "calls", tuple(float(load.failed) for load in bridged), must=0),
    ]  # fmt: skip


if __name__ == "__main__":
    print(table(figures()))
