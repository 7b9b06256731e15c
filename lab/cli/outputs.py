"""Writing the files the user named: looked at before a run, so that no verdict is lost to a bad path."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from lab.errors import NO_START, UserError


def look_at(paths: Iterable[Path | None]) -> None:
    """Make the folders of files to come; refuse what could not be written."""
    for path in paths:
        if path is None:
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(path, f"{path.parent}: {error.strerror}") from None
        if path.is_dir():
            raise _unwritable(path, "it is a folder")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise _unwritable(path, "permission denied")


def write_all(documents: Mapping[Path, str | bytes]) -> None:
    for path, content in documents.items():
        try:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        except OSError as error:
            raise _unwritable(path, error.strerror or str(error)) from None


def _unwritable(path: Path, why: str) -> UserError:
    return UserError(f"{path} cannot be written", why, "name another file", "README, exit codes", NO_START)
