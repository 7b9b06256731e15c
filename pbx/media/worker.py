"""The media process: `python -m pbx.media.worker FD` (media.md 1d).

One thread, epoll and a timer. Relaying is moved by the packets alone; while a leg has something of its own to send or
to record, the timer ticks every 2 ms and legs are spread over ten slots, so that the packets of 20 ms do not leave in
one burst. It ends when its owner closes the pair at FD.
"""

from __future__ import annotations

import secrets
import select
import signal
import socket
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pbx.media import ears, sounds_made, words
from pbx.media.archive import Archive
from pbx.media.engine import Faulted, FaxTask, MediaEvent
from pbx.media.exchange import Exchange
from pbx.media.host import Timer, affordable, bind_pairs, go_first
from pbx.media.latch import Address
from pbx.media.prompts import catalogue
from pbx.standing import what_stands_stays

SLOTS = 10
TICK_S = 0.002
_LOOKING_S = 0.02
"""While no leg wants a beat the timer serves looks and reports alone."""
_CATCH_UP = 25
"""Ticks made up for after a stall, 50 ms; what is later than that is left out."""
_EXPEDITED = 0xB8
"""DSCP EF (RFC 3246)."""
_SAMPLED = 16
"""Of so many packets one is looked at for its DSCP: reading it costs half a receive more."""
_ROOM_FOR_TOS = 64
_MOST_FAULTS = 100
_LARGEST_DATAGRAM = 2048


def _dscp_of(extra: list[tuple[int, int, bytes]]) -> int | None:
    for level, kind, data in extra:
        if (level, kind) in ((socket.IPPROTO_IP, socket.IP_TOS), (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)) and data:
            return int.from_bytes(data, sys.byteorder) >> 2 & 0x3F
    return None


