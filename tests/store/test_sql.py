"""The durable store keeps what it confirmed, over restarts and crashes, and says clearly what it cannot use."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from pbx.callflow.ports import BindingSaved, MessageSaved, RecordSaved
from pbx.store import database, migrations
from pbx.store.database import FILE, CannotOpen, Damaged, move_aside
from pbx.store.protocol import SeenAlive, TokenSpent
from pbx.store.sql import COMMIT_EVERY_S, RECORDS_WAIT_S, SqlStore
from tests.store.kept import NOW, binding, directory, message, record, reopened, written


async def test_a_ticket_is_confirmed_only_when_another_process_could_read_it(tmp_path):
    seen: list[int] = []

    def durable(ticket: int) -> None:
        with sqlite3.connect(f"file:{tmp_path / FILE}?mode=ro", uri=True) as connection:
            seen.append(connection.execute("SELECT count(*) FROM messages").fetchone()[0])

    store = SqlStore(tmp_path, durable, pytest.fail)
    await store.start(NOW)
    store.submit(MessageSaved(message("m1")))
    await store.close()
    assert seen == [1]


async def test_what_was_confirmed_is_in_a_copy_taken_at_that_moment(tmp_path):
    """The power is cut right after the confirmation: the files as they are then hold the change."""
    copies: list[Path] = []

    def durable(ticket: int) -> None:
        copy = tmp_path / f"copy{ticket}"
        copy.mkdir()
        for file in (tmp_path / "live").glob(f"{FILE}*"):
            shutil.copy(file, copy / file.name)
        copies.append(copy)

    store = SqlStore(tmp_path / "live", durable, pytest.fail)
    await store.start(NOW)
    for number in range(5):
        store.submit(MessageSaved(message(f"m{number}")))
        await until(lambda number=number: len(copies) > number)
    await store.close()
    for count, copy in enumerate(copies, start=1):
        after = await reopened(copy)
        assert len(after.messages("101")) == count
        await after.close()


async def until(holds) -> None:
    async with asyncio.timeout(5):
        while not holds():
            tick = asyncio.Event()
            asyncio.get_running_loop().call_later(0.005, tick.set)
            await tick.wait()


async def test_expired_bindings_are_gone_after_a_restart(tmp_path):
    await written(tmp_path, BindingSaved(binding("101", NOW + 60)), BindingSaved(binding("102", NOW + 600)))
    store = await reopened(tmp_path, NOW + 61)
    assert [b.device for b in store.bindings()] == ["102"]
    await store.close()


async def test_a_call_that_was_up_is_closed_as_what_it_was(tmp_path):
    await written(tmp_path, RecordSaved(record(ended_at=0.0)))
    store = await reopened(tmp_path, NOW + 100)
    (found,) = store.records()
    assert (found.ended_at, found.disposition) == (NOW + 100, "SERVER RESTART")
    assert found.path.endswith("server-restart")
    await store.close()


async def test_a_call_that_was_up_ended_when_its_server_was_last_seen(tmp_path):
    await written(
        tmp_path,
        RecordSaved(record("c-0001", ended_at=0.0)),
        RecordSaved(record("c-0002", ended_at=0.0, started_at=NOW + 30)),
        SeenAlive(NOW + 10),
        SeenAlive(NOW + 20),
    )
    store = await reopened(tmp_path, NOW + 100)
    ended = {found.call: (found.ended_at, found.talk_s, found.cause) for found in store.records()}
    # the second began after the last sign of life: it ended no earlier than it began
    assert ended == {"c-0001": (NOW + 20, 19.0, 41), "c-0002": (NOW + 30, 29.0, 41)}
    await store.close()


async def test_two_processes_never_share_a_folder(tmp_path):
    first = await reopened(tmp_path)
    with pytest.raises(CannotOpen, match="in use"):
        await reopened(tmp_path)
    await first.close()
    await (await reopened(tmp_path)).close()


async def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / FILE).write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(CannotOpen, match=FILE):
        await reopened(tmp_path)


async def test_a_damaged_file_is_refused_and_moved_aside_only_when_told(tmp_path):
    await written(tmp_path, *(MessageSaved(message(f"m{number}")) for number in range(400)))
    content = bytearray((tmp_path / FILE).read_bytes())
    content[8192:20000] = b"\xaa" * (20000 - 8192)
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(Damaged, match=FILE):
        await reopened(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content
    aside = move_aside(tmp_path, "damaged")
    assert aside.read_bytes() == content
    store = await reopened(tmp_path)
    assert list(store.messages("101")) == []
    await store.close()


async def test_a_database_that_is_only_locked_is_not_called_damaged(tmp_path, monkeypatch):
    await written(tmp_path)
    monkeypatch.setattr(database, "BUSY_MS", 20)
    with sqlite3.connect(tmp_path / FILE, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CannotOpen, match="locked") as caught:
            await reopened(tmp_path)
        assert not isinstance(caught.value, Damaged)
        other.execute("ROLLBACK")
    await (await reopened(tmp_path)).close()


def as_version(folder: Path, version: str) -> None:
    """Make the database of a folder as an older switchroom did."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    engine = create_engine(f"sqlite:///{folder / FILE}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
    engine.dispose()


