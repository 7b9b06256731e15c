"""Driving a real baresip: a process of its own, commanded over its ctrl_tcp module (JSON in netstrings)."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0


class Baresip:
    """One headless baresip on its own loopback address; use as a context manager."""

    def __init__(self, home: Path, control_port: int) -> None:
        self.home = home
        self._log = (home / "baresip.log").open("wb")
        self._process = subprocess.Popen(
            ["baresip", "-f", str(home)], stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT
        )
        self._socket = _connected(control_port, self._process, home)
        self._buffer = b""
        self.seen: list[dict[str, Any]] = []

    def __enter__(self) -> Baresip:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.command("quit")
            self._process.wait(5)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait(5)
        self._socket.close()
        self._log.close()

    def command(self, command: str, params: str = "") -> None:
        body = json.dumps({"command": command, "params": params, "token": command}).encode()
        self._socket.sendall(b"%d:%s," % (len(body), body))

    def dial(self, uri: str) -> None:
        self.command("dial", uri)

    def accept(self) -> None:
        self.command("accept")

    def hang_up(self) -> None:
        self.command("hangup")

    def press(self, digits: str) -> None:
        for digit in digits:
            self.command("sndcode", digit)
            self.run_for(0.35)

    def wait_for(self, kind: str, within_s: float = PATIENCE_S) -> dict[str, Any]:
        """Return the next event of this type, or fail naming what came instead."""
        deadline = time.monotonic() + within_s
        while True:
            for event in self.seen:
                if event.get("type") == kind:
                    self.seen.remove(event)
                    return event
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(
                    f"baresip said no {kind} within {within_s} s, but {[e.get('type') for e in self.seen]}; "
                    f"log ends: {(self.home / 'baresip.log').read_bytes()[-600:]!r}"
                )
            self._read(left)

    def wait_for_log(self, text: str, within_s: float = PATIENCE_S) -> None:
        """Wait until the phone's log holds `text`: what it did before its control port was there."""
        deadline = time.monotonic() + within_s
        while text not in (log := (self.home / "baresip.log").read_text(errors="replace")):
            assert time.monotonic() < deadline, f"baresip's log has no {text!r}; it ends: {log[-600:]!r}"
            self.run_for(0.1)

    def run_for(self, seconds: float) -> None:
        """Let time pass, noting events."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._read(left)

    def heard(self) -> Sequence[Path]:
        """Recordings of what this phone heard, oldest first."""
        return sorted(self.home.glob("rec/dump-*-dec.wav"))

    def forget(self) -> None:
        """Before a new call: what was seen and heard in earlier ones no longer counts."""
        self.run_for(0.05)
        self.seen.clear()
        for recording in self.home.glob("rec/*.wav"):
            recording.unlink()

    def _read(self, seconds: float) -> None:
        self._socket.settimeout(max(0.01, seconds))
        try:
            chunk = self._socket.recv(65536)
        except TimeoutError:
            return
        if not chunk:
            raise AssertionError(f"baresip has gone: {(self.home / 'baresip.log').read_bytes()[-600:]!r}")
        self._buffer += chunk
        while b":" in self._buffer:
            size, _, rest = self._buffer.partition(b":")
            if len(rest) < int(size) + 1:
                return
            message = json.loads(rest[: int(size)])
            self._buffer = rest[int(size) + 1 :]
            if message.get("event"):
                self.seen.append(message)


def _connected(port: int, process: subprocess.Popen[bytes], home: Path) -> socket.socket:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    process.kill()
    raise AssertionError(f"baresip did not open its control port: {(home / 'baresip.log').read_bytes()[-600:]!r}")
