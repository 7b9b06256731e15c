"""What the media process asks of the machine it runs on: ports in pairs, a timer, and to go before others."""

from __future__ import annotations

import ctypes
import os
import resource
import socket
import struct
import sys
import time

from pbx.clock import FOREVER

_TRIES = 2000
_OTHER_DESCRIPTORS = 64
_REAL_TIME = 5
"""Priority: a low one of those that go before everything ordinary."""
_NICE = -10
_CLOCK_MONOTONIC = 1
_NONBLOCK = 0o4000


class Timer:
    """A timerfd, which Python has from 3.13 on only; it stands still at first."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._interval_s = 0.0
        self.next_at = FOREVER
        """When it ticks next, in monotonic seconds."""
        self.fd: int = self._libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")

    def every(self, seconds: float) -> None:
        """Tick at this interval from now on; at 0 not at all. Asked again for the same, it goes on undisturbed."""
        if seconds == self._interval_s:
            return
        self._interval_s = seconds
        self.next_at = time.monotonic() + seconds if seconds else FOREVER
        interval = int(seconds * 1e9)
        if self._libc.timerfd_settime(self.fd, 0, struct.pack("@qqqq", 0, interval, 0, interval), None) < 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def ticks(self) -> int:
        """Return how many intervals have passed since the last time."""
        try:
            ticks = int.from_bytes(os.read(self.fd, 8), sys.byteorder)
        except BlockingIOError:
            return 0
        self.next_at += ticks * self._interval_s
        return ticks


def bind_pairs(host: str, wanted: int) -> list[tuple[socket.socket, socket.socket]]:
    """Bind pairs of an even port and the odd one above it (RFC 3550 §11); OSError when the host has not so many."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    pairs: list[tuple[socket.socket, socket.socket]] = []
    for _ in range(_TRIES + 4 * wanted):
        if len(pairs) == wanted:
            return pairs
        first = socket.socket(family, socket.SOCK_DGRAM)
        second = socket.socket(family, socket.SOCK_DGRAM)
        try:
            first.bind((host, 0))
            port = first.getsockname()[1]
            if port % 2:
                second.bind((host, port - 1))
                first, second = second, first
            else:
                second.bind((host, port + 1))
        except (OSError, OverflowError):
            first.close()
            second.close()
            continue
        pairs.append((first, second))
    if len(pairs) == wanted:
        return pairs
    raise OSError(f"only {len(pairs)} of {wanted} pairs of ports are free at {host}")


def affordable(pairs: int) -> int:
    """Return how many of that many pairs of ports this process may have, after asking for as many descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * pairs + _OTHER_DESCRIPTORS
    if soft < wanted:
        soft = wanted if hard < 0 else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(pairs, (soft - _OTHER_DESCRIPTORS) // 2)


def go_first() -> str:
    """Ask to run before every ordinary process, else with preference; return which it is: `real time`, `nice` or ``.

    A packet that waits for its turn is late: on a busy machine 2.6 ms at p99 instead of 0.3 (media.md 1d). The kernel
    keeps a twentieth of a core for the others whatever happens here; threads begin as ordinary ones.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(_REAL_TIME))
        return "real time"
    except OSError:
        pass
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
        return "nice"
    except OSError:
        return ""
