"""Tones that prove who hears whom: each foreign phone plays its own, the other end's recording must hold it."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

RATE_HZ = 8000


def write_tone(path: Path, hertz: float, seconds: float) -> Path:
    """Write a 16-bit mono WAV of one tone, half of full scale."""
    time = np.arange(int(RATE_HZ * seconds)) / RATE_HZ
    samples = (np.sin(2 * np.pi * hertz * time) * 16000).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return path


def story(path: Path, hertz: float) -> str:
    """Return what the recording holds, a letter for 100 ms: `t` this tone, `s` another sound, `.` silence."""
    samples, rate = _samples(path)
    window = rate // 10
    told = ""
    for start in range(0, len(samples) - window, window):
        part = samples[start : start + window] * np.hanning(window)
        spectrum = np.abs(np.fft.rfft(part)) ** 2
        total = float(spectrum.sum())
        at = round(hertz * window / rate)
        is_tone = float(spectrum[max(0, at - 3) : at + 4].sum()) > 0.6 * total
        told += "." if total <= 1e6 else "t" if is_tone else "s"
    return told


def share_of_tone(path: Path, hertz: float) -> float:
    """Return how much of the energy of the newest second is this tone, 0…1; 0 for silence."""
    samples, rate = _samples(path)
    if len(samples) < rate:
        return 0.0
    spectrum = np.abs(np.fft.rfft(samples[-rate:] * np.hanning(rate))) ** 2
    at, total = round(hertz), float(spectrum.sum())
    return float(spectrum[max(0, at - 5) : at + 6].sum()) / total if total > 1e6 else 0.0


def seconds_of_tone(path: Path, hertz: float) -> float:
    """Return how many seconds of the recording are this tone."""
    return story(path, hertz).count("t") * 0.1


def _samples(path: Path) -> tuple[np.ndarray, int]:
    """Read 16-bit PCM even when the recorder has not closed its header: what is there counts."""
    raw = path.read_bytes()
    at = raw.find(b"data", 0, 4096)
    if at < 0:
        at = 36  # linphone writes its header last; until then there are as many zeros
    channels = int.from_bytes(raw[22:24], "little") or 1
    rate = int.from_bytes(raw[24:28], "little") or RATE_HZ
    body = raw[at + 8 :]
    whole = len(body) // (2 * channels) * 2 * channels
    return np.frombuffer(body[:whole], dtype="<i2").astype(float)[::channels], rate
