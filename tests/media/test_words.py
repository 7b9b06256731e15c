from __future__ import annotations

import marshal
from collections import deque

import pytest

from pbx.media import words
from pbx.media.engine import (
    Closed,
    DigitPressed,
    Heard,
    MediaEvent,
    MediaStatistics,
    Music,
    PlayFinished,
    Prompts,
    Recording,
    RecordingFinished,
    RemoteMedia,
    Signature,
    Silence,
    Sound,
    SourceLatched,
    Tone,
)

SOUNDS = (
    Prompts(("a", "b"), repeat=True),
    Tone("busy"),
    Music("laval"),
    Signature("101"),
    Recording("vm-1"),
    Silence(),
)
EVENTS = (
    PlayFinished("a", "t"),
    DigitPressed("a", "#"),
    RecordingFinished("a", "vm-1", 1.5, "key", "signature:101"),
    SourceLatched("a", "192.0.2.1", 4000, "PCMA"),
    Heard("a", "tone:busy"),
    Closed("a", MediaStatistics("PCMU", 1, 2, 3, 0.5, 4.4, 9.0)),
)


def _across(said: words.Words) -> words.Words:
    (heard,) = words.apart(words.pack([said]))
    return heard


@pytest.mark.parametrize("sound", SOUNDS, ids=lambda sound: sound.label)
def test_a_sound_arrives_as_it_was_sent(sound: Sound) -> None:
    assert words.sound_of(_across({"sound": words.sound_words(sound)})["sound"]) == sound


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_arrives_as_it_was_sent(event: MediaEvent) -> None:
    assert words.event_of(_across(words.event_words(event))) == event


def test_what_was_negotiated_arrives_as_it_was_sent() -> None:
    remote = RemoteMedia("192.0.2.1", 4000, "PCMA", 8, None, "recvonly")
    assert words.remote_of(_across(words.remote_words(remote))) == remote


def test_words_nobody_knows_are_refused() -> None:
    with pytest.raises(ValueError):
        words.sound_of(["Bang"])
    with pytest.raises(ValueError):
        words.event_of({"event": "Bang"})
    with pytest.raises(ValueError):
        words.apart(marshal.dumps(()))


def test_what_is_said_at_once_goes_together_in_datagrams_that_are_not_too_large() -> None:
    said = [{"do": "open", "leg": f"c-{number:05}" * 20, "port": number} for number in range(2000)]
    waiting, datagrams = deque(said), []
    while waiting:
        datagram, count = words.together(waiting)
        datagrams.append(datagram)
        for _ in range(count):
            waiting.popleft()
    assert [told["port"] for datagram in datagrams for told in words.apart(datagram)] == list(range(2000))
    assert max(map(len, datagrams)) < words.LARGEST
    assert len(datagrams) < 20
