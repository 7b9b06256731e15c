"""A sound file of any common kind as the house keeps sound: G.711 mu-law, 8 kHz, mono."""

from __future__ import annotations

import io

import numpy as np
import soundfile
import soxr

from pbx.media.g711 import encode

RATE = 8000
MOST_BYTES = 20_000_000
LONGEST_S = 600.0
SHORTEST_S = 0.1
KINDS = "WAV, MP3, Ogg (Vorbis, Opus), FLAC, AIFF"


class NoSound(ValueError):
    """Octets that are no sound to be kept; the text says why."""


def read_sound(octets: bytes) -> bytes:
    """Return mu-law samples; NoSound for what is no sound, or is too long or too short.

    Several channels are mixed; the level stays as it is.
    """
    if len(octets) > MOST_BYTES:
        raise NoSound(f"it is larger than {MOST_BYTES // 1_000_000} MB")
    try:
        with soundfile.SoundFile(io.BytesIO(octets)) as file:
            rate, seconds = file.samplerate, file.frames / file.samplerate
            if seconds > LONGEST_S:  # told by the header: nothing is unpacked that would not be kept
                raise NoSound(f"it lasts {seconds:.0f} s; {LONGEST_S:.0f} s are the most")
            frames = file.read(int((LONGEST_S + 1) * rate), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError:
        raise NoSound(f"it is none of {KINDS}, or is damaged") from None
    mono = frames.mean(axis=1)
    at_rate = mono if rate == RATE else soxr.resample(mono, rate, RATE)
    if not SHORTEST_S <= len(at_rate) / RATE <= LONGEST_S:
        raise NoSound(f"it lasts {len(at_rate) / RATE:.1f} s; {SHORTEST_S:g} to {LONGEST_S:.0f} s are kept")
    return encode(np.clip(np.nan_to_num(at_rate) * 32767, -32768, 32767).astype(np.int16), "PCMU")
