"""WAV files of 8 kHz mono mu-law: written whole, read tolerantly of extra chunks (RIFF, WAVE_FORMAT_MULAW = 7)."""

from __future__ import annotations

import os
import struct
from pathlib import Path

RATE = 8000
FRAME = 160
"""Samples, and bytes, of 20 ms."""
QUIET = 0xFF
"""Zero in mu-law."""
_MULAW = 7


class BadWav(ValueError):
    """Not an 8 kHz mono mu-law WAV file."""


def wav(samples: bytes) -> bytes:
    """Return a WAV file of mu-law samples."""
    padded = samples + b"\0" * (len(samples) % 2)
    form = struct.pack("<HHIIHHH", _MULAW, 1, RATE, RATE, 1, 8, 0)
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(form)) + form
    body += b"fact" + struct.pack("<II", 4, len(samples))
    body += b"data" + struct.pack("<I", len(samples)) + padded
    return b"RIFF" + struct.pack("<I", len(body)) + body


def samples_of(data: bytes) -> bytes:
    """Return the mu-law samples of a WAV file."""
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise BadWav("not a RIFF WAVE file")
    at, known = 12, False
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if kind == b"fmt ":
            if len(body) < 16 or struct.unpack_from("<HHI", body) != (_MULAW, 1, RATE):
                raise BadWav("not 8 kHz mono mu-law")
            known = True
        elif kind == b"data":
            if not known:
                raise BadWav("samples before their format")
            return body
        at += 8 + size + size % 2
    raise BadWav("no samples")


def framed(samples: bytes) -> list[bytes]:
    """Cut samples into 20 ms, the last one padded with silence."""
    padded = samples + bytes([QUIET]) * (-len(samples) % FRAME)
    return [padded[at : at + FRAME] for at in range(0, len(padded), FRAME)]


def write_whole(path: Path, samples: bytes) -> None:
    """Write the file so that it is there whole or not at all, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(wav(samples))
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
