"""The store in memory: durable at once in the virtual world, and the mirror that the durable store reads from."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import assert_never

from pbx.callflow.ports import (
    BindingRemoved,
    BindingSaved,
    BoxSaved,
    CallbackRemoved,
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
    SubscriptionRemoved,
    SubscriptionSaved,
)
from pbx.domain.accounts import AuditEntry, Credential, Pass
from pbx.domain.kept import BoxState, CallRecording, KeptCallback, KeptPrompt, Notice, ServedFile
from pbx.domain.own_settings import OwnSettings
from pbx.domain.registrations import Binding, KeptSubscription
from pbx.store.protocol import (
    LOST,
    AuditSaved,
    CredentialRemoved,
    CredentialSaved,
    DirectoryRemoved,
    DirectorySaved,
    Document,
    DocumentRemoved,
    DocumentSaved,
    FileForgotten,
    FileServed,
    Kept,
    PassRemoved,
    PassSaved,
    RecordsForgotten,
    RunSaved,
    SeenAlive,
    StoredDirectory,
    StoredRun,
    TokenSpent,
)

KEPT_RECORDS = 5000
KEPT_RUNS = 100
KEPT_AUDIT = 5000


@dataclass(slots=True)
class _State:
    bindings: dict[tuple[str, str], Binding] = field(default_factory=dict)
    subscriptions: dict[tuple[str, str], KeptSubscription] = field(default_factory=dict)
    messages: dict[str, dict[str, Message]] = field(default_factory=dict)
    prompts: dict[str, dict[str, KeptPrompt]] = field(default_factory=dict)
    boxes: dict[str, BoxState] = field(default_factory=dict)
    notices: dict[str, Notice] = field(default_factory=dict)
    call_recordings: dict[str, CallRecording] = field(default_factory=dict)
    callbacks: dict[tuple[str, str], KeptCallback] = field(default_factory=dict)
    own_settings: dict[str, OwnSettings] = field(default_factory=dict)
    faxes: dict[str, Fax] = field(default_factory=dict)
    records: dict[tuple[str, float], CallRecord] = field(default_factory=dict)
    directories: dict[str, StoredDirectory] = field(default_factory=dict)
    documents: dict[tuple[str, str], dict[str, Document]] = field(default_factory=dict)
    """By domain and kind, then by key."""
    runs: dict[str, StoredRun] = field(default_factory=dict)
    spent: dict[str, str] = field(default_factory=dict)
    credentials: dict[tuple[str, str], Credential] = field(default_factory=dict)
    passes: dict[str, Pass] = field(default_factory=dict)
    audit: dict[str, AuditEntry] = field(default_factory=dict)
    served: dict[tuple[str, str], ServedFile] = field(default_factory=dict)


class MemoryStore:
    """Keeps what was submitted; `frozen` and `thawed` are what a process leaves on disk and finds again."""

    writes = True

    def __init__(self) -> None:
        self._state = _State()

    def submit(self, change: Kept) -> int:
        state = self._state
        match change:
            case BindingSaved(binding=binding):
                state.bindings[binding.device, binding.contact] = binding
            case BindingRemoved(device=device, contact=contact):
                state.bindings.pop((device, contact), None)
            case SubscriptionSaved(subscription=subscription):
                state.subscriptions[subscription.call_id, subscription.local] = subscription
            case SubscriptionRemoved(call_id=call_id, local=local):
                state.subscriptions.pop((call_id, local), None)
            case MessageSaved(message=message):
                state.messages.setdefault(message.box, {})[message.id] = message
            case MessageRemoved(box=box, id=number):
                state.messages.get(box, {}).pop(number, None)
            case RecordingDropped():
                pass  # sound is not kept here
            case PromptSaved(prompt=prompt):
                state.prompts.setdefault(prompt.owner, {})[prompt.name] = prompt
            case PromptRemoved(owner=owner, name=name):
                state.prompts.get(owner, {}).pop(name, None)
            case BoxSaved(state=box_state):
                state.boxes[box_state.box] = box_state
            case NoticeSaved(notice=notice):
                state.notices[notice.id] = notice
            case NoticeRemoved(id=number):
                state.notices.pop(number, None)
            case CallRecordingSaved(recording=recording):
                state.call_recordings[recording.recording] = recording
            case CallRecordingRemoved(recording=number):
                state.call_recordings.pop(number, None)
            case CallbackSaved(callback=callback):
                state.callbacks[callback.queue, callback.number] = callback
            case CallbackRemoved(queue=queue, number=number):
                state.callbacks.pop((queue, number), None)
            case OwnSettingsSaved(settings=settings):
                state.own_settings[settings.extension] = settings
            case FaxSaved(fax=fax):
                state.faxes[fax.id] = fax
            case FaxRemoved(id=number):
                state.faxes.pop(number, None)
            case RecordSaved(record=record):
                state.records[record.call, record.started_at] = record
                if len(state.records) > KEPT_RECORDS:
                    del state.records[next(iter(state.records))]
            case RecordsForgotten():
                state.records = {key: record for key, record in state.records.items() if not record.ended_at}
            case DirectorySaved(directory=directory):
                state.directories[directory.domain] = directory
            case DirectoryRemoved(domain=domain):
                state.directories.pop(domain, None)
            case DocumentSaved(document=document):
                state.documents.setdefault((document.domain, document.kind), {})[document.key] = document
            case DocumentRemoved(domain=domain, kind=kind, key=key):
                state.documents.get((domain, kind), {}).pop(key, None)
            case RunSaved(run=run):
                state.runs[run.id] = run
                if len(state.runs) > KEPT_RUNS:
                    del state.runs[next(iter(state.runs))]
            case TokenSpent(mac=mac, digest=digest):
                state.spent.pop(mac, None)
                if digest:
                    state.spent[mac] = digest
            case FileServed(file=served):
                state.served[served.mac, served.file] = served
            case FileForgotten(mac=mac, file=file):
                state.served.pop((mac, file), None)
            case CredentialSaved(credential=credential):
                state.credentials[credential.domain, credential.extension] = credential
            case CredentialRemoved(domain=domain, extension=extension):
                state.credentials.pop((domain, extension), None)
            case PassSaved(shown=shown):
                state.passes[shown.digest] = shown
            case PassRemoved(digest=digest):
                state.passes.pop(digest, None)
            case AuditSaved(entry=entry):
                state.audit[entry.id] = entry
                if len(state.audit) > KEPT_AUDIT:
                    del state.audit[next(iter(state.audit))]
            case SeenAlive():
                pass  # a mirror lives as long as its process
            case _:
                assert_never(change)
        return 0

    async def written(self) -> None:
        """What is submitted here is as durable as it will be."""

    def bindings(self) -> list[Binding]:
        return list(self._state.bindings.values())

    def subscriptions(self) -> list[KeptSubscription]:
        return list(self._state.subscriptions.values())

    def messages(self, box: str) -> list[Message]:
        kept = (message for message in self._state.messages.get(box, {}).values() if message.folder != LOST)
        return sorted(kept, key=lambda message: (message.at, message.id))

    def message(self, box: str, number: str) -> Message | None:
        return self._state.messages.get(box, {}).get(number)

    def every_message(self) -> list[Message]:
        return [message for box in self._state.messages.values() for message in box.values()]

    def prompts(self, owner: str) -> Mapping[str, KeptPrompt]:
        return MappingProxyType(self._state.prompts.get(owner, {}))

    def every_prompt(self) -> list[KeptPrompt]:
        return [prompt for owned in self._state.prompts.values() for prompt in owned.values()]

    def box(self, box: str) -> BoxState:
        return self._state.boxes.get(box) or BoxState(box)

    def notices(self) -> list[Notice]:
        return sorted(self._state.notices.values(), key=lambda notice: notice.at)

    def recordings(self) -> Counter[str]:
        """How often each recording, or document of a fax, is referred to: a message and its copies share one."""
        found = Counter(message.recording for message in self.every_message())
        found.update(message.comment for message in self.every_message() if message.comment)
        found.update(self._state.call_recordings.keys())
        found.update(prompt.recording for prompt in self.every_prompt())
        found.update(notice.recording for notice in self._state.notices.values() if notice.recording)
        found.update(notice.document for notice in self._state.notices.values() if notice.document)
        found.update(fax.document for fax in self._state.faxes.values() if fax.document)
        return found

    def call_recordings(self) -> list[CallRecording]:
        return sorted(self._state.call_recordings.values(), key=lambda kept: (-kept.begun_at, kept.recording))

    def callbacks(self) -> list[KeptCallback]:
        return sorted(self._state.callbacks.values(), key=lambda callback: callback.asked_at)

    def own_settings(self) -> list[OwnSettings]:
        return list(self._state.own_settings.values())

    def faxes(self) -> list[Fax]:
        return sorted(self._state.faxes.values(), key=lambda fax: (-fax.at, fax.id))

    def records(self) -> list[CallRecord]:
        return list(reversed(self._state.records.values()))

    def directory(self, domain: str) -> StoredDirectory | None:
        return self._state.directories.get(domain)

    def directories(self) -> list[StoredDirectory]:
        return list(self._state.directories.values())

    def documents(self, domain: str, kind: str) -> Mapping[str, Document]:
        return MappingProxyType(self._state.documents.get((domain, kind), {}))

    def every_document(self) -> list[Document]:
        return [document for kept in self._state.documents.values() for document in kept.values()]

    def runs(self) -> list[StoredRun]:
        return sorted(self._state.runs.values(), key=lambda run: (run.started_at, run.id), reverse=True)

    def credential(self, domain: str, extension: str) -> Credential | None:
        return self._state.credentials.get((domain, extension))

    def passes(self) -> Mapping[str, Pass]:
        return MappingProxyType(self._state.passes)

    def audit(self) -> list[AuditEntry]:
        return list(reversed(self._state.audit.values()))

    def spent_tokens(self) -> Mapping[str, str]:
        return MappingProxyType(self._state.spent)

    def served_files(self) -> list[ServedFile]:
        return list(self._state.served.values())

    def frozen(self) -> bytes:
        return pickle.dumps(self._state)

    def thaw(self, state: bytes) -> None:
        """Hold what was frozen, and nothing else. Only ever fed with what `frozen` made in this process."""
        self._state = pickle.loads(state)

    @classmethod
    def thawed(cls, state: bytes) -> MemoryStore:
        """Return a store as a new process finds it. Only ever fed with what `frozen` made in this process."""
        made = cls()
        made.thaw(state)
        return made
