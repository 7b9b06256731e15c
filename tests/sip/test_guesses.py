"""Guessing is slowed down by whom it comes from and at whom it aims, and forgiven when it stops."""

from __future__ import annotations

from pbx.sip.guesses import FORGIVEN_S, FREE, MOST_KEPT, Guesses

STRANGER = ("address", "198.51.100.7")


def looked_at(guesses: Guesses, keys, seconds: float, every_s: float = 0.01, start: float = 0.0) -> int:
    """Guess wrong at a steady pace; return how many guesses were looked at."""
    count = 0
    for step in range(round(seconds / every_s)):
        now = start + step * every_s
        if guesses.may_try(keys, now):
            guesses.wrong(keys, now)
            count += 1
    return count


def test_ten_are_free_and_then_five_a_second_are_looked_at():
    guesses = Guesses()
    assert looked_at(guesses, [STRANGER], 10.0) - FREE in range(48, 51)
    assert looked_at(guesses, [STRANGER], 10.0, start=10.0) in range(49, 52)


def test_it_is_told_once_who_is_slowed_down():
    guesses = Guesses()
    told = [guesses.wrong([STRANGER, ("user", str(n % 2))], float(n)) for n in range(12)]
    assert [slowed for slowed in told if slowed] == [[STRANGER]]


def test_many_addresses_that_guess_at_one_user_share_its_pace():
    guesses = Guesses()
    count = 0
    for step in range(1000):
        keys = [("address", f"198.51.100.{step % 250}"), ("user", "101")]
        if guesses.may_try(keys, step / 100):
            guesses.wrong(keys, step / 100)
            count += 1
    assert count - FREE in range(47, 51)


def test_others_are_not_slowed_down():
    guesses = Guesses()
    looked_at(guesses, [STRANGER], 1.0)
    assert guesses.may_try([("address", "192.0.2.1"), ("user", "102")], 1.0)
    assert guesses.may_try([], 1.0)


def test_a_quiet_minute_is_forgiven():
    guesses = Guesses()
    looked_at(guesses, [STRANGER], 1.0)
    assert not all(guesses.may_try([STRANGER], FORGIVEN_S - 10) for _ in range(2))
    assert all(guesses.may_try([STRANGER], FORGIVEN_S + 2) for _ in range(9))


def test_what_is_kept_is_bounded():
    guesses = Guesses()
    for number in range(MOST_KEPT + 500):
        guesses.wrong([("user", str(number))], 0.0)
    assert len(guesses._guessers) == MOST_KEPT
