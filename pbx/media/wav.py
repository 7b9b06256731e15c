"""µ-law WAV files, which the standard library does not write: read, and written so that a crash loses nothing."""

from __future__ import annotations

import os
import struct
from pathlib import Path

_ULAW = 7
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


class BadWav(ValueError):
    """A file that is no 8 kHz mono µ-law WAV."""


def write_wav(path: Path, payload: bytes) -> None:
    """Write to a name of its own, sync, rename, sync the folder: the file is there whole or not at all; OSError."""
    temporary = path.with_suffix(".tmp")
    header = _HEADER.pack(
        b"RIFF", 36 + len(payload), b"WAVE", b"fmt ", 16, _ULAW, 1, 8000, 8000, 1, 8, b"data", len(payload)
    )
    try:
        with temporary.open("wb") as file:
            file.write(header + payload)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)  # half a file on a full disk helps nobody
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_wav(path: Path) -> bytes:
    """Return the µ-law octets; BadWav names the file."""
    data = path.read_bytes()
    if len(data) < 44 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise BadWav(f"{path} is no WAV file")
    at, codec = 12, 0
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"fmt ":
            codec = int.from_bytes(data[at + 8 : at + 10], "little")
        if name == b"data":
            if codec != _ULAW:
                raise BadWav(f"{path} is not mu-law")
            return data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    raise BadWav(f"{path} has no sound in it")
