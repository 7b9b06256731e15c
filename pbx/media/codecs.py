"""The codecs we speak, and how the sound of one becomes another's.

G.711 goes octet by octet. G.722 is the library's, coded from and to 8 kHz samples: what it is turned into, or made of,
is narrow in band anyway; between two parties that both speak it, it passes untouched. So does Opus, which is an extra:
offered where the operator wants it and libopus is there. Its sound is 8 kHz wherever it does not pass untouched.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable

import numpy as np
from G722 import G722

from pbx.media import g711

CODECS = ("PCMU", "PCMA", "G722")
"""Best first for sounds of our own, which are of 8 kHz."""
G711 = ("PCMU", "PCMA")
OPUS = "OPUS"
PAYLOAD_TYPES = {"PCMU": 0, "PCMA": 8, "G722": 9}
"""RFC 3551 §6; the RTP clock of each is 8000, also that of G.722, by an old mistake (§4.5.2)."""
OPUS_TYPE = 111
"""Dynamic; as browsers have it."""
_OPUS_TICKS = 6
"""Of Opus' RTP clock, 48,000 (RFC 7587 §4.1), to one of the others."""
_OPUS_FRAMES = (160, 320, 480)
"""Samples of 8 kHz it codes at once, of 20, 40 and 60 ms."""
_SAMPLE_HZ, _BIT_RATE = 8000, 64_000

Coding = Callable[[bytes], bytes]
Decoding = Callable[[bytes], g711.Samples]
Encoding = Callable[[g711.Samples], bytes]


def transcoder(source: str, target: str) -> Coding | None:
    """Return what makes payloads of one codec those of another, in their order; None when there is nothing to do."""
    if source == target:
        return None
    if OPUS in (source, target):
        decode, encode = decoder(source, _SAMPLE_HZ), encoder(target, _SAMPLE_HZ)
        return lambda payload: encode(decode(payload))
    if source != "G722" and target != "G722":
        return g711.transcoder(source, target)
    coder = G722(_SAMPLE_HZ, _BIT_RATE)
    if target == "G722":
        return lambda payload: bytes(coder.encode(array("h", g711.decode(payload, source).tobytes())))
    return lambda payload: g711.encode(np.frombuffer(coder.decode(payload), dtype=np.int16), target)


def decoder(codec: str, rate_hz: int) -> Decoding:
    """Return what makes 16-bit samples of payloads in their order; 16 kHz is for G.722 alone."""
    if codec == OPUS:
        return _opus_decoder()
    if codec != "G722":
        return lambda payload: g711.decode(payload, codec)
    coder = G722(rate_hz, _BIT_RATE)
    return lambda payload: np.frombuffer(coder.decode(payload), dtype=np.int16)


def encoder(codec: str, rate_hz: int) -> Encoding:
    """Return what makes payloads of 16-bit samples in their order; 16 kHz is for G.722 alone."""
    if codec == OPUS:
        return _opus_encoder()
    if codec != "G722":
        return lambda samples: g711.encode(samples, codec)
    coder = G722(rate_hz, _BIT_RATE)
    return lambda samples: bytes(coder.encode(array("h", samples.tobytes())))


def has_opus() -> bool:
    """Tell whether the extra `opus` and its library are here."""
    try:
        import opuslib_next  # noqa: F401 - an extra: asked for only where Opus is wanted
    except Exception:  # noqa: BLE001 - it raises a bare Exception when it finds no libopus
        return False
    return True


def ticks(codec: str) -> int:
    """Return how many ticks of a codec's RTP clock go to one of 8000 Hz."""
    return _OPUS_TICKS if codec == OPUS else 1


def _opus_decoder() -> Decoding:
    from opuslib_next import Decoder, OpusError

    coder = Decoder(_SAMPLE_HZ, 1)

    def decode(payload: bytes) -> g711.Samples:
        try:
            return np.frombuffer(coder.decode(payload, _OPUS_FRAMES[-1]), dtype=np.int16)
        except OpusError:
            return np.zeros(_OPUS_FRAMES[0], np.int16)  # not what it says it is: as good as lost

    return decode


def _opus_encoder() -> Encoding:
    from opuslib_next import Encoder

    coder = Encoder(_SAMPLE_HZ, 1, "voip")

    def encode(samples: g711.Samples) -> bytes:
        count = next((frame for frame in _OPUS_FRAMES if frame >= len(samples)), _OPUS_FRAMES[-1])
        whole = np.zeros(count, np.int16)  # 30 ms of another codec have no length here
        whole[: len(samples)] = samples[:count]
        return bytes(coder.encode(whole.tobytes(), count))

    return encode


def common_first(codecs: tuple[str, ...], liked: tuple[str, ...]) -> tuple[str, ...]:
    """Order `codecs` so that what a party to be connected speaks comes first: no transcoding unless needed."""
    return (*(name for name in liked if name in codecs), *(name for name in codecs if name not in liked))