async def test_an_older_schema_is_copied_and_brought_up_to_date(tmp_path):
    as_version(tmp_path, "0001")
    with sqlite3.connect(tmp_path / FILE) as connection:
        old = directory()
        connection.execute("INSERT INTO directories VALUES (?, ?, ?)", (old.domain, old.revision, old.document))
    store = await reopened(tmp_path)
    assert store.directory("acme.lab") == directory()
    store.submit(TokenSpent("aa", "1"))
    await store.close()
    with sqlite3.connect(tmp_path / f"{FILE}.before-0001") as connection:
        assert connection.execute("SELECT count(*) FROM directories").fetchone() == (1,)
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)


async def test_a_migration_happens_whole_or_not_at_all(tmp_path):
    with sqlite3.connect(tmp_path / FILE) as connection:  # the last table of the first version is there already
        connection.execute("CREATE TABLE runs (id TEXT)")
    with pytest.raises(CannotOpen, match="runs"):
        await reopened(tmp_path)
    with sqlite3.connect(tmp_path / FILE) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("runs",)]


async def test_while_the_disk_refuses_nothing_is_confirmed_and_nothing_forgotten(tmp_path):
    confirmed: list[int] = []
    said: list[str] = []
    store = SqlStore(tmp_path, confirmed.append, said.append)
    await store.start(NOW)
    store.submit(MessageSaved(message("m1")))
    await until(lambda: confirmed == [1])
    driver = await store._driver()  # the one connection of the writer: no page more than it has
    await driver.execute("PRAGMA max_page_count = 1")
    store.submit(MessageSaved(message("m2" * 20_000)))
    await until(lambda: not store.writes)
    store.submit(MessageSaved(message("m3")))
    assert confirmed == [1]
    assert "refuses" in said[0]
    await driver.execute("PRAGMA max_page_count = 100000")
    await until(lambda: bool(confirmed[1:]))
    assert store.writes
    assert confirmed[-1] == 3
    await store.close()
    again = await reopened(tmp_path)
    assert len(again.messages("101")) == 3
    await again.close()


async def test_a_storm_of_changes_shares_its_commits(tmp_path):
    confirmed: list[int] = []
    store = SqlStore(tmp_path, confirmed.append, pytest.fail)
    await store.start(NOW)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(40):
        store.submit(MessageSaved(message(f"m{number}")))
        await until(lambda due=began + number * COMMIT_EVERY_S / 4: loop.time() >= due)
    await until(lambda: confirmed[-1:] == [40])
    assert len(confirmed) <= (loop.time() - began) / COMMIT_EVERY_S + 1
    await store.close()


async def test_call_records_wait_for_company_and_leave_with_whoever_cannot_wait(tmp_path):
    confirmed: list[int] = []
    store = SqlStore(tmp_path, confirmed.append, pytest.fail)
    await store.start(NOW)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(20):
        store.submit(RecordSaved(record(f"c-{number}")))
        await until(lambda due=began + number * COMMIT_EVERY_S: loop.time() >= due)
    await until(lambda: confirmed[-1:] == [20])
    assert len(confirmed) <= (loop.time() - began) / RECORDS_WAIT_S + 1
    store.submit(RecordSaved(record("c-20")))
    store.submit(MessageSaved(message("m1")))
    await until(lambda: confirmed[-1] == 22)
    assert 21 not in confirmed
    await store.close()


async def test_a_change_that_cannot_be_written_does_not_hold_up_the_others(tmp_path):
    confirmed: list[int] = []
    said: list[str] = []
    store = SqlStore(tmp_path, confirmed.append, said.append)
    await store.start(NOW)
    unfit = message("m2", at=object())
    for one in (message("m1"), unfit, message("m3")):
        store.submit(MessageSaved(one))
    await store.close()
    assert confirmed[-1] == 3
    assert len(said) == 1
    again = await reopened(tmp_path)
    assert [one.id for one in again.messages("101")] == ["m1", "m3"]
    await again.close()


async def test_a_file_with_passwords_is_its_owners_alone(tmp_path):
    await written(tmp_path)
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


async def test_a_newer_schema_is_refused(tmp_path):
    await written(tmp_path)
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(CannotOpen, match="newer"):
        await reopened(tmp_path)


async def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotOpen, match="cannot be written"):
        await reopened(tmp_path / "file" / "data")
