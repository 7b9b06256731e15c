"""What a full phone costs when nothing is remembered, and what all families do: `-m tests.bench.bench_rendering`.

A full phone has sixteen lines and sixty keys. Each rendering meets an office that has served nothing; the templates are
compiled. The start is that of a process that reads all families; the memory that of five thousand phones which a
directory knows and which have fetched what they boot from.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from pbx.clock import Moment
from pbx.domain.directory import Directory
from provisioning_server.families import shipped_families
from provisioning_server.ledger import Ledger
from provisioning_server.overlay import ServedAt
from provisioning_server.respond import ConfigRequest, Office, respond
from tests.bench.figures import Figure, table
from tests.bench.machine import SERVER, on_core
from tests.bench.pace import Paces, Span

LINES, KEYS = 16, 60
RUNS, TIMES = 3, 100
PHONES = 5000
FULL = {"yealink/t4x_t5x": "T54W", "poly/vvx": "VVX601", "grandstream/grp": "GRP2616"}
"""Keys by key, by expansion, by number: three ways to write a full phone. The dearest counts."""
_MAC, _TOKEN = "805ec0002001", "a" * 32
_NOW = Moment(0.0, datetime(2026, 11, 24, tzinfo=UTC))
_AT = ServedAt("192.0.2.10", 5060, "http://192.0.2.10:8080/p")
_START = """
import time
from provisioning_server.families import load_families
load_families()
print(time.process_time())
"""


def full_phone(family: str, model: str) -> Directory:
    numbers = [str(2001 + n) for n in range(LINES)]
    keys: dict[str, str] = {}
    for key in range(1, KEYS + 1):
        number = str(2000 + key)
        keys |= {f"keys.{key}.type": "blf", f"keys.{key}.value": number, f"keys.{key}.label": f"User {number}"}
    return Directory.model_validate(
        {
            "domain": {"name": "acme.lab"},
            "settings": {"domain": keys},
            "users": [{"extension": number, "first_name": f"User {number}"} for number in numbers],
            "devices": [
                {
                    "id": number, "extension": number, "mac": _MAC, "port": line, "family": family, "model": model,
                    "password": f"password-of-{number}", "token": _TOKEN,
                }
                for line, number in enumerate(numbers, start=1)
            ],
        }
    )  # fmt: skip


def rendering_ms(family: str, model: str) -> float:
    """Return the median CPU milliseconds of an answer that nothing was remembered for."""
    families, domain = shipped_families(), full_phone(family, model)
    rule = next(rule for rule in families.by_id[family].files if rule.kind == "device")
    name = families.by_id[family].name_of(rule, _MAC, model)
    request = ConfigRequest("http", f"/p/{_TOKEN}/{name}", "192.0.2.50:1")
    taken = []
    for _ in range(TIMES):
        office = Office(families, Ledger(b"bench"), _AT)
        begun = time.process_time()
        answer = respond(request, office, domain, _NOW)
        taken.append(time.process_time() - begun)
        assert answer.status == 200, answer.why
    return median(taken) * 1000


def start_s() -> float:
    """Return the CPU seconds in which a new process has read and checked every family, imports and all."""
    said = subprocess.run([sys.executable, "-c", _START], capture_output=True, text=True, check=True)
    return float(said.stdout)


def memory_kb() -> float:
    """Return the kilobytes a phone adds: known by its directory, and booted."""
    macs = [f"805ec0{n:06x}" for n in range(PHONES)]
    users = [{"extension": str(10_000 + n), "first_name": f"User {n}"} for n in range(PHONES)]
    devices = [
        {"id": user["extension"], "extension": user["extension"], "mac": mac, "family": "yealink/t4x_t5x",
         "model": "T46S", "password": f"{int(mac, 16):024x}", "token": f"{int(mac, 16):032x}"}
        for user, mac in zip(users, macs, strict=True)
    ]  # fmt: skip
    gc.collect()
    before = _resident_kb()
    domain = Directory.model_validate({"domain": {"name": "acme.lab"}, "users": users, "devices": devices})
    office = Office(shipped_families(), Ledger(b"bench"), _AT)
    for device in domain.devices:
        for name in (f"{device.mac}.boot", f"{device.mac}.cfg"):
            path = f"/p/{device.token.get_secret_value()}/{name}"
            assert respond(ConfigRequest("http", path, "192.0.2.50:1"), office, domain, _NOW).status == 200
    gc.collect()
    return (_resident_kb() - before) / PHONES


def _resident_kb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4.096


def figures() -> list[Figure]:
    gc.collect()
    gc.freeze()  # as `up` does once it has started
    paces = Paces(SERVER)
    renderings: list[tuple[float, Span]] = []
    starts: list[tuple[float, Span]] = []
    with on_core(SERVER):
        for family, model in FULL.items():
            rendering_ms(family, model)  # what is written alike for every box is kept from now on
        for _ in range(RUNS):
            with paces.measured() as span:
                renderings.append((max(rendering_ms(*one) for one in FULL.items()), span))
            with paces.measured() as span:
                starts.append((start_s(), span))
        memory = memory_kb()
    return [
        Figure("render.full", f"ms of CPU, {LINES} lines and {KEYS} keys, cold",
               paces.alone(renderings), must=3.0),
        Figure("families.start", f"s of CPU, {len(shipped_families().by_id)} families", paces.alone(starts), must=1.5),
        Figure("families.memory", "kB a phone that is known and has booted", (memory,), must=20),
    ]  # fmt: skip


if __name__ == "__main__":
    print(table(figures()))
