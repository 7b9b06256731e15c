"""The floor of media: what arrives at one socket leaves by another, and nobody looks at it.

`python -m tests.bench.bare_relay HOST PORT STREAMS` prints the ports to send to, passes everything on to HOST:PORT and
ends when its standard input does. It goes first, as the media process does.
"""

from __future__ import annotations

import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pbx.media.host import affordable, go_first
from tests.bench.machine import SERVER, on_core

HOST = "127.0.0.1"


@contextmanager
def running(to: tuple[str, int], streams: int) -> Iterator[tuple[int, list[int]]]:
    """Start one on the server's core: its pid and its ports."""
    with on_core(SERVER):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.bare_relay", to[0], str(to[1]), str(streams)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.pid, [int(port) for port in process.stdout.readline().split()]
    finally:
        process.stdin.close()
        process.wait(10)


def _relay(to: tuple[str, int], streams: int) -> None:
    affordable(streams)
    waiting, owner = select.epoll(), sys.stdin.fileno()
    pairs: dict[int, tuple[socket.socket, socket.socket]] = {}
    for _ in range(streams):
        arrives, leaves = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        arrives.bind((HOST, 0))
        leaves.bind((HOST, 0))
        pairs[arrives.fileno()] = arrives, leaves
        waiting.register(arrives, select.EPOLLIN)
    waiting.register(owner, select.EPOLLIN)
    print(*(arrives.getsockname()[1] for arrives, _ in pairs.values()), flush=True)
    go_first()
    while True:
        for fd, _ in waiting.poll():
            if fd == owner:
                return
            arrives, leaves = pairs[fd]
            data, _ = arrives.recvfrom(2048)
            leaves.sendto(data, to)


if __name__ == "__main__":
    _relay((sys.argv[1], int(sys.argv[2])), int(sys.argv[3]))
