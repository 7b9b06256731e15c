"""Numbers as protocols write them: a few ASCII digits."""

from __future__ import annotations

MOST_DIGITS = 10
"""Of 2**32 - 1, the largest number any header carries (RFC 3261 §25.1)."""


def natural(text: str) -> int | None:
    """Return the number that ASCII digits write; None for anything else, and for more than any header may carry.

    `str.isdigit` alone is no guard: it takes `²`, which `int` refuses, as it refuses a number of 5,000 digits.
    """
    text = text.strip()
    if len(text) > MOST_DIGITS:
        text = text.lstrip("0") or "0"
    return int(text) if len(text) <= MOST_DIGITS and text.isdigit() and text.isascii() else None
