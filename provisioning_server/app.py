"""The provisioning service: one `respond` behind HTTP and TFTP; facts go out through `publish`."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from mmap import ACCESS_READ, mmap
from pathlib import Path

from aiohttp import web

from pbx.clock import Moment
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from pbx.events import ConfigUploaded, Event, InputIgnored, ServerFault
from provisioning_server import pnp
from provisioning_server import respond as answers
from provisioning_server.bans import Network
from provisioning_server.families import Families
from provisioning_server.http import NONE, make_redirect_server, make_server
from provisioning_server.ledger import Ledger
from provisioning_server.overlay import ServedAt, Value
from provisioning_server.pnp_server import PnpServer
from provisioning_server.redirect import Desk, redirect
from provisioning_server.redirects import shipped_redirects
from provisioning_server.respond import Answer, ConfigRequest, Office
from provisioning_server.tftp_server import TftpServer
from provisioning_server.tls_door import BACKLOG, Insecure, TlsDoor
from provisioning_server.upload_folder import UploadFolder
from provisioning_server.uploads import NOTICE
from provisioning_server.witness import noticed

FAULT = b"500 Internal Server Error\n"
NO_ROOM = b"507 Insufficient Storage\n"
NOTHING = Answer(404, answers.NOT_FOUND, answers.TEXT, "", (), None, "the phone has sent none")


class ProvisioningService:
    """Owns ledger and shelf; `answer` serves both worlds, `start` opens real sockets."""

    def __init__(
        self,
        families: Families,
        directory: Callable[[], Directory],
        *,
        at: ServedAt,
        ledger: Ledger,
        publish: Callable[[Event], None],
        now: Callable[[], Moment],
        uploads: UploadFolder | None = None,
        insecure: Insecure = lambda peer, error: None,
    ) -> None:
        """`uploads` is where they lie; None takes none. `insecure` is told who came to no TLS connection, and why."""
        self._directory = directory
        self._publish = publish
        self._now = now
        self.uploads = uploads
        self.office = Office(families, ledger, at)
        self._runner: web.ServerRunner | None = None
        self._site: web.TCPSite | None = None
        self._tftp: TftpServer | None = None
        self._left: tuple[tuple[str, int], tuple[str, int]] | None = None
        """Where it listened before it was away."""
        self._pnp: PnpServer | None = None
        self._redirect: web.ServerRunner | None = None
        self._insecure = insecure
        self._doors: list[TlsDoor] = []
        self.redirects = Desk(shipped_redirects())

    def answer(self, request: ConfigRequest) -> Answer:
        try:
            answer = answers.respond(request, self.office, self._directory(), self._now())
        except Exception as fault:  # noqa: BLE001 - a fault of ours costs one answer, and never goes unseen
            told = f"{request.protocol} request of {request.address}: {type(fault).__name__}: {fault}"
            answer = Answer(500, FAULT, answers.TEXT, "", (ServerFault("provisioning", "", told),), None, told)
        if answer.file is not None and not answer.file.is_file():
            told = f"the firmware {answer.file} has vanished: {request.address} asked for it"
            answer = Answer(
                404, answers.NOT_FOUND, answers.TEXT, "", (ServerFault("provisioning", "", told),), None, told
            )
        for event in answer.events:
            self._publish(event)
        return answer if answer.sent is None or request.method not in ("GET", "HEAD") else self._given_back(answer)

    def _given_back(self, answer: Answer) -> Answer:
        """What the phone has sent, or that it has sent nothing."""
        assert answer.sent is not None
        body = self.uploads.read(answer.sent.mac, answer.sent.name) if self.uploads is not None else None
        return NOTHING if body is None else replace(answer, body=body, sent=None)

    async def keep(self, request: ConfigRequest, answer: Answer, body: bytes) -> Answer:
        """Keep an upload that was allowed; a disk that refuses it is told to the operator, and to the phone as 507."""
        sent = answer.sent
        assert sent is not None
        device = self._directory().devices_by_mac.get(sent.mac, ())
        told = device[0].id if device else ""
        if sent.kind == NOTICE:
            self._publish(noticed(sent.mac, told, body))
            return Answer(200, b"", answers.TEXT, "", ())
        if self.uploads is None:
            return Answer(405, answers.NOT_ALLOWED, answers.TEXT, "", ())
        try:
            await asyncio.to_thread(self.uploads.keep, sent, body)
        except OSError as fault:
            self._publish(ServerFault("provisioning", "", f"the {sent.kind} of {sent.mac} is not kept: {fault}"))
            return Answer(507, NO_ROOM, answers.TEXT, "", ())
        self._publish(
            ConfigUploaded(request.protocol, sent.name, request.address, sent.mac, told, sent.kind, len(body))
        )
        return Answer(201, b"201 Created\n", answers.TEXT, "", ())

    def redirected(self, request: ConfigRequest, host: str) -> tuple[Answer, str]:
        """Answer a phone that takes us for its maker's redirect service; the second value is where a 302 sends it."""
        answer, location = redirect(request, host, self.redirects, self.office, self._directory, self._now())
        for event in answer.events:
            self._publish(event)
        return answer, location

    def discovered(self, data: bytes, source: tuple[str, int], ours: tuple[str, int]) -> tuple[bytes, ...]:
        """Answer a phone that asks the network by SIP PnP."""
        told = pnp.answer(data, source, ours, self.office, self._directory(), self._now())
        for event in told.events:
            self._publish(event)
        return told.datagrams

    def config_url(self, device: Device) -> str:
        """The HTTP URL to hand out for a device; holds its one-time token."""
        return answers.config_url(self.office, self._directory(), device)

    def tftp_name(self, device: Device) -> str:
        """The name of the device's own file; served by TFTP while the device's window is open."""
        return answers.tftp_name(self.office, device)

    def explain(self, device: Device) -> list[Value]:
        """Every setting of a device by canonical name, with its origin and what each layer says."""
        return answers.explain(self.office, self._directory(), device, self._now())

    def unused(self, device: Device) -> list[str]:
        """Names that are set for the device but that its family writes nowhere."""
        return answers.unused(self.office, self._directory(), device, self._now())

    def reopen(self, mac: str) -> None:
        """Let the device in once more by its one-time token or its window."""
        self.office.ledger.reopen(mac)

    def moved(self, at: ServedAt) -> None:
        """The addresses phones are told have become known."""
        self.office.at = at
        self.office.shelf.clear()

    async def start(
        self,
        host: str,
        http_port: int,
        tftp_port: int,
        certificates: Mapping[str, Path] = NONE,
        proxies: Sequence[Network] = (),
    ) -> tuple[tuple[str, int], tuple[str, int]]:
        """Listen; return the HTTP and the TFTP address. OSError when a port is taken: then nothing listens.

        `certificates` are served to everybody, by their paths; `proxies` are those whose X-Forwarded-For is believed.
        """
        self._runner = web.ServerRunner(make_server(self.answer, certificates, proxies, self.keep))
        await self._runner.setup()
        try:
            await self._listen(host, http_port, tftp_port)
        except OSError:
            await self.close()
            raise
        assert self._tftp is not None, "it listens"
        return self._runner.addresses[0][:2], self._tftp.address

    async def _listen(self, host: str, http_port: int, tftp_port: int) -> None:
        assert self._runner is not None, "start first"
        self._site = web.TCPSite(self._runner, host, http_port, backlog=BACKLOG)
        await self._site.start()
        self._tftp = TftpServer(self._tftp_file, host, tftp_port, ignored=self._ignored)
        self._tftp.start()

    async def be_away(self) -> None:
        """Listen no more for HTTP without TLS, nor for TFTP, until `listen_again`."""
        if self._runner is None or self._site is None or self._tftp is None:
            return
        self._left = self._runner.addresses[0][:2], self._tftp.address
        site, self._site = self._site, None
        await site.stop()
        self._tftp.close()

    async def listen_again(self) -> None:
        """Be back at the addresses of before; OSError when another has taken them. Nothing when it was not away."""
        if self._site is None and self._left is not None:
            (host, http), (_, tftp) = self._left
            await self._listen(host, http, tftp)

    def listen_tls(self, host: str, port: int, context: ssl.SSLContext) -> int:
        """Serve the same over TLS; return the port. After `start`. OSError."""
        assert self._runner is not None, "start first"
        return self._door(self._runner, host, port, context)

    async def listen_redirect(self, host: str, port: int, context: ssl.SSLContext) -> int:
        """Play the makers' redirect services; return the port. OSError."""
        self._redirect = web.ServerRunner(make_redirect_server(self.redirected))
        await self._redirect.setup()
        return self._door(self._redirect, host, port, context)

    def _door(self, runner: web.ServerRunner, host: str, port: int, context: ssl.SSLContext) -> int:
        assert runner.server is not None
        door = TlsDoor(runner.server, context, self._insecure)
        found = door.start(host, port)
        self._doors.append(door)
        return found

    def listen_pnp(self, host: str, port: int) -> int:
        """Answer phones that ask by SIP PnP on the network of `host`; return the port. OSError."""
        self._pnp = PnpServer(host, self.discovered, port=port)
        self._pnp.start()
        return self._pnp.port

    @property
    def oldest_tls(self) -> str:
        """The version of TLS that some family of the domain's phones needs, `1.2` when none needs an older one."""
        used = {device.family for device in self._directory().devices}
        return min(
            [
                self.office.families.by_id[name].capabilities.tls_min
                for name in used
                if name in self.office.families.by_id
            ]
            + ["1.2"]
        )

    async def close(self) -> None:
        tftp, self._tftp = self._tftp, None
        multicast, self._pnp = self._pnp, None
        runners = [runner for runner in (self._runner, self._redirect) if runner is not None]
        self._runner = self._redirect = None
        doors, self._doors = self._doors, []
        for shell in (tftp, multicast):
            if shell is not None:
                shell.close()
        for door in doors:
            await door.close()
        for runner in runners:
            await runner.cleanup()

    def _tftp_file(self, name: str, address: str) -> bytes | mmap | None:
        answer = self.answer(ConfigRequest("tftp", name, address))
        if answer.file is not None:
            return _mapped(answer.file)
        return answer.body if answer.status == 200 else None

    def _ignored(self, address: str, reason: str) -> None:
        self._publish(InputIgnored("tftp", address, reason, 0))


def _mapped(path: Path) -> bytes | mmap | None:
    """A file as large as firmware is not read before its first block goes out."""
    try:
        with path.open("rb") as file:
            return mmap(file.fileno(), 0, access=ACCESS_READ) if path.stat().st_size else b""
    except OSError:
        return None
