"""How many configurations a core serves to 200 phones: `python -m tests.bench.bench_provisioning`.

The clients are a process of their own, on the other core; the server's CPU is counted for the server alone, as it is on
a core of one's own (`pace`), and a rate is what such a core carries. Beside each protocol stands its floor, measured in
the same run: for HTTP the same body from an aiohttp handler that does nothing, for TFTP the same number of datagrams
echoed by a bare loop. "Fresh" is a shelf that forgets: the template runs for every fetch.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from pbx.clock import Moment
from pbx.domain.directory import Directory
from provisioning_server.app import ProvisioningService
from provisioning_server.families import load_families
from provisioning_server.ledger import Ledger
from provisioning_server.overlay import ServedAt
from provisioning_server.respond import ConfigRequest
from provisioning_server.sheet import Sheet
from provisioning_server.shelf import Rendered, Shelf
from provisioning_server.tftp_server import roomy
from tests.bench.figures import Figure, table
from tests.bench.machine import GENERATOR, SERVER, on_core
from tests.bench.pace import Paces, Span

RUNS = 3
PHONES = 200
SECONDS = 2.0
_HOST = "127.0.0.1"
_PATIENCE_S = 20.0
_BLOCK = 512
_CLIENT_HOSTS = 10
"""Phones of one address are capped: the clients come from several."""


def fleet() -> Directory:
    """200 Yealink phones of one line, each with a MAC, a token and a password of its own: files of 8 kB."""
    numbers = [str(2001 + n) for n in range(PHONES)]
    return Directory.model_validate(
        {
            "domain": {"name": "acme.lab"},
            "users": [{"extension": number, "first_name": f"User {number}"} for number in numbers],
            "devices": [
                {
                    "id": number, "extension": number, "mac": f"805ec000{number}", "family": "yealink/t4x_t5x",
                    "model": "T46S", "password": f"password-of-{number}", "token": f"{int(number):032x}",
                }
                for number in numbers
            ],
        }
    )  # fmt: skip


def service(domain: Directory) -> ProvisioningService:
    begun = time.monotonic()
    return ProvisioningService(
        load_families(), lambda: domain, at=ServedAt(_HOST, 5060, f"http://{_HOST}:8080/p"),
        ledger=Ledger(b"bench", lan_window=True), publish=lambda event: None,
        now=lambda: Moment(time.monotonic() - begun, datetime(2026, 11, 24, tzinfo=UTC)),
    )  # fmt: skip


# --- the clients, in their own process -------------------------------------------------------------------


def http_clients(address: tuple[str, int], paths: list[str]) -> tuple[int, int]:
    """Return (fetches, failures) of `PHONES` clients, each asking again over its own connection."""
    return asyncio.run(_all(lambda n, until: _http_phone(address, paths[n], until)))


def tftp_clients(address: tuple[str, int], names: list[str]) -> tuple[int, int]:
    return asyncio.run(_all(lambda n, until: _tftp_phone(address, names[n], n, until)))


def echo_clients(address: tuple[str, int], datagrams: int) -> tuple[int, int]:
    """As many exchanges a "fetch" as a transfer has, with a bare echo."""
    return asyncio.run(_all(lambda n, until: _echo_phone(address, datagrams, n, until)))


async def _all(phone: Callable[[int, float], Awaitable[tuple[int, int]]]) -> tuple[int, int]:
    until = time.monotonic() + SECONDS
    results = await asyncio.gather(*(phone(n, until) for n in range(PHONES)))
    return sum(done for done, _ in results), sum(failed for _, failed in results)


class _HttpPhone(asyncio.Protocol):
    """Asks as soon as it was answered, until it has had enough."""

    def __init__(self, request: bytes, until: float) -> None:
        self._request, self._until = request, until
        self._buffer = b""
        self.done = 0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._wire = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, blank, body = self._buffer.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if not blank or len(body) < int(length):
            return
        self._buffer = b""
        if not head.startswith(b"HTTP/1.1 200"):
            self._wire.close()
            return
        self.done += 1
        if time.monotonic() < self._until:
            self._wire.write(self._request)
        else:
            self.over.set_result(None)
            self._wire.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.over.done():
            self.over.set_exception(error or ConnectionError("refused"))


async def _http_phone(address: tuple[str, int], path: str, until: float) -> tuple[int, int]:
    request = f"GET {path} HTTP/1.1\r\nHost: bench\r\nUser-Agent: Yealink SIP-T46S 66.86.0.15\r\n\r\n".encode()
    _, phone = await asyncio.get_running_loop().create_connection(lambda: _HttpPhone(request, until), *address)
    try:
        await asyncio.wait_for(phone.over, SECONDS + _PATIENCE_S)
    except (OSError, TimeoutError):
        return phone.done, 1
    return phone.done, 0


async def _tftp_phone(address: tuple[str, int], name: str, number: int, until: float) -> tuple[int, int]:
    done = failed = 0
    while time.monotonic() < until:
        with _wire(number) as wire:
            if await _tftp_fetch(wire, address, name):
                done += 1
            else:
                failed += 1
    return done, failed


async def _tftp_fetch(wire: socket.socket, address: tuple[str, int], name: str) -> bool:
    loop = asyncio.get_running_loop()
    wire.sendto(b"\0\1" + name.encode() + b"\0octet\0", address)
    expected = 1
    while True:
        try:
            data, peer = await asyncio.wait_for(loop.sock_recvfrom(wire, 2048), _PATIENCE_S)
        except TimeoutError:
            return False
        if data[:2] != b"\0\3":
            return False
        if int.from_bytes(data[2:4], "big") == expected:
            wire.sendto(b"\0\4" + data[2:4], peer)
            expected += 1
            if len(data) < 4 + _BLOCK:
                return True


async def _echo_phone(address: tuple[str, int], datagrams: int, number: int, until: float) -> tuple[int, int]:
    loop, done, failed = asyncio.get_running_loop(), 0, 0
    payload = bytes(_BLOCK + 4)
    with _wire(number) as wire:
        while time.monotonic() < until:
            try:
                for _ in range(datagrams):
                    wire.sendto(payload, address)
                    await asyncio.wait_for(loop.sock_recvfrom(wire, 2048), _PATIENCE_S)
                done += 1
            except TimeoutError:
                failed += 1
    return done, failed


def _wire(number: int) -> socket.socket:
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.bind((f"127.0.1.{number % _CLIENT_HOSTS + 1}", 0))
    wire.setblocking(False)
    return wire


# --- the server's side -----------------------------------------------------------------------------------


class Echo:
    """The floor of TFTP: what comes goes back."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        roomy(self._socket)
        self._socket.bind((_HOST, 0))
        self.address = self._socket.getsockname()
        asyncio.get_running_loop().add_reader(self._socket, self._drain)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _drain(self) -> None:
        for _ in range(64):
            try:
                data, peer = self._socket.recvfrom(2048)
            except BlockingIOError:
                return
            self._socket.sendto(data, peer)


