"""A running process under spoilt messages over UDP and TCP: memory, descriptors and ports come back, calls go on."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from pbx.sip.sip_events import Answered, Rejected
from tests.interop.handset import Handset
from tests.interop.office import OFFICE, PATIENCE_S, Switchroom
from tests.switch.mutations import spoilt

pytestmark = pytest.mark.soak

CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus" / "parser"
COUNT = 8_000
A_SECOND = 200
QUIET_S = 35.0
"""What was begun has given up by then: 64·T1 and a little."""
MOST_MORE = 16 * 1024 * 1024


@pytest.fixture
def attacked(tmp_path: Path) -> Iterator[Switchroom]:
    with Switchroom(tmp_path, OFFICE) as running:
        yield running
        assert running.stop() == 0, running.log()


def messages(switchroom: Switchroom) -> list[bytes]:
    """Good messages, addressed to somebody who is there."""
    domain = switchroom.domain.encode()
    named = ((b"bob@10.0.0.2", b"102@" + domain), (b"bob@lab", b"102@" + domain), (b"alice@lab", b"101@" + domain))
    found = [path.read_bytes() for path in sorted(CORPUS.iterdir())]
    for old, new in named:
        found = [message.replace(old, new) for message in found]
    return found


def shoot(switchroom: Switchroom, seed: int) -> None:
    """So many spoilt messages at a bounded rate: nine of ten by UDP, the rest by TCP connections that then close."""
    chance, corpus, to = Random(seed), messages(switchroom), ("127.0.0.1", switchroom.sip_port)
    begun = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for number in range(COUNT):
            data = spoilt(chance, chance.choice(corpus), corpus)
            if number % 10:
                udp.sendto(data, to)
            else:
                with socket.create_connection(to, timeout=PATIENCE_S) as tcp, suppress(OSError):
                    tcp.sendall(data)
            time.sleep(max(0.0, begun + number / A_SECOND - time.monotonic()))


def family(switchroom: Switchroom) -> list[int]:
    """The process and its children."""
    pid = switchroom.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def memory(switchroom: Switchroom) -> int:
    """Resident octets of all of them."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in family(switchroom))
    return pages * 4096


def descriptors(switchroom: Switchroom) -> list[int]:
    """Open descriptors of each; sockets, and so ports, are among them."""
    return [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in family(switchroom)]


def call_when_let(phone: Handset, number: str) -> None:
    """Call, and again a second later while the answer is 503: the machine may be full of what was just sent."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        session = phone.dial(number)
        event = phone.wait_for(Answered, Rejected)
        if isinstance(event, Answered):
            phone.hang_up(session)
            return
        assert isinstance(event, Rejected)
        assert (event.status, time.monotonic() < deadline) == (503, True)
        time.sleep(1.0)


def test_what_spoilt_traffic_took_comes_back(attacked):
    with Handset(attacked, "101") as phone:
        phone.register()
        shoot(attacked, 1)  # fills what is kept of the newest events
        time.sleep(QUIET_S)
        before, open_before = memory(attacked), descriptors(attacked)
        shoot(attacked, 2)
        call_when_let(phone, "102")
        time.sleep(QUIET_S)
        assert memory(attacked) - before < MOST_MORE
        assert descriptors(attacked) == open_before
        phone.register()
    assert [event for event in attacked.events() if event["event"] == "server.error"] == []
