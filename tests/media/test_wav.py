from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.media.wav import BadWav, read_wav, write_wav


@settings(max_examples=20)  # each one is synced to the disk
@given(st.binary(max_size=999))
def test_what_was_written_is_read(tmp_path_factory, payload):
    path = tmp_path_factory.mktemp("wav") / "a.wav"
    write_wav(path, payload)
    assert read_wav(path) == payload


def test_nothing_but_the_file_itself_is_left_behind(tmp_path: Path):
    write_wav(tmp_path / "a.wav", b"\xff" * 160)
    write_wav(tmp_path / "a.wav", b"\x00" * 160)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
    assert read_wav(tmp_path / "a.wav") == b"\x00" * 160


def test_a_file_cut_short_gives_what_is_there(tmp_path: Path):
    path = tmp_path / "a.wav"
    write_wav(path, b"\x55" * 1600)
    path.write_bytes(path.read_bytes()[:844])
    assert read_wav(path) == b"\x55" * 800


def test_chunks_nobody_asked_for_are_skipped(tmp_path: Path):
    path = tmp_path / "a.wav"
    write_wav(path, b"\x55" * 160)
    data = path.read_bytes()
    path.write_bytes(data[:12] + b"LIST" + struct.pack("<I", 3) + b"odd\0" + data[12:])
    assert read_wav(path) == b"\x55" * 160


def test_other_files_are_refused(tmp_path: Path):
    path = tmp_path / "a.wav"
    write_wav(path, b"\x55" * 160)
    whole = path.read_bytes()
    linear = whole.replace(struct.pack("<IH", 16, 7), struct.pack("<IH", 16, 1), 1)
    for data in (b"", b"RIFF" + bytes(60), linear, whole[:36] + b"none" + whole[40:]):
        path.write_bytes(data)
        with pytest.raises(BadWav):
            read_wav(path)
