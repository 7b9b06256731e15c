"""µ-law WAV files, 8 kHz mono: the standard library's `wave` reads and writes linear samples only."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from pbx.media.g711 import ALAW_TO_ULAW, SAMPLES_PER_S

_PCMU, _PCMA = 7, 6
_HEADER = struct.Struct("<4sI4s 4sIHHIIHHH 4sII 4sI")


class BadWav(ValueError):
    """Not a G.711 file of 8 kHz, one channel."""


def wrap(ulaw: bytes) -> bytes:
    """Return a whole file: RIFF header with a `fact` chunk, then the samples."""
    size, pad = len(ulaw), len(ulaw) & 1
    header = _HEADER.pack(
        b"RIFF", _HEADER.size - 8 + size + pad, b"WAVE",
        b"fmt ", 18, _PCMU, 1, SAMPLES_PER_S, SAMPLES_PER_S, 1, 8, 0,
        b"fact", 4, size,
        b"data", size,
    )  # fmt: skip
    return header + ulaw + b"\0" * pad


def unwrap(file: bytes) -> bytes:
    """Return the samples as µ-law; BadWav when it is something else.

    A data size beyond the end, as a writer that was killed leaves it, means "up to the end".
    """
    if file[:4] != b"RIFF" or file[8:12] != b"WAVE":
        raise BadWav("not a RIFF/WAVE file")
    at, law = 12, 0
    while at + 8 <= len(file):
        name, size = struct.unpack_from("<4sI", file, at)
        body = file[at + 8 : at + 8 + size]
        if name == b"fmt " and len(body) >= 16:
            law, channels, rate = struct.unpack_from("<HHI", body)
            if law not in (_PCMU, _PCMA) or channels != 1 or rate != SAMPLES_PER_S:
                raise BadWav(f"format {law}, {channels} channels, {rate} Hz")
        elif name == b"data":
            if not law:
                raise BadWav("samples before their format")
            return body.translate(ALAW_TO_ULAW) if law == _PCMA else body
        at += 8 + size + (size & 1)
    raise BadWav("no samples")


def save(path: Path, ulaw: bytes) -> None:
    """Write a file that is there whole or not at all: temporary name, fsync, rename, fsync of the folder."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(wrap(ulaw))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
