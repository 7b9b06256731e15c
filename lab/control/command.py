"""What a driver says to a phone, and what it hears."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from urllib.parse import quote


class Refused(Exception):
    """The phone does not do it; the text says why and what to change, as far as its answer tells."""


@dataclass(frozen=True, slots=True)
class Command:
    """One HTTP request; `path` begins with a slash and holds the query."""

    path: str
    method: str = "GET"
    body: bytes = b""
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


Driving = Generator[Command, Answer, None]
"""A driver's script."""


def said(text: str) -> str:
    """Write what a user dialled so that it is one value of a query."""
    return quote(text, safe="")


def usual(answer: Answer, name: str) -> None:
    """Refuse what every web server of a phone says alike."""
    if answer.status == 401:
        raise Refused(f"{name} wants another user and password (401)")
    if answer.status in (403, 405):
        raise Refused(f"{name} does not let us control it ({answer.status}): see its list of allowed servers")
    if answer.status == 404:
        raise Refused(f"{name} knows no such command (404): remote control is off, or its firmware has none")
    if not 200 <= answer.status < 300:
        raise Refused(f"{name} answers {answer.status}")
