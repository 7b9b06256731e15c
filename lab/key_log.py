"""The secrets of TLS connections (NSS key log), for who has captured the wire and wants to read it.

They are kept only while a setting asks for it, in a file its owner alone may read, and those of an earlier start go.
"""

from __future__ import annotations

import os
from pathlib import Path

FILE = "key.log"
MOST_READ = 4 * 1024 * 1024
"""Octets of the newest secrets that are handed out: some five thousand connections."""


def begun(folder: Path) -> Path:
    """Begin an empty key log in a folder; return its path."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = without(folder) / FILE
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return path


def without(folder: Path) -> Path:
    """Leave no key log in a folder; return the folder."""
    (folder / FILE).unlink(missing_ok=True)
    return folder


def newest(path: Path | None) -> bytes:
    """Return whole lines of the log, the newest when they are many; nothing without a log."""
    if path is None:
        return b""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - MOST_READ))
        if size > MOST_READ:
            file.readline()
        return file.read()
