"""The journal of a run on the disk: each line is there before the next case begins, whatever becomes of the process."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO


class JournalFile:
    """Appends lines to a file begun with the first one; a disk that takes no more ends it (`problem`), not the run."""

    def __init__(self, path: Path) -> None:
        self.problem = ""
        self._path = path
        self._file: TextIO | None = None

    def say(self, line: str) -> None:
        if self.problem:
            return
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("w", encoding="utf-8", errors="replace")
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            self.problem = error.strerror or str(error)

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                self.problem = error.strerror or str(error)
