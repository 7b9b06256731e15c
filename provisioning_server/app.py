"""The provisioning service: one `respond` behind HTTP and TFTP; facts go out through `publish`."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from pbx.clock import Moment
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from pbx.events import Event, InputIgnored
from provisioning_server.families import Families
from provisioning_server.http import make_app
from provisioning_server.ledger import Ledger
from provisioning_server.overlay import ServedAt, Value
from provisioning_server.respond import Answer, ConfigRequest, Office, config_url, explain, respond
from provisioning_server.tftp_server import TftpServer


class ProvisioningService:
    """Owns the ledger and the render cache; `answer` serves both worlds, `start` opens real sockets."""

    def __init__(
        self,
        families: Families,
        directory: Callable[[], Directory],
        *,
        at: ServedAt,
        ledger: Ledger,
        publish: Callable[[Event], None],
        now: Callable[[], Moment],
    ) -> None:
        self._directory = directory
        self._publish = publish
        self._now = now
        self.office = Office(families, ledger, at)
        self._runner: web.AppRunner | None = None
        self._tftp: TftpServer | None = None

    def answer(self, request: ConfigRequest) -> Answer:
        answer = respond(request, self.office, self._directory(), self._now())
        for event in answer.events:
            self._publish(event)
        return answer

    def config_url(self, device: Device) -> str:
        return config_url(self.office, device)

    def explain(self, device: Device) -> dict[str, Value]:
        return explain(self.office, self._directory(), device)

    def moved(self, at: ServedAt) -> None:
        """The addresses phones are told have become known."""
        self.office.at = at
        self.office.cache.clear()

    async def start(self, host: str, http_port: int, tftp_port: int) -> tuple[tuple[str, int], tuple[str, int]]:
        """Listen; return the HTTP and the TFTP address. OSError when a port is taken."""
        self._runner = web.AppRunner(make_app(self.answer), access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, http_port)
        await site.start()
        self._tftp = TftpServer(self._tftp_file, host, tftp_port, ignored=self._ignored)
        self._tftp.start()
        return self._runner.addresses[0][:2], self._tftp.address

    async def close(self) -> None:
        if self._tftp is not None:
            self._tftp.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _tftp_file(self, name: str, address: str) -> bytes | None:
        answer = self.answer(ConfigRequest("tftp", name, address))
        return answer.body if answer.status == 200 else None

    def _ignored(self, address: str, reason: str) -> None:
        self._publish(InputIgnored("tftp", address, reason, 0))
