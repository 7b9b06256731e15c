"""What every test may lean on: tools that may be missing, and a last word about what did not run."""

from __future__ import annotations

import os
import shutil
import tomllib
from pathlib import Path

import pytest

BLOCKED = tomllib.loads((Path(__file__).parent / "blocked.toml").read_text())
"""Reviewed list of what a machine may truly lack: name → reason. Only these may stand still in CI."""


def need(program: str) -> str:
    """Return the path of a program; without it the test skips, and fails in CI."""
    path = shutil.which(program)
    if path is None:
        text = f"{program} is not installed (see tools/debian.py)"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    return path


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.write_sep("!", f"{len(skipped)} tests did not run", yellow=True, bold=True)
        for report in skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            terminalreporter.write_line(f"  {report.nodeid}: {reason.removeprefix('Skipped: ')}", yellow=True)
