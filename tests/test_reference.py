"""The reference pages say what the code says."""

from __future__ import annotations

import pytest

from tools import reference


@pytest.mark.parametrize("name", sorted(reference.pages()))
def test_a_page_is_what_its_tool_would_write(name):
    assert (reference.DOCS / name).read_text() == reference.pages()[name], "run python -m tools.reference"


def test_the_readme_tells_which_phones_and_how_much_of_each_is_verified():
    text = reference.README.read_text()
    assert text == reference.with_families(text), "run python -m tools.reference"
