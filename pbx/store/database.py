"""Opening the database: one process a folder, checked, migrated, set up so that a commit is on the disk."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError

FILE = "switchroom.sqlite3"
LOCK = "lock"
BUSY_MS = 5000
"""How long to wait for somebody who reads or copies the file."""
_MIGRATIONS = Path(__file__).parent / "migrations"
_BESIDE = ("", "-wal", "-shm")
"""The files that are one database together."""


class CannotOpen(Exception):
    """The folder cannot be used; the text names it and says why."""


class Damaged(CannotOpen):
    """The file is there but no sound database: `move_aside` keeps it and makes room."""


class FolderLock:
    """Held while a process uses a data folder, so that two never share one; the kernel drops it with the process."""

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = (folder / LOCK).open("a+")
        except OSError as error:
            raise CannotOpen(f"{folder} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            holder = self._file.read().strip()
            self._file.close()
            raise CannotOpen(
                f"{folder} is in use by another switchroom{f' (pid {holder})' if holder else ''}"
            ) from None
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def set_up(connection: Any, _record: object) -> None:
    """WAL with synchronous FULL: an acknowledged commit survives a power cut (testing.md B3)."""
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def prepare(folder: Path) -> Path:
    """Check and migrate the database of a folder; return its path. CannotOpen says what is wrong."""
    path = folder / FILE
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _manual)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        path.touch(mode=0o600)  # it holds passwords; SQLite gives the files beside it the same mode
        with engine.connect() as connection:
            verdict = connection.exec_driver_sql("PRAGMA quick_check").scalar()
            if verdict != "ok":
                raise Damaged(f"{path} is damaged: {verdict}")
        with engine.begin() as connection:
            _migrate(connection, path)
    except OSError as error:
        raise CannotOpen(f"{path} cannot be written: {error.strerror}") from None
    except (OperationalError, sqlite3.OperationalError) as error:  # locked, read-only, no room: nothing is damaged
        raise CannotOpen(f"{path} cannot be opened: {getattr(error, 'orig', error)}") from None
    except (DatabaseError, sqlite3.Error) as error:
        raise Damaged(f"{path} cannot be read: {getattr(error, 'orig', error)}") from None
    finally:
        engine.dispose()
    return path


def move_aside(folder: Path, name: str) -> Path:
    """Rename the database of a folder and its companions; return where it stands now. OSError may come."""
    path = folder / FILE
    aside = path.with_name(f"{FILE}.{name}")
    for suffix in _BESIDE:
        one = path.with_name(path.name + suffix)
        if one.exists():
            one.rename(aside.with_name(aside.name + suffix))
    return aside


def _manual(connection: Any, record: object) -> None:
    """The driver must not end the transaction at a CREATE TABLE: a migration happens whole or not at all."""
    connection.isolation_level = None
    set_up(connection, record)


def _migrate(connection: Any, path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    version = _version(connection)
    if version is not None and version not in {script.revision for script in scripts.walk_revisions()}:
        raise CannotOpen(f"{path} was written by a newer switchroom (schema {version})")
    if version != scripts.get_current_head():
        if version is not None:
            _back_up(path, version)
        command.upgrade(config, "head")


def _version(connection: Any) -> str | None:
    there = "SELECT name FROM sqlite_master WHERE type='table' AND name='alembic_version'"
    if connection.exec_driver_sql(there).scalar() is None:
        return None
    version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return str(version) if version is not None else None


def _back_up(path: Path, version: str) -> None:
    """Keep what was there before a migration, once a version."""
    kept = path.with_name(f"{FILE}.before-{version}")
    if kept.exists():
        return
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as source:
        source.execute("VACUUM INTO ?", (str(kept),))
    source.close()
    kept.chmod(0o600)
