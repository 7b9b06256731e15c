"""One suite for both stores: what was submitted is read at once, and read again after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
    RecordSaved,
    SubscriptionRemoved,
    SubscriptionSaved,
)
from pbx.domain.history import Fax
from pbx.domain.kept import BoxState, CallRecording, KeptCallback, ServedFile
from pbx.domain.own_settings import OwnSettings
from pbx.store.memory import KEPT_RECORDS, KEPT_RUNS, MemoryStore
from pbx.store.protocol import (
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
    Store,
    TokenSpent,
)
from pbx.store.sql import SqlStore
from tests.store.kept import (
    NOW,
    audit_entry,
    binding,
    credential,
    directory,
    in_memory,
    message,
    notice,
    prompt,
    record,
    reopened,
    run,
    shown_pass,
    subscription,
    written,
)

After = Callable[..., Awaitable[Store]]


@pytest.fixture(params=["memory", "sql"])
async def after(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[After]:
    """A store that was given some changes, after a restart."""
    opened: list[SqlStore] = []

    async def restarted(*changes: Kept) -> Store:
        if request.param == "memory":
            return await in_memory(*changes)
        await written(tmp_path, *changes)
        opened.append(await reopened(tmp_path))
        return opened[-1]

    yield restarted
    for store in opened:
        await store.close()


async def test_a_registration_is_the_last_one_of_its_contact(after: After) -> None:
    store = await after(BindingSaved(binding()), BindingSaved(binding(user_agent="T57W")))
    assert [one.user_agent for one in store.bindings()] == ["T57W"]


async def test_a_removed_registration_is_gone_and_the_others_are_not(after: After) -> None:
    store = await after(
        BindingSaved(binding("101")), BindingSaved(binding("102")), BindingRemoved("101", "sip:101@127.0.0.1")
    )
    assert [one.device for one in store.bindings()] == ["102"]


async def test_a_document_is_the_last_one_of_its_name_and_a_removed_one_is_gone(after: After) -> None:
    first, second = Document("acme.lab", "key", "a", "1"), Document("acme.lab", "key", "b", "2")
    store = await after(
        DocumentSaved(first),
        DocumentSaved(second),
        DocumentSaved(replace(second, text="3")),
        DocumentRemoved("acme.lab", "key", "a"),
        DocumentSaved(Document("", "key", "b", "the house's")),
    )
    assert list(store.documents("acme.lab", "key").values()) == [replace(second, text="3")]
    assert store.documents("beta.lab", "key") == {}


async def test_a_domain_that_was_removed_is_not_there_any_more(after: After) -> None:
    store = await after(
        DirectorySaved(directory()), DirectorySaved(directory(domain="beta.lab")), DirectoryRemoved("beta.lab")
    )
    assert [kept.domain for kept in store.directories()] == ["acme.lab"]


async def test_subscriptions_are_those_that_were_not_removed_as_they_were_last(after: After) -> None:
    store = await after(
        SubscriptionSaved(subscription()),
        SubscriptionSaved(subscription("t2")),
        SubscriptionSaved(subscription(cseq=9)),
        SubscriptionRemoved("call", subscription("t2").local),
    )
    assert list(store.subscriptions()) == [subscription(cseq=9)]


async def test_what_a_peer_sent_that_is_no_text_comes_back_as_it_was(after: After) -> None:
    strange = b"T54W \xff\xe9 \xc3\xa9 \x00".decode("utf-8", "surrogateescape")
    store = await after(BindingSaved(binding(user_agent=strange)), BindingSaved(binding("102")))
    assert [one.user_agent for one in store.bindings()] == [strange, "T54W"]


async def test_messages_come_oldest_first_and_each_once(after: After) -> None:
    store = await after(
        MessageSaved(message("m2", at=2.0)),
        MessageSaved(message("m1", at=1.0)),
        MessageSaved(message("m2", "saved", at=2.0)),
    )
    assert [(one.id, one.folder) for one in store.messages("101")] == [("m1", "new"), ("m2", "saved")]
    assert list(store.messages("102")) == []


async def test_a_removed_message_is_gone(after: After) -> None:
    store = await after(MessageSaved(message()), MessageRemoved("101", "m1"), MessageRemoved("101", "never there"))
    assert list(store.messages("101")) == []


async def test_a_lost_message_is_offered_to_nobody(after: After) -> None:
    store = await after(MessageSaved(message()), MessageSaved(message(folder="lost")))
    assert list(store.messages("101")) == []


async def test_a_message_keeps_who_sent_it_on_and_what_it_says(after: After) -> None:
    sent = message(caller_name="Ana", forwarded_by="103", comment="draft-1", transcription="Call me.")
    store = await after(MessageSaved(message()), MessageSaved(sent))
    assert list(store.messages("101")) == [sent]


async def test_an_owner_has_one_prompt_of_a_name(after: After) -> None:
    newest = prompt(recording="draft-9", text="Hello")
    store = await after(
        PromptSaved(prompt()), PromptSaved(prompt("2")), PromptSaved(prompt("welcome", "")), PromptSaved(newest),
        PromptRemoved("101", "2"), PromptRemoved("101", "never there"),
    )  # fmt: skip
    assert store.prompts("101") == {"1": newest}
    assert store.prompts("") == {"welcome": prompt("welcome", "")}
    assert store.prompts("102") == {}


async def test_a_mailbox_stands_as_it_was_left(after: After) -> None:
    left = BoxState("101", greeting=2, pin="7788", instead_of="4101", failures=2, locked_until=9.0)
    store = await after(BoxSaved(BoxState("101", failures=1)), BoxSaved(left))
    assert store.box("101") == left
    assert store.box("102") == BoxState("102")


async def test_recorded_conversations_are_kept_newest_first_until_they_are_removed(after: After) -> None:
    first, second, gone = (
        CallRecording(name, "c-0001", "101", "101", "14165550142", "code", NOW + at, 12.5)
        for at, name in enumerate(("call-1", "call-2", "call-3"))
    )
    store = await after(
        *(CallRecordingSaved(recording) for recording in (first, second, gone)), CallRecordingRemoved("call-3")
    )
    assert store.call_recordings() == [second, first]


async def test_what_a_user_has_set_is_kept_as_it_was_set_last(after: After) -> None:
    ana = OwnSettings("101", do_not_disturb=True).forwarding("busy", "user 102", on=True)
    store = await after(
        OwnSettingsSaved(OwnSettings("101", call_waiting=False)),
        OwnSettingsSaved(OwnSettings("102")),
        OwnSettingsSaved(ana),
    )
    assert sorted(store.own_settings(), key=lambda settings: settings.extension) == [ana, OwnSettings("102")]


async def test_calls_back_that_were_promised_are_kept_the_oldest_first(after: After) -> None:
    second, first = KeptCallback("500", "14165550142", NOW, NOW + 60), KeptCallback("500", "102", NOW - 5, NOW + 9)
    store = await after(
        CallbackSaved(replace(second, until=NOW)), CallbackSaved(first), CallbackSaved(second),
        CallbackSaved(replace(second, queue="501")), CallbackRemoved("501", "14165550142"),
    )  # fmt: skip
    assert list(store.callbacks()) == [first, second]


async def test_a_fax_is_kept_as_it_stands_and_the_newest_comes_first(after: After) -> None:
    sent = Fax(
        "fax-1", "office", "out", "queued", "14165550156", NOW, "fax-1", 2, sender="ana@acme.lab", due_at=NOW + 30
    )
    came = Fax(
        "fax-2", "office", "in", "received", "14165550157", NOW + 1, "fax-2", 3, 3, "", "416", "T.38", 9600, True
    )
    store = await after(
        FaxSaved(sent), FaxSaved(came), FaxSaved(replace(sent, status="failed", problem="busy", tries=2)),
        FaxSaved(replace(came, id="fax-3")), FaxRemoved("fax-3", "fax-2"),
    )  # fmt: skip
    assert store.faxes() == [came, replace(sent, status="failed", problem="busy", tries=2)]


async def test_mail_waits_until_it_is_gone_oldest_first(after: After) -> None:
    tried = notice("n2", at=NOW - 1, tries=3, problem="no route", refused=True)
    store = await after(NoticeSaved(notice()), NoticeSaved(notice("n3")), NoticeSaved(tried), NoticeRemoved("n3"))
    assert list(store.notices()) == [tried, notice()]


async def test_a_call_has_one_record_and_the_newest_comes_first(after: After) -> None:
    first, second = record("c-0001"), record("c-0002", started_at=1_800_000_100.0)
    store = await after(RecordSaved(record("c-0001", ended_at=0.0)), RecordSaved(first), RecordSaved(second))
    assert list(store.records()) == [second, first]


async def test_forgotten_records_are_those_of_calls_that_are_over(after: After) -> None:
    up, later = record("c-0002", ended_at=0.0), record("c-0003", started_at=1_800_000_100.0)
    store = await after(RecordSaved(record("c-0001")), RecordSaved(up), RecordsForgotten(), RecordSaved(later))
    assert [each.call for each in store.records()] == ["c-0003", "c-0002"]


async def test_only_the_newest_records_and_runs_are_kept_at_hand(after: After) -> None:
    calls = [RecordSaved(record(f"c-{number}", started_at=float(number))) for number in range(KEPT_RECORDS + 3)]
    store = await after(*calls, *(RunSaved(run(number)) for number in range(KEPT_RUNS + 2)))
    assert len(store.records()) == KEPT_RECORDS
    assert store.records()[0].call == f"c-{KEPT_RECORDS + 2}"
    assert [one.id for one in store.runs()][:2] == [f"run-{KEPT_RUNS + 1}", f"run-{KEPT_RUNS}"]
    assert len(store.runs()) == KEPT_RUNS


async def test_a_domain_has_its_newest_configuration(after: After) -> None:
    store = await after(
        DirectorySaved(directory(1)), DirectorySaved(directory(2)), DirectorySaved(directory(1, "other.lab"))
    )
    assert store.directory("acme.lab") == directory(2)
    assert store.directory("other.lab") == directory(1, "other.lab")
    assert store.directory("no.lab") is None


async def test_a_spent_token_stays_spent_until_it_is_reopened(after: After) -> None:
    store = await after(TokenSpent("aa", "1"), TokenSpent("bb", "2"), TokenSpent("aa", "3"), TokenSpent("bb", ""))
    assert store.spent_tokens() == {"aa": "3"}


def held(mac: str, file: str = "{mac}.cfg", sha256: str = "1") -> ServedFile:
    return ServedFile(mac, file, f"{mac}.cfg", sha256, 9.0, "http", "192.0.2.1:9", "Yealink")


async def test_what_a_box_holds_is_the_newest_of_each_file_until_it_is_anothers(after: After) -> None:
    other = held("aa", "{mac}.boot")
    store = await after(
        FileServed(held("aa")), FileServed(held("aa", sha256="2")), FileServed(other), FileServed(held("bb")),
        FileForgotten("bb", "{mac}.cfg"),
    )  # fmt: skip
    assert sorted(store.served_files(), key=lambda one: one.file) == [other, held("aa", sha256="2")]


_DEVICES = st.sampled_from(["101", "102"])
_CHANGES = st.one_of(
    st.builds(lambda device, agent: BindingSaved(binding(device, user_agent=agent)), _DEVICES, st.text(max_size=5)),
    st.builds(lambda device: BindingRemoved(device, f"sip:{device}@127.0.0.1"), _DEVICES),
    st.builds(
        lambda name, folder: MessageSaved(message(name, folder)),
        st.sampled_from("ab"),
        st.sampled_from(["new", "saved"]),
    ),
    st.builds(lambda name: MessageRemoved("101", name), st.sampled_from("ab")),
    st.builds(lambda name, ended: RecordSaved(record(name, ended_at=ended)), st.sampled_from("ab"), st.just(9.0)),
    st.builds(lambda revision: DirectorySaved(directory(revision)), st.integers(1, 9)),
    st.builds(lambda number: RunSaved(run(number)), st.integers(1, 3)),
    st.builds(TokenSpent, st.sampled_from("ab"), st.sampled_from(["", "x"])),
    st.builds(lambda mac, sha256: FileServed(held(mac, sha256=sha256)), st.sampled_from("ab"), st.sampled_from("12")),
    st.builds(lambda mac: FileForgotten(mac, "{mac}.cfg"), st.sampled_from("ab")),
)


async def test_passwords_passes_and_what_was_changed_outlive_a_restart(after: After) -> None:
    store = await after(
        CredentialSaved(credential()), CredentialSaved(credential(hash="$argon2id$newer")),
        CredentialSaved(credential("102")), CredentialRemoved("acme.lab", "102"),
        PassSaved(shown_pass("d1")), PassSaved(shown_pass("d1", used_at=NOW + 1)), PassSaved(shown_pass("d2")),
        PassSaved(shown_pass("d3", expires_at=0.0, kind="key", read_only=True)), PassRemoved("d2"),
        AuditSaved(audit_entry("a1")), AuditSaved(audit_entry("a2", NOW + 1)),
    )  # fmt: skip
    assert store.credential("acme.lab", "101") == credential(hash="$argon2id$newer")
    assert store.credential("acme.lab", "102") is None
    assert dict(store.passes()) == {
        "d1": shown_pass("d1", used_at=NOW + 1),
        "d3": shown_pass("d3", expires_at=0.0, kind="key", read_only=True),
    }
    assert list(store.audit()) == [audit_entry("a2", NOW + 1), audit_entry("a1")]


async def test_a_pass_that_is_over_is_gone_at_the_next_start(tmp_path: Path) -> None:
    await written(tmp_path, PassSaved(shown_pass("old")), PassSaved(shown_pass("key", expires_at=0.0)))
    store = await reopened(tmp_path, NOW + 61)
    assert list(store.passes()) == ["key"]
    await store.close()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(_CHANGES, max_size=20))
async def test_any_changes_leave_both_stores_telling_the_same(
    tmp_path_factory: pytest.TempPathFactory, changes: list[Kept]
) -> None:
    folder = tmp_path_factory.mktemp("both")
    memory = await in_memory(*changes)
    await written(folder, *changes)
    store = await reopened(folder)
    told = [_told(memory), _told(store)]
    await store.close()
    assert told[0] == told[1]


def _told(store: Store) -> list[object]:
    return [
        sorted(store.bindings(), key=lambda one: one.device),
        list(store.messages("101")),
        sorted(store.records(), key=lambda one: one.call),
        store.directory("acme.lab"),
        list(store.runs()),
        store.spent_tokens(),
        sorted(store.served_files(), key=lambda one: one.mac),
    ]


async def test_a_world_that_restarts_has_a_store_of_its_own() -> None:
    before = MemoryStore()
    before.submit(BindingSaved(binding()))
    after = MemoryStore.thawed(before.frozen())
    before.submit(BindingSaved(binding("102")))
    assert [one.device for one in after.bindings()] == ["101"]
