"""Run the tests as CI does: what can share the machine two at a time, then what needs it alone; coverage over both."""

from __future__ import annotations

import subprocess
import sys

COVERED_AT_LEAST = 90
"""Per cent of lines of the four packages."""

ALONE = "interop or browser or realtime"


def main() -> int:
    python = [sys.executable, "-m"]
    subprocess.run([*python, "coverage", "erase"], check=True)
    base = [*python, "pytest", "-q", "--cov", "--cov-report=", "--cov-append"]
    together = [*base, "-n", "2", "--dist", "loadfile", "-m", f"not soak and not ({ALONE})"]
    alone = [*base, "-m", f"not soak and ({ALONE})"]
    codes = [subprocess.run(command, check=False).returncode for command in (together, alone)]
    subprocess.run([*python, "coverage", "combine", "--append", "--quiet"], check=False)
    report = [*python, "coverage", "report", f"--fail-under={COVERED_AT_LEAST}"]
    codes.append(subprocess.run(report, check=False).returncode)
    bad = [code for code in codes if code not in (0, 5)]  # 5: nothing was selected
    return bad[0] if bad else 0


if __name__ == "__main__":
    sys.exit(main())
