"""An exported capture carries the secrets of TLS connections when a setting asks for it, and never otherwise."""

from __future__ import annotations

import asyncio
import secrets
import ssl
import stat
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from lab import key_log
from lab.lab_settings import LabSettings
from lab.office import Office
from lab.pcapng import Packet, pcapng
from lab.seeds.load import load_seed
from pbx.media.engine import MediaAddress
from pbx.media.sdp import offer
from pbx.sip.address import Peer
from pbx.sip.digest import Credentials
from pbx.sip.framing import Framer
from pbx.sip.sip_events import Answered, ResponseReceived, SipEvent
from pbx.sip.stack import Stack
from pbx.sip.uri import NameAddr
from tests.conftest import need

LAB_FOLDER = "tls"


class TlsPhone:
    """Registers and calls over one TLS connection, trusting the lab's authority; what crosses the wire is kept."""

    def __init__(self, office: Office) -> None:
        self.domain = office.lab.directory.domain.name
        self.switch = office.lab.sip_address("tls")
        device = office.lab.directory.devices_by_id["101"]
        self.credentials = Credentials(device.id, device.password.get_secret_value())
        self.who = NameAddr(f"sip:{device.id}@{self.domain}")
        self.wire: list[Packet] = []
        self._authority = office.lab.ready()["tls"]["ca_file"]
        self._events: list[SipEvent] = []

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """TLS in memory over a plain socket: so the encrypted octets can be kept without any privilege."""
        reader, writer = await asyncio.open_connection(self.switch.host, self.switch.port)
        self._reader, self._writer = reader, writer
        self._here = Peer("tls", *writer.get_extra_info("sockname")[:2])
        self._incoming, self._outgoing, self._framer = ssl.MemoryBIO(), ssl.MemoryBIO(), Framer()
        context = ssl.create_default_context(cafile=self._authority)
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=self.switch.host)
        self.stack = Stack(
            {"tls": (self._here.host, self._here.port)},
            token=lambda count: secrets.token_hex(count)[:count],
            user_agent="a phone on TLS",
        )
        await self._secured(self._tls.do_handshake)
        yield
        writer.close()

    async def ask(self, fits: Callable[[SipEvent], bool]) -> SipEvent:
        """Send what is to be sent and read until something fits."""
        async with asyncio.timeout(20):
            while True:
                for item in self.stack.take_outgoing():
                    self._tls.write(item.data)
                await self._flush()
                self._events += self.stack.take_events()
                for event in self._events:
                    if fits(event):
                        return event
                data = await self._secured(lambda: self._tls.read(65_536))
                for message in self._framer.feed(data):
                    self.stack.receive(message, self.switch, time.monotonic())

    async def _secured(self, act: Callable[[], bytes | None]) -> bytes:
        while True:
            try:
                result = act()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._reader.read(65_536)
                assert data, "the switch has hung up"
                self._keep(self.switch, self._here, data)
                self._incoming.write(data)
            else:
                await self._flush()
                return result or b""

    async def _flush(self) -> None:
        if data := self._outgoing.read():
            self._keep(self._here, self.switch, data)
            self._writer.write(data)
            await self._writer.drain()

    def _keep(self, source: Peer, target: Peer, data: bytes) -> None:
        tcp = [Peer("tcp", peer.host, peer.port) for peer in (source, target)]
        self.wire.append(Packet(time.time(), *tcp, data))


