"""What a softphone records, read while it still grows."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from pbx.media import g711

RATE_HZ = 8000
_HEADER = 44
"""Bytes before the sound of a plain WAV; what recorders write there is whole only at their end."""


class Recording:
    """One file of 16-bit PCM, 8 kHz or a multiple of it; `take` returns what has been added as mu-law."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._at = 0
        self._step = 0
        self._channels = 1

    def take(self) -> bytes:
        """Return what has come since asked last; nothing for a file that is not there yet."""
        try:
            with self.path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self._at:  # baresip begins its file anew when it takes a call back
                    self._at = 0
                if not self._at and not self._begun(file.read(4096)):
                    return b""
                file.seek(self._at)
                added = file.read()
        except OSError:
            return b""
        frame = 2 * self._channels * self._step
        whole = len(added) // frame * frame
        self._at += whole
        samples = np.frombuffer(added[:whole], dtype="<i2")[:: self._channels * self._step]
        return g711.encode(samples, "PCMU")

    def _begun(self, head: bytes) -> bool:
        """Read the header; linphone writes its own last: until then there are as many zeros, and it is 8 kHz mono."""
        if len(head) < _HEADER:
            return False
        if head[:4] == b"RIFF":
            at = head.find(b"data")
            if at < 0:
                return False
            self._at = at + 8
            self._channels = max(int.from_bytes(head[22:24], "little"), 1)
            self._step = max(int.from_bytes(head[24:28], "little") // RATE_HZ, 1)
        else:
            self._at, self._step = _HEADER, 1
        return True
