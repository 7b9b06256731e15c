"""The parts of the worker that stand alone; what it does as a process is in test_local_engine."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pbx.media import words
from pbx.media.host import Timer, bind_pairs
from pbx.media.worker import Worker


def test_ports_come_in_pairs_of_even_and_odd() -> None:
    pairs = bind_pairs("127.0.0.1", 20)
    try:
        ports = [(even.getsockname()[1], odd.getsockname()[1]) for even, odd in pairs]
        assert len(ports) == 20
        assert all(even % 2 == 0 and odd == even + 1 for even, odd in ports)
    finally:
        for pair in pairs:
            for end in pair:
                end.close()


def test_an_address_that_is_not_ours_has_no_ports() -> None:
    with pytest.raises(OSError, match="0 of 1 pairs"):
        bind_pairs("192.0.2.1", 1)


def test_the_timer_ticks_as_often_as_it_was_told() -> None:
    timer = Timer()
    with select.epoll() as waiting:
        waiting.register(timer.fd, select.EPOLLIN)
        assert timer.ticks() == 0
        timer.every(0.002)
        assert waiting.poll(5)
        assert timer.ticks() >= 1
        timer.every(0.0)
        assert timer.ticks() == 0
        assert not waiting.poll(0.01)


def test_the_timer_says_when_it_ticks_next() -> None:
    timer = Timer()
    assert timer.next_at == float("inf")
    begun = time.monotonic()
    timer.every(0.002)
    set_by = time.monotonic()
    with select.epoll() as waiting:
        waiting.register(timer.fd, select.EPOLLIN)
        assert waiting.poll(5)
    ahead = 0.002 * (timer.ticks() + 1)
    assert begun + ahead - 1e-6 <= timer.next_at <= set_by + ahead + 1e-6
    timer.every(0.0)
    assert timer.next_at == float("inf")


def test_a_worker_ends_when_its_owner_does(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        told = {
            "host": "127.0.0.1",
            "recordings": str(tmp_path),
            "parties": [],
            "music": [],
            "ports": 1,
            "fax_speed": 1,
        }
        worker = Worker(theirs, told)
        (port,) = words.apart(ours.recv(1000))[0]["ports"]
        # A command for a leg that is gone is no fault: the commands cross with what is told.
        for command in (
            {"do": "stop", "leg": "gone"},
            {"do": "open", "leg": "a", "port": port},
            {"do": "close", "leg": "a", "port": port},
        ):
            ours.send(words.pack([command]))
        ours.shutdown(socket.SHUT_WR)
        worker.run()
        assert words.apart(ours.recv(1000))[0]["event"] == "Closed"


def test_a_process_with_few_descriptors_has_as_many_ports_as_they_allow() -> None:
    told = "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (200, 264))\n"
    told += "from pbx.media.host import affordable\nprint(affordable(1200), affordable(10))"
    assert _said(told).split() == ["100", "10"]


def test_the_media_process_goes_before_ordinary_ones_where_it_may() -> None:
    said = _said(
        "import os\nfrom pbx.media.host import go_first\nprint(go_first(), os.sched_getscheduler(0), os.nice(0))"
    )
    match said.split():
        case ["real", "time", policy, _]:
            assert int(policy) & ~os.SCHED_RESET_ON_FORK == os.SCHED_RR
        case ["nice", _, niceness]:
            assert int(niceness) < 0
        case told:
            assert told == [str(os.SCHED_OTHER), str(os.nice(0))], "neither is allowed here: nothing has changed"


def _said(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
