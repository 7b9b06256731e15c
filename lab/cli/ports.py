"""Who holds a port: a taken port is named with the process that has it."""

from __future__ import annotations

import re
from pathlib import Path

from lab.addresses import PROVISIONING, PROVISIONING_CERTIFIED, PROVISIONING_TLS, REDIRECT, SIP, SIPS, TFTP


def who_holds(error: OSError, base: int) -> str:
    """Name the port and, where /proc tells, who holds it."""
    found = re.search(r"\('[^']*', (\d+)\)", str(error))
    ports = [int(found[1])] if found else layout(base)
    for port in ports:
        holder = holder_of(port)
        if holder:
            return f"port {port} is held by {holder}"
    return f"one of ports {base} to {base + 69} is taken"


def holder_of(port: int) -> str:
    """Return the process that listens on a port, as far as /proc tells; empty when none does or may be seen."""
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


def layout(base: int) -> list[int]:
    places = (0, PROVISIONING, PROVISIONING_TLS, PROVISIONING_CERTIFIED, REDIRECT, SIP, SIPS, TFTP)
    return [base + place for place in places]
