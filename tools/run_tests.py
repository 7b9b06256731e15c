"""Run the tests as CI does: what computes, then what waits (sockets, browsers, foreign phones); coverage over both.

Apart, so that what keeps to the wall clock never stands beside what takes a core whole. Two files at a time compute,
one a core; three wait. Each half reads only the files that can hold its tests: every worker of a half collects all of
it, and the API's fuzzers alone generate their cases for longer than all other files take to read.

The last lines name every test that did not run, and why.
"""

from __future__ import annotations

import re
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
TESTS = Path("tests")
WAITING = re.compile(r"pytest\.mark\.(interop|browser|realtime)\b")
NO_TEST_BUT_SOAK = re.compile(r"^pytestmark = (\[\s*)?pytest\.mark\.soak\b", re.MULTILINE)
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
    files = {"computes": computing(TESTS), "waits": waiting(TESTS)}
    codes = [
        subprocess.run(
            [*base, f"--junitxml={report}", "-m", marked[name], "-n", AT_ONCE[name], *map(str, files[name])],
            check=False,
        ).returncode
        for name, report in reports.items()
    ]
    report = [*python, "coverage", "report", f"--fail-under={COVERED_AT_LEAST}"]
    codes.append(subprocess.run(report, check=False).returncode)
    bad = [code for code in codes if code not in (0, 5)]  # 5: nothing was selected
    print_skipped(reports.values())
    return bad[0] if bad else 0


def computing(tests: Path) -> list[Path]:
    """Return the files of tests that may hold one that computes: all but soaks and foreign software."""
    return [path for path in regular(tests) if path.parent != tests / "interop"]


def waiting(tests: Path) -> list[Path]:
    """Return the files of tests that may hold one that waits: they name such a mark, or drive foreign software."""
    return [path for path in regular(tests) if path.parent == tests / "interop" or WAITING.search(path.read_text())]


def regular(tests: Path) -> list[Path]:
    """Return the files that hold more than soaks, in order."""
    return [path for path in sorted(tests.rglob("test_*.py")) if not NO_TEST_BUT_SOAK.search(path.read_text())]


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
