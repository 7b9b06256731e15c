"""Where uploads lie: `<folder>/<mac>/<name>`, each written beside and put in place whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from provisioning_server.uploads import Sent


@dataclass(frozen=True, slots=True)
class Kept:
    name: str
    size: int
    at: datetime


class UploadFolder:
    """Names come from manifests alone, so that no phone chooses where it writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, sent: Sent, body: bytes) -> None:
        """Put it in place of the one before; OSError leaves that one."""
        path = self._path(sent.mac, sent.name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with beside.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise

    def read(self, mac: str, name: str) -> bytes | None:
        """Return what a box has sent under a name; None when it has not."""
        try:
            return self._path(mac, name).read_bytes()
        except OSError:
            return None

    def of(self, mac: str) -> list[Kept]:
        """Return what a box has sent, by name."""
        found = []
        for path in sorted((self._folder / mac).glob("[!.]*")):
            known = path.stat()
            found.append(Kept(path.name, known.st_size, datetime.fromtimestamp(known.st_mtime, UTC)))
        return found

    def _path(self, mac: str, name: str) -> Path:
        return self._folder / mac / name.replace("/", "_")
