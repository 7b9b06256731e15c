"""Errors for people, in four parts: what happened, why, what to do, reference (console.md 4.6)."""

from __future__ import annotations


class UserError(Exception):
    """Shown on stderr, never as a traceback; `exit_code` as documented in `switchroom --help`."""

    def __init__(self, happened: str, why: str, remedy: str, reference: str, exit_code: int = 2) -> None:
        super().__init__(f"{happened}: {why}")
        self.happened = happened
        self.why = why
        self.remedy = remedy
        self.reference = reference
        self.exit_code = exit_code

    def text(self) -> str:
        return f"✗ {self.happened}\n  why      {self.why}\n  to do    {self.remedy}\n  see      {self.reference}"


FAILED, USAGE, NO_START, BAD_INPUT, INCOMPLETE, TIMED_OUT, OUR_FAULT, INTERRUPTED = 1, 2, 3, 4, 5, 6, 70, 130


class Away(RuntimeError):
    """The switch is down just now: killed by a plan, and not back yet."""
