"""The reference pages say what the code says."""

from __future__ import annotations

import pytest

from tools import reference


@pytest.mark.parametrize("name", sorted(reference.pages()))
def test_a_page_is_what_its_tool_would_write(name):
    assert (reference.DOCS / name).read_text() == reference.pages()[name], "run python -m tools.reference"
