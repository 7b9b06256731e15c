"""A switchroom of its own for foreign software: started as a process, used through its ready file, ended by SIGTERM."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
OFFICE = ROOT / "lab" / "seeds" / "office.yaml"
START_S = 30.0


class Switchroom:
    """One `switchroom up`; a context manager that insists on a clean end."""

    def __init__(self, folder: Path, seed: Path = OFFICE, *options: str) -> None:
        self.folder = folder
        self.base = free_base()
        ready = folder / "ready.json"
        self._log = (folder / "switchroom.log").open("w")
        self.process = subprocess.Popen(
            [
                sys.executable, "-c", "from lab.cli import main; main()", "up", "--port-base", str(self.base),
                "--seed", str(seed), "--data", str(folder / "data"), "--ready-file", str(ready), *options,
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
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"switchroom did not end within 10 s: {self.log()}") from None
        finally:
            self._log.close()

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
    """Return a port base whose layout is free now."""
    for base in range(21_000, 30_000, 100):
        taken = False
        for offset, kind in (
            (0, socket.SOCK_STREAM),
            (1, socket.SOCK_STREAM),
            (60, socket.SOCK_DGRAM),
            (69, socket.SOCK_DGRAM),
        ):
            with socket.socket(socket.AF_INET, kind) as probe:
                try:
                    probe.bind(("127.0.0.1", base + offset))
                except OSError:
                    taken = True
        if not taken:
            return base
    raise AssertionError("no free ports")


def seed_with(path: Path, devices: Iterable[dict[str, object]], users: Iterable[dict[str, object]] = ()) -> Path:
    """Write the office's seed with more devices (and users)."""
    document = yaml.safe_load(OFFICE.read_text())
    document["devices"] += list(devices)
    document["users"] += list(users)
    path.write_text(yaml.safe_dump(document, allow_unicode=True))
    return path
