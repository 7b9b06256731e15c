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


class Voice:
    """One leg's. `frame` or `ulaw` is called every 20 ms, by whoever mixes or records. Times are monotonic seconds."""

    def __init__(self, codec: str, rate_hz: int = RATE, *, least_ms: int = LEAST_MS, most_ms: int = MOST_MS) -> None:
        """`rate_hz` is that of the samples: 8000, or 16,000 for G.722."""
        self.playout = Playout(least_ms, most_ms)
        self.codec = codec
        self._rate_hz = rate_hz
        self._decode = decoder(codec, rate_hz)
        self._to_ulaw = None if codec == "G722" else transcoder(codec, "PCMU")
        self._ssrc = -1
        self._past: deque[Samples | bytes] = deque(maxlen=_REMEMBERED)
        """Samples, or octets nobody has had to decode yet."""
        self._hole: Concealment | None = None

    @property
    def conceals(self) -> bool:
        """What came out last is made up."""
        return self._hole is not None

    def packet(self, ssrc: int, timestamp: int, payload: bytes, now: float) -> None:
        if ssrc != self._ssrc:
            self._ssrc = ssrc
            self.playout.restart()
        self.playout.put(timestamp, payload, now)

    def frame(self, now: float) -> Samples | None:
        """Return the next 20 ms, None while there is nothing to hear."""
        playout = self.playout
        if playout.is_ahead(now):
            return self._made_up(FRAME)
        samples = self._whole(playout.take())
        return self._shortened(samples) if playout.is_behind(now) else samples

    def ulaw(self, now: float) -> bytes | None:
        """Return the next 20 ms as mu-law; octets of G.711 that arrived whole are never decoded for it."""
        playout = self.playout
        if self.codec == "G722" or self._hole is not None or playout.is_ahead(now):
            samples = self.frame(now)
        else:
            taken = playout.take()
            if isinstance(taken, bytes) and not playout.is_behind(now):
                self._past.append(taken)
                return taken if self._to_ulaw is None else self._to_ulaw(taken)
            samples = self._whole(taken)
        return None if samples is None else g711.encode(samples, "PCMU")

    def _whole(self, taken: Frame) -> Samples | None:
        if isinstance(taken, bytes):
            return self._said(taken)
        if taken == [FRAME]:
            return self._made_up(FRAME)
        pieces = [self._said(piece) if isinstance(piece, bytes) else self._filled(piece) for piece in taken]
        return np.concatenate(pieces)

    def _said(self, octets: bytes) -> Samples:
        if self._hole is None:
            samples = self._decode(octets)
        else:
            if self.codec == "G722":
                self._catch_up()
            samples, self._hole = self._hole.mended(self._decode(octets)), None
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

    def _filled(self, ticks: int) -> Samples:
        made = self._made_up(ticks)
        return np.zeros(ticks * self._rate_hz // RATE, np.int16) if made is None else made

    def _made_up(self, ticks: int) -> Samples | None:
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

    def _shortened(self, samples: Samples | None) -> Samples | None:
        """Take one frame more and let the one fade into the other: the line is 20 ms shorter from here on."""
        following = self._whole(self.playout.take())
        if samples is None or following is None:
            return following
        up = np.arange(1, len(samples) + 1) / (len(samples) + 1)
        return np.rint(samples * (1 - up) + following * up).astype(np.int16)
