"""A recording in progress: what a far end says, in its order and at its time; what was lost is concealed."""

from __future__ import annotations

from pbx.media import ears, g711
from pbx.media.playout import FRAME, RATE
from pbx.media.tape import Tape
from pbx.media.voice import Speech

_HELD_S = 0.2
"""How late packets may be."""
_EVERY_S = 0.2
"""What has come is read a stretch at a time: ten packets cost little more than one."""


class Recorder:
    """Collects the mu-law samples of one leg. Times are monotonic seconds."""

    def __init__(
        self,
        name: str,
        codec: str,
        now: float,
        *,
        max_s: float,
        silence_s: float,
        end_keys: str,
        knowledge: ears.Knowledge,
    ) -> None:
        self.name = name
        self.end_keys = end_keys
        self._from = now
        self._max_s, self._silence_s = max_s, silence_s
        self._tape = Tape(now, int((max_s + 1) * RATE))
        self._speech = Speech(codec)
        self._due_at = now + min(_EVERY_S, max_s)
        self._speech_to = 0
        """Samples up to the end of the last speech."""
        self._samples = bytearray()
        self._ears = ears.Recogniser(knowledge)
        self.packet = self._tape.put
        """`packet(ssrc, timestamp, payload, now)` takes what has arrived."""

    def tune(self, codec: str) -> None:
        """The far end speaks another codec from now on."""
        if codec != self._speech.codec:
            self._read(self._tape.end)
            self._speech = Speech(codec)

    def due(self, now: float) -> str:
        """Return why the recording is over, empty while it goes on."""
        if now < self._due_at:
            return ""
        elapsed_s = now - self._from
        if elapsed_s >= self._max_s:
            return "limit"
        self._due_at = min(now + _EVERY_S, self._from + self._max_s)
        self._read(int((elapsed_s - _HELD_S) * RATE) // FRAME * FRAME)
        return "silence" if elapsed_s - _HELD_S - self._speech_to / RATE >= self._silence_s else ""

    def end(self) -> None:
        """Lay down what is still held."""
        self._read(self._tape.end)

    def _read(self, upto: int) -> None:
        for piece in self._tape.take(upto):
            if isinstance(piece, int):
                self._samples += g711.encode(self._speech.filled(piece), "PCMU")
                continue
            begin, sound = len(self._samples), self._speech.ulaw(piece)
            self._samples += sound
            self._ears.feed(sound)
            self._speech_to = begin + _end_of_speech(sound) or self._speech_to

    @property
    def samples(self) -> bytes:
        """What was recorded, without the silence it ended with and no longer than allowed."""
        return bytes(self._samples[: min(self._speech_to, int(self._max_s * RATE))])

    @property
    def heard(self) -> str:
        return self._ears.mostly if self._speech_to else "silence"


def _end_of_speech(sound: bytes) -> int:
    """Return the octets up to the end of the last frame that is not silence; 0 when all of it is."""
    for at in range((len(sound) - 1) // FRAME * FRAME, -1, -FRAME):
        if not ears.is_silence(sound[at : at + FRAME]):
            return min(at + FRAME, len(sound))
    return 0
