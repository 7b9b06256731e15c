"""sipp in the matrix: it has no buttons. Its cells are two scenarios, one out, one in, and what its partners notice.

It echoes what it hears (`-rtp_echo`): a partner that hears its own tone is heard by sipp, and hears it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.interop.matrix.partner import Partner
from tests.interop.matrix.scenarios import MUSIC, TONE, Noting, hear, wait_until
from tests.interop.sipp import HERE, Caller, command, run, write_callers


@dataclass(kw_only=True)
class ScriptedBench(Noting):
    """sipp at an address of its own, and its two partners."""

    device: str
    address: str
    folder: Path
    friend: Partner
    third: Partner

    def command(self, scenario: str, media_port: int) -> list[str]:
        """Return the command line of one call of a scenario beside `tests/interop/sipp`."""
        domain, password = self.switchroom.domain, self.switchroom.device(self.device)["password"]
        caller = Caller(self.device, password, self.friend.device, domain)
        callers = write_callers(self.folder / f"{scenario}.csv", [caller])
        callers.write_text(callers.read_text().rstrip("\n") + f";{self.third.device}\n")
        line = command(
            scenario, f"127.0.0.1:{self.switchroom.sip_port}", self.address, callers=callers, count=1, port=5060,
            media_port=media_port, timeout_s=120,
        )  # fmt: skip
        script = self.folder / f"{scenario}.xml"
        script.write_text((HERE / f"{scenario}.xml").read_text().replace('response="407"', 'response="401"'))
        line[line.index("-sf") + 1] = str(script)
        return [*line, "-rtp_echo", "-recv_timeout", "60000"]

    @contextmanager
    def running(self, scenario: str, media_port: int) -> Iterator[None]:
        """Run a scenario meanwhile; it must end well."""
        line, out = self.command(scenario, media_port), subprocess.PIPE
        with subprocess.Popen(line, cwd=self.folder, stdout=out, stderr=subprocess.STDOUT, text=True) as sipp:
            try:
                yield
                said, _ = sipp.communicate(timeout=90)
            finally:
                sipp.kill()
        assert sipp.returncode == 0, said[-2000:]


def play(it: ScriptedBench) -> None:
    for scenario in (_registers, _calls, _is_called):
        try:
            scenario(it)
        except Exception as fault:  # noqa: BLE001 - it is in the outcome of the cell, or of those that were not reached
            it.broke(scenario.__name__, fault)
        it.friend.rest()
        it.third.rest()


def _registers(it: ScriptedBench) -> None:
    with it.cell("registration", "out"):
        registered = run(it.command("register", 6000), it.folder)
        assert (registered.successful, registered.failed) == (1, 0), registered.output
        it.event("registration.added", 0, device=it.device)


def _calls(it: ScriptedBench) -> None:
    friend, third, before = it.friend, it.third, it.switchroom.newest
    with it.running("converse", 6000):
        with it.cell("call", "out"):
            talk = friend.wait_for_ringing().answer()
            hear(talk.ear, friend.hertz, TONE, friend)
        with it.cell("hold", "out"):
            it.event("call.held", before, device=it.device)
            hear(talk.ear, friend.hertz, MUSIC, friend)
            it.event("call.resumed", before, device=it.device)
            hear(talk.ear, friend.hertz, TONE, friend)
        with it.cell("keys INFO", "out"):
            wait_until(lambda: talk.keys_by("rfc4733") == "5", "a key", friend)
            wait_until(lambda: it.methods(it.device, before) == ["info"], "named by the switch", friend)
        with it.cell("blind transfer", "out"):
            other = third.wait_for_ringing().answer()
            it.event("call.transferred", before, device=it.device, transfer="blind")
            hear(talk.ear, third.hertz, TONE, friend)
            hear(other.ear, friend.hertz, TONE, third)
        other.hang_up()
        talk.wait_until_over()


def _is_called(it: ScriptedBench) -> None:
    friend, third = it.friend, it.third
    with it.running("answer", 6010):
        with it.cell("call", "in"):
            talk = friend.dial(it.device).wait_until_up()
            hear(talk.ear, friend.hertz, TONE, friend)
        with it.cell("blind transfer", "in"):
            talk.transfer_to(third.device)
            other = third.wait_for_ringing().answer()
            talk.wait_until_over()
            hear(other.ear, third.hertz, TONE, third)
        other.hang_up()
