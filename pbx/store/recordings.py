"""Recordings are files, messages are rows: a start brings the two together again (testing.md B3).

The media process writes a file whole (temporary name, sync, rename) before the row is made, and a row goes before its
file. So a crash leaves a file without row, or a temporary file; a row without file is somebody else's doing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pbx.callflow.ports import Message
from pbx.domain.kept import CallRecording
from pbx.store.protocol import LOST

SHORTEST_S = 1.0
"""A shorter one is a caller who hung up at the beep."""
DRAFT = "draft-"
"""So begin the names of recordings that are nobody's until they are kept: greetings, names, comments, prompts."""
FAX = "fax-"
"""So begin the names of the documents of faxes."""
_VOICEMAIL = re.compile(r"vm-(?P<box>.+)-(?P<milliseconds>\d+)-[0-9a-f]+\Z")
_HEADER = 44
_RATE = 8000


@dataclass(frozen=True, slots=True)
class Sweep:
    lost: tuple[Message, ...] = ()
    """Rows whose recording is gone, as they are to be kept from now on."""
    adopted: tuple[Message, ...] = ()
    """New messages of recordings that had no row."""
    rubbish: tuple[Path, ...] = ()
    """Files that nobody needs."""


def sweep(folder: Path, messages: Iterable[Message], needed: Mapping[str, int]) -> Sweep:
    """Compare the recordings in `folder` with `messages` and whatever else is `needed`; nothing is changed.

    A temporary file with a second of sound or more becomes a message that was cut short; its WAV header may lie."""
    messages = tuple(messages)
    known = {message.recording for message in messages}
    there = {path.stem: path for path in sorted(folder.glob("vm-*.wav"))}
    lost = [
        replace(message, folder=LOST)
        for message in messages
        if message.recording not in there and message.folder != LOST
    ]
    adopted: list[Message] = []
    drafts = [*sorted(folder.glob(f"{DRAFT}*")), *sorted(folder.glob(f"{FAX}*.tif"))]
    rubbish = [path for path in drafts if path.suffix == ".tmp" or not needed.get(path.stem)]
    for path in [*there.values(), *sorted(folder.glob("vm-*.tmp"))]:
        if path.stem in known:
            if path.suffix == ".tmp":
                rubbish.append(path)
            continue
        found = _VOICEMAIL.match(path.stem)
        if found is None:
            continue
        seconds = max(path.stat().st_size - _HEADER, 0) / _RATE
        if seconds < SHORTEST_S:
            rubbish.append(path)
            continue
        heard = "cut short" if path.suffix == ".tmp" else "unknown"
        at = int(found["milliseconds"]) / 1000
        adopted.append(Message(path.stem, found["box"], "new", path.stem, seconds, "", heard, at))
    return Sweep(tuple(lost), tuple(adopted), tuple(rubbish))


def cut_short(folder: Path, kept: CallRecording) -> float | None:
    """Return the seconds there are of a conversation whose end nobody told, None when there is no file of it."""
    for suffix in (".wav", ".tmp"):
        path = folder / f"{kept.recording}{suffix}"
        if path.exists():
            return max(path.stat().st_size - _HEADER, 0) / (2 * _RATE)
    return None


def mend(folder: Path, recording: str) -> None:
    """Give a recording that was cut short a header that tells its true length, then its name. OSError may come."""
    temporary = folder / f"{recording}.tmp"
    if not temporary.exists():
        return
    sound = temporary.stat().st_size - _HEADER
    with temporary.open("r+b") as file:
        for place, length in ((4, 36 + sound), (40, sound)):  # of RIFF, and of its one `data` part
            file.seek(place)
            file.write(length.to_bytes(4, "little"))
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(temporary.with_suffix(".wav"))
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(folder: Path, recording: str) -> None:
    """Of sound, or of a fax."""
    for suffix in (".wav", ".tif"):
        (folder / f"{recording}{suffix}").unlink(missing_ok=True)
