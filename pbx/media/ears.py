"""What is played, frame by frame, and the ears that recognise it in what arrives.

A known frame is recognised by its very octets, so a prompt, a tone and music are heard at their first frame. What is
no known frame is held against the signatures of the known parties by correlation, 400 ms at a time, and listened to
for the tones of foreign networks (`tone_ear`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pbx.media import g711, sounds_made
from pbx.media.prompts import catalogue
from pbx.media.tone_ear import ToneEar

FRAME = 160
SILENT_FRAME = b"\xff" * FRAME
SILENCE_FRAMES = 20
"""Frames below the level of speech before a far end is silent: 400 ms."""
WINDOW_FRAMES = 20
_ALIKE = 0.3
"""Correlation that no two noises reach in 400 ms (theirs is 0.08 at most) and any telephone line leaves."""
_MEAN_LEVEL = 90.0
"""Mean magnitude of a sample that is not silence: about -45 dBm0."""
_MARKS = 16
"""Of 160 samples."""
_LOOP = sounds_made.RATE_HZ
_MAGNITUDE = np.minimum(np.abs(g711.decode(bytes(range(256)), "PCMU").astype(np.int32)) >> 4, 255)
_LEVEL = bytes(_MAGNITUDE.astype(np.uint8).tolist())
_HISS = np.array((0xFF, 0x7F, 0xFE, 0x7E, 0xFD, 0x7D), np.uint8)
"""The smallest steps of mu-law: far below hearing."""

Floats = npt.NDArray[np.float64]


def is_silence(payload: bytes) -> bool:
    """Tell whether a mu-law payload is below about -45 dBm0."""
    return sum(payload.translate(_LEVEL)) * 16 < _MEAN_LEVEL * len(payload)


@lru_cache(maxsize=1024)
def frames_of(label: str) -> tuple[bytes, ...]:
    """Return the mu-law frames of a sound by its label; ValueError for a sound nobody knows.

    Pauses carry a hiss of their own, far below hearing: they are as recognisable as the sound they belong to. Prompts
    that begin with the same words differ by a step of the law here and there.
    """
    kind, _, name = label.partition(":")
    match kind:
        case "prompt":
            frames: Sequence[bytes] = catalogue.frames(name)
        case "tone":
            frames = sounds_made.tone_frames(name)
        case "moh":
            frames = sounds_made.music_frames(name)
        case "signature":
            frames = sounds_made.signature_frames(name)
        case _:
            raise ValueError(f"nobody can play {label!r}")
    return _apart(frames, label, marked=kind == "prompt")


def _apart(frames: Sequence[bytes], label: str, *, marked: bool) -> tuple[bytes, ...]:
    """Return frames that no other sound has: their pauses hiss, and `marked` ones carry marks beside."""
    octets = np.frombuffer(b"".join(frames), np.uint8).reshape(-1, FRAME).copy()
    silent = _MAGNITUDE[octets].sum(axis=1) * 16 < _MEAN_LEVEL * FRAME
    seed = int.from_bytes(hashlib.sha256(label.encode()).digest()[:8], "big")
    chance = np.random.default_rng(seed)
    octets[silent] = _HISS[chance.integers(0, len(_HISS), (int(silent.sum()), FRAME))]
    if marked:
        spoken = np.flatnonzero(~silent)
        at = chance.integers(0, FRAME, (len(spoken), _MARKS))
        np.bitwise_xor.at(octets, (spoken[:, np.newaxis], at), np.uint8(1))
    return tuple(_cut(octets.tobytes()))


def _cut(octets: bytes) -> list[bytes]:
    return [octets[at : at + FRAME] for at in range(0, len(octets), FRAME)]


class Knowledge:
    """What the ears of one engine know: shared by all of them."""

    def __init__(self, labels: Iterable[str] = ()) -> None:
        self._of_frame: dict[bytes, str] = {}
        self._parties: list[str] = []
        self._spectra: npt.NDArray[np.complex128] = np.zeros((0, _LOOP // 2 + 1), np.complex128)
        self._known: set[str] = set()
        for label in labels:
            self.learn(label)

    def learn(self, label: str) -> None:
        """Know a sound from now on, also after it went through an A-law leg; ValueError when it does not exist."""
        if label in self._known:
            return
        frames = frames_of(label)
        self._known.add(label)
        through = _cut(g711.transcode(g711.transcode(b"".join(frames), "PCMU", "PCMA"), "PCMA", "PCMU"))
        for form in (*frames, *through):
            # A frame of two sounds tells nothing.
            self._of_frame[form] = label if self._of_frame.get(form, label) == label else ""
        kind, _, party = label.partition(":")
        if kind == "signature":
            self._parties.append(party)
            loop = g711.decode(b"".join(frames), "PCMU").astype(np.float64)
            spectrum = np.conj(np.fft.rfft(loop)) / np.sqrt(np.mean(loop**2))
            self._spectra = np.vstack((self._spectra, spectrum))

    def label_of(self, frame: bytes) -> str:
        """Return the one sound this frame belongs to, empty when there is none."""
        return self._of_frame.get(frame, "")

    def voice_in(self, window: bytes) -> str:
        """Return whose signatures are in a stretch of sound, wherever in its loop each starts; else `unknown`.

        `signature:101`, or `signature:101+103` when several are, as in a room.
        """
        if not self._parties:
            return "unknown"
        heard = g711.decode(window, "PCMU").astype(np.float64)
        alike = self._alike(heard)
        found = np.flatnonzero(alike >= _ALIKE)
        if len(found) > 1:
            # Who speaks after another is in one half only: it is the louder part of the sound that counts then.
            half = len(heard) // 2
            through = np.minimum(self._alike(heard[:half]), self._alike(heard[half:])) >= _ALIKE
            together = found[through[found]]
            found = together if len(together) else np.array([alike.argmax()])
        return f"signature:{'+'.join(sorted(self._parties[at] for at in found))}" if len(found) else "unknown"

    def _alike(self, heard: Floats) -> Floats:
        """Return how much of a sound each party's signature is, 0…1."""
        norm = np.sqrt(np.mean(heard**2)) * len(heard)
        if norm == 0:
            return np.zeros(len(self._parties))
        spectrum = np.fft.rfft(heard, _LOOP)
        return np.asarray(np.fft.irfft(self._spectra * spectrum, _LOOP, axis=1).max(axis=1) / norm)


