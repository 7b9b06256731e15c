"""The house behind `/ns-api/v2`: the lab's domain, which its switch serves, and others configured beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from lab.prompts.sounds import NoSound, read_sound
from lab.prompts.speech import NoSpeech, speak
from pbx.accounts.desk import forget_domain, forget_strangers
from pbx.api.answers import Refused
from pbx.api.house import Audit, Edit, PhoneModel
from pbx.bus import Bus
from pbx.clock import Moment
from pbx.domain.directory import Directory
from pbx.domain.kept import ServedFile
from pbx.events import DirectoryChanged, SipRequest, SipResponse, Stamped
from pbx.statistics import Statistics
from pbx.store.protocol import (
    DirectoryRemoved,
    DirectorySaved,
    Document,
    DocumentRemoved,
    Kept,
    Store,
    StoredDirectory,
)
from pbx.switch.switch import Switch

T = TypeVar("T")
DURABLE_WITHIN_S = 5.0
"""Then the disk is said to refuse."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What of a lab, real or virtual, is behind the API."""

    directory: Callable[[], Directory]
    apply: Callable[[Directory, str], None]
    store: Callable[[], Store]
    switch: Callable[[], Switch]
    command: Callable[[Callable[[Switch, Moment], object]], object]
    now: Callable[[], Moment]
    token: Callable[[int], str]
    bus: Bus
    recordings: Callable[[], Path]
    catalogue: Callable[[], Sequence[PhoneModel]]
    trace: Callable[[str], Sequence[str]]
    sound: Callable[[bytes, str], Awaitable[bytes]] | None = None
    """Makes samples of a file or a text; None for what this machine has."""
    seal: Callable[[str], str] = str
    """A secret as it is written down."""
    unseal: Callable[[str], str] = str
    hostname: str = "switchroom"


class Served(Protocol):
    """An exchange that serves a domain beside the own."""

    def apply(self, directory: Directory, what: str = "directory") -> None: ...


@dataclass(slots=True)
class _Waiting:
    """An edit that has come and is not carried out yet."""

    domain: str
    edit: Edit
    what: str
    audit: Audit
    done: asyncio.Future[Directory]


