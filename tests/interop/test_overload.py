"""More than can be served: 503 for the excess, the rest goes through, and all is well again soon. Ratios of one run."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from pbx.sip.digest import Credentials, answer_challenge
from pbx.sip.message import parse
from tests.bench.machine import GENERATOR, SERVER, on_core
from tests.conftest import need
from tests.interop import sipp
from tests.interop.office import Switchroom, free_base
from tests.interop.test_sipp_load import FIRST, USERS, caller, many

pytestmark = pytest.mark.soak

CALL_S = 0.5
"""How long the scenario's people talk."""
PHONES = 500


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Switchroom]:
    with on_core(SERVER):
        started = Switchroom(tmp_path, many(tmp_path))
    with started, on_core(GENERATOR):
        yield started


def registered_at(crowd: Switchroom, folder: Path, port: int) -> None:
    """The called half registers from where the answering sipp listens, no faster than it is served."""
    called = sipp.write_callers(
        folder / "called.csv", [caller(n, n, crowd.domain) for n in range(FIRST, FIRST + USERS)]
    )
    target = f"127.0.0.1:{crowd.sip_port}"
    done = sipp.run(
        sipp.command("register", target, "127.0.0.1", callers=called, count=USERS, rate=500, limit=10, port=port),
        folder,
    )
    assert done.failed == 0, done.output


@contextmanager
def answering(crowd: Switchroom, folder: Path, port: int) -> Iterator[None]:
    target = f"127.0.0.1:{crowd.sip_port}"
    command = sipp.command(
        "answer", target, "127.0.0.1", count=1_000_000, port=port, timeout_s=600, media_port=16_000, limit=100_000
    )
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as called:
        yield
        called.kill()


def calls(crowd: Switchroom, folder: Path, rate: float, seconds: float) -> sipp.Outcome:
    folder.mkdir()
    pairs = [caller(FIRST + n, FIRST + USERS // 2 + n, crowd.domain) for n in range(USERS // 2)]
    command = sipp.command(
        "call", f"127.0.0.1:{crowd.sip_port}", "127.0.0.1", callers=sipp.write_callers(folder / "callers.csv", pairs),
        count=int(rate * seconds), rate=rate, limit=100_000, timeout_s=90, media_port=18_000,
    )  # fmt: skip
    return sipp.run(command, folder)


def highest_clean_rate(crowd: Switchroom, folder: Path) -> float:
    """Double until a call fails or a message is repeated, then halve the difference twice."""
    low, high = 0.0, 20.0
    while (met := calls(crowd, folder / f"up{high:.0f}", high, 5)).failed + met.retransmissions == 0:
        low, high = high, high * 2
    for _ in range(2):
        middle = (low + high) / 2
        met = calls(crowd, folder / f"near{middle:.1f}", middle, 5)
        low, high = (middle, high) if met.failed + met.retransmissions == 0 else (low, middle)
    assert low > 0, "not even 20 calls a second were clean: this machine is too busy to measure"
    return low


def test_three_times_what_can_be_served_costs_no_more_than_a_fifth_and_passes(crowd, tmp_path):
    need("sipp")
    port = free_base() + 50
    registered_at(crowd, tmp_path, port)
    with answering(crowd, tmp_path, port):
        clean = highest_clean_rate(crowd, tmp_path)
        crushed = calls(crowd, tmp_path / "crushed", clean * 3, 10)
        again = calls(crowd, tmp_path / "again", clean * 0.8, 5)
    print(f"clean {clean:.0f}/s, at three times that {crushed.successful / 10:.0f}/s served")
    assert crushed.successful / 10 >= 0.8 * clean
    assert crushed.successful + crushed.failed == int(clean * 3 * 10), "a caller met silence"
    assert (again.failed, again.successful) == (0, int(clean * 0.8 * 5))
    assert "server.overloaded" in (tmp_path / "switchroom.log").read_text()


def test_five_hundred_phones_come_back_after_a_power_cut(crowd):
    """As phones do, within half a minute's worth of chance squeezed into ten seconds; each repeats what is lost."""
    chance, begun = Random(1), time.monotonic()
    due = sorted((begun + chance.uniform(0, 10), FIRST + n) for n in range(PHONES))
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
    wire.bind(("127.0.0.1", 0))
    wire.connect(("127.0.0.1", crowd.sip_port))
    started: dict[int, float] = {}
    took: dict[int, float] = {}
    later: dict[int, float] = {}
    while len(took) < PHONES and time.monotonic() < begun + 25:
        now = time.monotonic()
        while due and due[0][0] <= now:
            _, user = due.pop(0)
            started[user], later[user] = now, now + 0.5
            wire.send(register(crowd, user, wire.getsockname()[1], 1))
        for user, at in later.items():
            if at <= now and user not in took:
                later[user] = now + 1.0
                wire.send(register(crowd, user, wire.getsockname()[1], 1))
        wire.settimeout(max(0.001, min(0.05, due[0][0] - now if due else 0.05)))
        try:
            answer = parse(wire.recv(65_535))
        except TimeoutError:
            continue
        user = int(answer.from_.user)
        if answer.status == 407:
            proof = answer_challenge(
                answer.all("Proxy-Authenticate"), Credentials(str(user), f"load-secret-{user}-abcdefgh"),
                "REGISTER", f"sip:{crowd.domain}", "c0ffee",
            )  # fmt: skip
            wire.send(register(crowd, user, wire.getsockname()[1], 2, f"Proxy-Authorization: {proof}\r\n"))
        elif answer.status == 200:
            took.setdefault(user, time.monotonic() - started[user])
        elif answer.status == 503:
            later[user] = time.monotonic() + int(answer.need("Retry-After"))
    wire.close()
    assert len(took) == PHONES
    assert time.monotonic() - begun < 20
    p95 = sorted(took.values())[int(PHONES * 0.95)]
    print(f"{PHONES} phones in {time.monotonic() - begun:.1f} s, p95 {p95 * 1000:.0f} ms")
    assert p95 < 0.25


def register(crowd: Switchroom, user: int, port: int, cseq: int, proof: str = "") -> bytes:
    return (
        f"REGISTER sip:{crowd.domain} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{user}-{cseq};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:{user}@{crowd.domain}>;tag=p{user}\r\nTo: <sip:{user}@{crowd.domain}>\r\n"
        f"Call-ID: power-{user}\r\nCSeq: {cseq} REGISTER\r\nContact: <sip:{user}@127.0.0.1:{port}>\r\nExpires: 600\r\n"
        f"{proof}Content-Length: 0\r\n\r\n"
    ).encode()
