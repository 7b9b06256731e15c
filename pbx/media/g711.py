"""G.711 companding: our own tables, one look-up a sample; µ-law and A-law into each other by `bytes.translate`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

FRAME_BYTES = 160
"""20 ms at 8 kHz, one byte a sample."""
SAMPLES_PER_S = 8000
FRAMES_PER_S = 50

_ULAW_ENDS = (0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF, 0x1FFF)
_ALAW_ENDS = (0x1F, 0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF)
_ULAW_CLIP = 8159
_ULAW_BIAS = 33


def _to_ulaw(sample: int) -> int:
    """Compand a 16-bit sample. Two bits go before the sign does: the other order moves 381 segment edges."""
    value, mask = sample >> 2, 0xFF
    if value < 0:
        value, mask = -value, 0x7F
    value = min(value, _ULAW_CLIP) + _ULAW_BIAS
    segment = next((at for at, end in enumerate(_ULAW_ENDS) if value <= end), 8)
    if segment >= 8:
        return 0x7F ^ mask
    return (segment << 4 | (value >> (segment + 1)) & 0xF) ^ mask


def _to_alaw(sample: int) -> int:
    value, mask = sample >> 3, 0xD5
    if value < 0:
        value, mask = -value - 1, 0x55
    segment = next((at for at, end in enumerate(_ALAW_ENDS) if value <= end), 8)
    if segment >= 8:
        return 0x7F ^ mask
    return (segment << 4 | (value >> max(segment, 1)) & 0xF) ^ mask


def _from_ulaw(code: int) -> int:
    code = ~code & 0xFF
    value = ((code & 0xF) << 3) + 0x84 << (code >> 4 & 7)
    return 0x84 - value if code & 0x80 else value - 0x84


def _from_alaw(code: int) -> int:
    code ^= 0x55
    value, segment = (code & 0xF) << 4, code >> 4 & 7
    value = value + 8 if segment == 0 else value + 0x108 << (segment - 1)
    return value if code & 0x80 else -value


_ULAW_DECODE = np.array([_from_ulaw(code) for code in range(256)], np.int16)
_ALAW_DECODE = np.array([_from_alaw(code) for code in range(256)], np.int16)

ULAW_TO_ALAW = bytes(_to_alaw(int(sample)) for sample in _ULAW_DECODE)
ALAW_TO_ULAW = bytes(_to_ulaw(int(sample)) for sample in _ALAW_DECODE)
SILENCE = b"\xff" * FRAME_BYTES
"""A frame of nothing, µ-law."""

_encoders: dict[str, NDArray[np.uint8]] = {}


def encode_ulaw(samples: Samples) -> bytes:
    """Compand 16-bit samples to µ-law, one byte each (G.711 table 2a)."""
    return _encoder("ulaw")[samples.view(np.uint16)].tobytes()


def encode_alaw(samples: Samples) -> bytes:
    """Compand 16-bit samples to A-law, one byte each (G.711 table 1a)."""
    return _encoder("alaw")[samples.view(np.uint16)].tobytes()


def decode_ulaw(data: bytes) -> Samples:
    return _ULAW_DECODE[np.frombuffer(data, np.uint8)]


def decode_alaw(data: bytes) -> Samples:
    return _ALAW_DECODE[np.frombuffer(data, np.uint8)]


def _encoder(law: str) -> NDArray[np.uint8]:
    """Return the table of all 65 536 samples, made when first asked for: a relay never encodes."""
    table = _encoders.get(law)
    if table is None:
        compand = _to_ulaw if law == "ulaw" else _to_alaw
        table = np.array([compand(word - 0x10000 if word > 0x7FFF else word) for word in range(0x10000)], np.uint8)
        _encoders[law] = table
    return table


_QUIET = bytes(code for code in range(256) if abs(_from_ulaw(code)) <= 100)
"""-50 dBm0 is 50 in 16-bit samples, root mean square: peaks of such a signal stay below this."""


def is_quiet(ulaw: bytes) -> bool:
    """Tell whether a frame is below about -50 dBm0: a twentieth of its samples may stick out."""
    return len(ulaw.translate(None, _QUIET)) * 20 <= len(ulaw)


def frames_of(ulaw: bytes) -> list[bytes]:
    """Cut into frames of 20 ms, the last one filled up with silence."""
    rest = -len(ulaw) % FRAME_BYTES
    whole = ulaw + SILENCE[:rest]
    return [whole[at : at + FRAME_BYTES] for at in range(0, len(whole), FRAME_BYTES)]
