"""Foreign software gets what we serve: four TFTP clients and curl byte for byte, baresip and linphone as accounts."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pbx.domain.directory import Directory
from pbx.sip.digest import DigestServer, Verdict
from provisioning_server.app import ProvisioningService
from provisioning_server.ledger import Ledger
from provisioning_server.overlay import ServedAt
from provisioning_server.respond import ConfigRequest
from tests.conftest import need
from tests.provisioning.provisioned import (
    ATA,
    BARESIP,
    FAMILIES,
    JSON,
    LINPHONE,
    OWN_FILE,
    POLY,
    YEALINK,
    Counter,
    first,
    small_domain,
)

pytestmark = [pytest.mark.interop, pytest.mark.realtime]
NOW = Counter().now
BARESIP_MODULES = "/usr/lib/baresip/modules"


@pytest.fixture
async def house() -> AsyncIterator[tuple[ProvisioningService, tuple[str, int], tuple[str, int]]]:
    made = service(small_domain(), ServedAt("127.0.0.1", 5060, "http://127.0.0.1:1/p"))
    http, tftp = await made.start("127.0.0.1", 0, 0)
    yield made, http, tftp
    await made.close()


def service(domain: Directory, at: ServedAt) -> ProvisioningService:
    return ProvisioningService(
        FAMILIES, lambda: domain, at=at, ledger=Ledger(b"of this installation", lan_window=True),
        publish=lambda event: None, now=lambda: NOW,
    )  # fmt: skip


async def run(*command: str, cwd: Path) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(15):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    return said


CLIENTS: dict[str, Callable[[str, int, str], tuple[str, ...]]] = {
    "tftp": lambda host, port, name: ("tftp", "-m", "binary", host, str(port), "-c", "get", name, "got"),
    "atftp": lambda host, port, name: ("atftp", "--get", "-r", name, "-l", "got", host, str(port)),
    "atftp with options": lambda host, port, name: (
        "atftp", "--option", "blksize 1428", "--option", "tsize", "--option", "windowsize 8", "--get", "-r", name,
        "-l", "got", host, str(port),
    ),
    "busybox": lambda host, port, name: ("busybox", "tftp", "-g", "-r", name, "-l", "got", host, str(port)),
    "busybox with blocks of 1428": lambda host, port, name: (
        "busybox", "tftp", "-b", "1428", "-g", "-r", name, "-l", "got", host, str(port),
    ),
    "curl": lambda host, port, name: ("curl", "-s", "-o", "got", f"tftp://{host}:{port}/{name}"),
}  # fmt: skip


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("mac", [YEALINK, ATA])
async def test_foreign_tftp_clients_get_the_same_bytes(house, tmp_path, client, mac):
    made, _, (host, port) = house
    command = CLIENTS[client](host, port, OWN_FILE[mac])
    need(command[0])
    said = await run(*command, cwd=tmp_path)
    expected = made.answer(ConfigRequest("tftp", OWN_FILE[mac], "127.0.0.1:1")).body
    assert (tmp_path / "got").read_bytes() == expected, said


@pytest.mark.parametrize("mac", [YEALINK, POLY, ATA, JSON])
async def test_curl_gets_the_same_bytes_by_http(house, tmp_path, mac):
    need("curl")
    made, (host, port), _ = house
    path = f"/p/{first(mac)}/{OWN_FILE[mac]}"
    await run("curl", "-s", "-o", "got", f"http://{host}:{port}{path}", cwd=tmp_path)
    assert (tmp_path / "got").read_bytes() == made.answer(ConfigRequest("http", path, "127.0.0.1:1")).body


# --- softphones ------------------------------------------------------------------------------------------


class Registrar(asyncio.DatagramProtocol):
    """Answers REGISTER as the switch does: challenges, checks the digest, takes the binding."""

    def __init__(self, password: str, algorithms: tuple[str, ...]) -> None:
        self._password = password
        self._digest = DigestServer("acme.lab", lambda n: secrets.token_hex(n)[:n], algorithms=algorithms)
        self.registered: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not data.strip():
            return
        lines = data.decode().split("\r\n")
        method = lines[0].partition(" ")[0]
        proof = next((line.partition(":")[2].strip() for line in lines if line.startswith("Authorization:")), None)
        verdict = self._digest.verify(proof, method, self._password, time.monotonic())
        echoed = [line for line in lines if line.lower().startswith(("via:", "from:", "call-id:", "cseq:"))]
        echoed += [f"{line};tag=reg" for line in lines if line.lower().startswith("to:")]
        if verdict is Verdict.OK:
            status, extra = "200 OK", [line for line in lines if line.lower().startswith("contact:")]
            if method == "REGISTER" and not self.registered.done():
                self.registered.set_result(lines[0])
        else:
            status = "401 Unauthorized"
            extra = [f"WWW-Authenticate: {text}" for text in self._digest.challenge(time.monotonic())]
        answer = [f"SIP/2.0 {status}", *echoed, *extra, "Content-Length: 0", "", ""]
        self._transport.sendto("\r\n".join(answer).encode(), addr)


@asynccontextmanager
async def running(home: Path, *command: str) -> AsyncIterator[None]:
    environment = {**os.environ, "HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    with (home / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=home, env=environment, stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log
        )
        try:
            yield
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def registrar(password: str, *algorithms: str) -> tuple[Registrar, int, asyncio.BaseTransport]:
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Registrar(password, algorithms), local_addr=("127.0.0.1", 0)
    )
    return protocol, transport.get_extra_info("sockname")[1], transport


async def until_registered(taken: Registrar, home: Path) -> str:
    try:
        async with asyncio.timeout(12):
            return await taken.registered
    except TimeoutError:
        raise AssertionError((home / "log").read_text(errors="replace")[-2000:]) from None


async def test_baresip_registers_with_what_it_was_served(tmp_path):
    need("baresip")
    # baresip 1.0.0 gives up on a challenge it does not know, even when MD5 is offered beside it
    taken, port, transport = await registrar("secret-of-113", "MD5")
    made = service(small_domain(), ServedAt("127.0.0.1", port, "http://127.0.0.1:1/p"))
    for name in ("config", "accounts", "contacts"):
        answer = made.answer(ConfigRequest("http", f"/p/{first(BARESIP)}/baresip/{BARESIP}/{name}", "127.0.0.1:1"))
        (tmp_path / name).write_bytes(answer.body)
    own = f"module_path {BARESIP_MODULES}\nsip_listen 127.0.0.13:0\nnet_interface 127.0.0.13\n"
    with (tmp_path / "config").open("a") as config:
        config.write(own + "module aubridge.so\naudio_source aubridge,a\naudio_player aubridge,a\n")
    async with running(tmp_path, "baresip", "-f", str(tmp_path)):
        assert await until_registered(taken, tmp_path) == "REGISTER sip:acme.lab;transport=udp SIP/2.0"
    transport.close()


async def test_linphone_provisions_itself_and_registers_by_the_hash(tmp_path):
    need("linphonec")
    taken, port, transport = await registrar("secret-of-107", "SHA-256", "MD5")
    made = service(small_domain(), ServedAt("127.0.0.1", port, "http://127.0.0.1:1/p"))
    (host, http), _ = await made.start("127.0.0.1", 0, 0)
    made.moved(ServedAt("127.0.0.1", port, f"http://{host}:{http}/p"))
    url = made.config_url(small_domain().devices_by_mac[LINPHONE][0])
    (tmp_path / "rc").write_text(
        f"[misc]\nconfig-uri={url}\n[sip]\nbind_address=127.0.0.14\nsip_port=-1\nsip_tcp_port=0\nsip_tls_port=0\n"
        "guess_hostname=0\nuse_ipv6=0\n[video]\nenabled=0\ncapture=0\ndisplay=0\n"
        "[storage]\nuri=null\ncall_logs_db_uri=null\n"
    )
    async with running(tmp_path, "linphonec", "-c", str(tmp_path / "rc")):
        assert await until_registered(taken, tmp_path) == "REGISTER sip:acme.lab SIP/2.0"
    transport.close()
    await made.close()
    assert "secret-of-107" not in (tmp_path / "rc").read_text()
