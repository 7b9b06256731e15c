"""How fast a core is while something is measured on it: a machine that is shared is not the same from second to second.

A virtual processor is one thread of a core whose other thread is somebody else's. While that one computes, ours takes
up to 1.8 times as long for the same work, and CPU time says so, too. So beside each measurement a yardstick runs on the
same core: forty times a second a few datagrams, sent to itself and read. What they cost there, against what they cost
in the best moments of the run, when the core was ours alone, is the pace; a cost times the pace is what it is on a core
of one's own.

`python -m tests.bench.pace` measures until its standard input ends and prints microseconds a datagram, a line a slice.
"""

from __future__ import annotations

import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.bench.machine import on_core

EVERY_S = 0.025
DATAGRAMS = 50
"""A slice: a third of a millisecond, little beside what is measured and much beside a clock's grain."""
_ALONE = 0.05
"""The share of all slices that had the core for themselves: the neighbours do pause."""

Span = list[float]
"""Microseconds a datagram in each slice; filled when the span is over."""


@dataclass(slots=True)
class Paces:
    """Those of one core in one run. What it does when it is ours alone shows in all spans: ask when they are over."""

    core: int
    _spans: list[Span] = field(default_factory=list)

    @contextmanager
    def measured(self) -> Iterator[Span]:
        """Watch the core while something is measured on it."""
        with on_core(self.core):
            yardstick = subprocess.Popen(
                [sys.executable, "-m", "tests.bench.pace"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        assert yardstick.stdout is not None
        yardstick.stdout.readline()  # it has begun
        span: Span = []
        try:
            yield span
        finally:
            said, _ = yardstick.communicate("")
            span += map(float, said.split())
            self._spans.append(span)

    def pace(self, span: Span) -> float:
        """Return 1 for a core of one's own, 0.5 where everything took twice as long."""
        every = sorted(us for each in self._spans for us in each)
        return every[int(len(every) * _ALONE)] * len(span) / sum(span)

    def alone(self, costs: Sequence[tuple[float, Span]]) -> tuple[float, ...]:
        """Return what each cost is on a core of one's own."""
        return tuple(cost * self.pace(span) for cost, span in costs)

    def all(self) -> tuple[float, ...]:
        return tuple(self.pace(span) for span in self._spans)


def _slice(wire: socket.socket) -> float:
    datagram, begun = bytes(172), time.process_time()
    for _ in range(DATAGRAMS):
        wire.send(datagram)
        wire.recv(2048)
    return (time.process_time() - begun) * 1e6 / DATAGRAMS


def _watch() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire, selectors.DefaultSelector() as waiting:
        wire.bind(("127.0.0.1", 0))
        wire.connect(wire.getsockname())
        waiting.register(sys.stdin, selectors.EVENT_READ)
        _slice(wire)
        print("begun", flush=True)
        found = [_slice(wire)]
        while not waiting.select(EVERY_S):
            found.append(_slice(wire))
        print(*found, sep="\n", flush=True)


if __name__ == "__main__":
    _watch()
