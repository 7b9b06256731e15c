"""µ-law WAV files, which the standard library does not write: read, and written so that a crash loses nothing."""

from __future__ import annotations

import os
import struct
from pathlib import Path

_ULAW = 7
_RATE = 8000
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


class BadWav(ValueError):
    """A file that is no 8 kHz mono µ-law WAV."""


def write_wav(path: Path, payload: bytes) -> None:
    """Write to a name of its own, sync, rename, sync the folder: the file is there whole or not at all; OSError."""
    temporary = path.with_suffix(".tmp")
    try:
        with temporary.open("wb") as file:
            file.write(mono(payload))
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)  # half a file on a full disk helps nobody
        raise
    _sync_folder(path)


def mono(payload: bytes) -> bytes:
    """Return a whole file of µ-law octets."""
    return _header(1, len(payload)) + payload


class StereoFile:
    """A file of two channels that grows; under its name, and whole, once it is finished. OSError may come."""

    def __init__(self, path: Path) -> None:
        self._path, self._temporary = path, path.with_suffix(".tmp")
        self._octets = 0
        self._file = self._temporary.open("wb")
        self._file.write(_header(2, 0))

    def write(self, payload: bytes) -> None:
        """Append µ-law octets, left and right by turns."""
        self._file.write(payload)
        self._octets += len(payload)

    def finish(self) -> float:
        """Write the true length, sync and name the file; return its seconds."""
        self._file.seek(0)
        self._file.write(_header(2, self._octets))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._temporary.rename(self._path)
        _sync_folder(self._path)
        return self._octets / (2 * _RATE)

    def abandon(self) -> None:
        self._file.close()
        self._temporary.unlink(missing_ok=True)


def _header(channels: int, octets: int) -> bytes:
    rate = _RATE * channels
    return _HEADER.pack(
        b"RIFF", 36 + octets, b"WAVE", b"fmt ", 16, _ULAW, channels, _RATE, rate, channels, 8, b"data", octets
    )


def _sync_folder(path: Path) -> None:
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
    at, codec, channels = 12, 0, 0
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"fmt ":
            codec, channels = struct.unpack_from("<HH", data, at + 8)
        if name == b"data":
            if codec != _ULAW:
                raise BadWav(f"{path} is not mu-law")
            if channels != 1:
                raise BadWav(f"{path} has {channels} channels")
            return data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    raise BadWav(f"{path} has no sound in it")
