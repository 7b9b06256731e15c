"""Feature codes, one a file: each has `CODE`, `use(call, argument)` returning a `Used`, and a docstring for the table.

A feature answers the call itself where it has something to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pbx.callflow.script import Script
from pbx.callflow.speech import say
from pbx.callflow.vocabulary import Control
from pbx.domain.destinations import Cause, Destination, HangUp
from pbx.domain.tenancy import User

_OVER = HangUp(cause=Cause.NORMAL)


@dataclass(frozen=True, slots=True)
class Used:
    """What became of a code."""

    done: bool
    """False when it was refused."""
    then: Destination | None = _OVER
    """Where the call goes next; None when the caller is in another call now."""


def said(call: Control, *names: str, done: bool = True) -> Script[Used]:
    """Answer, say prompts, and be over."""
    call.answer()
    yield from say(call, *names)
    return Used(done)


def moved(call: Control, into_another: bool, otherwise: str) -> Script[Used]:
    """The caller is in another call now, or is told why not."""
    if into_another:
        return Used(True, None)
    return (yield from said(call, otherwise, done=False))


def colleagues(call: Control, users: Iterable[User]) -> frozenset[str]:
    """Return the extensions of these users but the caller's own: nobody picks up what rings on the own desk."""
    return frozenset(user.extension for user in users) - {call.asked.caller_extension}
