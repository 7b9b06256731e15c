"""Nothing skips in CI but what `blocked.toml` names; elsewhere what did not run is the last thing said."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

SKIPS = """
import pytest

@pytest.mark.skipif(True, reason="no such kernel")
def test_marked(): ...

def test_called():
    pytest.skip("no such program")

@pytest.fixture
def absent():
    pytest.skip("no such fixture")

def test_in_a_fixture(absent): ...

@pytest.mark.xfail(reason="known")
def test_expected_to_fail():
    raise AssertionError

def test_runs(): ...
"""
WHOLE_MODULE = "import pytest\npytest.importorskip('no_such_module_at_all')\ndef test_never(): ...\n"


@pytest.fixture
def copied(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project of its own with our conftest."""
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makeconftest((ROOT / "tests" / "conftest.py").read_text())
    (pytester.path / "blocked.toml").write_text('"test_skips.py::test_marked" = "this kernel has none"\n')
    pytester.makepyfile(test_skips=SKIPS)
    pytester.makepyfile(test_whole=WHOLE_MODULE)
    return pytester


def test_in_ci_whatever_skips_fails_unless_it_is_reviewed(
    copied: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "1")
    result = copied.runpytest_inprocess("-p", "no:cacheprovider", "--continue-on-collection-errors")
    result.assert_outcomes(passed=1, skipped=1, failed=1, errors=2, xfailed=1)
    result.stdout.fnmatch_lines(["*nothing skips in CI unless tests/blocked.toml names it*"])
    result.stdout.fnmatch_lines(["*1 tests blocked*", "*test_marked: this kernel has none"])


def test_elsewhere_it_skips_and_is_named(copied: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    result = copied.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, skipped=4, xfailed=1)
    result.stdout.fnmatch_lines(["*4 tests did not run*", "*test_called: no such program"])


def test_the_last_lines_of_make_test_name_what_did_not_run(
    copied: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    copied.runpytest_inprocess("-p", "no:cacheprovider", "--junitxml=report.xml")
    capsys.readouterr()
    run_tests = runpy.run_path(str(ROOT / "tools" / "run_tests.py"))
    run_tests["print_skipped"]([copied.path / "report.xml", copied.path / "never_made.xml"])
    shown = capsys.readouterr().out
    assert "4 tests did not run" in shown
    assert "test_skips.test_called: no such program" in shown
    assert "test_expected_to_fail" not in shown
