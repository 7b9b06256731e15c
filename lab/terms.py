"""How a run of a plan is to be taken, whoever takes it."""

from __future__ import annotations

from dataclasses import dataclass

BY_HAND = "by Ctrl-C or SIGTERM"
"""Why a run ended."""
EVIDENCE = ("all", "failed", "none")


@dataclass(frozen=True, slots=True)
class Terms:
    tester: str = ""
    """Who is to sign for it."""
    one_by_one: bool = False
    """Each case waits until somebody says what becomes of it."""
    evidence: str = "all"
    """Among EVIDENCE: of which cases it is kept."""
