"""What a caller meant by the digits dialled (domain-features 1.1, 1.3, 3). Pure; knows no objects, only shapes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

EMERGENCY = frozenset({"911"})
SERVICE = frozenset({"211", "311", "411", "511", "711", "811", "988"})
_PUNCTUATION = re.compile(r"[\s().-]")


class Kind(Enum):
    EXTENSION = auto()
    NUMBER = auto()
    EMERGENCY = auto()
    ADDRESS_TEST = auto()
    SUPPORT = auto()
    SERVICE = auto()
    MAILBOX_LOGIN = auto()
    """5000 asks for the box, 5001 is the caller's own."""
    MAILBOX = auto()
    """7 + extension."""
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Dialled:
    kind: Kind
    digits: str
    """Extension, `1NPANXXXXXX`, code or box."""


def read_dialled(text: str, *, area_code: str = "") -> Dialled:
    """Return what `text` (user part of the Request-URI) stands for."""
    plain = _PUNCTUATION.sub("", text)
    digits = plain.removeprefix("+")
    if not digits.isdigit():
        return Dialled(Kind.UNKNOWN, text)
    if not plain.startswith("+"):
        short = _short(digits)
        if short is not None:
            return short
    number = normal_number(digits, area_code=area_code)
    return Dialled(Kind.NUMBER, number) if number else Dialled(Kind.UNKNOWN, digits)


def normal_number(digits: str, *, area_code: str = "") -> str:
    """Return `1NPANXXXXXX` for 7, 10 or 11 digits, else an empty string."""
    digits = _PUNCTUATION.sub("", digits).removeprefix("+")
    if len(digits) == 7 and area_code:
        digits = area_code + digits
    if len(digits) == 10:
        digits = "1" + digits
    return digits if re.fullmatch(r"1[2-9]\d{2}[2-9]\d{6}", digits) else ""


def _short(digits: str) -> Dialled | None:
    if digits in EMERGENCY or digits.removeprefix("9") in EMERGENCY:
        return Dialled(Kind.EMERGENCY, "911")
    if digits == "933":
        return Dialled(Kind.ADDRESS_TEST, digits)
    if digits == "611":
        return Dialled(Kind.SUPPORT, digits)
    if digits in SERVICE:
        return Dialled(Kind.SERVICE, digits)
    if digits in ("5000", "5001"):
        return Dialled(Kind.MAILBOX_LOGIN, digits)
    if len(digits) in (4, 5) and digits.startswith("7"):
        return Dialled(Kind.MAILBOX, digits[1:])
    if 3 <= len(digits) <= 5:
        return Dialled(Kind.EXTENSION, digits)
    return None
