"""Changes as SQL: each kind is one statement, compiled once, so that a run of them is one execution."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, assert_never

from sqlalchemy import Delete, Table, bindparam, delete, literal_column
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import Insert, insert

from pbx.callflow.ports import (
    BindingRemoved,
    BindingSaved,
    BoxSaved,
    CallbackRemoved,
    CallbackSaved,
    CallRecordingRemoved,
    CallRecordingSaved,
    FaxRemoved,
    FaxSaved,
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
from pbx.store import tables
from pbx.store.protocol import (
    AuditSaved,
    CredentialRemoved,
    CredentialSaved,
    DirectoryRemoved,
    DirectorySaved,
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
    TokenSpent,
)

_Row = (
    BindingSaved
    | BindingRemoved
    | SubscriptionSaved
    | SubscriptionRemoved
    | MessageSaved
    | MessageRemoved
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
"""What is a row: a recording that is dropped is a file alone."""


def executions(changes: Sequence[Kept]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Return the statements in order, neighbours of one kind joined: (SQL, the values of each by name)."""
    rows_of = (_statement(change) for change in changes if not isinstance(change, RecordingDropped))
    for key, run in groupby(rows_of, key=lambda pair: pair[0]):
        statement = _STATEMENTS[key]
        rows = [values for _, values in run]
        for row in rows:
            for name in statement.texts:
                if (text := row[name]) is not None and not text.isascii():
                    row[name] = tables.escaped(text)
        for name, written in statement.written:
            for row in rows:
                row[name] = written(row[name])
        yield statement.sql, rows


def _statement(change: _Row) -> tuple[str, dict[str, Any]]:
    match change:
        case BindingSaved(binding=binding):
            return "binding", {**binding._asdict(), "peer": str(binding.peer)}
        case BindingRemoved(device=device, contact=contact):
            return "no binding", {"_device": device, "_contact": contact}
        case SubscriptionSaved(subscription=subscription):
            return "subscription", {**_values(subscription), "peer": str(subscription.peer)}
        case SubscriptionRemoved(call_id=call_id, local=local):
            return "no subscription", {"_call_id": call_id, "_local": local}
        case MessageSaved(message=message):
            return "message", _values(message)
        case MessageRemoved(box=box, id=number):
            return "no message", {"_box": box, "_id": number}
        case PromptSaved(prompt=prompt):
            return "prompt", _values(prompt)
        case PromptRemoved(owner=owner, name=name):
            return "no prompt", {"_owner": owner, "_name": name}
        case CallRecordingSaved(recording=recording):
            return "call recording", _values(recording)
        case CallRecordingRemoved(recording=name):
            return "no call recording", {"_recording": name}
        case CallbackSaved(callback=callback):
            return "callback", _values(callback)
        case CallbackRemoved(queue=queue, number=number):
            return "no callback", {"_queue": queue, "_number": number}
        case OwnSettingsSaved(settings=settings):
            return "own settings", _values(settings)
        case FaxSaved(fax=fax):
            return "fax", _values(fax)
        case FaxRemoved(id=number):
            return "no fax", {"_id": number}
        case BoxSaved(state=state):
            return "box", _values(state)
        case NoticeSaved(notice=notice):
            return "notice", {**_values(notice), "to": "\n".join(notice.to)}
        case NoticeRemoved(id=number):
            return "no notice", {"_id": number}
        case RecordSaved(record=record):
            return "record", _values(record)
        case DirectorySaved(directory=directory):
            return "directory", _values(directory)
        case DirectoryRemoved(domain=domain):
            return "no directory", {"_domain": domain}
        case DocumentSaved(document=document):
            return "document", _values(document)
        case DocumentRemoved(domain=domain, kind=kind, key=key):
            return "no document", {"_domain": domain, "_kind": kind, "_key": key}
        case RunSaved(run=run):
            return "run", _values(run)
        case TokenSpent(mac=mac, digest=digest) if digest:
            return "token", {"mac": mac, "digest": digest}
        case TokenSpent(mac=mac):
            return "no token", {"_mac": mac}
        case FileServed(file=file):
            return "served", _values(file)
        case FileForgotten(mac=mac, file=name):
            return "not served", {"_mac": mac, "_file": name}
        case CredentialSaved(credential=credential):
            return "credential", _values(credential)
        case CredentialRemoved(domain=domain, extension=extension):
            return "no credential", {"_domain": domain, "_extension": extension}
        case PassSaved(shown=shown):
            return "pass", _values(shown)
        case PassRemoved(digest=digest):
            return "no pass", {"_digest": digest}
        case AuditSaved(entry=entry):
            return "audit", _values(entry)
        case RecordsForgotten():
            return "no records", {}
        case SeenAlive(at=at):
            return "life", {"id": 1, "seen_at": at}
        case _:
            assert_never(change)


