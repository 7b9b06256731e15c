"""What call control asks of a store, as a protocol: submit a change, learn when it is durable, read what is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pbx.domain.history import CallRecord as CallRecord
from pbx.domain.history import Fax as Fax
from pbx.domain.history import Message as Message
from pbx.domain.kept import BoxState, CallRecording, KeptCallback, KeptPrompt, Notice
from pbx.domain.own_settings import OwnSettings
from pbx.domain.registrations import Binding, KeptSubscription


@dataclass(frozen=True, slots=True)
class BindingSaved:
    binding: Binding


@dataclass(frozen=True, slots=True)
class BindingRemoved:
    device: str
    contact: str


@dataclass(frozen=True, slots=True)
class SubscriptionSaved:
    subscription: KeptSubscription


@dataclass(frozen=True, slots=True)
class SubscriptionRemoved:
    call_id: str
    local: str


@dataclass(frozen=True, slots=True)
class MessageSaved:
    """A message is new, or has changed its folder."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessageRemoved:
    box: str
    id: str


@dataclass(frozen=True, slots=True)
class RecordingDropped:
    """Sound that nobody wants to keep."""

    recording: str


@dataclass(frozen=True, slots=True)
class PromptSaved:
    """A prompt is new, or another in the place of the one before."""

    prompt: KeptPrompt


@dataclass(frozen=True, slots=True)
class PromptRemoved:
    owner: str
    name: str


@dataclass(frozen=True, slots=True)
class BoxSaved:
    state: BoxState


@dataclass(frozen=True, slots=True)
class NoticeSaved:
    """Mail is to be sent, or could not be."""

    notice: Notice


@dataclass(frozen=True, slots=True)
class NoticeRemoved:
    id: str


@dataclass(frozen=True, slots=True)
class CallRecordingSaved:
    recording: CallRecording


@dataclass(frozen=True, slots=True)
class CallRecordingRemoved:
    recording: str


@dataclass(frozen=True, slots=True)
class CallbackSaved:
    callback: KeptCallback


@dataclass(frozen=True, slots=True)
class CallbackRemoved:
    """It was kept, or nobody was there in time."""

    queue: str
    number: str


@dataclass(frozen=True, slots=True)
class OwnSettingsSaved:
    settings: OwnSettings


@dataclass(frozen=True, slots=True)
class FaxSaved:
    fax: Fax


@dataclass(frozen=True, slots=True)
class FaxRemoved:
    """With its pages, which are nobody else's."""

    id: str
    document: str


@dataclass(frozen=True, slots=True)
class RecordSaved:
    """A call began (open row) or ended."""

    record: CallRecord


Change = (
    BindingSaved
    | BindingRemoved
    | SubscriptionSaved
    | SubscriptionRemoved
    | MessageSaved
    | MessageRemoved
    | RecordingDropped
    | PromptSaved
    | PromptRemoved
    | BoxSaved
    | NoticeSaved
    | NoticeRemoved
    | CallRecordingSaved
    | CallRecordingRemoved
    | CallbackSaved
    | CallbackRemoved
    | OwnSettingsSaved
    | FaxSaved
    | FaxRemoved
    | RecordSaved
)


class History(Protocol):
    """Everything call control must not lose. One writer; a read sees what was submitted before."""

    @property
    def writes(self) -> bool:
        """False while the disk refuses: what is submitted waits and is not durable."""
        ...

    def submit(self, change: Change) -> int:
        """Take a change; return the ticket that will be confirmed, or 0 when it is durable already."""
        ...

    def bindings(self) -> Sequence[Binding]: ...

    def subscriptions(self) -> Sequence[KeptSubscription]: ...

    def messages(self, box: str) -> Sequence[Message]:
        """Oldest first, in whatever folder."""
        ...

    def prompts(self, owner: str) -> Mapping[str, KeptPrompt]:
        """By name: of a mailbox, or of the domain for an empty owner."""
        ...

    def box(self, box: str) -> BoxState: ...

    def notices(self) -> Sequence[Notice]:
        """Mail that has not been sent, oldest first."""
        ...

    def call_recordings(self) -> Sequence[CallRecording]:
        """Conversations that were recorded, newest first."""
        ...

    def faxes(self) -> Sequence[Fax]:
        """Newest first."""
        ...

    def callbacks(self) -> Sequence[KeptCallback]:
        """Calls back that were promised and not kept yet, the oldest first."""
        ...

    def own_settings(self) -> Sequence[OwnSettings]:
        """What users have set at their telephones."""
        ...

    def records(self) -> Sequence[CallRecord]:
        """Newest first, bounded."""
        ...
