"""How many configurations a core serves to 200 phones: `python -m tests.bench.bench_provisioning`.

The clients are a process of their own; the server's CPU is counted for the server alone. Beside each protocol stands
its floor, measured in the same run: for HTTP the same body from an aiohttp handler that does nothing, for TFTP the same
number of datagrams echoed by a bare loop. Rates swing with the machine; it asserts nothing but that nothing failed.
"""

from __future__ import annotations

import asyncio
import multiprocessing
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
from provisioning_server.tftp_server import roomy

PHONES = 200
SECONDS = 2.0
_HOST = "127.0.0.1"
_PATIENCE_S = 2.0
_BLOCK = 512
_CLIENT_HOSTS = 10
"""Phones of one address are capped: the clients come from several."""


def fleet() -> Directory:
    """200 Yealink phones, each with a MAC, a token and a password of its own."""
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
    """Return (fetches, failures) of `PHONES` clients, a connection a fetch, as phones do."""
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


async def _http_phone(address: tuple[str, int], path: str, until: float) -> tuple[int, int]:
    done = failed = 0
    request = (
        f"GET {path} HTTP/1.1\r\nHost: bench\r\nUser-Agent: Yealink SIP-T46S 66.86.0.15\r\nConnection: close\r\n\r\n"
    )
    while time.monotonic() < until:
        try:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(request.encode())
            answer = await asyncio.wait_for(reader.read(), _PATIENCE_S)
            writer.close()
        except (OSError, TimeoutError):
            failed += 1
            continue
        done, failed = (done + 1, failed) if answer.startswith(b"HTTP/1.1 200") else (done, failed + 1)
    return done, failed


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


async def measured(pool: ProcessPoolExecutor, clients: Callable[..., tuple[int, int]], *told: Any) -> dict[str, float]:
    """Return fetches a second, CPU of this process a fetch, and how many failed."""
    cpu, begun = time.process_time(), time.monotonic()
    done, failed = await asyncio.get_running_loop().run_in_executor(pool, clients, *told)
    cpu, seconds = time.process_time() - cpu, time.monotonic() - begun
    return {
        "fetches_per_s": round(done / seconds, 1),
        "cpu_ms_per_fetch": round(cpu * 1000 / max(done, 1), 3),
        "failed": failed,
    }


async def measure() -> dict[str, Any]:
    domain = fleet()
    made = service(domain)
    http, tftp = await made.start(_HOST, 0, 0)
    macs = [device.mac or "" for device in domain.devices]
    paths = [f"/p/{device.token.get_secret_value()}/{device.mac}.cfg" for device in domain.devices]
    begun = time.process_time()
    bodies = [made.answer(ConfigRequest("http", path, "127.0.0.1:1")).body for path in paths]
    first = (time.process_time() - begun) * 1000 / PHONES
    echo, (runner, plain) = Echo(), await _fixed(bodies[0])
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        await asyncio.get_running_loop().run_in_executor(pool, time.monotonic)  # it is up, and has imported all
        try:
            table = {
                "http": await measured(pool, http_clients, http, paths),
                "http floor": await measured(pool, http_clients, plain, paths),
                "tftp": await measured(pool, tftp_clients, tftp, [f"{mac}.cfg" for mac in macs]),
                "tftp floor": await measured(pool, echo_clients, echo.address, len(bodies[0]) // _BLOCK + 1),
            }
        finally:
            echo.close()
            await runner.cleanup()
            await made.close()
    return {"phones": PHONES, "bytes": len(bodies[0]), "first_render_cpu_ms": round(first, 3), **table}


async def _fixed(body: bytes) -> tuple[web.AppRunner, tuple[str, int]]:
    async def serve(request: web.Request) -> web.Response:
        return web.Response(body=body)

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, _HOST, 0).start()
    return runner, runner.addresses[0][:2]


def run() -> dict[str, Any]:
    """Measure, print a table, return the figures."""
    figures = asyncio.run(measure())
    print(f"provisioning: {PHONES} phones, files of {figures['bytes']} bytes")
    print(f"first rendering: {figures['first_render_cpu_ms']} ms of CPU a file")
    print(f"{'':<12}{'fetches/s':>12}{'CPU ms/fetch':>15}{'failed':>9}")
    for name in ("http", "http floor", "tftp", "tftp floor"):
        row = figures[name]
        print(f"{name:<12}{row['fetches_per_s']:>12}{row['cpu_ms_per_fetch']:>15}{row['failed']:>9}")
    return figures


if __name__ == "__main__":
    run()
