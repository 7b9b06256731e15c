"""Run the tests as CI does: what computes, then what waits (sockets, browsers, foreign phones); coverage over both.

Apart, so that what keeps to the wall clock never stands beside what takes a core whole. Two files at a time compute,
one a core; three wait.

The last lines name every test that did not run, and why.
"""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from pathlib import Path

COVERED_AT_LEAST = 90
"""Per cent of lines of the four packages."""

WAITS = "interop or browser or realtime"
AT_ONCE = {"computes": "2", "waits": "3"}
"""Files side by side."""
REPORTS = Path("build/tests")
"""JUnit reports of the two halves, for a CI server and for the last lines."""


def main() -> int:
    python = [sys.executable, "-m"]
    reports = {name: REPORTS / f"{name}.xml" for name in ("computes", "waits")}
    for report in reports.values():
        report.unlink(missing_ok=True)
    subprocess.run([*python, "coverage", "erase"], check=True)
    base = [*python, "pytest", "-q", "--cov", "--cov-report=", "--cov-append", "--dist", "loadfile"]
    base += ["--no-loadscope-reorder", "--durations=12"]  # in the order of tests/conftest.py, the long files first
    marked = {"computes": f"not soak and not ({WAITS})", "waits": f"not soak and ({WAITS})"}
    codes = [
        subprocess.run([*base, f"--junitxml={report}", "-m", marked[name], "-n", AT_ONCE[name]], check=False).returncode
        for name, report in reports.items()
    ]
    report = [*python, "coverage", "report", f"--fail-under={COVERED_AT_LEAST}"]
    codes.append(subprocess.run(report, check=False).returncode)
    bad = [code for code in codes if code not in (0, 5)]  # 5: nothing was selected
    print_skipped(reports.values())
    return bad[0] if bad else 0


def print_skipped(reports: Iterable[Path]) -> None:
    """Print what did not run, last, where nobody can miss it."""
    skipped = [line for report in reports if report.exists() for line in skipped_in(report)]
    if skipped:
        print(f"\n!!! {len(skipped)} tests did not run:", *skipped, sep="\n  ", flush=True)


def skipped_in(report: Path) -> list[str]:
    """Return a line for every test a JUnit report calls skipped."""
    cases = ElementTree.parse(report).iter("testcase")
    return [
        f"{case.get('classname')}.{case.get('name')}: {reason.get('message')}"
        for case in cases
        for reason in case.findall("skipped")
        if reason.get("type") != "pytest.xfail"
    ]


if __name__ == "__main__":
    sys.exit(main())
