"""Makes the shipped prompts with Debian's flite: `python -m pbx.media.prompts.render`. Run by hand, once."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np

from pbx.media.g711 import encode
from pbx.media.prompts.catalogue import FOLDER
from pbx.media.wav import write_wav

_SMALL = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_WORDS = [*_SMALL.split(), "seventeen", "eighteen", "nineteen", "twenty"]
_TENS = {30: "thirty", 40: "forty", 50: "fifty", 60: "sixty", 70: "seventy", 80: "eighty", 90: "ninety"}

TEXTS = {
    **{f"digit-{number}": _WORDS[number] for number in range(10)},
    **{f"number-{number}": _WORDS[number] for number in range(10, 21)},
    **{f"number-{number}": word for number, word in _TENS.items()},
    "hundred": "hundred",
    "attendant-welcome": "Welcome. Please choose from the menu.",
    "attendant-closed": "Our office is closed now.",
    "attendant-sales": "You have reached sales.",
    "invalid-key": "That is not a valid choice.",
    "goodbye": "Good bye.",
    "queue-welcome": "Thank you for calling.",
    "vm-greeting": "The person at extension",
    "vm-not-available": "is not available. Please leave a message.",
    "vm-login": "Please enter your mailbox.",
    "vm-password": "Please enter your password.",
    "vm-wrong-password": "That is not correct.",
    "vm-you-have": "You have",
    "vm-new-messages": "new messages.",
    "vm-no-messages": "no new messages.",
    "vm-message-menu": "Press seven to delete, nine to save.",
    "vm-message-deleted": "Message deleted.",
    "vm-message-saved": "Message saved.",
    "vm-end-of-messages": "There are no more messages.",
    "not-in-service": "The number you have dialed is not in service.",
    "barred": "This call is not allowed.",
    "emergency-simulated": "This is the simulated emergency desk. No real emergency service is called.",
    "your-number-is": "Your number is",
    "your-address-is": "Your address is",
    "address-not-on-file": "not on file.",
    "support-welcome": "Welcome to technical support.",
}


def _spoken(text: str, folder: Path) -> bytes:
    path = folder / "spoken.wav"
    subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", str(path)], check=True)
    with wave.open(str(path)) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(float)
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / rate) > 3600] = 0
    smooth = np.fft.irfft(spectrum, len(samples))
    at = np.arange(0, len(smooth), rate / 8000)
    narrow = np.interp(at, np.arange(len(smooth)), smooth)
    loud = np.flatnonzero(np.abs(narrow) > 300)
    narrow = narrow[max(0, loud[0] - 200) : loud[-1] + 400]
    return encode(np.clip(narrow * (16000 / np.max(np.abs(narrow))), -32768, 32767).astype(np.int16), "PCMU")


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in TEXTS.items():
            write_wav(FOLDER / f"{name}.wav", _spoken(text, Path(folder)))
    print(f"{len(TEXTS)} prompts in {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
