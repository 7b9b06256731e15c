"""All evidence of a run as one archive, and out of it again."""

from __future__ import annotations

import zipfile
from pathlib import Path

from lab.evidence.bundle import FOLDER

ARCHIVE = "evidence.zip"


def archived(run: Path, archive: Path) -> None:
    """Pack the evidence in a run's folder; OSError when it cannot be."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for path in sorted((run / FOLDER).rglob("*")):
            if path.is_file():
                packed.write(path, path.relative_to(run))


def unpacked(archive: Path, beside: Path) -> None:
    """Lay the evidence of an archive into a folder; OSError or ValueError when it cannot be."""
    try:
        with zipfile.ZipFile(archive) as packed:
            for name in packed.namelist():
                if not name.startswith(f"{FOLDER}/") or ".." in name.split("/"):
                    raise ValueError(f"it has {name!r}, which is no evidence")
            packed.extractall(beside)
    except zipfile.BadZipFile as error:
        raise ValueError(str(error)) from None
