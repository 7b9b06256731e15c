"""The TFTP shell on real sockets of the loopback; tftpy's client as the peer."""

from __future__ import annotations

import asyncio
import io
import logging
import socket
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tftpy import TftpClient
from tftpy.TftpShared import TftpException

from lab.phones import tftp_client
from provisioning_server.respond import ConfigRequest, respond
from provisioning_server.tftp_server import TftpServer
from tests.provisioning.provisioned import ATA, OWN_FILE, Counter

BODY = bytes(range(256)) * 40
pytestmark = pytest.mark.realtime
logging.getLogger("tftpy").setLevel(logging.CRITICAL)

# What the internet and confused phones ask for.
NASTY_NAMES = [
    b"../etc/passwd",
    b"../../../../etc/shadow",
    b"/etc/passwd",
    b"//etc//passwd",
    b"..\\..\\boot.ini",
    b"\\\\host\\share",
    b"./../x",
    b"x/../../y",
    b"....//....//etc/passwd",
    b"%2e%2e/%2e%2e/etc/passwd",
    b"..%c0%af..",
    b".",
    b"..",
    b"/",
    b"\\",
    b"//",
    b"C:\\boot.ini",
    b"C:/boot.ini",
    b"file:///etc/passwd",
    b"http://evil/x",
    b"|id",
    b";id",
    b"`id`",
    b"$(id)",
    b"$mac.cfg",
    b"$MAC.cfg",
    b"{mac}.cfg",
    b"[PHONE_MAC_ADDRESS].cfg",
    b"~/.ssh/id_rsa",
    b"~root",
    b"CON",
    b"NUL",
    b"aux.cfg",
    b"x" * 255,
    b"x" * 256,
    b"x" * 400,
    b" ",
    b"\t",
    b"\n",
    b"x\ny",
    b"\r\nSet-Cookie: a",
    b"%s%s%s%n",
    b"{{7*7}}",
    b"<script>",
    b"' OR 1=1 --",
    b"*",
    b"?",
    b"\x7f\x1b[2J",
    b"p/p/p/p",
]


