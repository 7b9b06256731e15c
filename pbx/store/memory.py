"""The store of the virtual world: everything in memory, durable at once, and a state that outlives a restart."""

from __future__ import annotations

import pickle

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
from pbx.sip.registrar import Binding

KEPT_RECORDS = 5000


class MemoryStore:
    """Keeps what was submitted; `frozen` and `thawed` are what a process leaves on disk and finds again."""

    def __init__(self) -> None:
        self._bindings: dict[tuple[str, str], Binding] = {}
        self._messages: dict[str, dict[str, Message]] = {}
        self._records: dict[tuple[str, float], CallRecord] = {}

    def submit(self, change: Change) -> int:
        match change:
            case BindingSaved(binding=binding):
                self._bindings[binding.device, binding.contact] = binding
            case BindingRemoved(device=device, contact=contact):
                self._bindings.pop((device, contact), None)
            case MessageSaved(message=message):
                self._messages.setdefault(message.box, {})[message.id] = message
            case MessageRemoved(box=box, id=number):
                self._messages.get(box, {}).pop(number, None)
            case RecordSaved(record=record):
                self._records[record.call, record.started_at] = record
                if len(self._records) > KEPT_RECORDS:
                    del self._records[next(iter(self._records))]
        return 0

    def bindings(self) -> list[Binding]:
        return list(self._bindings.values())

    def messages(self, box: str) -> list[Message]:
        return sorted(self._messages.get(box, {}).values(), key=lambda message: (message.at, message.id))

    def records(self) -> list[CallRecord]:
        return list(reversed(self._records.values()))

    def frozen(self) -> bytes:
        return pickle.dumps((self._bindings, self._messages, self._records))

    @classmethod
    def thawed(cls, state: bytes) -> MemoryStore:
        """Return a store as a new process finds it. Only ever fed with what `frozen` made in this process."""
        made = cls()
        made._bindings, made._messages, made._records = pickle.loads(state)
        return made
