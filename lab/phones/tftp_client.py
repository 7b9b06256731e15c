"""A phone's TFTP client (RFC 1350 with the options of RFC 2347–2349): reads one file into memory.

What a server says is read by tftpy's packet classes: our server and our phones do not share a misreading.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from tftpy.TftpPacketFactory import TftpPacketFactory
from tftpy.TftpPacketTypes import TftpPacketDAT, TftpPacketERR, TftpPacketOACK
from tftpy.TftpShared import TftpException

from lab.phones.family import Fetched
from pbx.numerals import natural

READ, ACK, ERROR = 1, 4, 5
RETRY_S = 1.0
TRIES = 5
LARGEST_FILE = 4 << 20

# RFC 1350 §5: told as the HTTP status that means the same to a booting phone.
_STATUS_BY_ERROR = {0: 500, 1: 404, 2: 403, 3: 507, 4: 400, 5: 400, 6: 409, 7: 403, 8: 400}

_PACKETS = TftpPacketFactory()
logging.getLogger("tftpy").setLevel(logging.CRITICAL)  # it reports what is reported by the result


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

    def answer(self, data: bytes) -> bytes | None:
        try:
            packet = _PACKETS.parse(data)
        except (TftpException, struct.error, UnicodeDecodeError):
            return None
        match packet:
            case TftpPacketDAT():
                return self._take(packet.blocknumber, packet.data)
            case TftpPacketOACK() if self._expected == 1 and not self._parts:
                return self._agree(packet.options)
            case TftpPacketERR():
                self.result = Fetched(_STATUS_BY_ERROR.get(packet.errorcode, 500))
        return None

    def _agree(self, options: Mapping[str, str]) -> bytes:
        """Take the server's word on the options (RFC 2347); one it was not asked for is refused."""
        for name, value in options.items():
            granted = natural(value)
            if name.lower() == "blksize" and granted is not None and 8 <= granted <= self.block_size:
                self._granted = granted
            elif name.lower() not in ("blksize", "tsize"):
                self.result = Fetched(400)
                return self._send(struct.pack("!HH", ERROR, 8) + b"option not asked for\0")
        return self._send(struct.pack("!HH", ACK, 0))

    def _take(self, number: int, payload: bytes) -> bytes | None:
        if number != self._expected & 0xFFFF:
            # An older block again: its ACK was lost. Never answer twice to the same duplicate with data
            # in between (Sorcerer's Apprentice, RFC 1123 §4.2.3.1): only the last ACK may be repeated.
            return self.last_sent if number == (self._expected - 1) & 0xFFFF and self._parts else None
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