class Shelf:
    """Files by name; counts how often each was asked for."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[str] = []
        self.ignored: list[str] = []

    def fetch(self, name: str, address: str) -> bytes | None:
        self.asked.append(name)
        return self.files.get(name)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf({"x.cfg": BODY, "y.cfg": b"short", "empty": b"", "even": b"x" * 1024})


@pytest.fixture
async def server(shelf):
    made = TftpServer(
        shelf.fetch,
        "127.0.0.1",
        0,
        ignored=lambda address, reason: shelf.ignored.append(reason),
        per_address=8,
        total=10,
    )
    made.start()
    yield made
    made.close()


@pytest.fixture
def wire():
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.setblocking(False)
    yield made
    made.close()


def request(name: bytes, *options: bytes, code: int = 1, mode: bytes = b"octet") -> bytes:
    return struct.pack("!H", code) + b"".join(part + b"\0" for part in (name, mode, *options))


async def packet(wire: socket.socket, within_s: float = 3.0) -> tuple[bytes, tuple[str, int]]:
    async with asyncio.timeout(within_s):
        return await asyncio.get_running_loop().sock_recvfrom(wire, 65535)


async def answered(server: TftpServer, wire: socket.socket, data: bytes) -> bytes:
    wire.sendto(data, server.address)
    return (await packet(wire))[0]


async def silent(wire: socket.socket, within_s: float = 0.15) -> bool:
    try:
        await packet(wire, within_s)
    except TimeoutError:
        return True
    return False


def download(server: TftpServer, name: str, options: dict[str, int]) -> bytes:
    out = io.BytesIO()
    out.close = lambda: None  # type: ignore[method-assign]  # tftpy closes what it was given
    TftpClient(*server.address, options=options).download(name, out, timeout=2)
    return out.getvalue()


@pytest.mark.parametrize(
    "options", [{}, {"blksize": 8}, {"blksize": 1428}, {"blksize": 65464}, {"tsize": 0}, {"blksize": 512, "tsize": 0}]
)
@pytest.mark.parametrize("name", ["x.cfg", "y.cfg", "even"])
async def test_tftpys_client_gets_the_same_bytes(server, shelf, name, options):
    assert await asyncio.to_thread(download, server, name, options) == shelf.files[name]
    assert shelf.asked == [name]


async def test_tftpys_client_is_told_what_is_not_there(server):
    with pytest.raises(TftpException, match="File not found"):
        await asyncio.to_thread(download, server, "z.cfg", {})


async def test_twelve_phones_at_once(server, shelf):
    shelf_server = TftpServer(shelf.fetch, "127.0.0.1", 0)
    shelf_server.start()
    try:
        got = await asyncio.gather(*(asyncio.to_thread(download, shelf_server, "x.cfg", {}) for _ in range(12)))
    finally:
        shelf_server.close()
    assert got == [BODY] * 12


async def test_sixty_phones_at_once_within_three_seconds(shelf):
    shelf_server = TftpServer(shelf.fetch, "127.0.0.1", 0)
    shelf_server.start()
    try:
        host, port = shelf_server.address
        phones = (tftp_client.read(host, port, "x.cfg", block_size=0) for _ in range(60))
        async with asyncio.timeout(3):
            got = await asyncio.gather(*phones)
    finally:
        shelf_server.close()
    assert [answer.body for answer in got] == [BODY] * 60


@pytest.mark.parametrize("name", NASTY_NAMES)
async def test_a_nasty_name_is_an_error_and_nothing_else(wire, name):
    desk = Counter(window=True)

    def fetch(asked: str, address: str) -> bytes | None:
        answer = respond(ConfigRequest("tftp", asked, address), desk.office, desk.directory, desk.now)
        return answer.body if answer.status == 200 else None

    server = TftpServer(fetch, "127.0.0.1", 0)
    server.start()
    try:
        said = await answered(server, wire, request(name))
        assert said[:4] in (struct.pack("!HH", 5, 1), struct.pack("!HH", 5, 4))
        assert (await answered(server, wire, request(OWN_FILE[ATA].encode())))[:4] == struct.pack("!HH", 3, 1)
    finally:
        server.close()


def test_there_are_49_nasty_names():
    assert len(set(NASTY_NAMES)) == 49


@pytest.mark.parametrize("name", [b"x.cfg", b"../x", b"new.cfg"])
async def test_writes_are_refused(server, wire, shelf, name):
    assert (await answered(server, wire, request(name, code=2)))[:4] == struct.pack("!HH", 5, 2)
    assert shelf.asked == []
    assert shelf.ignored == ["write request"]


async def test_netascii_is_refused_with_a_clear_error(server, wire):
    assert await answered(server, wire, request(b"x.cfg", mode=b"netascii")) == (
        struct.pack("!HH", 5, 4) + b"only octet mode is served\0"
    )


async def test_a_repeated_request_is_the_same_request(server, wire, shelf):
    for _ in range(3):
        wire.sendto(request(b"x.cfg"), server.address)
    first, origin = await packet(wire)
    assert first[:4] == struct.pack("!HH", 3, 1)
    assert await silent(wire)
    assert (shelf.asked, server.transfers) == (["x.cfg"], 1)
    assert origin != server.address


async def test_a_request_for_another_file_from_the_same_port_replaces_the_first(server, wire):
    await answered(server, wire, request(b"x.cfg"))
    assert (await answered(server, wire, request(b"y.cfg"))) == struct.pack("!HH", 3, 1) + b"short"
    assert server.transfers == 1


async def test_a_lost_last_ack_does_not_block_a_phone_that_always_uses_one_port(server, wire, shelf):
    await answered(server, wire, request(b"y.cfg"))
    assert (await answered(server, wire, request(b"y.cfg")))[4:] == b"short"
    assert shelf.asked == ["y.cfg", "y.cfg"]


async def test_a_stranger_cannot_disturb_a_transfer(server, wire):
    first, origin = await wire_and_origin(server, wire)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.sendto(struct.pack("!HH", 5, 0) + b"die\0", origin)
    wire.sendto(struct.pack("!HH", 4, 1), origin)
    second, again = await packet(wire)
    assert (first[:4], second[:4], again) == (struct.pack("!HH", 3, 1), struct.pack("!HH", 3, 2), origin)


async def wire_and_origin(server: TftpServer, wire: socket.socket) -> tuple[bytes, tuple[str, int]]:
    wire.sendto(request(b"x.cfg"), server.address)
    return await packet(wire)


async def test_an_unanswered_packet_is_repeated(server, wire):
    first, origin = await wire_and_origin(server, wire)
    again, same = await packet(wire)
    assert (again, same) == (first, origin)


async def test_a_transfer_that_ends_frees_its_place(server, wire):
    wire.sendto(request(b"empty"), server.address)
    _, origin = await packet(wire)
    assert server.transfers == 1
    wire.sendto(struct.pack("!HH", 4, 1), origin)
    for _ in range(100):
        if server.transfers:
            await silent(wire, 0.02)
    assert (server.transfers, dict(server._counts)) == (0, {})


async def test_a_client_that_has_gone_frees_its_place(server):
    gone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    gone.bind(("127.0.0.1", 0))
    gone.sendto(request(b"y.cfg"), server.address)
    gone.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waiting:
        waiting.bind(("127.0.0.1", 0))
        waiting.setblocking(False)
        for _ in range(100):  # the kernel says so (ICMP), or the repetition finds out
            await silent(waiting, 0.03)
            if not server.transfers:
                break
    assert server.transfers == 0


async def test_one_address_has_its_share_and_no_more(server, shelf):
    wires = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(9)]
    try:
        for one in wires:
            one.bind(("127.0.0.1", 0))
            one.setblocking(False)
        said = [await answered(server, one, request(b"x.cfg")) for one in wires]
        assert [packet[:2] for packet in said] == [b"\0\3"] * 8 + [b"\0\5"]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as neighbour:
            neighbour.bind(("127.0.0.2", 0))
            neighbour.setblocking(False)
            assert (await answered(server, neighbour, request(b"x.cfg")))[:2] == b"\0\3"
    finally:
        for one in wires:
            one.close()
    assert shelf.ignored == ["too many transfers"]


async def test_a_taken_port_is_an_error_at_once(server, shelf):
    with pytest.raises(OSError):
        TftpServer(shelf.fetch, *server.address)


async def test_closing_ends_everything_and_may_be_repeated(shelf, wire):
    server = TftpServer(shelf.fetch, "127.0.0.1", 0)
    server.start()
    await answered(server, wire, request(b"x.cfg"))
    server.close()
    server.close()
    assert server.transfers == 0


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=700) | st.binary(max_size=50).map(lambda tail: b"\0\1" + tail), max_size=5))
def test_any_bytes_on_the_port_raise_nothing(datagrams):
    async def throw() -> None:
        shelf = Shelf({})
        server = TftpServer(shelf.fetch, "127.0.0.1", 0)
        for data in datagrams:
            server._first(data, ("127.0.0.1", 9))
        server._drain()
        assert server.transfers == 0
        server.close()

    asyncio.run(throw())


async def test_a_datagram_that_is_no_request_is_met_with_silence(server, wire, shelf):
    wire.sendto(b"\xff" * 100, server.address)
    assert await silent(wire)
    assert shelf.ignored == ["not a request"]
