"""How long a running lab takes over ten thousand boxes: `python -m tests.bench.bench_inventory`.

The table goes in by `POST /api/v1/devices/import`, as people send it, and counts until the answer is there: the rows
read, the domain's rules asked, the new domain in force, and written down. A listing is one `GET` of a hundred boxes
with words to look for, or of all of them; the phones' own states are among what is shown.
"""

from __future__ import annotations

import asyncio
import statistics
import time

import aiohttp

from lab.office import Office
from lab.seeds.load import Seed
from lab.seeds.model import LabSeed
from lab.service import LabSettings
from pbx.domain.directory import Directory
from tests.bench.figures import Figure, table
from tests.bench.machine import SERVER, on_core

BOXES = 10_000
LISTINGS = 40
_MODELS = ("T46S", "VVX450", "GXP2135", "HT802", "T54W")


def domain() -> Directory:
    users = [{"extension": str(10_000 + n), "first_name": f"User {n}"} for n in range(BOXES)]
    platform = {"extension_lengths": [3, 4, 5]}
    return Directory.model_validate({"domain": {"name": "acme.lab", "platform": platform}, "users": users})


def boxes() -> bytes:
    rows = (f"805ec1{n:06x},{_MODELS[n % len(_MODELS)]},{10_000 + n},SN{n},{n % 4000 + 1}" for n in range(BOXES))
    return "\n".join(["mac,model,extension,serial,network.vlan.id", *rows]).encode()


async def measure() -> list[Figure]:
    async with Office(Seed(domain(), LabSeed()), LabSettings(phones=False)) as office:
        patient = aiohttp.ClientTimeout(total=120)
        async with aiohttp.ClientSession(office.console_url, timeout=patient) as session:
            begun = time.monotonic()
            async with session.post("/api/v1/devices/import", data=boxes()) as answer:
                told = await answer.json()
            took = time.monotonic() - begun
            assert (told["assigned"], told["problems"]) == (BOXES, []), told["problems"][:3]
            pages = [await _listing(session, f"q={n % 10}&offset={n * 50}") for n in range(LISTINGS)]
            whole = [await _listing(session, f"limit={BOXES}") for _ in range(LISTINGS // 4)]
    return [
        Figure("inventory.import", f"s for {BOXES} boxes", (took,), must=15),
        Figure("inventory.page", "ms p95, a hundred of them", (_p95(pages),), must=150),
        Figure("inventory.all", "ms p95, all of them", (_p95(whole),)),
    ]


async def _listing(session: aiohttp.ClientSession, query: str) -> float:
    begun = time.monotonic()
    async with session.get(f"/api/v1/devices?{query}") as answer:
        assert (await answer.json())["rows"]
    return (time.monotonic() - begun) * 1000


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def figures() -> list[Figure]:
    with on_core(SERVER):
        return asyncio.run(measure())


if __name__ == "__main__":
    print(table(figures()))
