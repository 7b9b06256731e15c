"""Text to speech by a program that is there: flite or espeak-ng. None is part of the switchroom."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from lab.prompts.sounds import NoSound, read_sound

MOST_CHARACTERS = 2000
LONGEST_S = 60.0
"""Of work, not of sound."""
ENGINES: dict[str, tuple[str, ...]] = {
    "flite": ("flite", "-voice", "slt", "-f", "{text}", "-o", "{sound}"),
    "espeak-ng": ("espeak-ng", "-f", "{text}", "-w", "{sound}"),
}
"""The text goes in by a file: it is never an argument."""
PACKAGES = "flite or espeak-ng"


class NoSpeech(RuntimeError):
    """Nothing here can speak; the text says what to install."""


def engine() -> str:
    """Return the engine that is there, empty when none is."""
    return next((name for name in ENGINES if shutil.which(name)), "")


async def speak(text: str) -> bytes:
    """Return mu-law samples of spoken text; NoSpeech without an engine, NoSound when it cannot say that."""
    if not text.strip() or len(text) > MOST_CHARACTERS:
        raise NoSound(f"a text has 1 to {MOST_CHARACTERS} characters")
    name = engine()
    if not name:
        raise NoSpeech(f"no speech engine is installed: install {PACKAGES}")
    with tempfile.TemporaryDirectory(prefix="switchroom-speech-") as folder:
        written, sound = Path(folder) / "text", Path(folder) / "spoken.wav"
        written.write_text(" ".join(text.split()), encoding="utf-8")
        command = [part.format(text=written, sound=sound) for part in ENGINES[name]]
        await _run(name, command)
        try:
            octets = sound.read_bytes()
        except OSError:
            raise NoSound(f"{name} made no sound of it") from None
    return await asyncio.to_thread(read_sound, octets)


async def _run(name: str, command: list[str]) -> None:
    nothing = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdin=nothing, stdout=nothing, stderr=nothing)
    try:
        async with asyncio.timeout(LONGEST_S):
            status = await process.wait()
    except TimeoutError:
        raise NoSound(f"{name} did not finish within {LONGEST_S:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status:
        raise NoSound(f"{name} failed with status {status}")
