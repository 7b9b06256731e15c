"""A recording in progress: what a far end says, in its order and at its time; what was lost is concealed."""

from __future__ import annotations

from pbx.media import ears
from pbx.media.playout import FRAME, RATE
from pbx.media.voice import Voice

FRAME_S = FRAME / RATE
_HELD_MS = 200
"""How long packets may be late: who records need not hurry."""
_HELD = _HELD_MS * RATE // 1000 // FRAME


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
        self._voice = _voice(codec)
        self._taken = 0
        """Frames, the first of which are from before the beginning."""
        self._speech_to = 0
        """Samples up to the end of the last speech."""
        self._samples = bytearray()
        self._ears = ears.Recogniser(knowledge)

    def packet(self, ssrc: int, timestamp: int, payload: bytes, now: float) -> None:
        self._voice.packet(ssrc, timestamp, payload, now)

    def tune(self, codec: str) -> None:
        """The far end speaks another codec from now on."""
        if codec != self._voice.codec:
            self._voice = _voice(codec)

    def due(self, now: float) -> str:
        """Lay down what there is to hear by now; return why the recording is over, empty while it goes on."""
        while self._taken < int((now - self._from) / FRAME_S + 1e-6):
            self._take()
        if now - self._from >= self._max_s:
            return "limit"
        quiet_s = max(0, self._taken - _HELD) * FRAME_S - self._speech_to / RATE
        return "silence" if quiet_s >= self._silence_s else ""

    def end(self, now: float) -> None:
        """Lay down what is still held."""
        self.due(now)
        while self._voice.playout.depth:
            self._take()

    def _take(self) -> None:
        self._taken += 1
        frame = self._voice.ulaw(self._from + self._taken * FRAME_S)
        if self._taken <= _HELD:
            return
        self._samples += ears.SILENT_FRAME if frame is None else frame
        if frame is not None and not self._voice.conceals:
            self._ears.feed(frame)
            if not ears.is_silence(frame):
                self._speech_to = len(self._samples)

    @property
    def samples(self) -> bytes:
        """What was recorded, without the silence it ended with and no longer than allowed."""
        return bytes(self._samples[: min(self._speech_to, int(self._max_s * RATE))])

    @property
    def heard(self) -> str:
        return self._ears.mostly if self._speech_to else "silence"


def _voice(codec: str) -> Voice:
    return Voice(codec, least_ms=_HELD_MS, most_ms=_HELD_MS)