class ApiHouse:
    """Carries out edits in the order they came; those of one turn of the loop are one write."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._others: dict[str, Directory] = {}
        """Domains that are configured and not served."""
        self._edits: list[_Waiting] = []
        self._statistics: Statistics | None = None
        self.delivered: Callable[[str], tuple[int, int]] = lambda subscription: (0, 0)
        """Set by whoever posts to subscribers."""
        self.exchange_of: Callable[[str], Served | None] = lambda domain: None
        """The exchange of a domain beside the own; set by the composition."""
        self.proof: Callable[[str], str] = lambda subscription: ""
        """What posts of a subscription are signed with; set by the composition."""

    def recall(self) -> None:
        """Read the other domains the store keeps, and begin to count."""
        own = self._reach.directory().domain.name
        for kept in self._reach.store().directories():
            if kept.domain != own:
                self._others[kept.domain] = Directory.model_validate_json(
                    kept.document, context={"unseal": self._reach.unseal}
                )
        self._statistics = Statistics(self._reach.directory(), self.now)
        self._reach.bus.subscribe(self._count, but=(SipRequest, SipResponse))

    # --- what the API asks ----------------------------------------------------------------------------

    @property
    def now(self) -> Moment:
        return self._reach.now()

    @property
    def store(self) -> Store:
        return self._reach.store()

    @property
    def hostname(self) -> str:
        return self._reach.hostname

    @property
    def recordings(self) -> Path:
        return self._reach.recordings()

    def names(self) -> Sequence[str]:
        return [self._reach.directory().domain.name, *self._others]

    def directory(self, domain: str) -> Directory | None:
        own = self._reach.directory()
        return own if domain == own.domain.name else self._others.get(domain)

    def directories(self) -> Iterator[Directory]:
        yield self._reach.directory()
        yield from self._others.values()

    def switch_of(self, domain: str) -> Switch | None:
        return self._reach.switch() if domain == self._reach.directory().domain.name else None

    def documents(self, domain: str, kind: str) -> Mapping[str, Document]:
        return self.store.documents(domain, kind)

    def catalogue(self) -> Sequence[PhoneModel]:
        return self._reach.catalogue()

    def statistics(self, domain: str) -> Statistics:
        if self._statistics is None or self.switch_of(domain) is None:
            directory = self.directory(domain)
            assert directory is not None
            return Statistics(directory, self.now)
        return self._statistics

    def served(self, mac: str) -> ServedFile | None:
        mine = [file for file in self.store.served_files() if file.mac == mac]
        return max(mine, key=lambda file: file.at, default=None)

    def deliveries(self, subscription: str) -> tuple[int, int]:
        return self.delivered(subscription)

    def seal(self, text: str) -> str:
        return self._reach.seal(text)

    def unseal(self, text: str) -> str:
        return self._reach.unseal(text)

    def trace(self, call: str) -> Sequence[str]:
        return self._reach.trace(call)

    def token(self, length: int) -> str:
        return self._reach.token(length)

    async def sound(self, content: bytes, text: str) -> bytes:
        if self._reach.sound is not None:
            return await self._reach.sound(content, text)
        try:
            return await asyncio.to_thread(read_sound, content) if content else await speak(text)
        except (NoSound, NoSpeech) as error:
            raise ValueError(str(error)) from None

    # --- what it tells it to do -----------------------------------------------------------------------

    def command(self, command: Callable[[Switch, Moment], T]) -> T:
        return self._reach.command(command)  # type: ignore[return-value]

    async def edit(self, domain: str, edit: Edit, what: str, audit: Audit) -> Directory:
        loop = asyncio.get_running_loop()
        waiting = _Waiting(domain, edit, what, audit, loop.create_future())
        if not self._edits:
            loop.call_soon(self._carry_out)
        self._edits.append(waiting)
        directory = await waiting.done
        await self._durable()
        return directory

    def adopt(self, directory: Directory, what: str) -> None:
        """Take a domain that is changed or new: the switch is told of its own, the others are kept alone."""
        domain = directory.domain.name
        if self.switch_of(domain) is not None:
            self._reach.apply(directory, what)
        else:
            if domain in self._others:
                forget_strangers(self.store, self._others[domain], directory)
            exchange = self.exchange_of(domain)
            if exchange is not None:
                exchange.apply(directory, what)
            self.take_over(directory)

    def take_over(self, directory: Directory) -> None:
        """Note what a domain beside the own has become."""
        if self._others.get(directory.domain.name) is not directory:
            self._keep(directory)
            self._others[directory.domain.name] = directory

    async def create(self, directory: Directory) -> None:
        self._keep(directory)
        self._others[directory.domain.name] = directory
        await self._durable()

    async def remove(self, domain: str) -> None:
        if domain not in self._others:
            raise Refused(409, f"domain {domain} is served by this house, and cannot be removed while it is")
        if self.exchange_of(domain) is not None:
            raise Refused(409, f"domain {domain} is served by an exchange: DELETE /api/v1/exchanges/{domain} first")
        forget_domain(self.store, self._others.pop(domain))
        for document in self._documents_of(domain):
            self.store.submit(DocumentRemoved(domain, document.kind, document.key))
        self.store.submit(DirectoryRemoved(domain))
        await self._durable()

    async def submit(self, *changes: Kept) -> None:
        for change in changes:
            self.store.submit(change)
        await self._durable()

    # --- parts ----------------------------------------------------------------------------------------

    def _carry_out(self) -> None:
        edits, self._edits = self._edits, []
        for domain in dict.fromkeys(waiting.domain for waiting in edits):
            self._carry_out_of(domain, [waiting for waiting in edits if waiting.domain == domain])

    def _carry_out_of(self, domain: str, edits: Sequence[_Waiting]) -> None:
        before = directory = self.directory(domain)
        made: list[tuple[_Waiting, Directory]] = []
        notes: list[Kept] = []
        for waiting in edits:
            try:
                if directory is None:
                    raise Refused(404, f"there is no domain {domain!r}")
                changed = waiting.edit(directory)
                notes += waiting.audit(directory, changed)
                made.append((waiting, changed))
                directory = changed
            except Exception as error:  # noqa: BLE001 - it is raised again in whoever asked for it
                _fail(waiting, error)
        if directory is not None and directory is not before:
            try:
                self.adopt(directory, made[-1][0].what)
            except Exception as error:  # noqa: BLE001 - or whoever asked would wait for ever
                for waiting, _ in made:
                    _fail(waiting, error)
                return
        for note in notes:
            self.store.submit(note)
        for waiting, result in made:
            if not waiting.done.done():
                waiting.done.set_result(result)

    def _keep(self, directory: Directory) -> None:
        document = directory.model_dump_json(context={"secrets": self._reach.seal})
        stored = StoredDirectory(directory.domain.name, directory.revision, document)
        self.store.submit(DirectorySaved(stored))

    async def _durable(self) -> None:
        try:
            async with asyncio.timeout(DURABLE_WITHIN_S):
                await self.store.written()
        except TimeoutError:
            raise Refused(503, "the disk refuses: what was changed holds, but a restart may lose it") from None

    def _documents_of(self, domain: str) -> list[Document]:
        return [document for document in self.store.every_document() if document.domain == domain]

    def _count(self, stamped: Stamped) -> None:
        assert self._statistics is not None
        if isinstance(stamped.event, DirectoryChanged):
            self._statistics.adopt(self._reach.directory())
        self._statistics.take(stamped.event, stamped.at)


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.done.done():
        waiting.done.set_exception(error)
