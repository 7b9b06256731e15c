"""Requests to the provider's support."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pbx.events.base import Event


@dataclass(frozen=True, slots=True)
class TicketOpened(Event):
    """Somebody has come to the support's attendant, or has left it a message."""

    kind: ClassVar[str] = "support.ticket_opened"
    ticket: str
    call: str
    team: str
    """`technical support` or `success team`."""
    caller_number: str
    extension: str
    """Of the caller, empty from outside."""
    answer_by: str
    """ISO 8601, the end of one business day on the team's clock; empty for a caller on the line."""


@dataclass(frozen=True, slots=True)
class TicketAnswered(Event):
    kind: ClassVar[str] = "support.ticket_answered"
    ticket: str
    call: str
    team: str
    by: str
    """The agent's number, or the team that answered a message."""