async def call_over_tls(phone: TlsPhone) -> None:
    """Register, call somebody who is not there, hear the mailbox answer and hang up."""
    async with phone.connected():
        now = time.monotonic()
        contact = ("Contact", f"<{phone.stack.origin.contact(phone.who, phone.switch)}>")
        handle = phone.stack.request(
            "REGISTER", f"sip:{phone.domain}", phone.switch, from_=phone.who, to=phone.who, now=now,
            headers=[contact], credentials=phone.credentials,
        )  # fmt: skip
        event = await phone.ask(lambda event: isinstance(event, ResponseReceived) and event.handle is handle)
        assert isinstance(event, ResponseReceived)
        assert event.response.status == 200
        other = f"sip:102@{phone.domain}"
        sdp = offer(MediaAddress("127.0.0.1", 40_000))
        session = phone.stack.invite(
            other, phone.switch, from_=phone.who, to=NameAddr(other), sdp=sdp, now=now, credentials=phone.credentials
        )
        await phone.ask(lambda event: isinstance(event, Answered))
        session.bye(time.monotonic())
        await phone.ask(lambda event: session.over)


async def exported(office: Office) -> bytes:
    call = next(iter(office.source.book.entries()))
    assert await office.lab.until(lambda: call.ended, 20)
    address = f"{office.console_url}/api/v1/calls/{call.call}/call.pcapng"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        assert answer.status == 200
        return await answer.read()


def methods_read(port: int, *captures: Path, folder: Path) -> list[str]:
    """The requests tshark can read inside the TLS connections of these captures, merged."""
    merged = folder / "merged.pcapng"
    run("mergecap", "-a", "-w", str(merged), *map(str, captures))
    decode = ("-d", f"tls.port=={port},sip", "-Y", "tls && sip.Method", "-T", "fields", "-e", "sip.Method")
    return run("tshark", "-r", str(merged), *decode).replace(",", " ").split()


def run(program: str, *arguments: str) -> str:
    done = subprocess.run([need(program), *arguments], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.mark.realtime
async def test_a_capture_of_the_wire_is_read_with_the_secrets_of_an_exported_call(tmp_path):
    data = tmp_path / "data"
    async with Office(load_seed(), LabSettings(data=data, phones=False, tls_key_log=True)) as office:
        phone = TlsPhone(office)
        await call_over_tls(phone)
        document = await exported(office)
    assert stat.S_IMODE((data / LAB_FOLDER / key_log.FILE).stat().st_mode) == 0o600
    call, wire = tmp_path / "call.pcapng", tmp_path / "wire.pcapng"
    call.write_bytes(document)
    wire.write_bytes(pcapng(phone.wire, "the wire"))
    assert methods_read(phone.switch.port, wire, folder=tmp_path) == []
    read = methods_read(phone.switch.port, call, wire, folder=tmp_path)
    assert [read.count(method) for method in ("REGISTER", "INVITE", "ACK", "BYE")] == [2, 2, 2, 1]
    told = run("tshark", "-r", str(call), "-Y", "sip.Method", "-T", "fields", "-e", "sip.Method").split()
    assert told == ["INVITE", "ACK", "INVITE", "ACK", "BYE"]


@pytest.mark.realtime
async def test_without_the_setting_there_is_no_key_log_and_no_secret_in_an_export(tmp_path):
    left = key_log.begun(tmp_path / LAB_FOLDER)
    async with Office(load_seed(), LabSettings(data=tmp_path, phones=False)) as office:
        await call_over_tls(TlsPhone(office))
        document = await exported(office)
    assert not left.exists()
    file = tmp_path / "call.pcapng"
    file.write_bytes(document)
    assert "decryption secrets" not in run("capinfos", "-M", str(file))


def test_of_many_secrets_the_newest_whole_lines_are_handed_out(tmp_path):
    path = key_log.begun(tmp_path)
    line = b"CLIENT_RANDOM " + b"a" * 64 + b" " + b"b" * 96 + b"\n"
    path.write_bytes(line * (key_log.MOST_READ // len(line) + 10))
    newest = key_log.newest(path)
    assert len(newest) <= key_log.MOST_READ
    assert set(newest.splitlines(keepends=True)) == {line}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_log_of_an_earlier_start_is_not_added_to(tmp_path):
    key_log.begun(tmp_path).write_text("old")
    assert key_log.newest(key_log.begun(tmp_path)) == b""
    assert key_log.newest(None) == b""
