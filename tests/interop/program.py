"""A phone that is a program of its own: one command a line in, what happens a line out, each a JSON value."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[2]


class Program:
    """The phone as a test holds it; a context manager that leaves no process behind."""

    def __init__(self, module: str, *arguments: str, log: Path) -> None:
        self._log = log.open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", module, *arguments],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
        )  # fmt: skip
        self._lines: queue.Queue[str] = queue.Queue()
        self.told: list[dict[str, Any]] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()
        self._log.close()

    def kill(self) -> None:
        """Pull the plug: nobody is told."""
        self._process.kill()
        self._process.wait(10)

    def do(self, command: str, argument: str = "") -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([command, argument]) + "\n")
        self._process.stdin.flush()

    def wait_for(self, what: str, within_s: float = 60.0, **where: object) -> dict[str, Any]:
        """Return the next thing told of that name that fits; what comes before it is kept in `told`."""
        deadline = time.monotonic() + within_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                event = json.loads(self._lines.get(timeout=left))
            except queue.Empty:
                break
            self.told.append(event)
            if event["what"] == what and all(event.get(name) == value for name, value in where.items()):
                return dict(event)
        raise AssertionError(f"the phone did not say {what!r} {where}: {self.told}")

    def listen(self) -> list[dict[str, Any]]:
        """Return all that was told so far."""
        while not self._lines.empty():
            self.told.append(json.loads(self._lines.get_nowait()))
        return self.told

    def forget(self) -> None:
        """What was told so far no longer counts."""
        self.listen()
        self.told.clear()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):  # a library may print what it likes
                self._lines.put(line)


def tell(what: str, **more: Any) -> None:
    """Say something, in the program itself: a whole line, whichever of its threads has something to say."""
    with _SPEAKING:
        print(json.dumps({"what": what} | more), flush=True)


_SPEAKING = threading.Lock()
