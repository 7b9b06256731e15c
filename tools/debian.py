"""What the tests need of Debian: installed as root, named elsewhere.

`make test` runs this first, `make soak` with `--soak` for what only that needs. Tests that need a missing tool skip
loudly; in CI they fail.
"""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.cli.doctor import LIBRARIES, PROGRAMS

TOOLS = dict(PROGRAMS)
"""Program → Debian package."""
SOAK_TOOLS = {"rtpengine": "rtpengine-daemon", "iptables": "iptables", "sysctl": "procps"}
SOAK_LIBRARIES = (("opus", "libopus0"),)
SERVICES = {"rtpengine-daemon": "rtpengine-daemon"}
"""Package → the service it brings, which nobody has asked for."""
_POLICY = Path("/usr/sbin/policy-rc.d")
_FORBIDDEN = "#!/bin/sh\n# Written by switchroom's tools/debian.py while it installs; remove it.\nexit 101\n"


def missing(soak: bool) -> list[str]:
    programs, libraries = (TOOLS | SOAK_TOOLS, LIBRARIES + SOAK_LIBRARIES) if soak else (TOOLS, LIBRARIES)
    found = [package for program, package in programs.items() if shutil.which(program) is None]
    return found + [package for name, package in libraries if ctypes.util.find_library(name) is None]


@contextmanager
def no_service_begins() -> Iterator[None]:
    """Debian starts a service with its package; a policy forbids it (invoke-rc.d(8)). One that is there stays."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text(_FORBIDDEN)
    try:
        _POLICY.chmod(0o755)
        yield
    finally:
        _POLICY.unlink(missing_ok=True)


def install(packages: list[str]) -> bool:
    """Install packages of Debian, their services neither running nor begun at the next start of the machine."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    programs, services = ([each for each in packages if (each in SERVICES) is serves] for serves in (False, True))
    commands = [["apt-get", "update", "-qq"]]
    if programs:
        commands.append(["apt-get", "install", "-y", "-qq", *programs])
    if services:  # what they recommend are services, too
        commands.append(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *services])
    commands += [["update-rc.d", SERVICES[each], "disable"] for each in services]
    with no_service_begins():
        for command in commands:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                print(done.stdout[-2000:], done.stderr[-2000:], sep="\n", file=sys.stderr)
                print(f"could not {' '.join(command)}", file=sys.stderr)
                return False
    return True


def main() -> int:
    soak = "--soak" in sys.argv[1:]
    packages = missing(soak)
    if not packages:
        return 0
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(f"not installed: {', '.join(packages)}; tests that need them are skipped. As root on Debian:")
        print(f"  apt-get install {' '.join(packages)}")
        return 0
    if install(packages) and (left := missing(soak)):
        print(f"still not installed: {', '.join(left)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
