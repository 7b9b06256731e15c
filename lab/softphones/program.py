"""What the two programs have in common: what is done to them, and what they tell."""

from __future__ import annotations

import asyncio
import socket
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from pbx.media import g711
from pbx.media.ears import frames_of

PATIENCE_S = 60.0
"""How long a program may take to start and to register, on a machine with more to do."""
ENDS_S = 5.0
KEY_S = 0.35
"""From key to key: both programs send a key for a quarter of a second."""
SAYS_S = 1200
"""How long the voice of a softphone is; baresip hangs up when its sound file ends."""
RATE_HZ = 8000

Told = Callable[[str, str, str], None]
"""Told what happened (`ringing`, `dialling`, `connected`, `ended`, as by action URLs), in which call, with whom."""


class NotStarted(Exception):
    """The program is not there, ended at once, or was not registered; the text says what it said last."""


class Unwilling(Exception):
    """It cannot do that now; the text says why."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a softphone stands on this machine, and whom it plays."""

    device: str
    domain: str
    home: Path
    address: str
    """Of its own: its SIP and its media."""
    config_url: str
    """Where its files begin, or its one file."""


class Softphone(Protocol):
    async def start(self) -> None:
        """Return once it is registered; NotStarted."""
        ...

    async def do(self, action: str, argument: str) -> None:
        """Press the buttons of an action; Unwilling."""
        ...

    @property
    def recording(self) -> Path | None:
        """What it records of what it hears, of its newest call."""
        ...

    async def ended(self) -> None:
        """Return when the program has gone."""
        ...

    async def close(self) -> None: ...


def write_voice(path: Path, party: str) -> Path:
    """Write the party's signature as a WAV of 16-bit PCM."""
    loop = g711.decode(b"".join(frames_of(f"signature:{party}")), "PCMU").astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.tile(loop, SAYS_S * RATE_HZ // len(loop)).tobytes())
    return path


async def end(process: asyncio.subprocess.Process, within_s: float = ENDS_S) -> None:
    """Ask it to end, and insist: without its server baresip unregisters for ever."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(within_s):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
