"""After a crash every recording is a message or gone, and every message has a recording or is called lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pbx.callflow.ports import CallRecordingSaved, FaxRemoved, FaxSaved, MessageRemoved, MessageSaved, PromptSaved
from pbx.domain.history import Fax
from pbx.domain.kept import CallRecording
from pbx.media.wav import StereoFile, read_wav, write_wav
from pbx.store.sql import SqlStore
from tests.store.kept import NOW, message, prompt, reopened, written

NAME = "vm-101-1800000000000-ab12cd34"
SECOND = b"\x55" * 8000


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    return folder


async def after_a_start(tmp_path: Path, recordings: Path, *, lost: int = 0) -> SqlStore:
    said: list[str] = []
    store = SqlStore(tmp_path, lambda ticket: None, said.append, recordings_folder=recordings)
    await store.start(NOW)
    assert len(said) == lost
    return store


async def test_a_recording_without_a_row_becomes_a_new_message(tmp_path, recordings):
    write_wav(recordings / f"{NAME}.wav", SECOND * 3)
    store = await after_a_start(tmp_path, recordings)
    (found,) = store.messages("101")
    assert (found.folder, found.recording, found.seconds, found.at) == ("new", NAME, 3.0, 1_800_000_000.0)
    await store.close()
    again = await after_a_start(tmp_path, recordings)
    assert list(again.messages("101")) == [found]
    await again.close()


async def test_a_conversation_whose_recording_was_cut_short_is_kept_as_far_as_it_went(tmp_path, recordings):
    cut, finished, gone, whole = (
        CallRecording(name, "c-0001", "101", "101", "102", "always", NOW, seconds)
        for name, seconds in (("call-cut", 0.0), ("call-finished", 0.0), ("call-gone", 0.0), ("call-whole", 2.0))
    )
    await written(tmp_path, *(CallRecordingSaved(kept) for kept in (cut, finished, gone, whole)))
    file = StereoFile(recordings / "call-cut.wav")
    file.write(SECOND * 6)
    file._file.flush()
    other = StereoFile(recordings / "call-finished.wav")
    other.write(SECOND * 4)
    other.finish()
    store = await after_a_start(tmp_path, recordings, lost=1)
    lengths = {kept.recording: kept.seconds for kept in store.call_recordings()}
    assert lengths == {"call-cut": 3.0, "call-finished": 2.0, "call-whole": 2.0}
    data = (recordings / "call-cut.wav").read_bytes()
    assert (data[22:24], int.from_bytes(data[40:44], "little")) == (b"\2\0", 48_000)
    assert not list(recordings.glob("*.tmp"))
    await store.close()


async def test_a_recording_that_was_cut_short_becomes_a_message_with_a_true_header(tmp_path, recordings):
    write_wav(recordings / f"{NAME}.wav", b"")
    (recordings / f"{NAME}.wav").rename(recordings / f"{NAME}.tmp")
    with (recordings / f"{NAME}.tmp").open("ab") as file:
        file.write(SECOND * 2)
    store = await after_a_start(tmp_path, recordings)
    (found,) = store.messages("101")
    assert (found.seconds, found.heard) == (2.0, "cut short")
    assert read_wav(recordings / f"{NAME}.wav") == SECOND * 2
    assert not (recordings / f"{NAME}.tmp").exists()
    await store.close()


@pytest.mark.parametrize("suffix", [".wav", ".tmp"])
async def test_less_than_a_second_is_a_caller_who_hung_up_at_the_beep(tmp_path, recordings, suffix):
    write_wav(recordings / f"{NAME}.wav", SECOND[:4000])
    (recordings / f"{NAME}.wav").rename(recordings / f"{NAME}{suffix}")
    store = await after_a_start(tmp_path, recordings)
    assert list(store.messages("101")) == []
    assert list(recordings.iterdir()) == []
    await store.close()


async def test_a_message_whose_recording_is_gone_is_lost_and_said_so_once(tmp_path, recordings):
    await written(tmp_path, MessageSaved(message(NAME)))
    store = await after_a_start(tmp_path, recordings, lost=1)
    assert list(store.messages("101")) == []
    await store.close()
    await (await after_a_start(tmp_path, recordings, lost=0)).close()


async def test_a_message_with_its_recording_stays_as_it_was(tmp_path, recordings):
    write_wav(recordings / f"{NAME}.wav", SECOND)
    (recordings / f"{NAME}.tmp").write_bytes(b"an older try")
    await written(tmp_path, MessageSaved(message(NAME, "saved")))
    store = await after_a_start(tmp_path, recordings)
    assert list(store.messages("101")) == [message(NAME, "saved")]
    assert [path.name for path in recordings.iterdir()] == [f"{NAME}.wav"]
    await store.close()


@pytest.mark.parametrize("name", ["vm-strange", "probe-101-1-ab"])
async def test_a_recording_that_is_nobodys_is_left_alone(tmp_path, recordings, name):
    write_wav(recordings / f"{name}.wav", SECOND * 2)
    store = await after_a_start(tmp_path, recordings)
    assert (recordings / f"{name}.wav").exists()
    await store.close()


async def test_a_deleted_message_takes_its_recording_along_and_does_not_come_back(tmp_path, recordings):
    write_wav(recordings / f"{NAME}.wav", SECOND * 2)
    await written(tmp_path, MessageSaved(message(NAME)), MessageRemoved("101", NAME), recordings_folder=recordings)
    assert list(recordings.iterdir()) == []
    store = await reopened(tmp_path, recordings_folder=recordings)
    assert list(store.messages("101")) == []
    await store.close()


async def test_a_recording_that_copies_share_goes_with_the_last_of_them(tmp_path, recordings):
    first, copy = message("m1", recording=NAME), message("m2", box="102", recording=NAME)
    await written(tmp_path, MessageSaved(first), MessageSaved(copy))
    write_wav(recordings / f"{NAME}.wav", SECOND)
    await written(tmp_path, MessageRemoved("101", "m1"), recordings_folder=recordings)
    assert (recordings / f"{NAME}.wav").exists()
    await written(tmp_path, MessageRemoved("102", "m2"), recordings_folder=recordings)
    assert not (recordings / f"{NAME}.wav").exists()


async def test_a_message_s_comment_and_an_older_greeting_go_too(tmp_path, recordings):
    kept = [MessageSaved(message(recording=NAME, comment="draft-a")), PromptSaved(prompt(recording="draft-b"))]
    await written(tmp_path, *kept)
    for name in (NAME, "draft-a", "draft-b", "draft-nobodys"):
        write_wav(recordings / f"{name}.wav", SECOND)
    await written(tmp_path, recordings_folder=recordings)
    assert sorted(path.stem for path in recordings.iterdir()) == ["draft-a", "draft-b", NAME]
    changes = [MessageRemoved("101", "m1"), PromptSaved(prompt(recording="draft-d"))]
    await written(tmp_path, *changes, recordings_folder=recordings)
    assert list(recordings.iterdir()) == []


async def test_a_prompt_whose_file_is_gone_is_said_to_be(tmp_path, recordings):
    await written(tmp_path, PromptSaved(prompt()))
    await (await after_a_start(tmp_path, recordings, lost=1)).close()


async def test_pages_of_a_fax_stay_while_somebody_has_it_and_those_of_nobody_go_at_a_start(tmp_path, recordings):
    kept = Fax("fax-1", "office", "in", "received", "", NOW, "fax-1", 1, 1)
    await written(tmp_path, FaxSaved(kept), FaxSaved(replace(kept, id="fax-copy", account="archive")))
    for name in ("fax-1", "fax-nobodys"):
        (recordings / f"{name}.tif").write_bytes(b"II*")
    store = await after_a_start(tmp_path, recordings)
    assert [path.name for path in recordings.iterdir()] == ["fax-1.tif"]
    store.submit(FaxRemoved("fax-1", "fax-1"))
    await store.close()
    assert (recordings / "fax-1.tif").exists(), "the other account has it too"
    store = await after_a_start(tmp_path, recordings)
    store.submit(FaxRemoved("fax-copy", "fax-1"))
    await store.close()
    assert list(recordings.iterdir()) == []