def _values(kept: Any) -> dict[str, Any]:
    return {name: getattr(kept, name) for name in kept.__dataclass_fields__}


def _replacing(table: Table) -> Insert:
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    others = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=others)


def _removing(table: Table) -> Delete:
    statement = delete(table)
    for column in table.primary_key:
        statement = statement.where(column == bindparam(f"_{column.name}", type_=column.type))
    return statement


_CORE: dict[str, Insert | Delete] = {
    "binding": _replacing(tables.bindings),
    "no binding": _removing(tables.bindings),
    "subscription": _replacing(tables.subscriptions),
    "no subscription": _removing(tables.subscriptions),
    "message": _replacing(tables.messages),
    "no message": _removing(tables.messages),
    "prompt": _replacing(tables.prompts),
    "no prompt": _removing(tables.prompts),
    "call recording": _replacing(tables.call_recordings),
    "no call recording": _removing(tables.call_recordings),
    "callback": _replacing(tables.callbacks),
    "no callback": _removing(tables.callbacks),
    "own settings": _replacing(tables.own_settings),
    "fax": _replacing(tables.faxes),
    "no fax": _removing(tables.faxes),
    "box": _replacing(tables.boxes),
    "notice": _replacing(tables.notices),
    "no notice": _removing(tables.notices),
    "record": _replacing(tables.records),
    "no records": delete(tables.records).where(tables.records.c.ended_at > literal_column("0")),
    "directory": _replacing(tables.directories),
    "no directory": _removing(tables.directories),
    "document": _replacing(tables.documents),
    "no document": _removing(tables.documents),
    "run": _replacing(tables.runs),
    "life": _replacing(tables.life),
    "token": _replacing(tables.spent_tokens),
    "no token": _removing(tables.spent_tokens),
    "credential": _replacing(tables.credentials),
    "no credential": _removing(tables.credentials),
    "pass": _replacing(tables.passes),
    "no pass": _removing(tables.passes),
    "audit": _replacing(tables.audit),
    "served": _replacing(tables.served_files),
    "not served": _removing(tables.served_files),
}


@dataclass(frozen=True, slots=True)
class _Statement:
    """Compiled once: SQLAlchemy would take thrice the time of the insertion over each row."""

    sql: str
    texts: tuple[str, ...]
    """Parameters of our own text type: most are ASCII, which needs no other form."""
    written: tuple[tuple[str, Callable[[Any], Any]], ...]
    """Other parameters whose type writes them in a form of its own."""


def _compiled(core: Insert | Delete) -> _Statement:
    dialect = sqlite.dialect(paramstyle="named")
    made = core.compile(dialect=dialect)
    texts = tuple(name for name, bound in made.binds.items() if isinstance(bound.type, tables.Text))
    forms = ((name, bound.type.dialect_impl(dialect).bind_processor(dialect)) for name, bound in made.binds.items())
    others = ((name, written) for name, written in forms if written is not None and name not in texts)
    return _Statement(str(made), texts, tuple(others))


_STATEMENTS = {kind: _compiled(core) for kind, core in _CORE.items()}
