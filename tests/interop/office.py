"""A switchroom of its own for foreign software: a process, its ready file and its log, ended by SIGTERM."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
OFFICE = ROOT / "lab" / "seeds" / "office.yaml"
START_S = 120.0
"""A machine with more to do than cores takes its time; the wait ends as soon as the ready file is there."""
PATIENCE_S = 60.0
LAYOUT = (
    *((offset, socket.SOCK_STREAM) for offset in (0, 1, 2, 3, 25, 60, 61)),
    *((offset, socket.SOCK_DGRAM) for offset in (60, 62, 63, 64, 69)),
)  # fmt: skip
"""What `up` listens on, from the port base on."""


class Switchroom:
    """One `switchroom up`; a context manager that insists on a clean end. Without a seed it goes on with its data."""

    def __init__(self, folder: Path, seed: Path | None = OFFICE, *options: str, base: int = 0) -> None:
        self.folder = folder
        self.base = base or free_base()
        ready = folder / "ready.json"
        ready.unlink(missing_ok=True)
        self._log = (folder / "switchroom.log").open("w")
        self._read_to = 0
        self._reading = threading.Lock()
        self._events: list[dict[str, Any]] = []
        given = ["--seed", str(seed)] if seed is not None else []
        self.process = subprocess.Popen(
            [
                sys.executable, "-c", "from lab.cli import main; main()", "up", "--port-base", str(self.base),
                "--data", str(folder / "data"), "--ready-file", str(ready), *given, *options,
            ],
            cwd=ROOT,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        deadline = time.monotonic() + START_S
        while not ready.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError(f"switchroom did not become ready: {self.log()}")
            time.sleep(0.05)
        self.ready: dict[str, Any] = json.loads(ready.read_text())

    def __enter__(self) -> Switchroom:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"switchroom did not end within {PATIENCE_S} s: {self.log()}") from None
        finally:
            self._log.close()

    def kill(self) -> None:
        """Cut the power: SIGKILL, nothing is flushed, nobody is told."""
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self._log.close()

    def events(self) -> list[dict[str, Any]]:
        """Return every event logged so far; a line being written counts once it is whole."""
        with self._reading:
            with (self.folder / "switchroom.log").open("rb") as file:
                file.seek(self._read_to)
                whole, newline, _ = file.read().rpartition(b"\n")
            self._read_to += len(whole) + len(newline)
            for line in whole.splitlines():
                if line.startswith(b"{"):
                    event = json.loads(line)
                    if "seq" in event:
                        self._events.append(event)
            return self._events[:]

    def wait_for(self, kind: str, *, after: int = 0, within_s: float = PATIENCE_S, **where: object) -> dict[str, Any]:
        """Return the first event of this kind that fits, of those numbered above `after`."""
        deadline = time.monotonic() + within_s
        while True:
            for event in self.events():
                fits = event["event"] == kind and event["seq"] > after
                if fits and all(event.get(name) == value for name, value in where.items()):
                    return event
            assert time.monotonic() < deadline, (
                f"no {kind} {where} within {within_s} s, but {[e['event'] for e in self._events[-40:]]}"
            )
            time.sleep(0.02)

    def wait_until_idle(self, within_s: float = PATIENCE_S) -> None:
        """Wait until every call has ended."""
        deadline = time.monotonic() + within_s
        while True:
            counts = Counter(event["event"] for event in self.events())
            if counts["call.invited"] == counts["call.ended"]:
                return
            assert time.monotonic() < deadline, f"calls are still up: {self.log()}"
            time.sleep(0.02)

    @property
    def newest(self) -> int:
        """Number of the newest event, to wait for those after it."""
        events = self.events()
        return int(events[-1]["seq"]) if events else 0

    def log(self) -> str:
        return (self.folder / "switchroom.log").read_text()[-3000:]

    @property
    def sip_port(self) -> int:
        return int(self.ready["sip"]["udp"])

    @property
    def domain(self) -> str:
        return str(self.ready["domain"])

    @property
    def tftp_port(self) -> int:
        return int(self.ready["provisioning"]["tftp"]["port"])

    def device(self, device: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ready["devices"][device]
        return found


def free_base() -> int:
    """Return a port base whose layout is free now; every process looks elsewhere first, so that two do not meet."""
    bases = range(21_000, 30_000, 100)
    first = os.getpid() % len(bases)
    for base in (*bases[first:], *bases[:first]):
        if all(_is_free(base + offset, kind) for offset, kind in LAYOUT):
            return base
    raise AssertionError("no free ports")


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def seed_with(
    path: Path, devices: Iterable[dict[str, object]], users: Iterable[dict[str, object]] = (), **platform: object
) -> Path:
    """Write the office's seed with more devices (and users), and settings of its platform said otherwise."""
    document = yaml.safe_load(OFFICE.read_text())
    document["devices"] += list(devices)
    document["users"] += list(users)
    document["domain"].setdefault("platform", {}).update(platform)
    path.write_text(yaml.safe_dump(document, allow_unicode=True))
    return path
