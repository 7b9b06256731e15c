"""Driving a real linphonec through its command line."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from pathlib import Path

PATIENCE_S = 60.0


class Linphone:
    """One linphonec with its own rc file; use as a context manager."""

    def __init__(self, home: Path, rc: Path) -> None:
        self.home = home
        environment = {**os.environ, "HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_CONFIG_HOME": str(home)}
        self._process = subprocess.Popen(
            ["linphonec", "-c", str(rc), "-d", "0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=home,
        )
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)
        self.said = ""
        self._read_to = 0

    def __enter__(self) -> Linphone:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.command("quit")
            self._process.wait(8)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait(5)
        self._selector.close()

    def command(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode() + b"\n")
        self._process.stdin.flush()

    def wait_for(self, text: str, within_s: float = PATIENCE_S) -> None:
        """Wait until linphonec prints `text` (after what was waited for before)."""
        deadline = time.monotonic() + within_s
        while (found := self.said.find(text, self._read_to)) < 0:
            left = deadline - time.monotonic()
            assert left > 0, f"linphonec did not say {text!r} within {within_s} s, but: {self.said[-800:]!r}"
            self.run_for(min(left, 0.2))
        self._read_to = found + len(text)

    def skip(self) -> None:
        """What was said so far no longer counts."""
        self._read_to = len(self.said)

    def ask(self, command: str, answer: str, within_s: float) -> None:
        """Repeat a command until linphonec answers it like that."""
        deadline = time.monotonic() + within_s
        while self.said.find(answer, self._read_to) < 0:
            assert time.monotonic() < deadline, f"linphonec never said {answer!r}, but: {self.said[-800:]!r}"
            self.command(command)
            self.run_for(0.5)
        self._read_to = len(self.said)

    def run_for(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                chunk = os.read(key.fd, 65536)
                assert chunk, f"linphonec has gone: {self.said[-800:]!r}"
                self.said += chunk.decode("utf-8", "replace")
