"""G.711 by tables: µ-law and A-law to and from 16-bit samples, and from one law to the other (ITU-T G.711)."""

from __future__ import annotations

from collections.abc import Callable

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


def _linear_to_ulaw() -> npt.NDArray[np.uint8]:
    """For every 16-bit value its code (G.711 table 2a). Two bits go before the sign does: the other order moves 381."""
    value = np.arange(-32768, 32768) >> 2
    magnitude = np.minimum(np.abs(value), 8159) + 33
    segment = np.searchsorted(2 ** np.arange(6, 14) - 1, magnitude)
    code = np.where(segment > 7, 0x7F, segment << 4 | (magnitude >> (segment + 1)) & 0xF)
    return (code ^ np.where(value < 0, 0x7F, 0xFF)).astype(np.uint8)


def _linear_to_alaw() -> npt.NDArray[np.uint8]:
    """For every 16-bit value its code (G.711 table 1a)."""
    value = np.arange(-32768, 32768) >> 3
    magnitude = np.where(value < 0, -value - 1, value)
    segment = np.searchsorted(2 ** np.arange(5, 13) - 1, magnitude)
    code = segment << 4 | (magnitude >> np.maximum(segment, 1)) & 0xF
    return (code ^ np.where(value < 0, 0x55, 0xD5)).astype(np.uint8)


_DECODE = {"PCMU": _ulaw_to_linear(), "PCMA": _alaw_to_linear()}
_ENCODE = {"PCMU": _linear_to_ulaw(), "PCMA": _linear_to_alaw()}
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


def transcoder(source: str, target: str) -> Callable[[bytes], bytes] | None:
    """Return what makes payloads of one law those of the other; None when there is nothing to do."""
    if source == target:
        return None
    table = _TO_ALAW if target == "PCMA" else _TO_ULAW
    return lambda payload: payload.translate(table)
