"""A conversation being recorded: both far ends, a channel each, written as they speak."""

from __future__ import annotations

from pathlib import Path

from pbx.media import ears
from pbx.media.playout import FRAME, RATE
from pbx.media.voice import Voice
from pbx.media.wav import StereoFile

FRAME_S = FRAME / RATE
_HELD_MS = 200
"""How long packets may be late: who records need not hurry."""
_HELD = _HELD_MS * RATE // 1000 // FRAME
_FLUSHED = 2 * RATE
"""Octets that are written at once: a second of both."""


class Side:
    """One far end; what a leg has instead of a recorder of its own."""

    end_keys = ""

    def __init__(self, conversation: Conversation, codec: str) -> None:
        self.conversation = conversation
        self._voice = _voice(codec)

    @property
    def depth(self) -> int:
        """Ticks of sound that are still to be laid down."""
        return self._voice.playout.depth

    def packet(self, ssrc: int, timestamp: int, payload: bytes, now: float) -> None:
        self._voice.packet(ssrc, timestamp, payload, now)

    def tune(self, codec: str) -> None:
        """The far end speaks another codec from now on."""
        if codec != self._voice.codec:
            self._voice = _voice(codec)

    def due(self, now: float) -> str:
        """Lay down what there is to hear by now; it never ends by itself."""
        self.conversation.go_on(now)
        return ""

    def frame(self, at: float) -> bytes:
        return self._voice.ulaw(at) or ears.SILENT_FRAME


class Conversation:
    """Owns its file. Times are monotonic seconds."""

    def __init__(self, name: str, owner: str, path: Path, codecs: tuple[str, str], now: float) -> None:
        """`owner` is the leg it is reported of. OSError when there can be no such file."""
        self.name, self.owner = name, owner
        self.left, self.right = Side(self, codecs[0]), Side(self, codecs[1])
        self._from = now
        self._taken = 0
        """Frames, the first of which are from before the beginning."""
        self._samples = bytearray()
        self._file = StereoFile(path)
        self._problem = ""
        self.seconds = 0.0
        """What was kept, once it is finished."""

    def go_on(self, now: float) -> None:
        while self._taken < int((now - self._from) / FRAME_S + 1e-6):
            self._take()

    def end(self, now: float) -> None:
        """Lay down what is still held."""
        self.go_on(now)
        for _ in range(_HELD):
            self._take()
        self._flush()

    def finish(self) -> None:
        """Put the file under its name; OSError when nothing could be kept."""
        try:
            if self._problem:
                raise OSError(self._problem)
            self.seconds = self._file.finish()
        except OSError:
            self._file.abandon()
            raise

    def _take(self) -> None:
        self._taken += 1
        at = self._from + self._taken * FRAME_S
        both = bytearray(2 * FRAME)
        both[0::2], both[1::2] = self.left.frame(at), self.right.frame(at)
        if self._taken > _HELD:
            self._samples += both
            if len(self._samples) >= _FLUSHED:
                self._flush()

    def _flush(self) -> None:
        samples, self._samples = self._samples, bytearray()
        if not self._problem:
            try:
                self._file.write(bytes(samples))
            except OSError as error:
                self._problem = str(error)


def _voice(codec: str) -> Voice:
    return Voice(codec, least_ms=_HELD_MS, most_ms=_HELD_MS)