class Recogniser:
    """Ears on one stream: feed it mu-law payloads, it says when the sound changes."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._quiet = 0
        self._strange: list[bytes] = []
        self._tones: ToneEar | None = None
        self.tone = ""
        """A tone its cadence has told, until it is taken."""
        self.heard = ""
        """What it sounds like now; empty before anything was recognised."""
        self.tally: Counter[str] = Counter()
        """Frames of each sound, silence apart."""

    def feed(self, payload: bytes) -> str:
        """Take a payload; return what is heard from now on when that has changed, else an empty string."""
        news = ""
        for at in range(0, len(payload), FRAME):
            found = self._frame(payload[at : at + FRAME])
            if found and found != self.heard:
                self.heard = news = found
        return news

    def cease(self) -> bool:
        """Nothing arrives any more; return whether that is news."""
        if self.heard in ("", "silence"):
            return False
        self.heard = "silence"
        return True

    def take_tone(self) -> str:
        """Return the tone that was recognised by its cadence since asked last, empty when none was."""
        tone, self.tone = self.tone, ""
        return tone

    @property
    def mostly(self) -> str:
        """What was heard most, `silence` when nothing but that was."""
        if not self.tally and self._strange:
            return self._knowledge.voice_in(b"".join(self._strange))
        return self.tally.most_common(1)[0][0] if self.tally else "silence"

    def _cadence(self, frame: bytes, label: str) -> str:
        """Listen for a tone; return the one that goes on. What is known to be something else breaks its cadence."""
        if label and not label.startswith("tone:"):
            self._tones = None
            return ""
        if self._tones is None:
            self._tones = ToneEar()
        self.tone = self._tones.feed(frame) or self.tone
        return self._tones.current

    def _frame(self, frame: bytes) -> str:
        label = self._knowledge.label_of(frame)
        going_on = self._cadence(frame, label)
        if not label and going_on:
            label = f"tone:{going_on}"
        if label:
            self._quiet = 0
            self._strange.clear()
            self.tally[label] += 1
            return label
        if is_silence(frame):
            self._quiet += 1
            if self._quiet < SILENCE_FRAMES:
                return ""
            self._strange.clear()
            return "silence"
        self._quiet = 0
        self._strange.append(frame)
        if len(self._strange) < WINDOW_FRAMES:
            return ""
        label = self._knowledge.voice_in(b"".join(self._strange))
        self.tally[label] += len(self._strange)
        self._strange.clear()
        return label
