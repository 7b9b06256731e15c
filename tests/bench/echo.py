"""The floor: a process that sends every datagram back over the same transport, and does nothing else.

`python -m tests.bench.echo` prints its port and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pbx.sip.address import Peer
from pbx.sip.transport import UdpTransport
from tests.bench.machine import SERVER, cpu_s, on_core

HOST = "127.0.0.1"
_IN_FLIGHT = 32
_PATIENCE_S = 5.0


class _Echo:
    def __init__(self) -> None:
        self.transport = UdpTransport(self, HOST)

    def received(self, data: bytes, source: Peer) -> None:
        self.transport.send(data, source)

    def all_received(self) -> None:
        pass

    def disconnected(self, peer: Peer) -> None:
        pass

    def waited(self, seconds: float) -> None:
        pass


async def _serve() -> None:
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    echo = _Echo()
    echo.transport.start()
    loop.add_reader(sys.stdin, over.set)
    print(echo.transport.address[1], flush=True)
    await over.wait()


@contextmanager
def running() -> Iterator[tuple[int, tuple[str, int]]]:
    """Start an echo on the server's core: its pid and address."""
    with on_core(SERVER):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.echo"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.pid, (HOST, int(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait(10)


def ms_per_exchange(datagram: bytes, exchanges: int) -> float:
    """Return the CPU milliseconds of the echo for one datagram in and one out."""
    with running() as (pid, address), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as generator:
        generator.connect(address)
        before = cpu_s(pid)
        sent = answered = 0
        while answered < exchanges:
            while sent < exchanges and sent - answered < _IN_FLIGHT:
                generator.send(datagram)
                sent += 1
            if not select.select([generator], [], [], _PATIENCE_S)[0]:
                raise AssertionError(f"the echo answered {answered} of {sent} datagrams")
            generator.recv(len(datagram))
            answered += 1
        return (cpu_s(pid) - before) * 1000 / exchanges


if __name__ == "__main__":
    asyncio.run(_serve())
