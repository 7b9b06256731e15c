"""`doctor`: what this machine has and lacks."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import sqlite3
import sys
from importlib.metadata import PackageNotFoundError, version


def examine() -> int:
    """Print a line a finding; 1 when something that is needed is missing."""
    bad = 0
    bad += _line(sys.version_info >= (3, 11), f"python {platform.python_version()}", "Python 3.11 or newer is needed")
    bad += _line(True, f"sqlite {sqlite3.sqlite_version}", "")
    try:
        zones = version("tzdata")
    except PackageNotFoundError:
        zones = ""
    bad += _line(bool(zones), f"time zones {zones}", "install tzdata")
    _note(importlib.util.find_spec("pyVoIP") is not None, "pyVoIP (extra `lab`)", "the foreign phones stay away")
    for program, without in (
        ("baresip", "interop tests with baresip"),
        ("linphonec", "interop tests with linphone"),
        ("sipp", "interop and load tests"),
        ("chromium", "browser tests"),
        ("tshark", "capture tests"),
    ):
        _note(shutil.which(program) is not None, program, f"{without} will be skipped")
    return 1 if bad else 0


def _line(good: bool, text: str, remedy: str) -> int:
    print(f"{'✓' if good else '✗'} {text}" + ("" if good else f": {remedy}"))
    return 0 if good else 1


def _note(good: bool, text: str, without: str) -> None:
    print(f"✓ {text}" if good else f"⚠ {text} not found: {without}")
