"""Run in a network namespace of its own (`unshare -rn`): a site behind the kernel's own router, NAT and SIP ALG.

A laptop in one namespace, a router in another, our mirror here. `switchroom probe` is run on the laptop by each kind of
router side by side. Prints one JSON object: router → the probe's document.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from lab.network.real_site import open_mirror

MIRROR = 5060
"""The kernel's helper looks at this port."""
ALG = ["iptables", "-t", "raw", "-A", "PREROUTING", "-p", "udp", "--dport", str(MIRROR), "-j", "CT", "--helper", "sip"]
NAT = ["iptables", "-t", "nat", "-A", "POSTROUTING", "-o", "outside", "-j", "MASQUERADE"]
ROUTERS: dict[str, tuple[list[list[str]], int]] = {
    "nat": ([NAT], 0),
    "alg": ([NAT, ALG], 0),
    "symmetric": ([[*NAT, "--random-fully"]], 0),
    "forgetful": ([NAT, ["sysctl", "-qw", "net.netfilter.nf_conntrack_udp_timeout=5"],
                   ["sysctl", "-qw", "net.netfilter.nf_conntrack_udp_timeout_stream=5"]], 30),
}  # fmt: skip
"""What makes each router, and the longest silence that is tried behind it, in seconds."""


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-300:]}")


@contextmanager
def namespace() -> Iterator[list[str]]:
    """Yield what to put before a command to run it there."""
    here = ["unshare", "-n", "sh", "-c", "echo apart; exec cat"]
    with subprocess.Popen(here, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as inside:
        assert inside.stdout is not None
        assert inside.stdin is not None
        inside.stdout.readline()
        try:
            yield ["nsenter", "-n", "-t", str(inside.pid)]
        finally:
            inside.stdin.close()


def cable(one: Sequence[str], name: str, address: str, other: Sequence[str], far: str, far_address: str) -> None:
    """Join two namespaces: an interface in each, with its address."""
    run(*one, "ip", "link", "add", name, "type", "veth", "peer", "name", far, "netns", other[-1])
    for place, link, at in ((one, name, address), (other, far, far_address)):
        run(*place, "ip", "addr", "add", f"{at}/24", "dev", link)
        run(*place, "ip", "link", "set", link, "up")
        run(*place, "ip", "link", "set", "lo", "up")


@contextmanager
def site(number: int, rules: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """A laptop behind a router: yield what to put before a command to run it on the laptop."""
    with namespace() as router, namespace() as laptop:
        run("ip", "link", "add", f"site{number}", "type", "veth", "peer", "name", "outside", "netns", router[-1])
        run("ip", "addr", "add", f"198.51.{number}.1/24", "dev", f"site{number}")
        run("ip", "link", "set", f"site{number}", "up")
        run(*router, "ip", "addr", "add", f"198.51.{number}.2/24", "dev", "outside")
        run(*router, "ip", "link", "set", "outside", "up")
        cable(router, "inside", "192.168.7.1", laptop, "cable", "192.168.7.23")
        run(*router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        run(*laptop, "ip", "route", "add", "default", "via", "192.168.7.1")
        for rule in rules:
            run(*router, *rule)
        yield laptop


async def probed(laptop: Sequence[str], number: int, longest_s: int) -> object:
    command = [
        sys.executable, "-c", "from lab.cli import main; main()", "probe", f"198.51.{number}.1:{MIRROR}", "--calls",
        "1", "--seconds", "1", "--longest", str(longest_s), "--json",
    ]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *laptop, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, wrong = await process.communicate()
    try:
        return json.loads(out)
    except ValueError:
        raise RuntimeError(f"{out[-500:]!r} {wrong[-500:]!r}") from None


async def main(wanted: Sequence[str]) -> None:
    run("ip", "link", "set", "lo", "up")
    mirror = open_mirror("0.0.0.0", [MIRROR, 0, 0])
    with ExitStack() as sites:
        laptops = {
            name: (sites.enter_context(site(number, ROUTERS[name][0])), number, ROUTERS[name][1])
            for number, name in enumerate(wanted, start=100)
        }
        found = await asyncio.gather(*(probed(*laptop) for laptop in laptops.values()))
    mirror.close()
    print(json.dumps(dict(zip(laptops, found, strict=True))))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
