"""A recording in progress: what arrives is laid down by its RTP timestamp, gaps are silence."""

from __future__ import annotations

from collections import Counter

from pbx.media import ears

RATE = 8000
_FRAME = 160


class Recorder:
    """Collects mu-law samples of one leg. Times are monotonic seconds."""

    def __init__(
        self,
        name: str,
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
        self._speech_at = now
        self._speech_to = 0
        """Samples up to the end of the last speech."""
        self._samples = bytearray()
        self._ssrc = -1
        self._anchor = 0
        """RTP timestamp of sample 0, for the source that speaks."""
        self._ears = ears.Recogniser(knowledge)

    def packet(self, ssrc: int, timestamp: int, payload: bytes, now: float) -> None:
        """Lay down a packet; `payload` is mu-law."""
        if ssrc != self._ssrc:
            self._ssrc = ssrc
            elapsed = int((now - self._from) / 0.02) * _FRAME
            self._anchor = timestamp - max(elapsed, len(self._samples) if self._samples else 0)
        at = timestamp - self._anchor & 0xFFFFFFFF
        end = at + len(payload)
        if at > 0x7FFFFFFF or end > (self._max_s + 1) * RATE:
            return  # older than the recording, or beyond its end
        if end > len(self._samples):
            self._samples += ears.SILENT_FRAME[:1] * (end - len(self._samples))
        self._samples[at:end] = payload
        self._ears.feed(payload)
        if not ears.is_silence(payload):
            self._speech_at = now
            self._speech_to = max(self._speech_to, end)

    def due(self, now: float) -> str:
        """Return why the recording is over, empty while it goes on."""
        if now - self._from >= self._max_s:
            return "limit"
        return "silence" if now - self._speech_at >= self._silence_s else ""

    @property
    def samples(self) -> bytes:
        """What was recorded, without the silence it ended with and no longer than allowed."""
        return bytes(self._samples[: min(self._speech_to, int(self._max_s * RATE))])

    @property
    def heard(self) -> str:
        return self._ears.mostly if self._speech_to else "silence"

    @property
    def tally(self) -> Counter[str]:
        return self._ears.tally
