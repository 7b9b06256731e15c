"""The durable store: what was submitted is mirrored at once and written by one task, many changes a commit.

`submit` returns a ticket; `durable(ticket)` is called when the commit that holds it is on the disk. Reads come from
the mirror, so nobody waits for the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import delete, event, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

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
from pbx.sip.address import parse_peer
from pbx.sip.registrar import Binding
from pbx.store import tables
from pbx.store.database import FolderLock, prepare, set_up
from pbx.store.memory import MemoryStore

RESTARTED = 41
"""Q.850 cause of a record found open at start: temporary failure."""


class SqlStore:
    """Owns the database of one folder."""

    def __init__(self, folder: Path, durable: Callable[[int], None], failed: Callable[[str], None]) -> None:
        self._folder = folder
        self._durable = durable
        self._failed = failed
        self._mirror = MemoryStore()
        self._queue: list[tuple[int, Change]] = []
        self._wake = asyncio.Event()
        self._ticket = 0
        self._closing = False
        self._engine: AsyncEngine | None = None
        self._lock: FolderLock | None = None
        self._writer: asyncio.Task[None] | None = None

    async def start(self, now: float) -> None:
        """Open, check, migrate and read; `now` in POSIX seconds closes what a crash left open. CannotOpen may come."""
        self._lock = FolderLock(self._folder)
        loop = asyncio.get_running_loop()
        try:
            path = await loop.run_in_executor(None, prepare, self._folder)
        except BaseException:
            self._lock.close()
            raise
        self._engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        event.listen(self._engine.sync_engine, "connect", set_up)
        await self._load(now)
        self._writer = loop.create_task(self._write())

    async def close(self) -> None:
        """Write what is left and let go."""
        self._closing = True
        self._wake.set()
        if self._writer is not None:
            await self._writer
        if self._engine is not None:
            await self._engine.dispose()
        if self._lock is not None:
            self._lock.close()

    # --- the history of call control ------------------------------------------------------------------

    def submit(self, change: Change) -> int:
        self._mirror.submit(change)
        self._ticket += 1
        self._queue.append((self._ticket, change))
        self._wake.set()
        return self._ticket

    def bindings(self) -> Sequence[Binding]:
        return self._mirror.bindings()

    def messages(self, box: str) -> Sequence[Message]:
        return self._mirror.messages(box)

    def records(self) -> Sequence[CallRecord]:
        return self._mirror.records()

    # --- configuration and runs -----------------------------------------------------------------------

    async def save_directory(self, domain: str, revision: int, document: str) -> None:
        values = {"domain": domain, "revision": revision, "document": document}
        await self._upsert(tables.directories, values, ["domain"])

    async def directory(self, domain: str) -> tuple[int, str] | None:
        """Return (revision, document) of a domain."""
        assert self._engine is not None
        async with self._engine.connect() as connection:
            query = select(tables.directories).where(tables.directories.c.domain == domain)
            row = (await connection.execute(query)).mappings().first()
        return (int(row["revision"]), str(row["document"])) if row is not None else None

    async def save_run(self, run: str, plan: str, started_at: float, results: str, report: str) -> None:
        values = {"id": run, "plan": plan, "started_at": started_at, "results": results, "report": report}
        await self._upsert(tables.runs, values, ["id"])

    async def runs(self) -> list[dict[str, Any]]:
        """Return the runs, newest first."""
        assert self._engine is not None
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(tables.runs).order_by(tables.runs.c.started_at.desc()))
            return [dict(row) for row in rows.mappings()]

    async def _upsert(self, table: Any, values: dict[str, Any], keys: list[str]) -> None:
        assert self._engine is not None
        statement = insert(table).values(values).on_conflict_do_update(index_elements=keys, set_=values)
        async with self._engine.begin() as connection:
            await connection.execute(statement)

    # --- parts ----------------------------------------------------------------------------------------

    async def _load(self, now: float) -> None:
        assert self._engine is not None
        async with self._engine.begin() as connection:
            await connection.execute(delete(tables.bindings).where(tables.bindings.c.expires_at <= now))
            for row in (await connection.execute(select(tables.bindings))).mappings():
                values = dict(row)
                self._mirror.submit(BindingSaved(Binding(**{**values, "peer": parse_peer(values["peer"])})))
            for row in (await connection.execute(select(tables.messages))).mappings():
                self._mirror.submit(MessageSaved(Message(**row)))
            for row in (
                await connection.execute(select(tables.records).order_by(tables.records.c.started_at))
            ).mappings():
                record = CallRecord(**row)
                if not record.ended_at:  # it was up when the process died: close it honestly
                    values = {**asdict(record), "ended_at": now, "disposition": "FAILED", "cause": RESTARTED}
                    record = CallRecord(**{**values, "path": f"{record.path} > server-restart"})
                    await connection.execute(self._statement(RecordSaved(record)))
                self._mirror.submit(RecordSaved(record))

    async def _write(self) -> None:
        while not (self._closing and not self._queue):
            await self._wake.wait()
            self._wake.clear()
            batch, self._queue = self._queue, []
            if batch:
                await self._commit(batch)

    async def _commit(self, batch: list[tuple[int, Change]]) -> None:
        assert self._engine is not None
        try:
            async with self._engine.begin() as connection:
                for _, change in batch:
                    await connection.execute(self._statement(change))
        except SQLAlchemyError as error:
            self._failed(f"{len(batch)} changes could not be written: {getattr(error, 'orig', error)}")
            return
        self._durable(batch[-1][0])

    @staticmethod
    def _statement(change: Change) -> Any:
        match change:
            case BindingSaved(binding=binding):
                values = {**asdict(binding), "peer": str(binding.peer)}
                return _replace(tables.bindings, values, ["device", "contact"])
            case BindingRemoved(device=device, contact=contact):
                table = tables.bindings
                return delete(table).where(table.c.device == device, table.c.contact == contact)
            case MessageSaved(message=message):
                return _replace(tables.messages, asdict(message), ["box", "id"])
            case MessageRemoved(box=box, id=number):
                return delete(tables.messages).where(tables.messages.c.box == box, tables.messages.c.id == number)
            case RecordSaved(record=record):
                return _replace(tables.records, asdict(record), ["started_at", "call"])


def _replace(table: Any, values: dict[str, Any], keys: list[str]) -> Any:
    return insert(table).values(values).on_conflict_do_update(index_elements=keys, set_=values)
