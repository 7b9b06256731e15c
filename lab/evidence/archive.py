"""All evidence of a run as one archive, and out of it again."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from lab.evidence.bundle import FOLDER
from test_plans.report.document import Document

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


def brought(it: Document, beside: Path, earlier: Path) -> None:
    """Bring evidence that a document tells of beside its page, from where it lay before.

    What is not there any more is told instead of linked.
    """
    for case in it["cases"]:
        there, gone = [], []
        for one in case["evidence"]:
            if (beside / one["path"]).is_file() or _copied(earlier / one["path"], beside / one["path"]):
                there.append(one)
            else:
                gone.append(f"{one['title']}: {one['path']} is not there any more")
        case["evidence"], case["problems"] = there, [*case["problems"], *gone]


def _copied(source: Path, to: Path) -> bool:
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, to)
    except OSError:
        return False
    return True
