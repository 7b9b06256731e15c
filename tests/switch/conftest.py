"""The town of these tests, as a fixture that leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.switch.town import Town, assert_at_rest, directory


@pytest.fixture
def town() -> Iterator[Town]:
    made = Town(directory())
    yield made
    assert_at_rest(made)
