"""The office behind the API."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.office import Office, opened, small_seed


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return opened(small_seed(), tmp_path)
