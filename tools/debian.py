"""What the tests need of Debian: installed as root, named elsewhere.

`make test` runs this first. Tests that need a missing tool skip loudly; in CI they fail.
"""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys

from lab.cli.doctor import LIBRARIES, PROGRAMS

TOOLS = dict(PROGRAMS)
"""Program → Debian package."""


def missing() -> list[str]:
    programs = [package for program, package in TOOLS.items() if shutil.which(program) is None]
    return programs + [package for name, package in LIBRARIES if ctypes.util.find_library(name) is None]


def main() -> int:
    packages = missing()
    if not packages:
        return 0
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(f"not installed: {', '.join(packages)}; tests that need them are skipped. As root on Debian:")
        print(f"  apt-get install {' '.join(packages)}")
        return 0
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", *packages]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stdout[-2000:], done.stderr[-2000:], sep="\n", file=sys.stderr)
            print(f"could not install {', '.join(packages)}", file=sys.stderr)
            return 0
    left = missing()
    if left:
        print(f"still not installed: {', '.join(left)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
