"""RTCP packets (RFC 3550 §6, RFC 3611): read tolerantly, written strictly, no state."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

SR, RR, SDES, BYE, XR = 200, 201, 202, 203, 207
_CNAME = 1
_VOIP_METRICS = 7
_VOIP_WORDS = 8
_HEAD = struct.Struct("!BBH")
_BLOCK = struct.Struct("!IB3sIIII")
_SENDER = struct.Struct("!QIII")
_VOIP = struct.Struct("!IBBBBHHHHBBBBBBBBBxHHH")
_MOST_BLOCKS = 31
UNAVAILABLE = 127
"""A figure of VoIP metrics nobody measured (RFC 3611 §4.7)."""


@dataclass(frozen=True, slots=True)
class Block:
    """What a receiver says of one source (§6.4.1)."""

    ssrc: int
    fraction: float
    """Lost since the report before, 0…1."""
    lost: int
    highest: int
    jitter: int
    """In timestamp units."""
    last_sr: int
    """Middle 32 bits of the NTP time of the source's last report; 0 when it sent none."""
    since_sr: int
    """In 1/65536 seconds."""


@dataclass(frozen=True, slots=True)
class Report:
    """SR or RR."""

    ssrc: int
    blocks: tuple[Block, ...]
    ntp: int | None = None
    """64 bits; None in a receiver report."""
    timestamp: int = 0
    packets: int = 0
    octets: int = 0


@dataclass(frozen=True, slots=True)
class Names:
    """SDES: canonical names by SSRC."""

    cnames: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Goodbye:
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VoipMetrics:
    """A source as its listener has it (RFC 3611 §4.7): ratios 0…1, times in ms, MOS 1…5."""

    ssrc: int
    loss: float
    discarded: float
    burst_density: float
    gap_density: float
    burst_ms: int
    gap_ms: int
    round_trip_ms: int
    end_delay_ms: int
    rating: int
    """R factor of the E-model, 0…100."""
    mos_listening: float
    mos_conversation: float
    buffer_ms: int


@dataclass(frozen=True, slots=True)
class Extended:
    ssrc: int
    metrics: tuple[VoipMetrics, ...]


Control = Report | Names | Goodbye | Extended


def is_control(data: bytes) -> bool:
    """Tell RTCP from RTP on one port: its second octet is what no RTP payload type may make (RFC 5761 §4)."""
    return len(data) > 1 and 192 <= data[1] <= 223


def read(data: bytes) -> list[Control] | None:
    """Return the packets of a compound we know; None when it is no RTCP (§A.2: versions and lengths must add up)."""
    found: list[Control] = []
    at = 0
    while at < len(data):
        if len(data) - at < 4:
            return None
        first, kind, words = _HEAD.unpack_from(data, at)
        end = at + 4 * (words + 1)
        if first >> 6 != 2 or end > len(data):
            return None
        body = data[at + 4 : end]
        if first & 0x20:
            if end != len(data) or not body or not 0 < body[-1] <= len(body):
                return None
            body = body[: -body[-1]]
        try:
            packet = _packet(kind, first & 0x1F, body)
        except (struct.error, IndexError):
            return None
        if packet is not None:
            found.append(packet)
        at = end
    return found or None


def pack(packets: Sequence[Control]) -> bytes:
    """Write a compound; a report comes first (§6.1)."""
    return b"".join(_packed(packet) for packet in packets)


def middle(ntp: int) -> int:
    """Return the middle 32 bits of an NTP time."""
    return ntp >> 16 & 0xFFFFFFFF


def ntp_of(seconds: float) -> int:
    """Return seconds of any clock as a 64-bit NTP number (§4: elapsed time will do)."""
    return int(seconds * 0x100000000) & 0xFFFFFFFFFFFFFFFF


# --- reading --------------------------------------------------------------------------------------------


def _packet(kind: int, count: int, body: bytes) -> Control | None:
    """struct.error or IndexError when it is shorter than it says."""
    match kind:
        case 200:
            (ssrc,) = struct.unpack_from("!I", body)
            ntp, timestamp, packets, octets = _SENDER.unpack_from(body, 4)
            return Report(ssrc, _blocks(body, 24, count), ntp, timestamp, packets, octets)
        case 201:
            (ssrc,) = struct.unpack_from("!I", body)
            return Report(ssrc, _blocks(body, 4, count))
        case 202:
            return Names(tuple(_chunks(body, count)))
        case 203:
            return Goodbye(struct.unpack_from(f"!{count}I", body))
        case 207:
            (ssrc,) = struct.unpack_from("!I", body)
            return Extended(ssrc, tuple(_metrics(body)))
    return None


