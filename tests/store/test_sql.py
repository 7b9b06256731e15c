"""The durable store keeps what it confirmed, over restarts and crashes, and says clearly what it cannot use."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from pathlib import Path

import pytest

from pbx.callflow.ports import (
    BindingRemoved,
    BindingSaved,
    CallRecord,
    Change,
    Message,
    MessageRemoved,
    MessageSaved,
    RecordSaved,
)
from pbx.sip.address import Peer
from pbx.sip.registrar import Binding
from pbx.store.database import FILE, CannotOpen
from pbx.store.memory import MemoryStore
from pbx.store.sql import SqlStore

NOW = 1_800_000_000.0


def binding(device: str = "101", expires_at: float = NOW + 60) -> Binding:
    peer = Peer("udp", "127.0.0.1", 5060)
    return Binding(device, device, f"sip:{device}@127.0.0.1", peer, expires_at, "id", 1, "", "T54W")


def message(number: str = "m1", folder: str = "new") -> Message:
    return Message(number, "101", folder, f"{number}.wav", 3.0, "102", "signature:102", NOW)


def record(call: str = "c-0001", ended_at: float = NOW + 5) -> CallRecord:
    return CallRecord(
        call, "101", "Ana", "101", "102", "102", "ANSWERED", "internal", NOW, NOW + 1, ended_at, 4.0, 16, "user:102"
    )


async def written(folder: Path, *changes: Change) -> list[int]:
    """Open a store, submit, and return the tickets that were confirmed before it was closed."""
    confirmed: list[int] = []
    store = SqlStore(folder, confirmed.append, pytest.fail)
    await store.start(NOW)
    for change in changes:
        store.submit(change)
    await store.close()
    return confirmed


async def reopened(folder: Path, now: float = NOW) -> SqlStore:
    store = SqlStore(folder, lambda ticket: None, pytest.fail)
    await store.start(now)
    return store


CHANGES = (
    BindingSaved(binding("101")),
    BindingSaved(binding("102")),
    BindingRemoved("102", "sip:102@127.0.0.1"),
    MessageSaved(message("m1")),
    MessageSaved(message("m2")),
    MessageSaved(message("m1", "saved")),
    MessageRemoved("101", "m2"),
    RecordSaved(record(ended_at=0.0)),
    RecordSaved(record()),
)


def told(store: MemoryStore | SqlStore) -> tuple[list[Binding], list[Message], list[CallRecord]]:
    return list(store.bindings()), list(store.messages("101")), list(store.records())


async def test_both_stores_tell_the_same_and_a_restart_changes_nothing(tmp_path):
    memory = MemoryStore()
    for change in CHANGES:
        assert memory.submit(change) == 0
    confirmed = await written(tmp_path, *CHANGES)
    assert confirmed[-1] == len(CHANGES)
    store = await reopened(tmp_path)
    assert told(store) == told(memory) == told(MemoryStore.thawed(memory.frozen()))
    await store.close()


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
    assert (found.ended_at, found.disposition) == (NOW + 100, "FAILED")
    assert found.path.endswith("server-restart")
    await store.close()


async def test_directories_and_runs_are_kept(tmp_path):
    store = await reopened(tmp_path)
    await store.save_directory("acme.lab", 1, "{}")
    await store.save_directory("acme.lab", 2, '{"x": 1}')
    await store.save_run("run-1", "office", NOW, "{}", "<html>")
    assert await store.directory("acme.lab") == (2, '{"x": 1}')
    assert await store.directory("other.lab") is None
    assert [run["id"] for run in await store.runs()] == ["run-1"]
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
