"""Opening the database: one process a folder, checked, migrated, set up so that a commit is on the disk."""

from __future__ import annotations

import fcntl
import sqlite3
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event
from sqlalchemy.exc import DatabaseError

FILE = "switchroom.sqlite3"
LOCK = "lock"
_MIGRATIONS = Path(__file__).parent / "migrations"


class CannotOpen(Exception):
    """The folder cannot be used; the text names it and says why."""


class FolderLock:
    """Held while a process uses a data folder, so that two never share one; the kernel drops it with the process."""

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = (folder / LOCK).open("w")
        except OSError as error:
            raise CannotOpen(f"{folder} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise CannotOpen(f"{folder} is in use by another switchroom") from None

    def close(self) -> None:
        self._file.close()


def set_up(connection: Any, _record: object) -> None:
    """WAL with synchronous FULL: an acknowledged commit survives a power cut (testing.md B3)."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def prepare(folder: Path) -> Path:
    """Check and migrate the database of a folder; return its path. CannotOpen says what is wrong."""
    path = folder / FILE
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", set_up)
    try:
        with engine.begin() as connection:
            verdict = connection.exec_driver_sql("PRAGMA quick_check").scalar()
            if verdict != "ok":
                raise CannotOpen(f"{path} is damaged: {verdict}")
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS))
            config.attributes["connection"] = connection
            _refuse_newer(connection, config, path)
            command.upgrade(config, "head")
    except (DatabaseError, sqlite3.Error) as error:
        raise CannotOpen(f"{path} cannot be read: {getattr(error, 'orig', error)}") from None
    finally:
        engine.dispose()
    return path


def _refuse_newer(connection: Any, config: Config, path: Path) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    there = connection.exec_driver_sql(
        "SELECT name FROM sqlite_master WHERE type='table' AND name='alembic_version'"
    ).scalar()
    if there is None:
        return
    version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if version is not None and version not in known:
        raise CannotOpen(f"{path} was written by a newer switchroom (schema {version})")
