"""What an ear holds: tones and key tones in samples, wherever they were recorded."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE_HZ = 8000
ROWS, COLUMNS = (697.0, 770.0, 852.0, 941.0), (1209.0, 1336.0, 1477.0, 1633.0)
KEYS = ("123A", "456B", "789C", "*0#D")
KEY_S, GAP_S = 0.2, 0.15

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Heard:
    """What somebody has heard so far."""

    samples: Samples
    rate_hz: int = RATE_HZ

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate_hz

    def after(self, seconds: float) -> Heard:
        return Heard(self.samples[int(seconds * self.rate_hz) :], self.rate_hz)

    def story(self, hertz: float) -> str:
        """Return a letter for each 100 ms: `t` this tone, `s` another sound, `.` silence."""
        window = self.rate_hz // 10
        told = ""
        for start in range(0, len(self.samples) - window + 1, window):
            spectrum = np.abs(np.fft.rfft(self.samples[start : start + window] * np.hanning(window))) ** 2
            total = float(spectrum.sum())
            at = round(hertz / 10)
            is_tone = float(spectrum[max(0, at - 3) : at + 4].sum()) > 0.6 * total
            told += "." if total <= 1e6 else "t" if is_tone else "s"
        return told

    def pressed(self, over: float) -> str:
        """Return the keys whose two tones (ITU-T Q.23) stand in it for 60 ms, alone or over a tone of `over` Hz."""
        window, step = self.rate_hz // 25, self.rate_hz // 50
        clock = np.arange(window) / self.rate_hz
        speech = np.exp(-2j * np.pi * over * clock)
        tones = [np.exp(-2j * np.pi * hertz * clock) for hertz in (*ROWS, *COLUMNS)]
        last, kept, found = "", 0, ""
        for start in range(0, len(self.samples) - window + 1, step):
            part = self.samples[start : start + window]
            part = part - 2 * np.real(np.vdot(speech, part) / window * speech)
            key = _key(part, [abs(complex((part * each).sum())) for each in tones])
            kept = kept + 1 if key == last else 1
            last = key
            if key and kept == 3:
                found += key
        return found


def _key(part: Samples, strengths: list[float]) -> str:
    """Return the key two tones make: both strong, neither far above the other, hardly anything beside them."""
    total, row, column = float((part**2).sum()), strengths[:4], strengths[4:]
    if total < len(part) * 1e4:
        return ""
    power = (max(row) ** 2 + max(column) ** 2) * 2 / len(part)
    if power < 0.6 * total or min(max(row), max(column)) < 0.4 * max(*row, *column):
        return ""
    return KEYS[row.index(max(row))][column.index(max(column))]


def tone(hertz: float, seconds: float) -> Samples:
    return np.sin(2 * np.pi * hertz * np.arange(int(RATE_HZ * seconds)) / RATE_HZ) * 12000


def key_tones(keys: str) -> Samples:
    """Return the keys as they sound, a gap before each and after the last."""
    gap = np.zeros(int(GAP_S * RATE_HZ))
    parts = [gap]
    for key in keys:
        row = next(number for number, keys_of_row in enumerate(KEYS) if key in keys_of_row)
        column = KEYS[row].index(key)
        parts += [(tone(ROWS[row], KEY_S) + tone(COLUMNS[column], KEY_S)) * 0.6, gap]
    return np.concatenate(parts)


def write(path: Path, samples: Samples) -> Path:
    """Write a 16-bit mono WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def read(path: Path | None) -> Heard:
    """Read 16-bit PCM even when its recorder has not closed its header: what is there counts."""
    if path is None or not path.exists():
        return Heard(np.zeros(0))
    raw = path.read_bytes()
    at = raw.find(b"data", 0, 4096)
    if at < 0:
        at = 36  # linphone writes its header last; until then there are as many zeros
    rate = int.from_bytes(raw[24:28], "little") or RATE_HZ
    body = raw[at + 8 :]
    return Heard(np.frombuffer(body[: len(body) // 2 * 2], dtype="<i2").astype(np.float64), rate)
