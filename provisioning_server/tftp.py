"""One TFTP transfer as a pure machine (RFC 1350, 2347, 2348, 2349, 7440): bytes and moments in, bytes out.

tftpy's packet classes read the request, guarded; everything after it is our own. Options are compared without case,
only what was asked for is acknowledged, a duplicate ACK never repeats DATA (RFC 1123 §4.2.3.1).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from mmap import mmap

from tftpy.TftpPacketFactory import TftpPacketFactory
from tftpy.TftpPacketTypes import TftpPacketRRQ, TftpPacketWRQ

RRQ, WRQ, DATA, ACK, ERROR, OACK = 1, 2, 3, 4, 5, 6
NOT_DEFINED, NOT_FOUND, ACCESS_VIOLATION, ILLEGAL_OPERATION = 0, 1, 2, 4
"""Codes of errors."""
DEFAULT_BLOCK = 512
RETRY_S = (1.0, 2.0, 4.0, 4.0, 4.0)
"""Pauses before each repetition; then the transfer is given up."""
PATIENCE_S = 30
"""A client may ask for longer pauses, but for no more of them than fit in here: the vanished must free their place."""
LONGEST_REQUEST = 1024
"""RFC 2347 allows 512; a longer first packet is work for the parser and nothing else."""
LARGEST_WINDOW = 64
"""Blocks sent at once: more would only overrun a phone's receive buffer."""

_PACKETS = TftpPacketFactory()
_HEAD = struct.Struct("!HH")
"""Opcode, and the block of DATA and ACK or the code of ERROR."""
_head, _head_of = _HEAD.pack, _HEAD.unpack_from


@dataclass(frozen=True, slots=True)
class ReadRequest:
    name: str
    options: Mapping[str, str]
    """Names in lower case."""


class Refused(Exception):
    """A first packet that starts no transfer; `packet` answers it, empty for silence."""

    def __init__(self, packet: bytes, reason: str) -> None:
        super().__init__(reason)
        self.packet = packet


def error(code: int, text: str) -> bytes:
    return _head(ERROR, code) + text.encode("ascii", "replace") + b"\0"


def read_request(data: bytes) -> ReadRequest:
    """Read a first packet; Refused says what to answer."""
    if len(data) < 4 or int.from_bytes(data[:2], "big") not in (RRQ, WRQ):
        raise Refused(b"", "not a request")
    if len(data) > LONGEST_REQUEST:
        raise Refused(error(ILLEGAL_OPERATION, "request too long"), f"a request of {len(data)} bytes")
    try:
        packet = _PACKETS.parse(data)
    except Exception as fault:  # noqa: BLE001 - tftpy raises whatever comes to hand on malformed bytes
        raise Refused(error(ILLEGAL_OPERATION, "malformed request"), f"{type(fault).__name__}: {fault}"[:120]) from None
    if isinstance(packet, TftpPacketWRQ):
        raise Refused(error(ACCESS_VIOLATION, "this server takes no files"), "write request")
    assert isinstance(packet, TftpPacketRRQ)
    mode = _text(packet.mode).lower()
    if mode != "octet":
        raise Refused(error(ILLEGAL_OPERATION, "only octet mode is served"), f"mode {mode[:20]!r}")
    options = {_text(name).lower(): _text(value) for name, value in (packet.options or {}).items()}
    return ReadRequest(_text(packet.filename), options)


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _accepted(options: Mapping[str, str], size: int) -> dict[str, int]:
    """Return the options taken, in the order asked; what is out of range or unknown is ignored (RFC 2347)."""
    taken: dict[str, int] = {}
    for name, text in options.items():
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            continue
        value = int(text)
        if name == "blksize" and value >= 8:
            taken[name] = min(value, 65464)
        elif name == "timeout" and 1 <= value <= PATIENCE_S // 2:
            taken[name] = value
        elif name == "tsize":
            taken[name] = size
        elif name == "windowsize" and 1 <= value <= 65535:
            taken[name] = min(value, LARGEST_WINDOW)
    return taken


def _pauses(timeout_s: int) -> tuple[float, ...]:
    return (float(timeout_s),) * min(5, PATIENCE_S // timeout_s)


class Transfer:
    """Sends one file; `take` and `tick` return the packets to send. `done` when nothing is left to do."""

    def __init__(self, body: bytes | mmap, options: Mapping[str, str], now: float) -> None:
        taken = _accepted(options, len(body))
        self._body = body
        self._block = taken.get("blksize", DEFAULT_BLOCK)
        self._window = taken.get("windowsize", 1)
        self._retries = _pauses(taken["timeout"]) if "timeout" in taken else RETRY_S
        self._last = len(body) // self._block + 1
        """Number of the final block: a multiple of the size ends with an empty one."""
        self._acked = -1 if taken else 0
        """Highest block acknowledged; -1 while the OACK is not."""
        self._sent = 0
        self._oack = taken
        self._tried = 0
        self._deadline = now
        self.done = False

    def start(self, now: float) -> list[bytes]:
        if self._oack:
            pairs = b"".join(f"{name}\0{value}\0".encode() for name, value in self._oack.items())
            return self._armed([struct.pack("!H", OACK) + pairs], now)
        return self._fill(now)

    def take(self, data: bytes, now: float) -> list[bytes]:
        """Take a packet of the peer."""
        if self.done or len(data) < 4:
            return []
        code, number = _head_of(data)
        if code != ACK:
            self.done = True
            # An ERROR is also how a client ends after asking only for tsize.
            return [] if code == ERROR else [error(ILLEGAL_OPERATION, "an ACK was expected")]
        block = self._block_of(number)
        if block is None or block <= self._acked:
            return []
        self._acked = self._sent = block
        self._tried = 0
        if block >= self._last:
            self.done = True
            return []
        return self._fill(now)

    def tick(self, now: float) -> list[bytes]:
        """Repeat what was not acknowledged; give up after five times."""
        if self.done or now < self._deadline:
            return []
        if self._tried >= len(self._retries):
            self.done = True
            return []
        self._tried += 1
        if self._acked < 0:
            return self.start(now)
        self._sent = self._acked
        return self._fill(now)

    @property
    def deadline(self) -> float:
        return self._deadline

    @property
    def awaits_last_ack(self) -> bool:
        """Everything has been sent: for a client that asks again, this transfer is over."""
        return self._acked >= 0 and self._sent == self._last

    def _fill(self, now: float) -> list[bytes]:
        body, size, sent = self._body, self._block, self._sent
        upto, packets = min(self._last, sent + self._window), []
        while sent < upto:
            begin = sent * size
            sent += 1
            packets.append(_head(DATA, sent & 0xFFFF) + body[begin : begin + size])
        self._sent = sent
        return self._armed(packets, now)

    def _armed(self, packets: list[bytes], now: float) -> list[bytes]:
        self._deadline = now + self._retries[min(self._tried, len(self._retries) - 1)]
        return packets

    def _block_of(self, number: int) -> int | None:
        """The block a 16-bit number means: the newest sent with these bits (block numbers roll over to 0)."""
        if self._acked < 0:
            return 0 if number == 0 else None
        block = self._sent & ~0xFFFF | number
        if block > self._sent:
            block -= 0x10000
        return block if block >= 0 else None
