"""sipp as a generator and as the answering end: scenarios beside this file, users from a CSV."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Caller:
    """A line of sipp's CSV: who registers or calls, with what, whom."""

    user: str
    password: str
    callee: str
    domain: str

    @property
    def line(self) -> str:
        return f"{self.user};[authentication username={self.user} password={self.password}];{self.callee};{self.domain}"


def write_callers(path: Path, callers: Iterable[Caller]) -> Path:
    path.write_text("SEQUENTIAL\n" + "".join(caller.line + "\n" for caller in callers))
    return path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What sipp counted."""

    code: int
    successful: int
    failed: int
    retransmissions: int
    output: str


def command(
    scenario: str,
    target: str,
    address: str,
    *,
    callers: Path | None = None,
    count: int,
    rate: float = 10.0,
    limit: int = 500,
    timeout_s: int = 60,
    port: int | None = None,
    media_port: int = 6000,
    transport: str = "u1",
    talk_ms: int = 500,
) -> list[str]:
    """Return the command line of one bounded sipp run; it ends by itself. Calls talk for `talk_ms`."""
    return [
        "sipp", target, "-sf", str(HERE / f"{scenario}.xml"), "-i", address, "-mi", address, "-m", str(count),
        "-r", str(rate), "-l", str(limit), "-t", transport, "-timeout", str(timeout_s), "-timeout_error", "-nostdin",
        "-mp", str(media_port), "-buff_size", "4194304", "-trace_stat", "-fd", "1", "-recv_timeout", "20000",
        "-d", str(talk_ms),
        *(["-inf", str(callers)] if callers else []),
        *(["-p", str(port)] if port else []),
    ]  # fmt: skip


def run(command_line: list[str], folder: Path) -> Outcome:
    """Run sipp in `folder` and read its statistics."""
    statistics = folder / "statistics.csv"
    done = subprocess.run(
        [*command_line, "-stf", str(statistics)], cwd=folder, capture_output=True, text=True, check=False
    )
    return outcome(statistics, done.returncode, done.stdout[-3000:] + done.stderr[-3000:])


def outcome(statistics: Path, code: int, output: str) -> Outcome:
    """Read the last line of sipp's statistics file."""
    if not statistics.exists():
        return Outcome(code, 0, 0, 0, output)
    head, *rows = [line.rstrip(";").split(";") for line in statistics.read_text().splitlines() if line]
    last = dict(zip(head, rows[-1], strict=False)) if rows else {}
    return Outcome(
        code,
        int(last.get("SuccessfulCall(C)", 0)),
        int(last.get("FailedCall(C)", 0)),
        int(last.get("Retransmissions(C)", 0)),
        output,
    )
