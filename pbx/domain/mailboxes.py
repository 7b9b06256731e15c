"""How mailboxes behave: limits, order, announcements, copies, notices (domain-features 1.8)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pbx.domain.base import Extension, Model

NotifyBy = Literal[
    "no", "yes", "attnew", "attsave", "atttrash", "brief", "briefattnew", "briefattsave", "briefatttrash"
]
"""Mail about a new message: `att…` has the audio with it and then leaves the message new, saves it or puts it into the
trash; `brief…` is a line of text."""


class Mailbox(Model):
    """A user's mailbox. What the owner sets at the telephone (greetings, PIN) is not configuration."""

    max_message_s: float = Field(default=180.0, ge=5, le=3600)
    min_message_s: float = Field(default=1.0, ge=0, le=30)
    """A shorter message is a caller who hung up at the beep, or said nothing."""
    silence_s: float = Field(default=4.0, ge=0, le=60)
    """So much silence ends a message; 0 never does."""
    storage_kb: int = Field(default=0, ge=0)
    """Room for messages in all folders, greetings and names; 0 for no limit."""
    trash_days: int = Field(default=30, ge=0)
    """A message in the trash goes for good when it is so old; 0 keeps it."""
    newest_first: bool = True
    announce_date: bool = False
    announce_caller: bool = False
    notify: NotifyBy = "no"
    alert_when_full: bool = False
    """Mail when a caller was turned away for want of room."""
    copy_to: tuple[Extension, ...] = ()
    """Mailboxes that get a copy of every message a caller leaves here."""
    remind_every_h: float = Field(default=0.0, ge=0)
    """Mail about messages that are still new; 0 for none."""
    reminders: int = Field(default=3, ge=1, le=100)
    """How often, at most, after the newest message."""
    transcription: str = Field(default="no", min_length=1)
    """`no`, or the engine that turns messages into text: a plug-in; none is installed with the switchroom."""
