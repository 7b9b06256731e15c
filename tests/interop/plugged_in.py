"""Run in a network namespace of its own (`unshare -rn`): dnsmasq with our snippet, our server, and phones plugged in.

Each phone is busybox in a namespace at the other end of a cable: it asks DHCP as its maker's do, and fetches what it
is told with busybox's own HTTP and TFTP clients. Prints one JSON object: phone → what it was told and what it got.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provisioning_server import dhcp
from provisioning_server.app import ProvisioningService
from provisioning_server.families import shipped_families
from provisioning_server.ledger import Ledger
from provisioning_server.overlay import ServedAt
from tests.provisioning.provisioned import ATA, YEALINK, Counter, small_domain, with_device

HOST, PORT = "192.0.2.10", 8601
SNIPPET = "phones.conf"
SEP = "0002fd000102"
PHONES = {
    # known by the first half of its MAC, told a URL in option 160
    "grandstream": (ATA, "", "wget", f"cfg{ATA}.xml"),
    # known by its vendor class, told a URL in option 160
    "yealink": (YEALINK, "yealink", "wget", f"{YEALINK}.cfg"),
    # known by its vendor class, told an address in options 66 and 150
    "cisco": (SEP, "Cisco Systems, Inc. IP Phone CP-7962G", "tftp", f"SEP{SEP.upper()}.cnf.xml"),
}
LEASE = """#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/24" dev "$interface"
echo "$tftp" > "$LEASES/66"; echo "$opt160" > "$LEASES/160"; echo "$opt150" > "$LEASES/150"
"""


def told(folder: Path) -> dict[str, str]:
    """The options of a lease; udhcpc shows those it has no name for in hexadecimal."""
    text = {name: (folder / name).read_text().strip() for name in ("66", "160", "150")}
    address = bytes.fromhex(text["150"])
    return {
        "66": text["66"],
        "160": bytes.fromhex(text["160"]).decode(),
        "150": ".".join(str(octet) for octet in address),
    }


def run(*command: str, **environment: str) -> None:
    whole = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **environment}
    done = subprocess.run(command, env=whole, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-300:]}")


@contextmanager
def dnsmasq(folder: Path, interface: str) -> Iterator[None]:
    """Serve the cable whose end is `interface`, with the snippet beside `folder`."""
    command = [
        "dnsmasq", "--keep-in-foreground", "--port=0", f"--interface={interface}", "--bind-interfaces", "--user=",
        "--group=", "--dhcp-range=192.0.2.50,192.0.2.90,1h", f"--dhcp-leasefile={folder / 'leases'}",
        "--no-ping", f"--conf-file={folder.parent / SNIPPET}",
    ]  # fmt: skip
    with subprocess.Popen(command) as server:
        yield
        server.terminate()


def plugged_in(folder: Path, name: str) -> dict[str, object]:
    mac, vendor_class, by, file = PHONES[name]
    folder.mkdir()
    script = folder / "lease"
    script.write_text(LEASE)
    script.chmod(0o755)
    here = ["unshare", "-n", "sh", "-c", "echo apart; exec cat"]
    with subprocess.Popen(here, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as inside:
        assert inside.stdout is not None
        assert inside.stdin is not None
        inside.stdout.readline()
        enter = ["nsenter", "-n", "-t", str(inside.pid)]
        cable, socket = f"ph-{name[:8]}", f"sw-{name[:8]}"
        run("ip", "link", "add", socket, "type", "veth", "peer", "name", cable)
        run("ip", "addr", "add", f"{HOST}/24", "dev", socket)
        run("ip", "link", "set", socket, "up")
        run("ip", "link", "set", cable, "netns", str(inside.pid))
        run(*enter, "ip", "link", "set", cable, "address", ":".join(mac[i : i + 2] for i in range(0, 12, 2)))
        run(*enter, "ip", "link", "set", cable, "up")
        kind = ["-V", vendor_class] if vendor_class else []
        with dnsmasq(folder, socket):
            run(
                *enter, "busybox", "udhcpc", "-f", "-n", "-q", "-i", cable, "-s", str(script), "-t", "20", "-T", "1",
                "-O", "tftp", "-O", "160", "-O", "150", *kind, LEASES=str(folder),
            )  # fmt: skip
        options, got = told(folder), folder / "got"
        if by == "wget":
            run(*enter, "busybox", "wget", "-q", "-O", str(got), f"{options['160']}/{file}")
        else:
            run(*enter, "busybox", "tftp", "-g", "-l", str(got), "-r", file, options["150"])
        inside.stdin.close()
    return {"told": options, "got": got.read_text()}


async def main(folder: Path) -> None:
    await asyncio.to_thread(run, "ip", "link", "set", "lo", "up")
    domain = with_device(small_domain(), "102", mac=SEP, family="cisco/sep", model="7962")
    base = f"http://{HOST}:{PORT}/p"
    service = ProvisioningService(
        shipped_families(), lambda: domain, at=ServedAt(HOST, 5060, base, tftp_url=f"tftp://{HOST}"),
        ledger=Ledger(b"plugged in", lan_window=True), publish=lambda event: None, now=lambda: Counter().now,
    )  # fmt: skip
    await service.start("0.0.0.0", PORT, 69)
    (folder / SNIPPET).write_text(
        dhcp.dnsmasq(dhcp.told(shipped_families(), dhcp.reached(service.office, domain), HOST))
    )
    try:
        found = {name: await asyncio.to_thread(plugged_in, folder / name, name) for name in PHONES}
    finally:
        await service.close()
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
