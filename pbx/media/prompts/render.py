"""Render the prompts with Debian's `flite`, voice slt: `python -m pbx.media.prompts.render [name …]`.

Run it by hand after a change in `texts.py`; what it writes is committed, so that nobody needs a synthesizer to run
the switch.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pbx.media.g711 import encode
from pbx.media.prompts.catalogue import FOLDER
from pbx.media.prompts.texts import TEXTS
from pbx.media.wav import write_wav

VOICE = "slt"
PEAK = 16_000
"""Half of full scale at the loudest sample leaves room for the handset's gain."""
_MARGIN = 480
"""Samples kept before and after the speech: 60 ms."""
_FRAME = 160
_TAPS = 63

Floats = npt.NDArray[np.float64]


def main(wanted: Sequence[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for name in wanted or TEXTS:
        write_wav(FOLDER / f"{name}.wav", encode(finish(halve_rate(speak(TEXTS[name]))), "PCMU"))


def speak(text: str) -> Floats:
    """Return flite's samples at 16 kHz; CalledProcessError when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spoken.wav"
        subprocess.run(["flite", "-voice", VOICE, "-t", text, "-o", str(path)], check=True)
        with wave.open(str(path)) as file:
            if file.getframerate() != 16_000 or file.getsampwidth() != 2 or file.getnchannels() != 1:
                raise SystemExit("flite's voice is expected to speak 16 kHz, 16 bit, mono")
            return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)


def halve_rate(samples: Floats) -> Floats:
    """Low-pass at 3.6 kHz (windowed sinc), then keep every other sample: 16 to 8 kHz."""
    at = np.arange(_TAPS) - _TAPS // 2
    taps = np.sinc(2 * 3600 / 16_000 * at) * np.hamming(_TAPS)
    return np.convolve(samples, taps / taps.sum(), "same")[::2]


def finish(samples: Floats) -> npt.NDArray[np.int16]:
    """Cut the silence at both ends, set the level, fill up to whole frames."""
    loud = np.flatnonzero(np.abs(samples) > 300)
    kept = samples[max(int(loud[0]) - _MARGIN, 0) : int(loud[-1]) + _MARGIN]
    kept = kept * (PEAK / np.abs(kept).max())
    whole = np.concatenate([kept, np.zeros(-len(kept) % _FRAME)])
    return np.round(whole).astype(np.int16)


if __name__ == "__main__":
    main(sys.argv[1:])
