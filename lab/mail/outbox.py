"""The lab's outbox: whatever mail the switchroom sends, caught for whoever wants to see it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from email.message import EmailMessage

KEPT = 500
REFUSAL = "451 4.3.0 the mail server is switched off"


@dataclass(frozen=True, slots=True)
class Caught:
    """One letter."""

    number: int
    """Counts from 1, and goes on when the outbox is emptied."""
    at: float
    """POSIX seconds."""
    sender: str
    to: tuple[str, ...]
    letter: EmailMessage
    opened: bool = False
    """Somebody has looked at it."""

    @property
    def subject(self) -> str:
        return str(self.letter.get("Subject", ""))

    @property
    def text(self) -> str:
        body = self.letter.get_body(("plain",))
        return str(body.get_content()) if body is not None else ""

    @property
    def attachments(self) -> Sequence[tuple[str, str, bytes]]:
        """(file name, content type, octets) of each."""
        return [
            (part.get_filename() or "", part.get_content_type(), bytes(part.get_payload(decode=True) or b""))
            for part in self.letter.iter_attachments()
        ]


class Outbox:
    """Keeps the newest letters."""

    def __init__(self) -> None:
        self._caught: deque[Caught] = deque(maxlen=KEPT)
        self._number = 0
        self.takes = True
        """False while a plan has the mail server out of order: every letter is put off (451)."""

    def put(self, letter: EmailMessage, sender: str, to: Sequence[str], at: float) -> Caught:
        self._number += 1
        caught = Caught(self._number, at, sender, tuple(to), letter)
        self._caught.append(caught)
        return caught

    def letters(self, to: str = "") -> list[Caught]:
        """Oldest first; `to` alone, or everybody."""
        return [caught for caught in self._caught if not to or to in caught.to]

    def letter(self, number: int) -> Caught | None:
        return next((caught for caught in self._caught if caught.number == number), None)

    def read(self, number: int) -> None:
        """Note that somebody has looked at a letter."""
        for place, caught in enumerate(self._caught):
            if caught.number == number:
                self._caught[place] = replace(caught, opened=True)

    def empty(self) -> None:
        self._caught.clear()
