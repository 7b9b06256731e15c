"""Where the pages of faxes are: files of the media process, or a table of the virtual world."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Protocol

from pbx.media.recordings import document_of


class Cabinet(Protocol):
    def put(self, name: str, tiff: bytes) -> None:
        """Keep a document; OSError when the disk refuses."""
        ...

    def get(self, name: str) -> bytes | None:
        """Return a document, None when there is none of that name."""
        ...


class Folder:
    """Files beside the recordings."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, tiff: bytes) -> None:
        path = document_of(self._folder, name)
        if path is None:
            raise OSError(f"{name!r} is not a name for a file")
        temporary = path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            file.write(tiff)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)

    def get(self, name: str) -> bytes | None:
        path = document_of(self._folder, name)
        try:
            return path.read_bytes() if path is not None else None
        except OSError:
            return None


class Table:
    """In memory."""

    def __init__(self, documents: MutableMapping[str, bytes]) -> None:
        self._documents = documents

    def put(self, name: str, tiff: bytes) -> None:
        self._documents[name] = tiff

    def get(self, name: str) -> bytes | None:
        return self._documents.get(name)
