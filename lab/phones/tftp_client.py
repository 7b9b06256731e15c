"""A phone's TFTP client (RFC 1350 with the options of RFC 2347–2349): reads one file into memory.

Our own, written without a look at the server's engine, so that the two do not share a misreading.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field

from lab.phones.family import Fetched

READ, DATA, ACK, ERROR, OPTIONS = 1, 3, 4, 5, 6
RETRY_S = 1.0
TRIES = 5
LARGEST_FILE = 4 << 20

# RFC 1350 §5: told as the HTTP status that means the same to a booting phone.
_STATUS_BY_ERROR = {0: 500, 1: 404, 2: 403, 3: 507, 4: 400, 5: 400, 6: 409, 7: 403, 8: 400}


@dataclass(slots=True)
class Reading:
    """One transfer as a pure exchange of packets: `answer` takes a packet and returns the reply, or None for none."""

    name: str
    block_size: int = 1428
    """Asked for; 512 and no options at all when 0, as the oldest firmwares do."""
    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0
    _granted: int = 512
    _expected: int = 1
    last_sent: bytes = b""
    result: Fetched | None = None

    def first(self) -> bytes:
        fields = [self.name.encode(), b"octet"]
        if self.block_size:
            fields += [b"blksize", str(self.block_size).encode(), b"tsize", b"0"]
        self.last_sent = struct.pack("!H", READ) + b"".join(item + b"\0" for item in fields)
        return self.last_sent

    def answer(self, packet: bytes) -> bytes | None:
        if len(packet) < 4 and packet[:2] != struct.pack("!H", OPTIONS):
            return None
        (code,) = struct.unpack_from("!H", packet)
        match code:
            case 3:
                return self._take(packet)
            case 6 if self._expected == 1 and not self._parts:
                return self._agree(packet[2:])
            case 5:
                (error,) = struct.unpack_from("!H", packet, 2)
                self.result = Fetched(_STATUS_BY_ERROR.get(error, 500))
        return None

    def _agree(self, raw: bytes) -> bytes:
        """Take the server's word on the options (RFC 2347); one it was not asked for is refused."""
        words = raw.split(b"\0")[:-1]
        for name, value in zip(words[::2], words[1::2], strict=False):
            if name.lower() == b"blksize" and value.isdigit() and len(value) < 6 and 8 <= int(value) <= self.block_size:
                self._granted = int(value)
            elif name.lower() not in (b"blksize", b"tsize"):
                self.result = Fetched(400)
                return self._send(struct.pack("!HH", ERROR, 8) + b"option not asked for\0")
        return self._send(struct.pack("!HH", ACK, 0))

    def _take(self, packet: bytes) -> bytes | None:
        (number,) = struct.unpack_from("!H", packet, 2)
        if number != self._expected & 0xFFFF:
            # An older block again: its ACK was lost. Never answer twice to the same duplicate with data
            # in between (Sorcerer's Apprentice, RFC 1123 §4.2.3.1): only the last ACK may be repeated.
            return self.last_sent if number == (self._expected - 1) & 0xFFFF and self._parts else None
        payload = packet[4:]
        self._parts.append(payload)
        self._size += len(payload)
        self._expected += 1
        if self._size > LARGEST_FILE:
            self.result = Fetched(507)
            return self._send(struct.pack("!HH", ERROR, 3) + b"too large\0")
        if len(payload) < self._granted:
            self.result = Fetched(200, b"".join(self._parts))
        return self._send(struct.pack("!HH", ACK, number))

    def _send(self, packet: bytes) -> bytes:
        self.last_sent = packet
        return packet


class _Socket(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.arrived: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.arrived.put_nowait((data, addr))

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there (ICMP): the retries run out and say so."""


async def read(
    host: str, port: int, name: str, *, source: str = "127.0.0.1", block_size: int = 1428, retry_s: float = RETRY_S
) -> Fetched:
    """Read `name`; status 0 when nobody answers."""
    loop = asyncio.get_running_loop()
    transport, socket = await loop.create_datagram_endpoint(_Socket, local_addr=(source, 0))
    reading = Reading(name, block_size)
    peer: tuple[str, int] | None = None
    try:
        transport.sendto(reading.first(), (host, port))
        tries = 1
        while reading.result is None:
            try:
                async with asyncio.timeout(retry_s):
                    packet, address = await socket.arrived.get()
            except TimeoutError:
                if tries >= TRIES:
                    return Fetched(0)
                tries += 1
                transport.sendto(reading.last_sent, peer or (host, port))
                continue
            if peer is None:
                peer = address
            if address != peer:
                transport.sendto(struct.pack("!HH", ERROR, 5) + b"unknown transfer\0", address)
                continue
            tries = 1
            reply = reading.answer(packet)
            if reply is not None:
                transport.sendto(reply, peer)
        return reading.result
    finally:
        transport.close()
