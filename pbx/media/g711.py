"""G.711 by tables: µ-law and A-law to and from 16-bit samples, and from one law to the other (ITU-T G.711)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

SILENCE = {"PCMU": b"\xff", "PCMA": b"\xd5"}
"""The octet of a zero sample."""


def _ulaw_to_linear() -> Samples:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return np.where(code & 0x80, 0x84 - magnitude, magnitude - 0x84).astype(np.int16)


def _alaw_to_linear() -> Samples:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment = (code & 0x70) >> 4
    magnitude = (code & 0x0F) << 4
    magnitude = np.where(segment == 0, magnitude + 8, (magnitude + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _nearest(table: Samples) -> npt.NDArray[np.uint8]:
    """For every 16-bit value the code whose decoded value is nearest."""
    order = np.argsort(table, kind="stable")
    values = table[order].astype(np.int32)
    wanted = np.arange(-32768, 32768, dtype=np.int32)
    at = np.clip(np.searchsorted(values, wanted), 1, 255)
    lower = wanted - values[at - 1] <= values[at] - wanted
    return order[np.where(lower, at - 1, at)].astype(np.uint8)


_DECODE = {"PCMU": _ulaw_to_linear(), "PCMA": _alaw_to_linear()}
_ENCODE = {codec: _nearest(table) for codec, table in _DECODE.items()}
_TO_ALAW = bytes(_ENCODE["PCMA"][_DECODE["PCMU"].astype(np.int32) + 32768].tolist())
_TO_ULAW = bytes(_ENCODE["PCMU"][_DECODE["PCMA"].astype(np.int32) + 32768].tolist())


def decode(payload: bytes, codec: str) -> Samples:
    """Return 16-bit samples."""
    return _DECODE[codec][np.frombuffer(payload, dtype=np.uint8)]


def encode(samples: npt.NDArray[np.int16], codec: str) -> bytes:
    return _ENCODE[codec][samples.astype(np.int32) + 32768].tobytes()


def transcode(payload: bytes, source: str, target: str) -> bytes:
    """One law to the other, octet by octet."""
    if source == target:
        return payload
    return payload.translate(_TO_ALAW if target == "PCMA" else _TO_ULAW)
