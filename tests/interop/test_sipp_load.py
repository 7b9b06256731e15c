"""sipp: a thousand registrations, two hundred calls; sipsak: a ping. Loopback only, bounded, ends by itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.conftest import need
from tests.interop import sipp
from tests.interop.office import Switchroom, free_base, seed_with

USERS = 1000
FIRST = 20_000


def many(folder: Path) -> Path:
    numbers = range(FIRST, FIRST + USERS)
    users = [{"extension": n, "first_name": f"Load {n}", "voicemail": False} for n in numbers]
    devices = [{"id": str(n), "extension": n, "password": f"load-secret-{n}-abcdefgh"} for n in numbers]
    return seed_with(folder / "seed.yaml", devices, users)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crowd")
    with Switchroom(folder, many(folder)) as running:
        yield running


def caller(number: int, callee: int, domain: str) -> sipp.Caller:
    return sipp.Caller(str(number), f"load-secret-{number}-abcdefgh", str(callee), domain)


def test_sipsak_pings_the_switch(crowd):
    need("sipsak")
    done = subprocess.run(
        ["sipsak", "-s", f"sip:ping@127.0.0.1:{crowd.sip_port}"], capture_output=True, timeout=20, check=False
    )
    assert done.returncode == 0


def test_a_thousand_users_register_and_two_hundred_calls_go_through(crowd, tmp_path):
    """With no more in flight than is served: what comes beyond that is refused, as it should be (test_overload)."""
    need("sipp")
    target = f"127.0.0.1:{crowd.sip_port}"
    port = free_base() + 50
    everybody = [caller(n, n, crowd.domain) for n in range(FIRST, FIRST + USERS)]
    users = sipp.write_callers(tmp_path / "users.csv", everybody)
    register = sipp.command(
        "register", target, "127.0.0.1", callers=users, count=USERS, rate=200, limit=40, port=port, timeout_s=60
    )
    registered = sipp.run(register, tmp_path)
    assert (registered.successful, registered.failed) == (USERS, 0), registered.output

    answering = tmp_path / "answering"
    answering.mkdir()
    statistics = answering / "statistics.csv"
    answer = sipp.command("answer", target, "127.0.0.1", count=200, port=port, timeout_s=90, media_port=16000)
    with subprocess.Popen(
        [*answer, "-stf", str(statistics)], cwd=answering, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as called:
        pairs = [caller(FIRST + n, FIRST + 500 + n, crowd.domain) for n in range(200)]
        callers = sipp.write_callers(tmp_path / "callers.csv", pairs)
        calls = sipp.run(
            sipp.command(
                "call",
                target,
                "127.0.0.1",
                callers=callers,
                count=200,
                rate=20,
                limit=10,
                timeout_s=60,
                media_port=18000,
            ),
            tmp_path,
        )
        output, _ = called.communicate(timeout=90)
    assert (calls.successful, calls.failed) == (200, 0), calls.output
    assert sipp.outcome(statistics, called.returncode, output).failed == 0, output
