"""What the engine and its worker say to each other: lists of messages in datagrams of a SOCK_SEQPACKET pair.

Each datagram wakes the other process, which costs more than what it says: what is said at once goes in one. Both ends
are one interpreter, whose own form of plain values is written and read ten times as fast as JSON.
"""

from __future__ import annotations

import marshal
from collections import deque
from dataclasses import asdict, fields
from itertools import islice
from typing import Any

from pbx.domain.sounds import Spoken
from pbx.media import engine
from pbx.media.engine import (
    Closed,
    DigitPressed,
    FarEndReported,
    Faulted,
    FaxFinished,
    FaxSensed,
    FlowChanged,
    Heard,
    MediaEvent,
    MediaStatistics,
    Music,
    PlayFinished,
    Prompts,
    Recording,
    RecordingFinished,
    Signature,
    Silence,
    Sound,
    SoundMissing,
    SourceLatched,
    StrangerIgnored,
    Tone,
    ToneRecognised,
)

Words = dict[str, Any]
LARGEST = 1 << 17
"""Octets of a datagram at most; messages are joined up to a quarter of it."""
_TOGETHER = 256
"""Messages of a datagram at most."""

_EVENTS: dict[str, type[MediaEvent]] = {
    kind.__name__: kind
    for kind in (
        PlayFinished, DigitPressed, RecordingFinished, SourceLatched, Heard, Closed, FlowChanged, StrangerIgnored,
        FarEndReported, Faulted, SoundMissing, ToneRecognised, FaxSensed, FaxFinished,
    )
}  # fmt: skip
_FIELDS = {kind: tuple(field.name for field in fields(kind)) for kind in _EVENTS.values()}  # type: ignore[arg-type]
_FIGURES = tuple(field.name for field in fields(MediaStatistics))


def pack(said: list[Words]) -> bytes:
    """Write messages of plain values."""
    return marshal.dumps(said)


def together(waiting: deque[Words]) -> tuple[bytes, int]:
    """Return the next datagram of what waits to be said, and how many messages are in it."""
    count = min(len(waiting), _TOGETHER)
    datagram = pack(list(islice(waiting, count)))
    while count > 1 and len(datagram) > LARGEST // 4:
        count //= 2
        datagram = pack(list(islice(waiting, count)))
    return datagram, count


def apart(datagram: bytes) -> list[Words]:
    """Read the messages of a datagram; ValueError for anything else."""
    said = marshal.loads(datagram)
    if not isinstance(said, list):
        raise ValueError("no messages")
    return said


def sound_words(sound: Sound) -> list[Any]:
    match sound:
        case Prompts(names=names, repeat=repeat):
            return ["Prompts", [name if isinstance(name, str) else sound_words(name) for name in names], repeat]
        case Tone(name=name) | Music(name=name):
            return [type(sound).__name__, name]
        case Recording(name=name, from_s=from_s, instead=instead):
            return ["Recording", name, from_s, instead]
        case Signature(party=party):
            return ["Signature", party]
        case Silence():
            return ["Silence"]


def sound_of(words: list[Any]) -> Sound:
    """ValueError for a sound nobody knows."""
    match words:
        case ["Prompts", list(names), bool(repeat)]:
            return Prompts(tuple(_spoken_of(name) for name in names), repeat)
        case ["Tone", str(name)]:
            return Tone(name)
        case ["Music", str(name)]:
            return Music(name)
        case ["Recording", str(name), float() | int() as from_s, str(instead)]:
            return Recording(name, float(from_s), instead)
        case ["Signature", str(party)]:
            return Signature(party)
        case ["Silence"]:
            return Silence()
    raise ValueError(f"no such sound: {words!r}")


def _spoken_of(words: Any) -> Spoken:
    if isinstance(words, str):
        return words
    sound = sound_of(words)
    if not isinstance(sound, Recording):
        raise ValueError(f"not to be spoken: {words!r}")
    return sound


def event_words(event: MediaEvent) -> Words:
    kind = type(event)
    said = {name: getattr(event, name) for name in _FIELDS[kind]}
    if kind is Closed:
        said["statistics"] = {name: getattr(said["statistics"], name) for name in _FIGURES}
    return {"event": kind.__name__, **said}


def event_of(words: Words) -> MediaEvent:
    """ValueError for an event nobody knows."""
    fields = dict(words)
    kind = _EVENTS.get(fields.pop("event", ""))
    if kind is None:
        raise ValueError(f"no such event: {words!r}")
    if kind is Closed:
        fields["statistics"] = MediaStatistics(**fields["statistics"])
    return kind(**fields)


def remote_words(remote: engine.RemoteMedia) -> Words:
    said = remote._asdict()
    if remote.keys is not None:
        said["keys"] = asdict(remote.keys)
    if remote.fax is not None:
        said["fax"] = asdict(remote.fax)
    return said


def remote_of(words: Words) -> engine.RemoteMedia:
    remote = engine.RemoteMedia(**words)
    if words["keys"] is not None:
        remote = remote._replace(keys=engine.SrtpKeys(**words["keys"]))
    if words["fax"] is not None:
        remote = remote._replace(fax=engine.T38(**words["fax"]))
    return remote
