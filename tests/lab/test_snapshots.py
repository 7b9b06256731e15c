"""A snapshot is a data folder at one moment: what comes back is what was there, and nonsense changes nothing."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.snapshots import MANIFEST, BadSnapshot, read, restore, save
from pbx.store.database import FILE, CannotOpen, FolderLock, prepare

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("migrated")
    return prepare(folder).read_bytes()


@pytest.fixture
def data(tmp_path: Path, migrated: bytes) -> Path:
    folder = tmp_path / "data"
    for name, content in {
        FILE: migrated, f"domains/west.lab/{FILE}": migrated, "installation.secret": b"s" * 32,
        "recordings/m-1.wav": b"RIFF", "tls/server.pem": b"pem",
    }.items():  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    note(folder, "before")
    return folder


def note(folder: Path, words: str) -> None:
    """Write something that stays in the log beside the database until it is carried over."""
    connection = sqlite3.connect(folder / FILE)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE IF NOT EXISTS noted (words)")
    connection.execute("INSERT INTO noted VALUES (?)", (words,))
    connection.commit()
    connection.close()


def noted(folder: Path) -> list[str]:
    connection = sqlite3.connect(folder / FILE)
    found = [words for (words,) in connection.execute("SELECT words FROM noted")]
    connection.close()
    return found


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and FILE not in path.name and path.name != "lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_what_comes_back_is_what_was_there_when_it_was_saved_while_in_use(data: Path, tmp_path: Path) -> None:
    saved, before = tmp_path / "before-port.zip", content(data)
    holder = FolderLock(data)
    writer = sqlite3.connect(data / FILE)
    writer.execute("INSERT INTO noted VALUES ('not committed')")
    save(data, saved, NOON)
    writer.close()
    holder.close()
    assert saved.stat().st_mode & 0o777 == 0o600
    note(data, "after")
    (data / "recordings/m-1.wav").write_bytes(b"another")
    (data / "recordings/m-2.wav").write_bytes(b"later")

    restored = restore(saved, data, NOON)
    assert restored.manifest == read(saved)
    assert restored.aside is not None
    assert noted(data) == ["before"]
    assert noted(restored.aside) == ["before", "after"]
    assert {name: kept for name, kept in content(data).items() if restored.aside.name not in name} == before
    assert (data / "domains/west.lab" / FILE).is_file()

    save(data, saved, NOON)
    assert not any(name.startswith(restored.aside.name) for name in read(saved).files)


def test_it_is_restored_into_a_folder_that_was_not_there_and_not_into_one_in_use(data: Path, tmp_path: Path) -> None:
    saved, elsewhere = tmp_path / "lab.zip", tmp_path / "new" / "data"
    save(data, saved, NOON)
    assert restore(saved, elsewhere, NOON).aside is None
    assert (noted(elsewhere), content(elsewhere)) == (["before"], content(data))
    holder = FolderLock(elsewhere)
    with pytest.raises(CannotOpen, match="in use"):
        restore(saved, elsewhere, NOON)
    holder.close()


def altered(saved: Path, how: str) -> None:
    with zipfile.ZipFile(saved) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    told = json.loads(files[MANIFEST])
    match how:
        case "another sound":
            files["recordings/m-1.wav"] = b"RIFX"
        case "a sound that goes on":
            files["recordings/m-1.wav"] += b"x" * 5_000_000
        case "a file less":
            del files["recordings/m-1.wav"]
        case "a newer form":
            told |= {"form": 2, "switchroom": "9.0"}
        case "a way out":
            told["files"]["../elsewhere"] = told["files"]["recordings/m-1.wav"]
        case "another archive":
            told = {"some": "thing"}
        case "no database":
            del told["files"][FILE]
    files[MANIFEST] = json.dumps(told).encode()
    with zipfile.ZipFile(saved, "w") as archive:
        for name, octets in files.items():
            archive.writestr(name, octets)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("another sound", "m-1.wav is not what was saved"),
        ("a sound that goes on", "m-1.wav is not what was saved"),
        ("a file less", "m-1.wav is missing"),
        ("a newer form", "newer switchroom"),
        ("a way out", "'../elsewhere' is no name"),
        ("another archive", "is no snapshot"),
        ("no database", "holds no"),
    ],
)
def test_nonsense_is_refused_with_its_reason_and_changes_nothing(
    data: Path, tmp_path: Path, how: str, why: str
) -> None:
    saved = tmp_path / "lab.zip"
    save(data, saved, NOON)
    altered(saved, how)
    before = content(data)
    with pytest.raises(BadSnapshot, match=why):
        restore(saved, data, NOON)
    assert (noted(data), content(data)) == (["before"], before)


def test_a_schema_of_a_newer_switchroom_is_refused(data: Path, tmp_path: Path) -> None:
    saved, elsewhere = tmp_path / "lab.zip", tmp_path / "elsewhere"
    connection = sqlite3.connect(data / FILE)
    connection.execute("UPDATE alembic_version SET version_num = 'later'")
    connection.commit()
    connection.close()
    save(data, saved, NOON)
    with pytest.raises(BadSnapshot, match="newer switchroom"):
        restore(saved, elsewhere, NOON)


@pytest.mark.parametrize("octets", [b"", b"no archive", b"PK\x03\x04 cut short"])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, octets: bytes) -> None:
    saved = tmp_path / "lab.zip"
    saved.write_bytes(octets)
    for refused in (lambda: read(saved), lambda: restore(saved, tmp_path / "data", NOON)):
        with pytest.raises(BadSnapshot):
            refused()


def test_a_folder_without_a_sound_database_is_not_saved(data: Path, tmp_path: Path) -> None:
    with pytest.raises(BadSnapshot, match="no data folder"):
        save(tmp_path / "nowhere", tmp_path / "lab.zip", NOON)
    (data / FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(BadSnapshot, match="cannot be copied"):
        save(data, tmp_path / "lab.zip", NOON)
    assert not (tmp_path / "lab.zip").exists()
