"""What every test may lean on: tools that may be missing, and a last word about what did not run.

In CI nothing stands still unseen: whatever way a test skips, it fails there, unless `blocked.toml` names it.
"""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["pytester"]

BLOCKED: Mapping[str, str] = tomllib.loads((Path(__file__).parent / "blocked.toml").read_text())
"""Reviewed list of what a machine may truly lack: test (without parameters) → reason. Only these may skip in CI."""


LONG_FIRST = (
    "test_plans/test_bad_wire.py", "interop/test_foreign_phones.py", "lab/cli/test_up.py", "interop/test_power_cut.py",
    "media/test_engines.py", "test_plans/test_mutants.py", "lab/console/test_pages_in_chromium.py",
    "media/test_local_engine.py", "lab/console/test_live_in_chromium.py", "interop/test_stock_phone.py",
    "interop/test_sipp_load.py",
    "test_plans/test_features_plan.py", "callflow/test_routing_properties.py", "lab/cli/test_command_line.py",
    "test_plans/test_office_plan.py", "lab/test_steady_memory.py", "switch/test_mutations.py",
)  # fmt: skip
"""Files that take longest: two run side by side, and the last to begin must not be one of them."""


HOLD_WAITING = pytest.StashKey[frozenset[Path]]()
"""The files read that hold a test which waits, whether it is selected or not (test_halves.py)."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let the long files go first (`make test` runs files in this order, two at a time)."""
    marks = ("interop", "browser", "realtime")
    config.stash[HOLD_WAITING] = frozenset(item.path for item in items if any(map(item.get_closest_marker, marks)))
    rank = {Path(__file__).parent / name: place for place, name in enumerate(LONG_FIRST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


def need(program: str) -> str:
    """Return the path of a program; without it the test skips, and fails in CI."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed (see tools/debian.py)")
    return path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if not hasattr(report, "wasxfail"):
        _not_in_ci(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _not_in_ci(report)
    return report


def _not_in_ci(report: Any) -> None:
    if report.outcome == "skipped" and os.environ.get("CI") and report.nodeid.partition("[")[0] not in BLOCKED:
        report.outcome = "failed"
        report.longrepr = f"{_reason(report)}: nothing skips in CI unless tests/blocked.toml names it"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        what = "blocked" if os.environ.get("CI") else "did not run"
        terminalreporter.write_sep("!", f"{len(skipped)} tests {what}", yellow=True, bold=True)
        for report in skipped:
            reason = BLOCKED.get(report.nodeid.partition("[")[0]) or _reason(report)
            terminalreporter.write_line(f"  {report.nodeid}: {reason}", yellow=True)


def _reason(report: Any) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return str(text).removeprefix("Skipped: ")
