"""What can be played to a party, as words: prompts, tones, music, signatures, recordings; numbers as prompts."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

ADDRESS_WORDS = (
    "avenue", "basement", "boulevard", "east", "floor", "highway", "north", "road", "room", "south", "street", "suite",
    "unit", "west",
)  # fmt: skip
"""Words of which there is a prompt, `word-street`."""
_WORD = re.compile(r"[a-z]+|[0-9]+")


@dataclass(frozen=True, slots=True)
class Recording:
    """A finished recording, played back from `from_s` on."""

    name: str
    from_s: float = 0.0
    instead: str = ""
    """Prompt that is played when the recording is not there; empty for nothing."""

    @property
    def label(self) -> str:
        return f"recording:{self.name}" + (f"@{self.from_s:g}" if self.from_s else "")


Spoken = str | Recording
"""A prompt by its name, or what somebody recorded."""


BEEP_S = 0.4
"""How long the tone `beep` is."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """Prompts and recordings one after another; with `repeat` for ever."""

    names: tuple[Spoken, ...]
    repeat: bool = False

    @property
    def label(self) -> str:
        return "prompt:" + "+".join(name if isinstance(name, str) else name.label for name in self.names)


@dataclass(frozen=True, slots=True)
class Tone:
    """A tone of the precise tone plan, until stopped; `beep` ends by itself."""

    name: str

    @property
    def label(self) -> str:
        return f"tone:{self.name}"


@dataclass(frozen=True, slots=True)
class Music:
    name: str

    @property
    def label(self) -> str:
        return f"moh:{self.name}"


@dataclass(frozen=True, slots=True)
class Signature:
    """The pseudo-noise by which others recognise this party."""

    party: str

    @property
    def label(self) -> str:
        return f"signature:{self.party}"


@dataclass(frozen=True, slots=True)
class Silence:
    @property
    def label(self) -> str:
        return "silence"


Sound = Prompts | Tone | Music | Signature | Recording | Silence


def spoken_digits(text: str) -> tuple[str, ...]:
    """Return a prompt for each digit; other characters are not spoken."""
    return tuple(f"digit-{character}" for character in text if character.isdigit())


def spoken_text(text: str) -> tuple[str, ...]:
    """Return prompts that read any text: words of addresses that ship, everything else by letters and digits."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    names: list[str] = []
    for word in _WORD.findall(plain):
        if word in ADDRESS_WORDS:
            names.append(f"word-{word}")
        elif word.isdigit():
            names += spoken_digits(word)
        else:
            names += (f"letter-{letter}" for letter in word)
    return tuple(names)


def spoken_number(number: int) -> tuple[str, ...]:
    """Return the prompts of 0…999; more is spoken digit by digit."""
    if not 0 <= number <= 999:
        return spoken_digits(str(number))
    if number >= 100:
        rest = spoken_number(number % 100) if number % 100 else ()
        return (f"digit-{number // 100}", "hundred", *rest)
    if number > 20 and number % 10:
        return (f"number-{number - number % 10}", f"digit-{number % 10}")
    return (f"digit-{number}",) if number < 10 else (f"number-{number}",)
