"""The durable store: what was submitted is mirrored at once and written by one task, many changes a commit.

`submit` returns a ticket; `durable(ticket)` is called when everything up to it is on the disk. Reads come from the
mirror, so nobody waits for the database. While the disk refuses, nothing is confirmed and nothing is forgotten: the
same changes are tried again, and who waits for their answer goes on waiting.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiosqlite
from sqlalchemy import Connection, Table, delete, event, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from pbx.callflow.ports import (
    BindingSaved,
    BoxSaved,
    CallbackSaved,
    CallRecord,
    CallRecordingRemoved,
    CallRecordingSaved,
    Fax,
    FaxRemoved,
    FaxSaved,
    Message,
    MessageRemoved,
    MessageSaved,
    NoticeRemoved,
    NoticeSaved,
    OwnSettingsSaved,
    PromptRemoved,
    PromptSaved,
    RecordingDropped,
    RecordSaved,
    SubscriptionSaved,
)
from pbx.domain.accounts import AuditEntry, Credential, Pass
from pbx.domain.kept import BoxState, CallRecording, KeptCallback, KeptPrompt, Notice, ServedFile
from pbx.domain.own_settings import OwnSettings
from pbx.domain.registrations import Binding, KeptSubscription
from pbx.sip.address import parse_peer
from pbx.store import recordings, tables
from pbx.store.database import CannotOpen, FolderLock, prepare, set_up
from pbx.store.memory import KEPT_AUDIT, KEPT_RECORDS, KEPT_RUNS, MemoryStore
from pbx.store.protocol import (
    AuditSaved,
    CredentialSaved,
    DirectorySaved,
    Document,
    DocumentSaved,
    FileServed,
    Kept,
    PassSaved,
    RunSaved,
    StoredDirectory,
    StoredRun,
    TokenSpent,
)
from pbx.store.statements import executions

RESTARTED = 41
"""Q.850 cause of a record found open at start: temporary failure."""
RETRY_S = 0.5
LAST_TRIES = 3
"""How often a store that is being closed tries once more."""
MOST_A_COMMIT = 500
COMMIT_EVERY_S = 0.01
"""Between the beginnings of two commits: who comes alone waits for nothing, a storm shares its syncs."""
RECORDS_WAIT_S = 0.1
"""How long call records alone wait for company: no phone waits for them, and a call writes its row three times."""


class SqlStore:
    """Owns the database of one folder, and the files of the messages in `recordings_folder`."""

    def __init__(
        self,
        folder: Path,
        durable: Callable[[int], None],
        failed: Callable[[str], None],
        *,
        recordings_folder: Path | None = None,
    ) -> None:
        self._folder = folder
        self._recordings = recordings_folder
        self._durable = durable
        self._failed = failed
        self._mirror = MemoryStore()
        self._queue: list[tuple[int, Kept]] = []
        self._removed: dict[int, list[str]] = {}
        """Ticket → recordings that go once their rows are gone."""
        self._wake = asyncio.Event()
        self._awaited = asyncio.Event()
        """Something waits for the disk that somebody waits for."""
        self._closing = asyncio.Event()
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        """Who waits for the disk, by the ticket waited for."""
        self._ticket = 0
        self._engine: AsyncEngine | None = None
        self._connection: AsyncConnection | None = None
        """The writer's own."""
        self._lock: FolderLock | None = None
        self._writer: asyncio.Task[None] | None = None
        self.writes = True
        """False while the disk refuses."""
        self.confirmed = 0
        """The newest ticket that is durable."""

    async def start(self, now: float) -> None:
        """Open, check, migrate and read; `now` in POSIX seconds closes what a crash left open. CannotOpen may come."""
        self._lock = FolderLock(self._folder)
        loop = asyncio.get_running_loop()
        try:
            path = await loop.run_in_executor(None, prepare, self._folder)
            self._engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
            event.listen(self._engine.sync_engine, "connect", set_up)
            async with self._engine.begin() as connection:
                await connection.run_sync(self._load, now)
            self._connection = await self._engine.connect()
            self._sweep()
        except OSError as error:
            await self._let_go()
            raise CannotOpen(f"{self._folder} cannot be used: {error}") from None
        except BaseException:
            await self._let_go()
            raise
        self._writer = loop.create_task(self._write(), name="store writer")
        self._writer.add_done_callback(self._stopped)

    async def close(self) -> None:
        """Write what is left and let go; safe to call twice."""
        self._closing.set()
        self._wake.set()
        self._awaited.set()
        if self._writer is not None:
            await asyncio.wait([self._writer])
        await self._let_go()

    def submit(self, change: Kept) -> int:
        self._ticket += 1
        if parted := [recording for recording in self._parted(change) if recording]:
            self._removed[self._ticket] = parted
        self._mirror.submit(change)
        self._queue.append((self._ticket, change))
        self._wake.set()
        if not isinstance(change, RecordSaved):
            self._awaited.set()
        return self._ticket

    def _parted(self, change: Kept) -> Iterator[str]:
        """The recordings a change takes a reference from."""
        mirror = self._mirror
        match change:
            case MessageRemoved(box=box, id=number) if (message := mirror.message(box, number)) is not None:
                yield message.recording
                yield message.comment
            case RecordingDropped(recording=recording) | CallRecordingRemoved(recording=recording):
                yield recording
            case PromptSaved(prompt=new) if (old := mirror.prompts(new.owner).get(new.name)) is not None:
                yield old.recording
            case PromptRemoved(owner=owner, name=name) if (old := mirror.prompts(owner).get(name)) is not None:
                yield old.recording
            case NoticeRemoved(id=number):
                for notice in mirror.notices():
                    if notice.id == number:
                        yield notice.recording
                        yield notice.document
            case FaxRemoved(document=document):
                yield document
            case _:
                return

    async def written(self) -> None:
        """Wait until everything that was submitted so far is on the disk; while the disk refuses, that is long."""
        if self.confirmed < self._ticket:
            ready = asyncio.get_running_loop().create_future()
            self._waiters.append((self._ticket, ready))
            await ready

    @property
    def waiting(self) -> int:
        """Changes that are not durable yet."""
        return len(self._queue)

    def bindings(self) -> Sequence[Binding]:
        return self._mirror.bindings()

    def subscriptions(self) -> Sequence[KeptSubscription]:
        return self._mirror.subscriptions()

    def messages(self, box: str) -> Sequence[Message]:
        return self._mirror.messages(box)

    def prompts(self, owner: str) -> Mapping[str, KeptPrompt]:
        return self._mirror.prompts(owner)

    def box(self, box: str) -> BoxState:
        return self._mirror.box(box)

    def notices(self) -> Sequence[Notice]:
        return self._mirror.notices()

    def call_recordings(self) -> Sequence[CallRecording]:
        return self._mirror.call_recordings()

    def faxes(self) -> Sequence[Fax]:
        return self._mirror.faxes()

    def callbacks(self) -> Sequence[KeptCallback]:
        return self._mirror.callbacks()

    def own_settings(self) -> Sequence[OwnSettings]:
        return self._mirror.own_settings()

    def records(self) -> Sequence[CallRecord]:
        return self._mirror.records()

    def directory(self, domain: str) -> StoredDirectory | None:
        return self._mirror.directory(domain)

    def directories(self) -> Sequence[StoredDirectory]:
        return self._mirror.directories()

    def documents(self, domain: str, kind: str) -> Mapping[str, Document]:
        return self._mirror.documents(domain, kind)

    def every_document(self) -> Sequence[Document]:
        return self._mirror.every_document()

    def runs(self) -> Sequence[StoredRun]:
        return self._mirror.runs()

    def served_files(self) -> Sequence[ServedFile]:
        return self._mirror.served_files()

    def credential(self, domain: str, extension: str) -> Credential | None:
        return self._mirror.credential(domain, extension)

    def passes(self) -> Mapping[str, Pass]:
        return self._mirror.passes()

    def audit(self) -> Sequence[AuditEntry]:
        return self._mirror.audit()

    def spent_tokens(self) -> Mapping[str, str]:
        return self._mirror.spent_tokens()

    # --- at the start ---------------------------------------------------------------------------------

    def _load(self, connection: Connection, now: float) -> None:
        mirror = self._mirror
        for table in (tables.bindings, tables.subscriptions):
            connection.execute(delete(table).where(table.c.expires_at <= now))
        over = tables.passes.c.expires_at
        connection.execute(delete(tables.passes).where(over > 0, over <= now))
        for row in _rows(connection, tables.credentials):
            mirror.submit(CredentialSaved(Credential(**row)))
        for row in _rows(connection, tables.passes):
            mirror.submit(PassSaved(Pass(**row)))
        for row in reversed(_rows(connection, tables.audit, newest="at", most=KEPT_AUDIT)):
            mirror.submit(AuditSaved(AuditEntry(**row)))
        for row in _rows(connection, tables.bindings):
            mirror.submit(BindingSaved(Binding(**{**row, "peer": parse_peer(row["peer"])})))
        for row in _rows(connection, tables.subscriptions):
            kept = KeptSubscription(**{**row, "peer": parse_peer(row["peer"])})
            mirror.submit(SubscriptionSaved(kept))
        for row in _rows(connection, tables.messages):
            mirror.submit(MessageSaved(Message(**row)))
        for row in _rows(connection, tables.prompts):
            mirror.submit(PromptSaved(KeptPrompt(**row)))
        for row in _rows(connection, tables.boxes):
            mirror.submit(BoxSaved(BoxState(**row)))
        for row in _rows(connection, tables.notices):
            mirror.submit(NoticeSaved(Notice(**{**row, "to": tuple(row["to"].splitlines())})))
        for row in _rows(connection, tables.call_recordings):
            mirror.submit(CallRecordingSaved(CallRecording(**row)))
        for row in _rows(connection, tables.callbacks):
            mirror.submit(CallbackSaved(KeptCallback(**row)))
        for row in _rows(connection, tables.own_settings):
            mirror.submit(OwnSettingsSaved(OwnSettings(**row)))
        for row in _rows(connection, tables.faxes):
            mirror.submit(FaxSaved(Fax(**row)))
        self._close_what_was_open(connection, now)
        for row in reversed(_rows(connection, tables.records, newest="started_at", most=KEPT_RECORDS)):
            mirror.submit(RecordSaved(CallRecord(**row)))
        for row in _rows(connection, tables.directories):
            mirror.submit(DirectorySaved(StoredDirectory(**row)))
        for row in _rows(connection, tables.documents):
            mirror.submit(DocumentSaved(Document(**row)))
        for row in reversed(_rows(connection, tables.runs, newest="started_at", most=KEPT_RUNS)):
            mirror.submit(RunSaved(StoredRun(**row)))
        for row in _rows(connection, tables.spent_tokens):
            mirror.submit(TokenSpent(**row))
        for row in _rows(connection, tables.served_files):
            mirror.submit(FileServed(ServedFile(**row)))

    def _close_what_was_open(self, connection: Connection, now: float) -> None:
        """A call that was up when the process died ended when that was last seen alive, and not by anybody's word."""
        table = tables.records
        seen = connection.execute(select(tables.life.c.seen_at)).scalar()
        found = connection.execute(select(table).where(table.c.ended_at == 0.0)).mappings()
        closed = [RecordSaved(_cut_short(CallRecord(**row), now if seen is None else seen, now)) for row in found]
        for statement, rows in executions(closed):
            connection.exec_driver_sql(statement, rows)

    def _sweep(self) -> None:
        folder = self._recordings
        if folder is None or not folder.is_dir():
            return
        found = recordings.sweep(folder, self._mirror.every_message(), self._mirror.recordings())
        for message in found.lost:
            self.submit(MessageSaved(message))
            self._failed(f"message {message.id} of mailbox {message.box} is lost: its recording is not there")
        for prompt in self._mirror.every_prompt():
            if not (folder / f"{prompt.recording}.wav").exists():
                owner = f"mailbox {prompt.owner}" if prompt.owner else "the domain"
                self._failed(f"prompt {prompt.name} of {owner} is gone: its recording is not there")
        for message in found.adopted:
            recordings.mend(folder, message.recording)
            self.submit(MessageSaved(message))
        for kept in [kept for kept in self._mirror.call_recordings() if not kept.seconds]:
            seconds = recordings.cut_short(folder, kept)
            if seconds:
                recordings.mend(folder, kept.recording)
                self.submit(CallRecordingSaved(replace(kept, seconds=seconds)))
            else:
                self.submit(CallRecordingRemoved(kept.recording))
                self._failed(f"recording {kept.recording} of call {kept.call} is lost: there is no file of it")
        for path in found.rubbish:
            path.unlink(missing_ok=True)

    # --- the writer -----------------------------------------------------------------------------------

    async def _write(self) -> None:
        last_tries = LAST_TRIES
        loop, due = asyncio.get_running_loop(), 0.0
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                if not self._closing.is_set():
                    await self._pause(RECORDS_WAIT_S, self._awaited)
                    await self._pause(due - loop.time())
                due = loop.time() + COMMIT_EVERY_S
                batch = self._queue[:MOST_A_COMMIT]
                if len(batch) == len(self._queue):
                    self._awaited.clear()
                if await self._commit([change for _, change in batch]):
                    del self._queue[: len(batch)]
                    self._committed([ticket for ticket, _ in batch])
                    continue
                if self._closing.is_set():
                    last_tries -= 1
                    if not last_tries:
                        self._failed(f"{len(self._queue)} changes that nobody was told are durable were not written")
                        return
                await self._pause(RETRY_S)
            if self._closing.is_set():
                return

    async def _commit(self, changes: Sequence[Kept]) -> bool:
        """Write changes in one transaction; False when the disk refuses and they are to be tried again."""
        try:
            await self._write_out(changes)
        except (sqlite3.Error, ValueError, TypeError, OverflowError) as error:
            if isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError:
                if self.writes:
                    self._failed(f"the disk refuses: {error}; {len(self._queue)} changes wait")
                self.writes = False
                return False
            if len(changes) > 1:  # one of them is not fit to be written: the others are
                return all([await self._commit([change]) for change in changes])
            self._failed(f"{type(changes[0]).__name__} cannot be kept: {error}")
        self.writes = True
        return True

    async def _write_out(self, changes: Sequence[Kept]) -> None:
        """Everything by the driver alone: each step of SQLAlchemy's would be one more hand-over to its thread."""
        driver = await self._driver()
        try:
            for statement, rows in executions(_as_they_stand(changes)):
                await driver.executemany(statement, rows)  # the first begins the transaction
            await driver.commit()
        except BaseException:
            with suppress(sqlite3.Error):
                await driver.rollback()
            raise

    async def _driver(self) -> aiosqlite.Connection:
        assert self._connection is not None
        driver = (await self._connection.get_raw_connection()).driver_connection
        assert isinstance(driver, aiosqlite.Connection)
        return driver

    def _committed(self, tickets: Sequence[int]) -> None:
        parted = [recording for ticket in tickets for recording in self._removed.pop(ticket, ())]
        if parted and self._recordings is not None:
            needed = self._mirror.recordings()
            for recording in parted:
                if not needed[recording]:
                    recordings.remove(self._recordings, recording)
        self.confirmed = tickets[-1]
        for ticket, ready in self._waiters:
            if ticket <= self.confirmed and not ready.done():
                ready.set_result(None)
        self._waiters = [(ticket, ready) for ticket, ready in self._waiters if not ready.done()]
        self._durable(tickets[-1])

    def _stopped(self, writer: asyncio.Task[None]) -> None:
        fault = None if writer.cancelled() else writer.exception()
        if fault is not None:
            self.writes = False
            self._failed(f"the writer has stopped: {type(fault).__name__}: {fault}")

    @staticmethod
    async def _pause(seconds: float, until: asyncio.Event | None = None) -> None:
        """Wait so long, or until something happens."""
        if seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await (until or asyncio.Event()).wait()

    async def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        engine, self._engine = self._engine, None
        lock, self._lock = self._lock, None
        if connection is not None:
            await connection.close()
        if engine is not None:
            await engine.dispose()
        if lock is not None:
            lock.close()


def _as_they_stand(changes: Sequence[Kept]) -> list[Kept]:
    """Leave out the rows of a call that another one of the same commit replaces: it is written three times."""
    newest = {change.record.call: change for change in changes if isinstance(change, RecordSaved)}
    return [change for change in changes if not isinstance(change, RecordSaved) or newest[change.record.call] is change]


def _cut_short(record: CallRecord, seen_at: float, now: float) -> CallRecord:
    """Return the record of a call whose server died; the process was last seen at `seen_at`, POSIX seconds."""
    ended_at = min(max(seen_at, record.started_at, record.answered_at), now)
    talk_s = round(max(0.0, ended_at - record.answered_at), 3) if record.answered_at else 0.0
    return replace(
        record,
        ended_at=ended_at,
        talk_s=talk_s,
        disposition="SERVER RESTART",
        cause=RESTARTED,
        path=f"{record.path} > server-restart",
    )


def _rows(connection: Connection, table: Table, *, newest: str = "", most: int | None = None) -> list[dict[str, Any]]:
    query = select(table)
    if newest:
        query = query.order_by(table.c[newest].desc()).limit(most)
    return [dict(row) for row in connection.execute(query).mappings()]
