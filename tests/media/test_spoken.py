from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.media.prompts import catalogue
from pbx.media.spoken import spoken_digits, spoken_number


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, ("digit-0",)),
        (11, ("number-11",)),
        (20, ("number-20",)),
        (47, ("number-40", "digit-7")),
        (90, ("number-90",)),
        (100, ("digit-1", "hundred")),
        (315, ("digit-3", "hundred", "number-15")),
        (1000, ("digit-1", "digit-0", "digit-0", "digit-0")),
    ],
)
def test_a_number_is_said_as_people_say_it(number: int, said: tuple[str, ...]) -> None:
    assert spoken_number(number) == said


def test_only_digits_are_spelt_out() -> None:
    assert spoken_digits("+1 416") == ("digit-1", "digit-4", "digit-1", "digit-6")


@given(st.integers(0, 99_999))
def test_whatever_is_said_has_been_recorded(number: int) -> None:
    assert set(spoken_number(number)) <= set(catalogue.names())
