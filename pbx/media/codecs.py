"""The codecs we speak, and how the sound of one becomes another's.

G.711 goes octet by octet. G.722 is the library's, coded from and to 8 kHz samples: what it is turned into, or made of,
is narrow in band anyway; between two parties that both speak it, it passes untouched.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable

import numpy as np
from G722 import G722

from pbx.media import g711

CODECS = ("PCMU", "PCMA", "G722")
"""Best first for sounds of our own, which are of 8 kHz."""
PAYLOAD_TYPES = {"PCMU": 0, "PCMA": 8, "G722": 9}
"""RFC 3551 §6; the RTP clock of each is 8000, also that of G.722, by an old mistake (§4.5.2)."""
_SAMPLE_HZ, _BIT_RATE = 8000, 64_000

Coding = Callable[[bytes], bytes]
Decoding = Callable[[bytes], g711.Samples]
Encoding = Callable[[g711.Samples], bytes]


def transcoder(source: str, target: str) -> Coding | None:
    """Return what makes payloads of one codec those of another, in their order; None when there is nothing to do."""
    if source == target:
        return None
    if source != "G722" and target != "G722":
        return g711.transcoder(source, target)
    coder = G722(_SAMPLE_HZ, _BIT_RATE)
    if target == "G722":
        return lambda payload: bytes(coder.encode(array("h", g711.decode(payload, source).tobytes())))
    return lambda payload: g711.encode(np.frombuffer(coder.decode(payload), dtype=np.int16), target)


def decoder(codec: str, rate_hz: int) -> Decoding:
    """Return what makes 16-bit samples of payloads in their order; 16 kHz is for G.722 alone."""
    if codec != "G722":
        return lambda payload: g711.decode(payload, codec)
    coder = G722(rate_hz, _BIT_RATE)
    return lambda payload: np.frombuffer(coder.decode(payload), dtype=np.int16)


def encoder(codec: str, rate_hz: int) -> Encoding:
    """Return what makes payloads of 16-bit samples in their order; 16 kHz is for G.722 alone."""
    if codec != "G722":
        return lambda samples: g711.encode(samples, codec)
    coder = G722(rate_hz, _BIT_RATE)
    return lambda samples: bytes(coder.encode(array("h", samples.tobytes())))


def common_first(codecs: tuple[str, ...], liked: tuple[str, ...]) -> tuple[str, ...]:
    """Order `codecs` so that what a party to be connected speaks comes first: no transcoding unless needed."""
    return (*(name for name in liked if name in codecs), *(name for name in codecs if name not in liked))
