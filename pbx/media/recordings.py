"""Recordings as they lie in their folder: found by name, read from any second on."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pbx.domain.sounds import Recording as Recording
from pbx.media import wav

_NAME = re.compile(r"[\w][\w.+-]{0,120}\Z")
_RATE, _FRAME = 8000, 160


def path_of(folder: Path, name: str) -> Path | None:
    """Return where a recording of that name lies; None when it is not a name for a file."""
    return folder / f"{name}.wav" if _NAME.match(name) else None


def document_of(folder: Path, name: str) -> Path | None:
    """Return where the pages of a fax of that name lie; None when it is not a name for a file."""
    return folder / f"{name}.tif" if _NAME.match(name) else None


def make_durable(path: Path) -> None:
    """Have a file and its name on the disk; OSError says why they are not."""
    for one in (path, path.parent):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def octets(folder: Path, recording: Recording) -> bytes:
    """Return whole frames of µ-law from its `from_s` on; OSError or BadWav says why there are none."""
    path = path_of(folder, recording.name)
    if path is None:
        raise wav.BadWav("not a name for a file")
    samples = wav.read_wav(path)[round(recording.from_s * _RATE) // _FRAME * _FRAME :]
    return samples + b"\xff" * (-len(samples) % _FRAME)
