"""Values that a store keeps, and the two stores behind one door."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pbx.callflow.ports import CallRecord, Message
from pbx.domain.accounts import AuditEntry, Credential, Pass
from pbx.domain.kept import KeptPrompt, Notice
from pbx.domain.registrations import KeptSubscription
from pbx.sip.address import Peer
from pbx.sip.registrar import Binding
from pbx.store.memory import MemoryStore
from pbx.store.protocol import Kept, Store, StoredDirectory, StoredRun
from pbx.store.sql import SqlStore

NOW = 1_800_000_000.0

Restarted = Callable[..., Awaitable[Store]]


def binding(device: str = "101", expires_at: float = NOW + 60, **changes: Any) -> Binding:
    peer = Peer("udp", "127.0.0.1", 5060)
    values = {
        "contact": f"sip:{device}@127.0.0.1",
        "user_agent": "T54W",
        "path": "<sip:10.0.0.3;lr>\n<sip:10.0.0.4;lr>",
        **changes,
    }
    return Binding(
        device=device, extension=device, peer=peer, expires_at=expires_at, call_id="id", cseq=1, instance="", **values
    )


def subscription(tag: str = "t1", expires_at: float = NOW + 600, **changes: Any) -> KeptSubscription:
    values = {"cseq": 3, "remote_cseq": 2, "version": 1, **changes}
    return KeptSubscription(
        "call", f"<sip:102@acme.lab>;tag={tag}", "<sip:101@acme.lab>;tag=x", "101", "dialog", "102",
        "sip:101@127.0.0.1", "<sip:10.0.0.3;lr>\n<sip:10.0.0.4;lr>", Peer("udp", "127.0.0.1", 5060), "dialog;id=1",
        "", expires_at, **values,
    )  # fmt: skip


def message(number: str = "m1", folder: str = "new", **changes: Any) -> Message:
    values = {"recording": number, "at": NOW, "box": "101", **changes}
    return Message(id=number, folder=folder, seconds=3.0, caller_number="102", heard="signature:102", **values)


def prompt(name: str = "1", owner: str = "101", **changes: Any) -> KeptPrompt:
    return KeptPrompt(owner, name, **{"recording": f"draft-{name}", "seconds": 2.0, "origin": "call", **changes})


def notice(number: str = "n1", **changes: Any) -> Notice:
    values = {"to": ("ana@acme.lab", "ben@acme.lab"), "at": NOW, **changes}
    return Notice(number, "101", "m1", subject="A message", text="From 102\nToday", **values)


def record(call: str = "c-0001", ended_at: float = NOW + 5, started_at: float = NOW) -> CallRecord:
    return CallRecord(
        call, "101", "Ana", "101", "102", "102", "ANSWERED", "internal", started_at, NOW + 1, ended_at, 4.0, 16,
        "user:102",
    )  # fmt: skip


def directory(revision: int = 1, domain: str = "acme.lab") -> StoredDirectory:
    return StoredDirectory(domain, revision, f'{{"revision": {revision}}}')


def run(number: int) -> StoredRun:
    return StoredRun(f"run-{number}", "office", NOW + number, "{}", "<html>")


def credential(extension: str = "101", **changes: Any) -> Credential:
    return Credential("acme.lab", extension, **{"hash": "$argon2id$x", "changed_at": NOW, **changes})


def shown_pass(digest: str = "d1", **changes: Any) -> Pass:
    return Pass(digest, **{"kind": "session", "domain": "acme.lab", "extension": "101", "made_at": NOW,
                           "expires_at": NOW + 60, **changes})  # fmt: skip


def audit_entry(number: str = "a1", at: float = NOW) -> AuditEntry:
    return AuditEntry(number, at, "101@acme.lab", "Office Manager", "", "console 127.0.0.1", "acme.lab", "user", "102",
                      "edit", '{"first_name": "Ben"}', '{"first_name": "Bénédict"}')  # fmt: skip


async def reopened(folder: Path, now: float = NOW, **settings: Any) -> SqlStore:
    store = SqlStore(folder, lambda ticket: None, pytest.fail, **settings)
    await store.start(now)
    return store


async def written(folder: Path, *changes: Kept, **settings: Any) -> list[int]:
    """Open a store, submit, and return the tickets that were confirmed before it was closed."""
    confirmed: list[int] = []
    store = SqlStore(folder, confirmed.append, pytest.fail, **settings)
    await store.start(NOW)
    for change in changes:
        store.submit(change)
    await store.close()
    return confirmed


async def in_memory(*changes: Kept) -> MemoryStore:
    store = MemoryStore()
    for change in changes:
        store.submit(change)
    return MemoryStore.thawed(store.frozen())
