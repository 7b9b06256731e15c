"""How much sound still fits into a mailbox."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from pbx.domain.history import Message
from pbx.domain.kept import KeptPrompt
from pbx.domain.mailboxes import Mailbox

KB_PER_S = 8000 / 1024
"""Of the G.711 in which everything is kept."""


def room_s(mailbox: Mailbox, messages: Iterable[Message], prompts: Iterable[KeptPrompt]) -> float:
    """Return the seconds a mailbox still has room for, `inf` without a limit."""
    if not mailbox.storage_kb:
        return inf
    kept_s = sum(message.seconds for message in messages) + sum(prompt.seconds for prompt in prompts)
    return max(0.0, mailbox.storage_kb / KB_PER_S - kept_s)
