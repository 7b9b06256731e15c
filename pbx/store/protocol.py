"""What a store keeps, and the protocol both stores follow: submit a change, read what is kept.

Reads are synchronous and see what was submitted before; `submit` returns the ticket that is confirmed once the change
is durable, or 0 when it is so already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pbx.callflow.ports import CallRecord, Change, Fax, Message
from pbx.domain.accounts import AuditEntry, Credential, Pass
from pbx.domain.kept import BoxState, CallRecording, KeptCallback, KeptPrompt, Notice, ServedFile
from pbx.domain.own_settings import OwnSettings
from pbx.domain.registrations import Binding, KeptSubscription

LOST = "lost"
"""Folder of a message whose recording is gone: kept for whoever asks, offered to nobody."""


@dataclass(frozen=True, slots=True)
class StoredDirectory:
    """A domain's configuration as one JSON document, passwords in clear: the store's folder is its owner's alone."""

    domain: str
    revision: int
    document: str


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run of a test plan with what was written of it."""

    id: str
    plan: str
    started_at: float
    """POSIX seconds."""
    results: str
    """JSON (`test_plans.report.results`)."""
    report: str
    """One HTML document."""


@dataclass(frozen=True, slots=True)
class DirectorySaved:
    directory: StoredDirectory


@dataclass(frozen=True, slots=True)
class DirectoryRemoved:
    domain: str


@dataclass(frozen=True, slots=True)
class Document:
    """Something kept of a domain that is no configuration of calls: an API key, a subscription, a route of theirs."""

    domain: str
    """Empty for what is the house's."""
    kind: str
    key: str
    text: str
    """JSON."""


@dataclass(frozen=True, slots=True)
class DocumentSaved:
    document: Document


@dataclass(frozen=True, slots=True)
class DocumentRemoved:
    domain: str
    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class RunSaved:
    run: StoredRun


@dataclass(frozen=True, slots=True)
class TokenSpent:
    """The one-time token of a box was used; an empty digest when an operator has let the box in once more."""

    mac: str
    digest: str


@dataclass(frozen=True, slots=True)
class FileServed:
    """A box holds another file than before."""

    file: ServedFile


@dataclass(frozen=True, slots=True)
class FileForgotten:
    """Nobody knows what the box holds: it is another's from now on."""

    mac: str
    file: str


@dataclass(frozen=True, slots=True)
class CredentialSaved:
    credential: Credential


@dataclass(frozen=True, slots=True)
class CredentialRemoved:
    domain: str
    extension: str


@dataclass(frozen=True, slots=True)
class PassSaved:
    shown: Pass


@dataclass(frozen=True, slots=True)
class PassRemoved:
    digest: str


@dataclass(frozen=True, slots=True)
class AuditSaved:
    entry: AuditEntry


@dataclass(frozen=True, slots=True)
class RecordsForgotten:
    """The records of all calls that are over are gone; those of calls in progress stay."""


@dataclass(frozen=True, slots=True)
class SeenAlive:
    """The process lives at this moment (POSIX seconds): the end of what it had open when it lives no more."""

    at: float


Kept = (
    Change
    | DirectorySaved
    | DirectoryRemoved
    | DocumentSaved
    | DocumentRemoved
    | RunSaved
    | TokenSpent
    | FileServed
    | FileForgotten
    | CredentialSaved
    | CredentialRemoved
    | PassSaved
    | PassRemoved
    | AuditSaved
    | RecordsForgotten
    | SeenAlive
)


class Store(Protocol):
    """The history of call control (`pbx.callflow.ports.History`), and beside it configuration, runs and tokens."""

    @property
    def writes(self) -> bool: ...

    def submit(self, change: Kept) -> int: ...

    async def written(self) -> None:
        """Wait until everything that was submitted so far is durable."""
        ...

    def bindings(self) -> Sequence[Binding]: ...

    def subscriptions(self) -> Sequence[KeptSubscription]: ...

    def messages(self, box: str) -> Sequence[Message]:
        """Oldest first, none that is lost."""
        ...

    def prompts(self, owner: str) -> Mapping[str, KeptPrompt]:
        """By name: of a mailbox, or of the domain for an empty owner."""
        ...

    def box(self, box: str) -> BoxState: ...

    def notices(self) -> Sequence[Notice]:
        """Mail that has not been sent, oldest first."""
        ...

    def call_recordings(self) -> Sequence[CallRecording]:
        """Newest first."""
        ...

    def callbacks(self) -> Sequence[KeptCallback]:
        """Oldest first."""
        ...

    def own_settings(self) -> Sequence[OwnSettings]: ...

    def faxes(self) -> Sequence[Fax]:
        """Newest first."""
        ...

    def records(self) -> Sequence[CallRecord]:
        """Newest first, bounded."""
        ...

    def directory(self, domain: str) -> StoredDirectory | None: ...

    def directories(self) -> Sequence[StoredDirectory]:
        """Of every domain of the house."""
        ...

    def documents(self, domain: str, kind: str) -> Mapping[str, Document]:
        """By key, in the order they were first kept."""
        ...

    def every_document(self) -> Sequence[Document]: ...

    def runs(self) -> Sequence[StoredRun]:
        """Newest first, bounded."""
        ...

    def credential(self, domain: str, extension: str) -> Credential | None: ...

    def passes(self) -> Mapping[str, Pass]:
        """By digest."""
        ...

    def audit(self) -> Sequence[AuditEntry]:
        """Newest first, bounded; the database has all."""
        ...

    def spent_tokens(self) -> Mapping[str, str]:
        """MAC → digest of the one-time token that was used."""
        ...

    def served_files(self) -> Sequence[ServedFile]:
        """What each box holds, the newest of each of its files."""
        ...
