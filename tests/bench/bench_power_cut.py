"""A site comes back after a power cut: `python -m tests.bench.bench_power_cut`.

500 phones of every make boot at the same moment on real sockets, half of them by TFTP: one process of simulated
phones, each from an address of its own, each asking for what its family asks for; the server on the other core. And
1,000 phones boot, register and subscribe in virtual time, by CPU.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from lab.inventory import Station, stations
from lab.phones import tftp_client
from lab.phones.family import BootFailed, Fetch, Fetched
from lab.rehearsal import virtual_world
from lab.seeds.load import Seed
from lab.seeds.model import LabSeed
from pbx.clock import Moment, moment_at
from pbx.domain.directory import Directory
from provisioning_server.app import ProvisioningService
from provisioning_server.families import shipped_families
from provisioning_server.ledger import Ledger
from provisioning_server.overlay import ServedAt
from tests.bench.figures import Figure, table
from tests.bench.machine import GENERATOR, SERVER, on_core

PHONES, VIRTUAL = 500, 1000
_HOST = "127.0.0.1"
_PATIENCE_S = 20.0
_RETRY_S = 3.0
"""Between the tries of a TFTP client, of which it has five."""
_SOFT = ("linphone/", "zoiper/", "acrobits/", "generic/")
"""What nobody plugs in."""


def site(count: int) -> Directory:
    """So many phones, each make in turn."""
    shipped = shipped_families().by_id
    kinds = [name for name in sorted(shipped) if not name.startswith(_SOFT)]
    platform = {"extension_lengths": [4]}
    users = [{"extension": str(2000 + n), "first_name": f"User {n}"} for n in range(count)]
    devices = [
        {
            "id": str(2000 + n), "extension": str(2000 + n), "mac": f"02a6c4{n:06x}", "family": kinds[n % len(kinds)],
            "model": next(iter(shipped[kinds[n % len(kinds)]].models)), "password": f"password-of-{n}",
            "token": f"{n + 1:032x}", "transport": shipped[kinds[n % len(kinds)]].capabilities.transports[0],
        }
        for n in range(count)
    ]  # fmt: skip
    return Directory.model_validate(
        {"domain": {"name": "acme.lab", "platform": platform}, "users": users, "devices": devices}
    )


@dataclass(frozen=True, slots=True)
class Booted:
    phones: int
    failures: tuple[str, ...]
    seconds: float
    fetches: tuple[float, ...]
    """Seconds each."""


# --- the phones, in their own process --------------------------------------------------------------------


def warm() -> int:
    """Have everything read that the phones need."""
    return len(stations(site(1)))


def power_up(urls: list[str]) -> Booted:
    return asyncio.run(_all(urls))


async def _all(urls: list[str]) -> Booted:
    fetches: list[float] = []
    begun = time.monotonic()
    ended = await asyncio.gather(
        *(_phone(n, station, urls[n], fetches) for n, station in enumerate(stations(site(PHONES))))
    )
    failures = tuple(why for why in ended if why)
    return Booted(len(ended), failures, time.monotonic() - begun, tuple(fetches))


async def _phone(number: int, station: Station, url: str, fetches: list[float]) -> str:
    """Boot once; return why not, empty when it has its accounts."""
    source = f"127.1.{number // 250}.{number % 250 + 1}"
    script = station.family.boot(station.box(), url)
    try:
        wanted = next(script)
        while True:
            begun = time.monotonic()
            answer = await _fetch(wanted, source)
            fetches.append(time.monotonic() - begun)
            wanted = script.send(answer)
    except StopIteration as done:
        return "" if done.value.accounts else f"{station.family.name}: no account"
    except BootFailed as failure:
        return f"{station.family.name}: {failure}"


async def _fetch(wanted: Fetch, source: str) -> Fetched:
    parts = urlsplit(wanted.url)
    if wanted.protocol == "tftp":
        at = parts.hostname or "", parts.port or 69
        return await tftp_client.read(*at, unquote(parts.path[1:]), source=source, retry_s=_RETRY_S)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await _http(wanted, source, parts.hostname or "", parts.port or 80, parts.path)
    except (OSError, TimeoutError):
        return Fetched(0)


async def _http(wanted: Fetch, source: str, host: str, port: int, path: str) -> Fetched:
    reader, writer = await asyncio.open_connection(host, port, local_addr=(source, 0))
    try:
        head = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: {wanted.user_agent}\r\nConnection: close\r\n"
        writer.write(f"{head}\r\n".encode())
        whole = await reader.read(-1)
    finally:
        writer.close()
    head_bytes, _, body = whole.partition(b"\r\n\r\n")
    return Fetched(int(head_bytes[9:12] or b"0"), body)


# --- the server's side -----------------------------------------------------------------------------------


async def power_cut() -> Booted:
    """Serve one boot of every phone of the site."""
    domain, begun = site(PHONES), time.monotonic()
    now = moment_at(0.0, LabSeed().start.astimezone())
    service = ProvisioningService(
        shipped_families(), lambda: domain, at=ServedAt(_HOST, 5060, ""), ledger=Ledger(b"bench", lan_window=True),
        publish=lambda event: None, now=lambda: Moment(time.monotonic() - begun, now.wall),
    )  # fmt: skip
    http, tftp = await service.start(_HOST, 0, 0)
    service.moved(ServedAt(_HOST, 5060, f"http://{_HOST}:{http[1]}/p"))
    urls = [
        f"tftp://{_HOST}:{tftp[1]}/" if n % 2 else service.config_url(device) for n, device in enumerate(domain.devices)
    ]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=os.sched_setaffinity, initargs=(0, {GENERATOR})) as pool:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(pool, warm)
        try:
            return await loop.run_in_executor(pool, power_up, urls)
        finally:
            await service.close()


def virtual_boot() -> float:
    """Return the CPU seconds in which 1,000 phones boot and register in virtual time."""
    world = virtual_world(Seed(site(VIRTUAL), LabSeed()), 1)
    begun = time.process_time()
    assert world.boot_all(120.0), "not every phone came up"
    return time.process_time() - begun


def figures() -> list[Figure]:
    with on_core(SERVER):
        booted = asyncio.run(power_cut())
        virtual = virtual_boot()
    assert not booted.failures, f"{len(booted.failures)} phones did not boot: {booted.failures[:3]}"
    p95 = statistics.quantiles(booted.fetches, n=20)[-1]
    return [
        Figure(
            "site.boot", f"s until {booted.phones} phones have their files", (booted.seconds,), must=30, steady=False
        ),
        Figure("site.fetch", f"s p95 of {len(booted.fetches)} fetches", (p95,), must=2, steady=False),
        Figure("virtual.boot", f"s of CPU for {VIRTUAL} phones", (virtual,), must=20),
    ]


if __name__ == "__main__":
    print(table(figures()))
