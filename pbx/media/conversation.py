"""A conversation being recorded: both far ends, a channel each, written as they speak."""

from __future__ import annotations

from pathlib import Path

from pbx.media import g711
from pbx.media.playout import FRAME, RATE
from pbx.media.tape import Tape
from pbx.media.voice import Speech
from pbx.media.wav import StereoFile

_HELD_S = 0.2
"""How late packets may be: who records need not hurry."""
_EVERY_S = 0.2
"""What has come is read a stretch at a time: ten packets cost little more than one."""
_FLUSHED = 2 * RATE
"""Octets that are written at once: a second of both."""
_LONGEST = 1 << 40
"""Ticks: no conversation is too long."""


class Side:
    """One far end; what a leg has instead of a recorder of its own."""

    end_keys = ""

    def __init__(self, conversation: Conversation, codec: str, now: float) -> None:
        self.conversation = conversation
        self._tape = Tape(now, _LONGEST)
        self._speech = Speech(codec)
        self._sound = bytearray()
        """What is read, as mu-law, and not yet laid beside that of the other side."""
        self.packet = self._tape.put
        """`packet(ssrc, timestamp, payload, now)` takes what has arrived."""

    def tune(self, codec: str) -> None:
        """The far end speaks another codec from now on."""
        if codec != self._speech.codec:
            self.read(self._tape.end)
            self._speech = Speech(codec)

    def due(self, now: float) -> str:
        """Lay down what there is to hear by now; it never ends by itself."""
        self.conversation.go_on(now)
        return ""

    def read(self, upto: int) -> None:
        """Read the tape up to a tick; what has not come by now is a hole."""
        for piece in self._tape.take(upto):
            self._lay(piece)
        if self._tape.end < upto:
            self._lay(self._tape.skip(upto))

    def cut(self, count: int) -> bytes:
        """Take so many octets of what was read."""
        cut = bytes(self._sound[:count])
        del self._sound[:count]
        return cut

    @property
    def ready(self) -> int:
        """How many octets can be cut."""
        return len(self._sound)

    @property
    def end(self) -> int:
        """The tick after the last that has come, or was read."""
        return self._tape.end

    def _lay(self, piece: bytes | int) -> None:
        if isinstance(piece, int):
            self._sound += g711.encode(self._speech.filled(piece), "PCMU")
        else:
            self._sound += self._speech.ulaw(piece)


class Conversation:
    """Owns its file. Times are monotonic seconds."""

    def __init__(self, name: str, owner: str, path: Path, codecs: tuple[str, str], now: float) -> None:
        """`owner` is the leg it is reported of. OSError when there can be no such file."""
        self.name, self.owner = name, owner
        self.left, self.right = Side(self, codecs[0], now), Side(self, codecs[1], now)
        self._from = now
        self._due_at = now + _EVERY_S
        self._samples = bytearray()
        self._file = StereoFile(path)
        self._problem = ""
        self.seconds = 0.0
        """What was kept, once it is finished."""

    def go_on(self, now: float) -> None:
        """Lay down what is old enough that nothing of it comes any more."""
        if now >= self._due_at:
            self._due_at = now + _EVERY_S
            self._lay(self._tick(now - _HELD_S))

    def end(self, now: float) -> None:
        """Lay down what is still held."""
        self._lay(max(self._tick(now), self.left.end, self.right.end))
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

    def _tick(self, at: float) -> int:
        """Return the tick a moment is in, of whole frames."""
        return max(0, int((at - self._from) * RATE + 1e-6)) // FRAME * FRAME

    def _lay(self, upto: int) -> None:
        for side in (self.left, self.right):
            side.read(upto)
        count = min(self.left.ready, self.right.ready)
        both = bytearray(2 * count)
        both[0::2], both[1::2] = self.left.cut(count), self.right.cut(count)
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
