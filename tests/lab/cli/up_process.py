"""A `switchroom up` of its own process, as a script would start it: wait for the ready file, use it, end it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-c", "from lab.cli import main; main()")
READY_S = 60.0
"""Generous: this machine may be busy with much else."""


@dataclass(slots=True)
class Running:
    process: asyncio.subprocess.Process
    ready: dict[str, Any]
    lines: list[str]
    """Of standard error, complete once the process has ended."""

    async def end(self, number: int = signal.SIGTERM, within_s: float = 10.0) -> int:
        """Send a signal and return the exit code; TimeoutError when it takes longer than `within_s`."""
        self.process.send_signal(number)
        async with asyncio.timeout(within_s):
            return await self.process.wait()

    async def ask(self, request: str) -> str:
        """Send one datagram to the SIP port and return the answer."""
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
            ours.setblocking(False)
            ours.bind(("127.0.0.1", 0))
            text = request.replace("{here}", "{}:{}".format(*ours.getsockname())).replace("\n", "\r\n")
            await loop.sock_sendto(ours, text.encode(), (self.ready["sip"]["host"], self.ready["sip"]["udp"]))
            async with asyncio.timeout(10):
                return (await loop.sock_recv(ours, 4096)).decode()

    @property
    def register(self) -> str:
        domain = self.ready["domain"]
        return (
            f"REGISTER sip:{domain} SIP/2.0\nVia: SIP/2.0/UDP {{here}};branch=z9hG4bK1;rport\nMax-Forwards: 70\n"
            f"From: <sip:101@{domain}>;tag=1\nTo: <sip:101@{domain}>\nCall-ID: 1\nCSeq: 1 REGISTER\n"
            "Contact: <sip:101@{here}>\nContent-Length: 0\n\n"
        )


@asynccontextmanager
async def up(folder: Path, *flags: object, environment: dict[str, str] | None = None) -> AsyncIterator[Running]:
    """Start `up` on free ports in `folder`; it is killed at the end if it still runs."""
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "up", "--port-base", "0", "--ready-file", str(ready), *map(str, flags), cwd=folder,
        env={**os.environ, **(environment or {})}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    lines: list[str] = []
    reading = asyncio.get_running_loop().create_task(_read(process, lines))
    try:
        async with asyncio.timeout(READY_S):
            assert process.stdout is not None
            said = await process.stdout.readline()
        assert said.startswith(b"ready "), (said, lines)
        yield Running(process, json.loads(ready.read_text()), lines)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading


async def _read(process: asyncio.subprocess.Process, lines: list[str]) -> None:
    assert process.stderr is not None
    while line := await process.stderr.readline():
        lines.append(line.decode().rstrip())
