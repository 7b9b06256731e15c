"""Render every prompt with Debian's `flite`, voice slt: `python -m pbx.media.prompts.render [name …]`.

Run it after a change in `texts.py`; what it writes is committed, so that nobody needs a synthesizer to run the switch.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pbx.media import wav
from pbx.media.g711 import FRAME_BYTES, encode_ulaw
from pbx.media.prompts.catalogue import FOLDER
from pbx.media.prompts.texts import TEXTS

VOICE = "slt"
PEAK = 0.5
"""Of full scale: -3 dBm0 at the loudest sample leaves room for handset gain."""
_LINEAR = 32_124
_TAPS = 63


def main(wanted: Sequence[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for name in wanted or TEXTS:
        spoken = finish(halve_rate(speak(TEXTS[name])))
        wav.save(FOLDER / f"{name}.wav", encode_ulaw(spoken))


def speak(text: str) -> NDArray[np.float64]:
    """Return flite's 16 kHz samples, -1…1; CalledProcessError when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spoken.wav"
        subprocess.run(["flite", "-voice", VOICE, "-t", text, "-o", str(path)], check=True)
        with wave.open(str(path)) as file:
            if file.getframerate() != 16_000 or file.getsampwidth() != 2 or file.getnchannels() != 1:
                raise SystemExit("flite's voice is expected to speak 16 kHz, 16 bit, mono")
            linear = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return linear / 32_768.0


def halve_rate(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Low-pass at 3.6 kHz (windowed sinc), then keep every other sample: 16 to 8 kHz."""
    at = np.arange(_TAPS) - _TAPS // 2
    cut = 3600 / 16_000
    taps = 2 * cut * np.sinc(2 * cut * at) * np.hamming(_TAPS)
    return np.convolve(samples, taps / taps.sum(), "same")[::2]


def finish(samples: NDArray[np.float64]) -> NDArray[np.int16]:
    """Cut the silence at both ends but for 60 ms, set the level, fill up to whole frames."""
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    first, last = max(int(loud[0]) - 480, 0), min(int(loud[-1]) + 480, len(samples))
    kept = samples[first:last]
    kept = kept / np.abs(kept).max() * PEAK
    whole = np.concatenate([kept, np.zeros(-len(kept) % FRAME_BYTES)])
    return np.asarray(np.round(whole * _LINEAR), np.int16)


if __name__ == "__main__":
    main(sys.argv[1:])
