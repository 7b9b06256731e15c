"""`up`: everything on its ports until SIGTERM."""

from __future__ import annotations

import asyncio
import re
import signal
from pathlib import Path

from lab import logs
from lab.addresses import port_plan, write_ready
from lab.cli.inputs import the_seed
from lab.errors import NO_START, USAGE, UserError
from lab.office import Office
from lab.seeds.load import Seed
from lab.service import LabSettings
from pbx.store.database import CannotOpen


def run_up(
    seed_file: Path | None, base: int, host: str, data: Path | None, ready_file: Path | None, *, phones: bool
) -> int:
    seed = the_seed(seed_file)
    try:
        ports = port_plan(base)
    except ValueError as error:
        raise UserError(
            "the ports do not fit", str(error), "choose another --port-base", "switchroom up --help", USAGE
        ) from None
    settings = LabSettings(host=host, ports=ports, data=data, reseed=seed_file is not None)
    try:
        return asyncio.run(_up(seed, settings, ready_file, phones=phones))
    except OSError as error:
        raise UserError(
            "switchroom could not start",
            f"{error.strerror or error} ({_who(error, base)})",
            "use another --port-base or --listen, or stop what holds the port",
            "switchroom up --help",
            NO_START,
        ) from None
    except CannotOpen as error:
        raise UserError(
            "the store cannot be used",
            str(error),
            "name another --data folder, or move the file aside; nothing was changed",
            "README, data",
            NO_START,
        ) from None


async def _up(seed: Seed, settings: LabSettings, ready_file: Path | None, *, phones: bool) -> int:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    logs.configure()
    async with Office(seed, settings) as office:
        logs.follow(office.lab.bus)
        if phones:
            await office.lab.boot_phones()
        document = office.lab.ready(office.console_port)
        if ready_file is not None:
            write_ready(ready_file, document)
        at = office.lab.listening
        assert at is not None
        print(
            f"ready  console {office.console_url}  sip {at.host}:{at.sip_port}  "
            f"provisioning {at.provisioning_url}  tftp {at.tftp_port}",
            flush=True,
        )
        await over.wait()
        print("draining", flush=True)
    return 0


def _who(error: OSError, base: int) -> str:
    """Name the port and, where /proc tells, who holds it."""
    found = re.search(r"\('[^']*', (\d+)\)", str(error)) or re.search(r":(\d+)", str(error))
    ports = [int(found[1])] if found else [base, base + 1, base + 60, base + 69]
    for port in ports:
        holder = _holder(port)
        if holder:
            return f"port {port} is held by {holder}"
    return f"ports {base} to {base + 69}"


def _holder(port: int) -> str:
    wanted = f":{port:04X}"
    inodes = set()
    for table in ("tcp", "udp", "tcp6", "udp6"):
        try:
            lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            parts = line.split()
            if parts[1].endswith(wanted) and (not table.startswith("tcp") or parts[3] == "0A"):
                inodes.add(f"socket:[{parts[9]}]")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(link.readlink()) in inodes for link in (process / "fd").iterdir()):
                return f"pid {process.name} ({(process / 'comm').read_text().strip()})"
        except OSError:
            continue
    return ""
