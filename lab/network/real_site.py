"""A site of the real world on this machine: a laptop behind a relay, both on the loopback, assessed over sockets."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence

from lab.floor import real_token
from lab.network.findings import Verdict, judged
from lab.network.host import UdpHost
from lab.network.mirror import Mirror
from lab.network.networks import Assessment
from lab.network.presets import Network, network
from lab.network.probe import Probe, Wanted
from lab.network.relay import Relay
from lab.supervisor import Supervisor
from pbx.sip.address import Peer

_USUAL = "good-lan"


def open_mirror(host: str, ports: Sequence[int]) -> UdpHost:
    """Let a mirror answer at three `ports`, any free ones for zeros; OSError names the one that is taken."""
    at = UdpHost(host, ports)
    sip, other, media = at.ports
    at.start(Mirror((sip, other, media), secrets.token_bytes(32)))
    return at


async def assess(host: str, mirror: Peer, *, gateway: str = "", wanted: Wanted | None = None) -> Probe:
    """Return the finished probe of an assessment from `host`, an address of this machine; OSError when it has none."""
    wanted = wanted or Wanted()
    at = UdpHost(host, [0] * wanted.ports)
    try:
        done = asyncio.Event()
        probe = Probe(host, at.ports, mirror, gateway=gateway, wanted=wanted, token=real_token)
        at.after = lambda: done.set() if probe.done else None
        probe.start(asyncio.get_running_loop().time())
        at.start(probe)
        await done.wait()
        return probe
    finally:
        at.close()


async def assess_behind(behind: Network, mirror: UdpHost, wanted: Wanted | None = None) -> Verdict:
    """Return the verdict from a site behind a network; the mirror must be on the loopback."""
    net = f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(250)}"  # its own: assessments may run side by side
    gateway, public, laptop = f"{net}.1", f"{net}.2", f"{net}.3"
    relay = Relay(laptop, gateway, public, mirror.host, mirror.ports, behind)
    try:
        probe = await assess(laptop, Peer("udp", gateway, mirror.ports[0]), gateway=gateway, wanted=wanted)
        return judged(probe.facts())
    finally:
        relay.close()


class RealNetworks:
    """The networks of a lab on this machine: assessments meet them whole; `felt` is told, for what phones feel."""

    def __init__(
        self, mirror: UdpHost, supervisor: Supervisor, felt: Callable[[str, Network | None], None] = lambda *_: None
    ) -> None:
        self._mirror, self._supervisor, self._felt = mirror, supervisor, felt
        self._sites: dict[str, Network] = {}

    def put(self, site: str, network: Network | None) -> None:
        self._sites.pop(site, None)
        if network is not None:
            self._sites[site] = network
        self._felt(site, network)

    def assess(self, site: str, wanted: Wanted) -> Assessment:
        running = Assessment(site)
        self._supervisor.start(f"assessment {site}", self._run(running, wanted))
        return running

    async def _run(self, running: Assessment, wanted: Wanted) -> None:
        behind = self._sites.get(running.site) or network(_USUAL)
        try:
            running.verdict = await assess_behind(behind, self._mirror, wanted)
        except OSError as error:
            running.fault = f"the assessment of {running.site or 'the lab'} could not run: {error}"
