"""`make test` reads, for what waits, only files that name such a mark: none may be missed."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tests.conftest import HOLD_WAITING

ROOT = Path(__file__).parents[1]
RUN = runpy.run_path(str(ROOT / "tools" / "run_tests.py"))


def test_every_file_with_a_test_that_waits_is_read_for_that_half(request: pytest.FixtureRequest) -> None:
    held = request.config.stash[HOLD_WAITING] & set(RUN["regular"](ROOT / "tests"))
    assert held <= set(RUN["waiting"](ROOT / "tests"))


@pytest.mark.parametrize(
    ("text", "half"),
    [
        ("def test_sum(): ...", {"computing"}),
        ("@pytest.mark.realtime\ndef test_socket(): ...", {"computing", "waiting"}),
        ("pytestmark = [pytest.mark.browser, pytest.mark.asyncio]", {"computing", "waiting"}),
        ("pytestmark = pytest.mark.soak  # an hour", set()),
        ("pytestmark = [\n    pytest.mark.soak,\n]", set()),
        ("@pytest.mark.soak\ndef test_long(): ...", {"computing"}),
    ],
)
def test_a_file_is_read_by_the_halves_that_it_can_hold_tests_of(text: str, half: set[str], tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "test_it.py").write_text(text)
    assert {name for name in ("computing", "waiting") if RUN[name](tmp_path)} == half


def test_foreign_software_waits(tmp_path: Path) -> None:
    (tmp_path / "interop").mkdir()
    (tmp_path / "interop" / "test_it.py").write_text("def test_sipp(): ...")
    assert not RUN["computing"](tmp_path)
    assert RUN["waiting"](tmp_path)
