"""A snapshot: all a data folder holds, as it was at one moment, in one file.

It is taken while a switchroom runs, too. Databases are copied by SQLite itself, and the other files once before that
and once after, as far as they are new or have changed: so whatever a row of the copy names was there in one pass. What
no row names goes with the next start. A restore looks at everything before it touches anything, and keeps what was
there in a folder beside.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, ValidationError

from pbx.store.database import FILE, LOCK, CannotOpen, FolderLock, prepare

FORM = 1
MANIFEST = "snapshot.json"
_STAGED, _ASIDE = ".snapshot-", "before-restore-"
_NOT_COPIED = frozenset({LOCK, FILE, f"{FILE}-wal", f"{FILE}-shm"})
_PIECE = 1 << 20


class BadSnapshot(ValueError):
    """The file cannot be restored; the text says why."""


class Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    octets: int
    sha256: str


class Manifest(BaseModel):
    """What stands first in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    form: int
    switchroom: str
    """Version of the program that took it."""
    taken: str
    files: Mapping[str, Kept]


@dataclass(frozen=True, slots=True)
class Restored:
    manifest: Manifest
    aside: Path | None
    """Where what was there before is; None where there was nothing."""


def save(folder: Path, out: Path, now: datetime) -> Manifest:
    """Write what `folder` holds to `out`, readable by its owner alone: it holds the secret. BadSnapshot, OSError."""
    if not (folder / FILE).is_file():
        raise BadSnapshot(f"{folder} is no data folder: there is no {FILE}")
    with tempfile.TemporaryDirectory(prefix="switchroom-snapshot-") as made:
        staged = Path(made)
        _copy_files(folder, staged)
        for database in folder.rglob(FILE):
            if _is_content(folder, database):
                _copy_database(database, staged / database.relative_to(folder))
        _copy_files(folder, staged)
        files = {path.relative_to(staged).as_posix(): path for path in sorted(staged.rglob("*")) if path.is_file()}
        manifest = Manifest(
            form=FORM, switchroom=version("switchroom"), taken=now.isoformat(timespec="seconds"),
            files={name: Kept(octets=path.stat().st_size, sha256=_digest(path)) for name, path in files.items()},
        )  # fmt: skip
        beside = out.with_name(f"{out.name}.part")
        try:
            beside.touch(mode=0o600)
            with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(MANIFEST, manifest.model_dump_json(indent=1))
                for name, path in files.items():
                    archive.write(path, name)
            beside.replace(out)
        finally:
            beside.unlink(missing_ok=True)
    return manifest


def read(file: Path) -> Manifest:
    """Return what a snapshot says of itself; BadSnapshot where it is none, or of a newer kind. OSError may come."""
    try:
        with zipfile.ZipFile(file) as archive:
            return _manifest(archive)
    except zipfile.BadZipFile as error:
        raise BadSnapshot(f"{file} is no snapshot: {error}") from None


def restore(file: Path, folder: Path, now: datetime) -> Restored:
    """Put a snapshot in the place of what `folder` holds. BadSnapshot, CannotOpen while it is in use, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with closing(FolderLock(folder)), tempfile.TemporaryDirectory(prefix=_STAGED, dir=folder) as made:
        staged = Path(made)
        try:
            with zipfile.ZipFile(file) as archive:
                manifest = _manifest(archive)
                for name, kept in manifest.files.items():
                    _unpack(archive, name, kept, staged / name)
        except (zipfile.BadZipFile, EOFError, ValueError) as error:
            raise error if isinstance(error, BadSnapshot) else BadSnapshot(f"{file} is damaged: {error}") from None
        for database in staged.rglob(FILE):
            try:
                prepare(database.parent)
            except CannotOpen as error:
                raise BadSnapshot(f"{file}: {error}") from None
        there = [path for path in folder.iterdir() if path.name != LOCK and not path.name.startswith((_STAGED, _ASIDE))]
        aside = folder / f"{_ASIDE}{now:%Y%m%d-%H%M%S-%f}" if there else None
        if aside is not None:
            aside.mkdir(mode=0o700)
            for path in there:
                path.rename(aside / path.name)
        for path in list(staged.iterdir()):
            path.rename(folder / path.name)
    return Restored(manifest, aside)


def _is_content(folder: Path, path: Path) -> bool:
    return not path.relative_to(folder).parts[0].startswith((_STAGED, _ASIDE))


def _copy_files(folder: Path, staged: Path) -> None:
    """Copy what is not there yet as it is now; what vanishes meanwhile was about to go."""
    for path in _files(folder):
        copy = staged / path.relative_to(folder)
        try:
            now = path.stat()
            if copy.exists() and (copy.stat().st_size, copy.stat().st_mtime_ns) == (now.st_size, now.st_mtime_ns):
                continue
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
        except FileNotFoundError:
            copy.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.name not in _NOT_COPIED and _is_content(folder, path):
            yield path


def _copy_database(path: Path, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.touch(mode=0o600)
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source:
            with closing(sqlite3.connect(copy)) as target:
                source.backup(target)
                target.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
    except sqlite3.Error as error:
        raise BadSnapshot(f"{path} cannot be copied: {error}") from None


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    try:
        with archive.open(MANIFEST) as text:
            told = json.loads(text.read(64 * _PIECE))
    except (KeyError, ValueError) as error:
        raise BadSnapshot(f"{archive.filename} is no snapshot: {MANIFEST}: {error}") from None
    if isinstance(told, dict) and isinstance(told.get("form"), int) and told["form"] > FORM:
        raise BadSnapshot(
            f"{archive.filename} was taken by a newer switchroom ({told.get('switchroom')}, form {told['form']})"
        )
    try:
        manifest = Manifest.model_validate(told)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadSnapshot(f"{archive.filename} is no snapshot: {MANIFEST}: {where}: {first['msg']}") from None
    if FILE not in manifest.files:
        raise BadSnapshot(f"{archive.filename} holds no {FILE}")
    for name in manifest.files:
        parts = PurePosixPath(name).parts
        if name.startswith("/") or ".." in parts or not parts or "\\" in name or parts[-1] == LOCK:
            raise BadSnapshot(f"{archive.filename}: {name!r} is no name of a file in a data folder")
    return manifest


def _unpack(archive: zipfile.ZipFile, name: str, kept: Kept, to: Path) -> None:
    to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    to.touch(mode=0o600)
    digest, left = hashlib.sha256(), kept.octets
    try:
        with archive.open(name) as packed, to.open("wb") as file:
            while left >= 0 and (piece := packed.read(_PIECE)):
                digest.update(piece)
                file.write(piece)
                left -= len(piece)
    except KeyError:
        raise BadSnapshot(f"{archive.filename} is damaged: {name} is missing") from None
    if left or digest.hexdigest() != kept.sha256:
        raise BadSnapshot(f"{archive.filename} is damaged: {name} is not what was saved")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
