"""What stands between phones and servers on a running lab's own machine: laptops on addresses of their own, and a
provisioning server that can be away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lab.floor import real_token
from lab.laptop import Laptop
from lab.phones.family import Fetch
from lab.phones.fetcher import Fetcher
from lab.shares import Share
from lab.shell import RealClock, Shell, shell_on_both
from lab.supervisor import Supervisor
from pbx.domain.directory import Directory
from pbx.sip.address import Peer
from pbx.sip.stack import Stack
from provisioning_server.app import ProvisioningService
from provisioning_server.respond import tftp_name

LAPTOPS = 3
"""Two and the suspect, whose address servers slow down or ban."""


class RealCabling:
    """Owns the laptops' sockets. Only where the lab listens on the loopback: there a machine has addresses enough."""

    def __init__(
        self,
        clock: RealClock,
        supervisor: Supervisor,
        provisioning: ProvisioningService,
        directory: Callable[[], Directory],
    ) -> None:
        self._clock, self._supervisor = clock, supervisor
        self._provisioning, self._directory = provisioning, directory
        self._shells: dict[Laptop, Shell] = {}
        self._fetchers: dict[Laptop, Fetcher] = {}

    async def start(self, share: Callable[[], Share], server: Peer, domain: str) -> None:
        """OSError when an address cannot be used."""
        for at in range(1, LAPTOPS + 1):
            host = f"127.0.42.{at}"
            shell = await shell_on_both(self._clock, host)
            engine = share()
            engine.woken = shell.woken
            laptop = Laptop(host, _stacks(shell), engine, server=server, domain=domain, token=real_token)
            self._shells[laptop], self._fetchers[laptop] = shell, Fetcher(source=host)
            shell.after = self._carrying(laptop)
            shell.start(laptop)

    async def close(self) -> None:
        for shell in self._shells.values():
            await shell.close()
        for fetcher in self._fetchers.values():
            await fetcher.close()

    @property
    def laptops(self) -> Sequence[Laptop]:
        return tuple(self._shells)

    @property
    def base_url(self) -> str:
        return self._provisioning.office.at.base_url.removesuffix("/p")

    def press_laptop(self, laptop: Laptop, button: Callable[[], object]) -> object:
        result = laptop.act(button, self._clock.mono())
        self._shells[laptop].settle()
        return result

    def provision(self, on: bool) -> None:
        listening = self._provisioning.listen_again() if on else self._provisioning.be_away()
        self._supervisor.start("provisioning is away", listening)

    def first_url(self, device: str) -> str:
        known = self._directory().devices_by_id[device]
        office = self._provisioning.office
        return f"{office.at.base_url}/{known.token.get_secret_value()}/{tftp_name(office, known)}"

    def _carrying(self, laptop: Laptop) -> Callable[[], None]:
        def carry() -> None:
            for wanted in laptop.take_fetches():
                self._supervisor.start(f"fetch of {laptop.host}", self._fetch(laptop, wanted))

        return carry

    async def _fetch(self, laptop: Laptop, wanted: Fetch) -> None:
        answer = await self._fetchers[laptop].fetch(wanted)
        self.press_laptop(laptop, lambda: laptop.fetched(answer))


def _stacks(shell: Shell) -> Callable[[str], Stack]:
    local = dict.fromkeys(("udp", "tcp", "tls"), shell.udp)
    return lambda agent: Stack(local, token=real_token, user_agent=agent)
