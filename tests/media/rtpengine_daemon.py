"""Debian's rtpengine for a test: in user space, with no kernel module, service or configuration of the machine's."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import need

_PATIENCE_S = 20.0


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def daemon(folder: Path, port: int, keys: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run it while the context lasts; `port` is its control port, `keys` where it tells of keys."""
    with (folder / "rtpengine.log").open("ab") as log:
        process = subprocess.Popen(
            [
                need("rtpengine"), "--config-file=none", "--interface=127.0.0.1", f"--listen-ng=127.0.0.1:{port}",
                "--table=-1", "--foreground", "--log-stderr", "--log-level=5", f"--dtmf-log-dest=127.0.0.1:{keys}",
                "--port-min=41000", "--port-max=42999", "--num-threads=2", "--media-num-threads=1",
                f"--pidfile={folder / 'rtpengine.pid'}",
            ],
            stderr=log,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            process.wait(_PATIENCE_S)
