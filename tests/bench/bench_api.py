"""What `/ns-api/v2` takes of a core: reads and durable writes a second, and pages of a list of ten thousand users.

The clients are a process of their own on the other core; the server's CPU is counted for the server alone, its store's
thread among it, as it is on a core of one's own (`pace`). A write is answered when SQLite has synced it.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import secrets
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import quantiles

from aiohttp import web

from lab.api.ns_house import ApiHouse, Reach
from lab.rehearsal import virtual_world
from lab.seeds.load import Seed
from lab.seeds.model import LabSeed
from pbx.accounts.desk import AccountDesk
from pbx.api.http import Http
from pbx.api.identity import Identities, key_text
from pbx.api.server import Server
from pbx.domain.directory import Directory
from pbx.store.protocol import DirectorySaved, StoredDirectory
from pbx.store.sql import SqlStore
from tests.bench.figures import Figure, table
from tests.bench.machine import GENERATOR, SERVER, on_core
from tests.bench.pace import Paces, Span

RUNS = 3
CLIENTS = 32
SECONDS = 2.0
OFFICE, COMPANY = 25, 10_000
"""Users of the domain that is read and written, and of the one that is listed."""
PAGES = 60
_HOST = "127.0.0.1"
_KEY = key_text("nss_", "bench" * 12)
_HEAD = f"Host: bench\r\nAuthorization: Bearer {_KEY}\r\n"


def _domain(users: int) -> Directory:
    people = [{"extension": f"{10_000 + n}", "first_name": f"User {n}", "last_name": "Roy"} for n in range(users)]
    return Directory.model_validate({"domain": {"name": "acme.lab"}, "users": people})


# --- the clients, in their own process -------------------------------------------------------------------


def clients(port: int, write: bool) -> tuple[int, int]:
    """Return (answers, refusals) of `CLIENTS` that ask again as soon as they were answered."""
    return asyncio.run(_all(port, write))


async def _all(port: int, write: bool) -> tuple[int, int]:
    until = time.monotonic() + SECONDS
    counted = await asyncio.gather(*(_client(port, n, write, until) for n in range(CLIENTS)))
    return sum(done for done, _ in counted), sum(refused for _, refused in counted)


async def _client(port: int, number: int, write: bool, until: float) -> tuple[int, int]:
    reader, writer = await asyncio.open_connection(_HOST, port)
    path = f"/ns-api/v2/domains/acme.lab/users/{10_000 + number % OFFICE}"
    done = refused = 0
    while time.monotonic() < until:
        if write:
            body = json.dumps({"ring-no-answer-timeout-seconds": 10 + (done + number) % 50}).encode()
            writer.write(f"PUT {path} HTTP/1.1\r\n{_HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        else:
            writer.write(f"GET {path} HTTP/1.1\r\n{_HEAD}\r\n".encode())
        good = await _answered(reader)
        done, refused = done + good, refused + (not good)
    writer.close()
    return done, refused


async def _answered(reader: asyncio.StreamReader) -> bool:
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))
    return head.split(b" ", 2)[1] in (b"200", b"202")


def pages(port: int) -> float:
    """Return the 95th percentile of how long pages take, in ms, for one client that turns them."""
    return asyncio.run(_turn(port))


async def _turn(port: int) -> float:
    reader, writer = await asyncio.open_connection(_HOST, port)
    took = []
    for page in range(PAGES):
        start = page * 157 % (COMPANY - 100)
        begun = time.perf_counter()
        writer.write(f"GET /ns-api/v2/domains/acme.lab/users?start={start} HTTP/1.1\r\n{_HEAD}\r\n".encode())
        assert await _answered(reader)
        took.append((time.perf_counter() - begun) * 1000)
    writer.close()
    return quantiles(took, n=20)[-1]


# --- the server's side -----------------------------------------------------------------------------------


class Api:
    """The API over a switch and a durable store, on a port."""

    def __init__(self, users: int, folder: Path) -> None:
        self._world = virtual_world(Seed(_domain(users), LabSeed()), 1)
        self.store = SqlStore(folder, lambda ticket: None, print)
        house = ApiHouse(Reach(
            directory=lambda: self._world.directory, apply=self._apply, store=lambda: self.store,
            switch=lambda: self._world.switch, command=self._world.command_switch, now=lambda: self._world.now,
            token=lambda length: secrets.token_hex(length)[:length], bus=self._world.bus, recordings=lambda: folder,
            catalogue=lambda: (), trace=lambda call: (),
        ))  # fmt: skip
        desk = AccountDesk(lambda: self.store, house.directories, lambda: secrets.token_hex(20), time.time)
        identities = Identities(
            desk, lambda: self.store, house.directories, lambda n: secrets.token_hex(n), time.time, b"bench" * 8, _KEY
        )
        self._house = house
        self._server = Server(house, identities, _failed)
        self._runner: web.AppRunner | None = None
        self.port = 0

    def _apply(self, directory: Directory, what: str) -> None:
        """As a lab does: kept whole, then given to the switch."""
        document = directory.model_dump_json(context={"secrets": True})
        self.store.submit(DirectorySaved(StoredDirectory(directory.domain.name, directory.revision, document)))
        self._world.apply(directory, what)

    async def start(self) -> None:
        await self.store.start(time.time())
        self._house.recall()
        app = web.Application()
        Http(lambda: self._server).route(app)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, _HOST, 0).start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()
        await self.store.close()


def _failed(where: str, fault: Exception) -> None:
    raise AssertionError(where) from fault


async def _measured(paces: Paces, pool: ProcessPoolExecutor, port: int, write: bool) -> tuple[float, Span]:
    """Return CPU seconds of the server an answer, with the pace of its core meanwhile."""
    loop = asyncio.get_running_loop()
    with paces.measured() as span:
        before = time.process_time()
        done, refused = await loop.run_in_executor(pool, clients, port, write)
        used = time.process_time() - before
    assert not refused, f"{refused} of {done + refused} were refused"
    return used / done, span


async def _run() -> list[Figure]:
    paces, loop = Paces(SERVER), asyncio.get_running_loop()
    reads: list[tuple[float, Span]] = []
    writes: list[tuple[float, Span]] = []
    turned: list[float] = []
    with on_core(GENERATOR):
        pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        await loop.run_in_executor(pool, time.time)
    with on_core(SERVER), tempfile.TemporaryDirectory() as folder:
        for users, kind in ((OFFICE, "office"), (COMPANY, "company")):
            home = Path(folder) / kind
            home.mkdir()
            api = Api(users, home)
            await api.start()
            for _ in range(RUNS):
                if kind == "office":
                    reads.append(await _measured(paces, pool, api.port, write=False))
                    writes.append(await _measured(paces, pool, api.port, write=True))
                else:
                    turned.append(await loop.run_in_executor(pool, pages, api.port))
            await api.close()
    pool.shutdown()
    rates = [tuple(1 / cost for cost in paces.alone(costs)) for costs in (reads, writes)]
    return [
        Figure("api.reads", "a second and core", rates[0], must=1500, more_is_better=True),
        Figure("api.durable_writes", "a second and core", rates[1], must=300, more_is_better=True),
        Figure("api.page_of_10000_p95", "ms", tuple(turned), must=150, steady=False),
        Figure("api.pace", "of a core of one's own", paces.all(), steady=False),
    ]


def figures() -> list[Figure]:
    return asyncio.run(_run())


if __name__ == "__main__":
    print(table(figures()))
