"""Recordings are written beside the media loop: a disk that takes its time must not make a call stutter."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

Write = Callable[[], None]
"""Puts something on the disk; OSError says why it cannot be."""
Done = Callable[[str], None]
"""Takes why nothing was kept, empty when all was."""


class Archive:
    """One thread that writes, one thing after another; `fd` is readable when `tell` has something to tell."""

    def __init__(self) -> None:
        self._wanted: SimpleQueue[tuple[Write, Done] | None] = SimpleQueue()
        self._written: deque[tuple[Done, str]] = deque()
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = Thread(target=self._write, name="archive")
        self._thread.start()

    def keep(self, write: Write, done: Done) -> None:
        """Write; `done` is called by `tell` when it is on the disk, or cannot be."""
        self._wanted.put((write, done))

    def tell(self) -> None:
        os.eventfd_read(self.fd)
        while self._written:
            done, problem = self._written.popleft()
            done(problem)

    def close(self) -> None:
        """Write what is still wanted, and end."""
        self._wanted.put(None)
        self._thread.join()
        os.close(self.fd)

    def _write(self) -> None:
        while (wanted := self._wanted.get()) is not None:
            write, done = wanted
            problem = ""
            try:
                write()
            except OSError as error:
                problem = str(error)
            self._written.append((done, problem))
            os.eventfd_write(self.fd, 1)