class Worker:
    """Sockets, timer, archive and the pair around an `Exchange`."""

    def __init__(self, pair: socket.socket, told: dict[str, Any]) -> None:
        self._pair = pair
        self._waiting: deque[words.Words] = deque()
        self._blocked = False
        """The owner has not read yet what it was told."""
        self._epoll = select.epoll()
        self._timer = Timer()
        self._sockets: dict[int, socket.socket] = {}
        self._media: dict[int, tuple[int, socket.socket]] = {}
        """Port and socket by descriptor."""
        self._control: dict[int, tuple[int, socket.socket]] = {}
        self._slots: list[set[int]] = [set() for _ in range(SLOTS)]
        self._slot = 0
        self._told: set[str] = set()
        """Faults told already: one that every packet repeats must not flood the owner."""
        self._awake: dict[int, set[int]] = {}
        """The slot of each leg that wants beats, by its port."""
        labels = [f"prompt:{name}" for name in catalogue.names()]
        labels += [f"tone:{name}" for name in sounds_made.tone_names()]
        labels += [f"moh:{name}" for name in told["music"]]
        labels += [f"signature:{party}" for party in told["parties"]]
        recordings = Path(told["recordings"])
        recordings.mkdir(parents=True, exist_ok=True)
        pairs = bind_pairs(told["host"], affordable(told["ports"]))
        self._archive = Archive()
        self._exchange = Exchange(
            self._send, self._report, recordings, self._archive.keep, ears.Knowledge(labels), secrets.randbits,
            self._wake, told["fax_speed"],
        )  # fmt: skip
        for even, odd in pairs:
            self._adopt(even, self._media)
            self._adopt(odd, self._control)
        self._epoll.register(self._timer.fd, select.EPOLLIN)
        self._epoll.register(self._archive.fd, select.EPOLLIN)
        self._pair.setblocking(False)
        self._epoll.register(self._pair, select.EPOLLIN)
        self._say({"ports": [port for port, _ in self._media.values()]})
        self._flush()

    def _adopt(self, at: socket.socket, kind: dict[int, tuple[int, socket.socket]]) -> None:
        at.setblocking(False)
        with suppress(OSError):  # best effort: not every network lets us mark packets
            if at.family == socket.AF_INET6:
                at.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _EXPEDITED)
                at.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
            else:
                at.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _EXPEDITED)
                at.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        port = at.getsockname()[1]
        self._sockets[port] = at
        kind[at.fileno()] = (port, at)
        self._epoll.register(at, select.EPOLLIN)

    def run(self) -> None:
        """Serve until the owner closes the pair; what was recorded is written."""
        try:
            self._serve()
        finally:
            self._archive.close()

    def _serve(self) -> None:
        media, exchange, clock, beat = self._media, self._exchange, time.monotonic, self._timer
        receive = self._receiver()
        poll, owner, timer, archive = self._epoll.poll, self._pair.fileno(), self._timer.fd, self._archive.fd
        count = 0
        while True:
            if self._waiting and not self._blocked:
                self._flush()
            for fd, event in poll():
                try:
                    found = media.get(fd)
                    if found is not None:
                        # One packet an event: what is left is shown again, and the others have their turn.
                        port, at = found
                        count += 1
                        try:
                            if count % _SAMPLED:
                                data, source = at.recvfrom(_LARGEST_DATAGRAM)
                            else:
                                data, extra, _, source = at.recvmsg(_LARGEST_DATAGRAM, _ROOM_FOR_TOS)
                                exchange.marked(port, source[:2], _dscp_of(extra))
                        except OSError:
                            continue  # a port that was closed over there (ICMP), or nothing after all
                        now = clock()
                        receive(port, data, source[:2], now)
                        if now >= beat.next_at:
                            self._ticked()  # what is to leave in time does not wait behind all that has arrived
                    elif fd == timer:
                        self._ticked()
                    elif fd == owner:
                        if not self._talked(event):
                            return
                    elif fd == archive:
                        self._archive.tell()
                    elif fd in self._control:
                        self._reported(*self._control[fd])
                except Exception as fault:  # noqa: BLE001 - the driver of the exchange: every other call goes on
                    self._faulted(fault)

    def _receiver(self) -> Callable[[int, bytes, Address, float], None]:
        """Return what takes a packet: the exchange itself."""
        return self._exchange.receive

    def _talked(self, event: int) -> bool:
        """See to the pair; False when the owner has gone."""
        if event & select.EPOLLOUT:
            self._flush()
        if event & ~select.EPOLLOUT and not self._commands():
            self._flush()
            return False
        self._pace()
        return True

    def _faulted(self, fault: Exception) -> None:
        reason = "".join(traceback.format_exception_only(fault)).strip()
        at = traceback.extract_tb(fault.__traceback__)[-1]
        reason = f"{reason} ({Path(at.filename).name}:{at.lineno})"
        if reason not in self._told and len(self._told) < _MOST_FAULTS:
            self._told.add(reason)
            self._report(Faulted(reason))

    # --- the wire -------------------------------------------------------------------------------------

    def _reported(self, port: int, at: socket.socket) -> None:
        with suppress(OSError):
            data, source = at.recvfrom(_LARGEST_DATAGRAM)
            self._control_taken(port, data, source[:2], time.monotonic())

    def _control_taken(self, port: int, data: bytes, source: Address, now: float) -> None:
        self._exchange.receive_control(port, data, source, now)

    def _send(self, port: int, data: bytes, to: Address) -> None:
        try:
            self._sockets[port].sendto(data, to)
        except OSError:
            return  # as lost as any other packet

    def _wake(self, port: int) -> None:
        if port not in self._awake:
            slot = min(self._slots, key=len)
            self._awake[port] = slot
            slot.add(port)

    def _pace(self) -> None:
        """Let the timer tick as often as somebody needs it."""
        self._timer.every(TICK_S if self._awake else _LOOKING_S if self._exchange.live() else 0.0)

    def _ticked(self) -> None:
        ticks = self._timer.ticks()
        if self._awake:
            self._beat(ticks)
        now = time.monotonic()
        if now >= self._exchange.next_look:
            self._exchange.look(now)
        self._pace()

    def _beat(self, ticks: int) -> None:
        self._slot += max(0, ticks - _CATCH_UP)
        for _ in range(min(ticks, _CATCH_UP)):
            self._slot = (self._slot + 1) % SLOTS
            now = time.monotonic()
            for port in tuple(self._slots[self._slot]):
                if not self._exchange.beat(port, now):
                    self._awake.pop(port).discard(port)

    # --- the pair -------------------------------------------------------------------------------------

    def _commands(self) -> bool:
        """Carry out what was told; False when the owner has gone."""
        while True:
            try:
                data = self._pair.recv(words.LARGEST)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            for told in words.apart(data):
                try:
                    self._carry_out(told)
                except KeyError:
                    continue  # the leg was closed meanwhile
                except Exception as fault:  # noqa: BLE001 - as for packets
                    self._faulted(fault)

    def _carry_out(self, told: words.Words) -> None:
        exchange, leg, now = self._exchange, told.get("leg", ""), time.monotonic()
        match told["do"]:
            case "answer":
                self._say({"answered": True})
            case "open":
                exchange.open(leg, told["port"], now)
            case "connect":
                exchange.connect(leg, words.remote_of(told["remote"]), now)
            case "play":
                exchange.play(leg, words.sound_of(told["sound"]), told["token"])
            case "stop":
                exchange.stop(leg)
            case "bridge":
                exchange.bridge(leg, told["other"])
            case "unbridge":
                exchange.unbridge(leg, told["other"])
            case "join":
                exchange.join(leg, told["room"])
            case "leave":
                exchange.leave(leg)
            case "announce":
                exchange.announce(told["room"], words.sound_of(told["sound"]))
            case "record":
                exchange.record(
                    leg,
                    told["recording"],
                    now,
                    max_s=told["max_s"],
                    silence_s=told["silence_s"],
                    end_keys=told["end_keys"],
                )
            case "record_both":
                exchange.record_both(leg, told["other"], told["recording"], now)
            case "stop_record":
                exchange.stop_record(leg, now)
            case "send_digits":
                exchange.send_digits(leg, told["digits"])
            case "fax":
                exchange.fax(leg, FaxTask(**told["task"]), now)
            case "listen":
                exchange.listen(leg)
            case "close":
                exchange.close(leg, now)
            case "tap":
                exchange.tap(Path(told["folder"]) if told["folder"] else None)

    def _report(self, event: MediaEvent) -> None:
        self._say(words.event_words(event))

    def _say(self, said: words.Words) -> None:
        """Say something when the round of the poll is over, with what else there is to say."""
        self._waiting.append(said)

    def _flush(self) -> None:
        """Say what has come up since the last time."""
        blocked = False
        while self._waiting and not blocked:
            datagram, count = words.together(self._waiting)
            try:
                self._pair.send(datagram)
            except BlockingIOError:
                blocked = True
            except OSError:
                self._waiting.clear()  # the owner has gone; the next read says so
            else:
                for _ in range(count):
                    self._waiting.popleft()
        if blocked is not self._blocked:
            self._blocked = blocked
            self._epoll.modify(self._pair, select.EPOLLIN | select.EPOLLOUT if blocked else select.EPOLLIN)


def main(kind: type[Worker] = Worker) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # sent to the whole group, it is for the owner: it drains, then hangs up
    pair = socket.socket(fileno=int(sys.argv[1]))
    first = pair.recv(words.LARGEST)
    if not first:
        return
    worker = kind(pair, words.apart(first)[0])
    what_stands_stays()
    go_first()
    worker.run()


if __name__ == "__main__":
    main()
