"""The media process: `python -m pbx.media.worker FD` (media.md 1d).

One thread, epoll and a 2 ms timer; legs are spread over ten slots, so that the packets of 20 ms do not leave in one
burst. It ends when its owner closes the pair at FD.
"""

from __future__ import annotations

import ctypes
import gc
import os
import secrets
import select
import signal
import socket
import struct
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any

from pbx.media import ears, sounds_made, words
from pbx.media.engine import MediaEvent
from pbx.media.exchange import Address, Exchange
from pbx.media.prompts import catalogue

SLOTS = 10
TICK_S = 0.002
_CATCH_UP = 25
"""Ticks made up for after a stall, 50 ms; what is later than that is left out."""
_DRAIN = 32
"""Packets taken from a port before the others have their turn."""
_EXPEDITED = 0xB8
"""DSCP EF (RFC 3246)."""
_TRIES = 2000
_LARGEST_DATAGRAM = 2048
_LARGEST_WORDS = 1 << 17
_CLOCK_MONOTONIC = 1
_NONBLOCK = 0o4000


class Timer:
    """A timerfd, which Python has from 3.13 on only."""

    def __init__(self, seconds: float) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._spec = struct.pack("@qqqq", 0, int(seconds * 1e9), 0, int(seconds * 1e9))
        self._armed = False
        self.fd: int = self._libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")

    def arm(self, on: bool) -> None:
        if on != self._armed:
            self._armed = on
            spec = self._spec if on else bytes(len(self._spec))
            if self._libc.timerfd_settime(self.fd, 0, spec, None) < 0:
                raise OSError(ctypes.get_errno(), "timerfd_settime")

    def ticks(self) -> int:
        """Return how many intervals have passed since the last time."""
        try:
            return int.from_bytes(os.read(self.fd, 8), sys.byteorder)
        except BlockingIOError:
            return 0


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


class Worker:
    """Sockets, timer and the pair around an `Exchange`."""

    def __init__(self, pair: socket.socket, told: dict[str, Any]) -> None:
        self._pair = pair
        self._waiting: deque[bytes] = deque()
        self._epoll = select.epoll()
        self._timer = Timer(TICK_S)
        self._sockets: dict[int, socket.socket] = {}
        self._by_fd: dict[int, tuple[int, socket.socket]] = {}
        self._slots: list[set[int]] = [set() for _ in range(SLOTS)]
        self._slot = 0
        self._companions: list[socket.socket] = []
        """RTCP ports: ours by right, read by nobody yet."""
        labels = [f"prompt:{name}" for name in catalogue.names()]
        labels += [f"tone:{name}" for name in sounds_made.tone_names()]
        labels += [f"moh:{name}" for name in told["music"]]
        labels += [f"signature:{party}" for party in told["parties"]]
        self._exchange = Exchange(
            self._send, self._report, Path(told["recordings"]), ears.Knowledge(labels), secrets.randbits
        )
        Path(told["recordings"]).mkdir(parents=True, exist_ok=True)
        for even, odd in bind_pairs(told["host"], told["ports"]):
            self._adopt(even)
            self._companions.append(odd)
        self._epoll.register(self._timer.fd, select.EPOLLIN)
        self._pair.setblocking(False)
        self._epoll.register(self._pair, select.EPOLLIN)
        self._say({"ports": list(self._sockets)})

    def _adopt(self, even: socket.socket) -> None:
        even.setblocking(False)
        with suppress(OSError):  # best effort: not every network lets us mark packets
            even.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _EXPEDITED)
        port = even.getsockname()[1]
        self._sockets[port] = even
        self._by_fd[even.fileno()] = (port, even)
        self._epoll.register(even, select.EPOLLIN)

    def run(self) -> None:
        """Serve until the owner closes the pair."""
        while True:
            for fd, event in self._epoll.poll():
                if fd == self._timer.fd:
                    self._ticked(self._timer.ticks())
                elif fd == self._pair.fileno():
                    if event & select.EPOLLOUT:
                        self._flush()
                    if event & ~select.EPOLLOUT and not self._commands():
                        return
                else:
                    self._datagrams(*self._by_fd[fd])

    # --- the wire -------------------------------------------------------------------------------------

    def _datagrams(self, port: int, at: socket.socket) -> None:
        for _ in range(_DRAIN):
            try:
                data, source = at.recvfrom(_LARGEST_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                continue  # a port that was closed over there (ICMP): nothing to read
            self._exchange.receive(port, data, (source[0], source[1]), time.monotonic())

    def _send(self, port: int, data: bytes, to: Address) -> None:
        with suppress(OSError):  # as lost as any other packet
            self._sockets[port].sendto(data, to)

    def _ticked(self, ticks: int) -> None:
        self._slot += max(0, ticks - _CATCH_UP)
        for _ in range(min(ticks, _CATCH_UP)):
            self._slot = (self._slot + 1) % SLOTS
            now = time.monotonic()
            for port in tuple(self._slots[self._slot]):
                self._exchange.beat(port, now)

    # --- the pair -------------------------------------------------------------------------------------

    def _commands(self) -> bool:
        """Carry out what was told; False when the owner has gone."""
        while True:
            try:
                data = self._pair.recv(_LARGEST_WORDS)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            told = words.unpack(data)
            try:
                self._carry_out(told)
            except KeyError:
                continue  # the leg was closed meanwhile

    def _carry_out(self, told: words.Words) -> None:
        exchange, leg, now = self._exchange, told["leg"], time.monotonic()
        match told["do"]:
            case "open":
                exchange.open(leg, told["port"], now)
                min(self._slots, key=len).add(told["port"])
                self._timer.arm(True)
            case "connect":
                exchange.connect(leg, words.remote_of(told["remote"]))
            case "play":
                exchange.play(leg, words.sound_of(told["sound"]), told["token"])
            case "stop":
                exchange.stop(leg)
            case "bridge":
                exchange.bridge(leg, told["other"])
            case "unbridge":
                exchange.unbridge(leg, told["other"])
            case "record":
                exchange.record(
                    leg,
                    told["recording"],
                    now,
                    max_s=told["max_s"],
                    silence_s=told["silence_s"],
                    end_keys=told["end_keys"],
                )
            case "stop_record":
                exchange.stop_record(leg)
            case "send_digits":
                exchange.send_digits(leg, told["digits"])
            case "listen":
                exchange.listen(leg)
            case "close":
                exchange.close(leg, now)
                for slot in self._slots:
                    slot.discard(told["port"])
                self._timer.arm(exchange.live() > 0)

    def _report(self, event: MediaEvent) -> None:
        self._say(words.event_words(event))

    def _say(self, said: words.Words) -> None:
        self._waiting.append(words.pack(said))
        self._flush()

    def _flush(self) -> None:
        wanted = select.EPOLLIN
        while self._waiting:
            try:
                self._pair.send(self._waiting[0])
            except BlockingIOError:
                wanted |= select.EPOLLOUT
                break
            except OSError:
                self._waiting.clear()  # the owner has gone; the next read says so
                break
            self._waiting.popleft()
        self._epoll.modify(self._pair, wanted)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the owner decides when a terminal interrupts both
    pair = socket.socket(fileno=int(sys.argv[1]))
    first = pair.recv(_LARGEST_WORDS)
    if not first:
        return
    worker = Worker(pair, words.unpack(first))
    gc.collect()
    gc.freeze()
    worker.run()


if __name__ == "__main__":
    main()
