"""Digits and numbers as names of prompts."""

from __future__ import annotations


def spoken_digits(text: str) -> tuple[str, ...]:
    """Return a prompt for each digit; other characters are not spoken."""
    return tuple(f"digit-{character}" for character in text if character.isdigit())


def spoken_number(number: int) -> tuple[str, ...]:
    """Return the prompts of 0…999; more is spoken digit by digit."""
    if not 0 <= number <= 999:
        return spoken_digits(str(number))
    if number >= 100:
        rest = spoken_number(number % 100) if number % 100 else ()
        return (f"digit-{number // 100}", "hundred", *rest)
    if number > 20 and number % 10:
        return (f"number-{number - number % 10}", f"digit-{number % 10}")
    return (f"digit-{number}",) if number < 10 else (f"number-{number}",)
