"""What a far end says, 20 ms at a time and whole: buffered, in its order, holes concealed."""

from __future__ import annotations

from collections import deque

import numpy as np

from pbx.media import g711
from pbx.media.codecs import decoder, encoder, transcoder
from pbx.media.concealment import Concealment
from pbx.media.g711 import Samples
from pbx.media.playout import FRAME, LEAST_MS, MOST_MS, RATE, Frame, Playout

_REMEMBERED = 4
"""Frames of the past a concealment is made of."""


class Speech:
    """Sound of octets in their order, holes filled. The one decoder of a far end: every octet goes through it once."""

    def __init__(self, codec: str, rate_hz: int = RATE) -> None:
        """`rate_hz` is that of the samples: 8000, or 16,000 for G.722."""
        self.codec = codec
        self._rate_hz = rate_hz
        self._decode = decoder(codec, rate_hz)
        self._to_ulaw = None if codec == "G722" else transcoder(codec, "PCMU")
        self._past: deque[Samples | bytes] = deque(maxlen=_REMEMBERED)
        """Samples, or octets nobody has had to decode yet."""
        self._hole: Concealment | None = None

    @property
    def conceals(self) -> bool:
        """What came out last is made up."""
        return self._hole is not None

    def ulaw(self, octets: bytes) -> bytes:
        """Return octets as mu-law; those of G.711 that follow no hole are never decoded for it."""
        if self._hole is not None or self.codec == "G722":
            return g711.encode(self.said(octets), "PCMU")
        self._past.append(octets)
        return octets if self._to_ulaw is None else self._to_ulaw(octets)

    def said(self, octets: bytes) -> Samples:
        if self._hole is None:
            samples = self._decode(octets)
        else:
            if self.codec == "G722":
                self._catch_up()
            samples, self._hole = self._hole.mended(self._decode(octets)), None
        self._past.append(samples)
        return samples

    def filled(self, ticks: int) -> Samples:
        """Return what fills a hole, silence where nothing can."""
        made = self.made_up(ticks)
        return np.zeros(ticks * self._rate_hz // RATE, np.int16) if made is None else made

    def made_up(self, ticks: int) -> Samples | None:
        """Go on from what was said; None when there was nothing, or it has faded."""
        if self._hole is None:
            if not self._past:
                return None
            past = [g711.decode(it, self.codec) if isinstance(it, bytes) else it for it in self._past]
            self._hole = Concealment(np.concatenate(past), self._rate_hz)
        if self._hole.is_over:
            return None
        samples = self._hole.next(ticks * self._rate_hz // RATE)
        self._past.append(samples)
        return samples

    def _catch_up(self) -> None:
        """Bring the decoder where the far end's coder is: it has missed what was lost (the idea of G.722 appendix IV).

        One that has followed what was said and made up errs by a fifth of one that goes on from before.
        """
        coded, self._decode = encoder(self.codec, self._rate_hz), decoder(self.codec, self._rate_hz)
        for samples in self._past:
            if not isinstance(samples, bytes):
                self._decode(coded(samples))


class Voice:
    """One leg's. `frame` or `ulaw` is called every 20 ms, by whoever mixes or records. Times are monotonic seconds."""

    def __init__(self, codec: str, rate_hz: int = RATE, *, least_ms: int = LEAST_MS, most_ms: int = MOST_MS) -> None:
        self.playout = Playout(least_ms, most_ms)
        self.codec = codec
        self._speech = Speech(codec, rate_hz)
        self._ssrc = -1

    def packet(self, ssrc: int, timestamp: int, payload: bytes, now: float) -> None:
        if ssrc != self._ssrc:
            self._ssrc = ssrc
            self.playout.restart()
        self.playout.put(timestamp, payload, now)

    def frame(self, now: float) -> Samples | None:
        """Return the next 20 ms, None while there is nothing to hear."""
        playout = self.playout
        if playout.is_ahead(now):
            return self._speech.made_up(FRAME)
        samples = self._whole(playout.take())
        return self._shortened(samples) if playout.is_behind(now) else samples

    def ulaw(self, now: float) -> bytes | None:
        """Return the next 20 ms as mu-law."""
        playout, speech = self.playout, self._speech
        if speech.conceals or playout.is_ahead(now):
            samples = self.frame(now)
        else:
            taken, is_behind = playout.take(), playout.is_behind(now)
            if isinstance(taken, bytes) and not is_behind:
                return speech.ulaw(taken)
            samples = self._whole(taken)
            if is_behind:
                samples = self._shortened(samples)
        return None if samples is None else g711.encode(samples, "PCMU")

    def _whole(self, taken: Frame) -> Samples | None:
        speech = self._speech
        if isinstance(taken, bytes):
            return speech.said(taken)
        if taken == [FRAME]:
            return speech.made_up(FRAME)
        return np.concatenate([speech.said(it) if isinstance(it, bytes) else speech.filled(it) for it in taken])

    def _shortened(self, samples: Samples | None) -> Samples | None:
        """Take one frame more and let the one fade into the other: the line is 20 ms shorter from here on."""
        following = self._whole(self.playout.take())
        if samples is None or following is None:
            return following
        up = np.arange(1, len(samples) + 1) / (len(samples) + 1)
        return np.rint(samples * (1 - up) + following * up).astype(np.int16)