def _blocks(body: bytes, start: int, count: int) -> tuple[Block, ...]:
    blocks = []
    for at in range(start, start + _BLOCK.size * count, _BLOCK.size):
        ssrc, fraction, lost, highest, jitter, last_sr, since = _BLOCK.unpack_from(body, at)
        signed = int.from_bytes(lost, "big", signed=True)
        blocks.append(Block(ssrc, fraction / 256, signed, highest, jitter, last_sr, since))
    return tuple(blocks)


def _chunks(body: bytes, count: int) -> list[tuple[int, str]]:
    names, at = [], 0
    for _ in range(count):
        (ssrc,) = struct.unpack_from("!I", body, at)
        at += 4
        while body[at]:
            kind, length = body[at], body[at + 1]
            text = body[at + 2 : at + 2 + length]
            if kind == _CNAME:
                names.append((ssrc, text.decode("utf-8", "replace")))
            at += 2 + length
        at += 4 - at % 4
    return names


def _metrics(body: bytes) -> list[VoipMetrics]:
    found, at = [], 4
    while at + 4 <= len(body):
        kind, _, words = _HEAD.unpack_from(body, at)
        if kind == _VOIP_METRICS and words == _VOIP_WORDS:
            it = _VOIP.unpack_from(body, at + 4)
            found.append(
                VoipMetrics(
                    it[0], it[1] / 256, it[2] / 256, it[3] / 256, it[4] / 256, it[5], it[6], it[7], it[8],
                    it[13], it[15] / 10, it[16] / 10, it[18],
                )
            )  # fmt: skip
        at += 4 + 4 * words
    return found


# --- writing --------------------------------------------------------------------------------------------


def _packed(packet: Control) -> bytes:
    match packet:
        case Report(ssrc=ssrc, blocks=blocks, ntp=ntp):
            sender = b"" if ntp is None else _SENDER.pack(ntp, packet.timestamp, packet.packets, packet.octets)
            body = struct.pack("!I", ssrc) + sender + b"".join(_block(block) for block in blocks[:_MOST_BLOCKS])
            return _with_head(RR if ntp is None else SR, len(blocks), body)
        case Names(cnames=cnames):
            return _with_head(SDES, len(cnames), b"".join(_chunk(ssrc, name) for ssrc, name in cnames))
        case Goodbye(ssrcs=ssrcs):
            return _with_head(BYE, len(ssrcs), struct.pack(f"!{len(ssrcs)}I", *ssrcs))
        case Extended(ssrc=ssrc, metrics=metrics):
            return _with_head(XR, 0, struct.pack("!I", ssrc) + b"".join(_voip(it) for it in metrics))


def _with_head(kind: int, count: int, body: bytes) -> bytes:
    return _HEAD.pack(0x80 | count, kind, len(body) // 4) + body


def _block(it: Block) -> bytes:
    lost = max(-0x800000, min(it.lost, 0x7FFFFF)).to_bytes(3, "big", signed=True)
    return _BLOCK.pack(
        it.ssrc, _ratio(it.fraction), lost, it.highest & 0xFFFFFFFF, it.jitter & 0xFFFFFFFF, it.last_sr, it.since_sr
    )


def _chunk(ssrc: int, name: str) -> bytes:
    text = name.encode()[:255]
    chunk = struct.pack("!IBB", ssrc, _CNAME, len(text)) + text
    return chunk + bytes(4 - len(chunk) % 4)


def _voip(it: VoipMetrics) -> bytes:
    ratios = (_ratio(it.loss), _ratio(it.discarded), _ratio(it.burst_density), _ratio(it.gap_density))
    times = tuple(min(ms, 0xFFFF) for ms in (it.burst_ms, it.gap_ms, it.round_trip_ms, it.end_delay_ms))
    # Levels are not measured; Gmin is the recommended 16; the buffer is fixed, its loss concealment unspecified.
    levels = (UNAVAILABLE, UNAVAILABLE, UNAVAILABLE, 16)
    sound = (it.rating, UNAVAILABLE, round(it.mos_listening * 10), round(it.mos_conversation * 10), 0)
    buffers = (it.buffer_ms, it.buffer_ms, it.buffer_ms)
    body = _VOIP.pack(it.ssrc, *ratios, *times, *levels, *sound, *buffers)
    return _HEAD.pack(_VOIP_METRICS, 0, _VOIP_WORDS) + body


def _ratio(share: float) -> int:
    return max(0, min(int(share * 256), 255))