class Forgetful(Shelf):
    """A shelf on which nothing is found again: every file is rendered."""

    def file(
        self, directory: Directory, name: tuple[object, ...], make: Callable[[], Sheet], now: datetime
    ) -> Rendered:
        self._by_name.clear()
        self._by_input.clear()
        return super().file(directory, name, make, now)


async def cpu_ms(
    paces: Paces, pool: ProcessPoolExecutor, clients: Callable[..., tuple[int, int]], *told: Any
) -> tuple[float, Span]:
    """Return the CPU milliseconds of this process a fetch; AssertionError when one failed."""
    with paces.measured() as span:
        before = time.process_time()
        done, failed = await asyncio.get_running_loop().run_in_executor(pool, clients, *told)
        used = time.process_time() - before
    assert done, "nothing was fetched"
    assert not failed, f"{failed} phones had no answer, {done} fetches came through"
    return used * 1000 / done, span


async def measure() -> list[Figure]:
    domain = fleet()
    made = service(domain)
    http, tftp = await made.start(_HOST, 0, 0)
    macs = [device.mac or "" for device in domain.devices]
    paths = [f"/p/{device.token.get_secret_value()}/{device.mac}.cfg" for device in domain.devices]
    names = [f"{mac}.cfg" for mac in macs]
    bodies = [made.answer(ConfigRequest("http", path, "127.0.0.1:1")).body for path in paths]
    datagrams = len(bodies[0]) // _BLOCK + 1
    echo, (runner, plain) = Echo(), await _fixed(bodies[0])
    cached, forgetful = made.office.shelf, Forgetful()
    costs: dict[str, list[tuple[float, Span]]] = {name: [] for name in ("kept", "fresh", "plain", "tftp", "echo")}
    paces = Paces(SERVER)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=os.sched_setaffinity, initargs=(0, {GENERATOR})) as pool:
        await asyncio.get_running_loop().run_in_executor(pool, time.monotonic)  # it is up, and has imported all
        try:
            for _ in range(RUNS):
                made.office.shelf = cached
                costs["kept"].append(await cpu_ms(paces, pool, http_clients, http, paths))
                costs["plain"].append(await cpu_ms(paces, pool, http_clients, plain, paths))
                costs["tftp"].append(await cpu_ms(paces, pool, tftp_clients, tftp, names))
                costs["echo"].append(await cpu_ms(paces, pool, echo_clients, echo.address, datagrams))
                made.office.shelf = forgetful
                costs["fresh"].append(await cpu_ms(paces, pool, http_clients, http, paths))
        finally:
            echo.close()
            await runner.cleanup()
            await made.close()
    ms_of = {name: paces.alone(found) for name, found in costs.items()}
    rate = {name: tuple(1000 / ms for ms in runs) for name, runs in ms_of.items()}
    return [
        Figure("provisioning.pace", "of what a core of its own does", paces.all(), steady=False),
        Figure("http.kept", "fetches a CPU second", rate["kept"], rate["plain"], must=2500, more_is_better=True),
        Figure("http.fresh", "fetches a CPU second", rate["fresh"], rate["plain"], must=700, more_is_better=True),
        Figure("tftp.cpu", f"ms a file of {len(bodies[0])} bytes", ms_of["tftp"], ms_of["echo"], must=0.55),
    ]  # fmt: skip


async def _fixed(body: bytes) -> tuple[web.AppRunner, tuple[str, int]]:
    async def serve(request: web.Request) -> web.Response:
        return web.Response(body=body)

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, _HOST, 0).start()
    return runner, runner.addresses[0][:2]


def figures() -> list[Figure]:
    with on_core(SERVER):
        return asyncio.run(measure())


if __name__ == "__main__":
    print(table(figures()))
