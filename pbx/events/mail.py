"""Mail: owed, sent, late, refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pbx.events.base import Event


@dataclass(frozen=True, slots=True)
class MailQueued(Event):
    """Mail is owed, and on the disk: from now on it is not lost."""

    kind: ClassVar[str] = "mail.queued"
    notice: str
    box: str
    """`fax:<account>` when it is about a fax; empty when it is about no mailbox either."""
    to: str
    """Empty when a message is only to be turned into text."""
    subject: str


@dataclass(frozen=True, slots=True)
class MailSent(Event):
    """The mail server has taken it."""

    kind: ClassVar[str] = "mail.sent"
    notice: str
    box: str
    to: str
    subject: str
    attached: bool
    """The message's sound, or the pages of a fax, went along."""
    folder: str
    """Where that message is now, empty when it is about none."""


@dataclass(frozen=True, slots=True)
class MailDelayed(Event):
    """It could not be sent and is tried again."""

    kind: ClassVar[str] = "mail.delayed"
    notice: str
    box: str
    to: str
    reason: str
    tries: int


@dataclass(frozen=True, slots=True)
class MailRefused(Event):
    """The mail server will never take it: it is kept, and tried again only when somebody asks."""

    kind: ClassVar[str] = "mail.refused"
    notice: str
    box: str
    to: str
    reason: str


@dataclass(frozen=True, slots=True)
class VoicemailTranscribed(Event):
    kind: ClassVar[str] = "voicemail.transcribed"
    box: str
    message: str
    transcriber: str
    problem: str
    """Why there is no text, e.g. that no such engine is installed; empty when there is one."""
