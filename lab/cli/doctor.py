"""`doctor`: what this machine has and lacks. What is needed and missing makes the exit code 1; the rest is a note."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from lab.cli.inputs import the_settings
from lab.cli.ports import holder_of, layout
from lab.errors import FAILED, UserError
from pbx.media.fax import spandsp

PROGRAMS = (
    ("baresip", "baresip-core"), ("linphonec", "linphone-cli"), ("sipp", "sip-tester"), ("sipsak", "sipsak"),
    ("tftp", "tftp-hpa"), ("atftp", "atftp"), ("busybox", "busybox"), ("curl", "curl"), ("tshark", "tshark"),
    ("svmap", "sipvicious"), ("chromium", "chromium"), ("dnsmasq", "dnsmasq-base"), ("ip", "iproute2"),
    ("flite", "flite"), ("openssl", "openssl"),
)  # fmt: skip
"""Foreign software the tests use → its Debian package."""
LIBRARIES = (("spandsp", spandsp.PACKAGE),)
"""What is loaded where it is there → its Debian package."""


@dataclass(frozen=True, slots=True)
class Finding:
    glyph: str
    """`✓` there, `⚠` missing but not needed by `demo` and `up`, `✗` needed."""
    text: str


def examine() -> int:
    """Print a line a finding; 1 when something that is needed is missing."""
    found = [
        Finding("✓", f"python {platform.python_version()} on {os.cpu_count()} processors"),
        _needed("sqlite", _sqlite, "Python's sqlite3 with write-ahead logging is needed"),
        _needed("time zones", _zones, "install tzdata"),
        _needed("console", _console, "install the packages of requirements.lock: make"),
        *_settings_and_ports(),
        _pyvoip(),
        _fax(),
        *(_program(program, package) for program, package in PROGRAMS),
    ]
    for finding in found:
        print(finding.glyph, finding.text)
    return FAILED if any(finding.glyph == "✗" for finding in found) else 0


def _needed(what: str, look: Callable[[], str], remedy: str) -> Finding:
    try:
        return Finding("✓", f"{what} {look()}")
    except (OSError, ImportError, LookupError, ValueError, sqlite3.Error) as error:
        return Finding("✗", f"{what}: {error}; {remedy}")


def _sqlite() -> str:
    with tempfile.TemporaryDirectory(prefix="switchroom-") as folder:
        connection = sqlite3.connect(Path(folder) / "doctor.sqlite3")
        (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        connection.close()
    if mode != "wal":
        raise ValueError(f"journal mode is {mode} in {tempfile.gettempdir()}")
    return f"{sqlite3.sqlite_version} (WAL)"


def _zones() -> str:
    return f"such as {ZoneInfo('America/Toronto').key}"


def _console() -> str:
    if importlib.util.find_spec("js_lib_htmx") is None:
        raise ImportError("htmx is not installed")
    return "with htmx"


def _settings_and_ports() -> list[Finding]:
    try:
        base = the_settings({}).listen.port_base
    except UserError as error:
        return [Finding("✗", f"settings: {error.why}")]
    taken = [(port, holder) for port in layout(base) if base and (holder := holder_of(port))]
    if not taken:
        return [Finding("✓", f"ports from {base} are free" if base else "ports are whatever is free")]
    return [Finding("⚠", f"port {port} is held by {holder}: `up` needs another --port-base") for port, holder in taken]


def _pyvoip() -> Finding:
    if importlib.util.find_spec("pyVoIP") is not None:
        return Finding("✓", "pyVoIP (extra `lab`)")
    return Finding("⚠", "pyVoIP not found: two phones of the demo are simulated like the rest; pip install -e '.[lab]'")


def _fax() -> Finding:
    why = spandsp.unavailable()
    return Finding("⚠", f"{why}: faxes are refused") if why else Finding("✓", "fax engine (libspandsp)")


def _program(program: str, package: str) -> Finding:
    if shutil.which(program) is not None:
        return Finding("✓", program)
    return Finding("⚠", f"{program} not found: tests with it are skipped; apt-get install {package}")
