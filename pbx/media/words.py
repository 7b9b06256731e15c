"""What the engine and its worker say to each other: JSON, a message a line, in datagrams of a SOCK_SEQPACKET pair.

Each datagram wakes the other process, which costs more than what it says: what is said at once goes in one.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, fields
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
_REMOTE = tuple(field.name for field in fields(engine.RemoteMedia))
LARGEST = 1 << 17
"""Octets of a datagram at most; messages are joined up to a quarter of it."""
_ENCODER = json.JSONEncoder(separators=(",", ":"))

_EVENTS: dict[str, type[MediaEvent]] = {
    kind.__name__: kind
    for kind in (
        PlayFinished, DigitPressed, RecordingFinished, SourceLatched, Heard, Closed, FlowChanged, StrangerIgnored,
        FarEndReported, Faulted, SoundMissing, ToneRecognised, FaxSensed, FaxFinished,
    )
}  # fmt: skip


def pack(words: Words) -> bytes:
    return _ENCODER.encode(words).encode()


def together(waiting: deque[bytes]) -> tuple[bytes, int]:
    """Return the next datagram of what waits to be said, and how many messages are in it."""
    octets = count = 0
    for message in waiting:
        octets += len(message) + 1
        if count and octets > LARGEST // 4:
            break
        count += 1
    return b"\n".join(waiting[at] for at in range(count)), count


def apart(datagram: bytes) -> Iterator[Words]:
    """Read the messages of a datagram."""
    return map(unpack, datagram.split(b"\n"))


def unpack(data: bytes) -> Words:
    """ValueError for anything but a JSON object."""
    words = json.loads(data)
    if not isinstance(words, dict):
        raise ValueError("not an object")
    return words


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
    return {"event": type(event).__name__, **asdict(event)}  # type: ignore[call-overload]


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
    # Spelt out: `asdict` copies deeply, and asks of each value what it is.
    said = {name: getattr(remote, name) for name in _REMOTE}
    return said | {"keys": remote.keys and asdict(remote.keys), "fax": remote.fax and asdict(remote.fax)}


def remote_of(words: Words) -> engine.RemoteMedia:
    keys, fax = words["keys"], words["fax"]
    made = {"keys": keys and engine.SrtpKeys(**keys), "fax": fax and engine.T38(**fax)}
    return engine.RemoteMedia(**{**words, **made})
