"""The SIP shell on real loopback sockets."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import struct

import pytest

from pbx.sip.address import Peer, parse_peer
from pbx.sip.arrival import answered_anew
from pbx.sip.streams import StreamTransport
from pbx.sip.transport import UdpTransport

MESSAGE = b"OPTIONS sip:x SIP/2.0\r\nVia: x\r\nContent-Length: 4\r\n\r\nbody"


class Inbox:
    """An owner that keeps what arrives."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[tuple[bytes, Peer]] = asyncio.Queue()
        self.gone: asyncio.Queue[Peer] = asyncio.Queue()
        self.waits: list[float] = []
        self.refused: asyncio.Queue[tuple[Peer, Exception]] = asyncio.Queue()

    def received(self, data: bytes, source: Peer) -> None:
        self.messages.put_nowait((data, source))

    def all_received(self) -> None:
        pass

    def disconnected(self, peer: Peer) -> None:
        self.gone.put_nowait(peer)

    def waited(self, seconds: float) -> None:
        self.waits.append(seconds)

    def insecure(self, peer: Peer, error: Exception) -> None:
        self.refused.put_nowait((peer, error))


async def within(awaitable):
    async with asyncio.timeout(5):
        return await awaitable


async def test_datagrams_cross():
    one, two = Inbox(), Inbox()
    a, b = UdpTransport(one, "127.0.0.1"), UdpTransport(two, "127.0.0.1")
    a.start()
    b.start()
    a.send(MESSAGE, Peer("udp", *b.address))
    data, source = await within(two.messages.get())
    assert (data, source) == (MESSAGE, Peer("udp", *a.address))
    a.close()
    b.close()


async def test_how_long_a_datagram_lay_in_the_socket_is_told():
    one, two = Inbox(), Inbox()
    a, b = UdpTransport(one, "127.0.0.1"), UdpTransport(two, "127.0.0.1")
    stamping = asyncio.Event()  # the kernel does, a moment after it was first asked to
    asyncio.get_running_loop().call_later(0.1, stamping.set)
    await stamping.wait()
    a.send(MESSAGE, Peer("udp", *b.address))
    begun = asyncio.get_running_loop().time()
    asyncio.get_running_loop().call_later(0.2, b.start)
    await within(two.messages.get())
    lay = asyncio.get_running_loop().time() - begun
    assert two.waits == [pytest.approx(lay, abs=0.1)]
    a.close()
    b.close()


async def test_an_address_nobody_can_send_to_is_counted_not_raised():
    it = UdpTransport(Inbox(), "127.0.0.1")
    it.start()
    it.send(MESSAGE, Peer("udp", "not an address", 5060))
    assert it.dropped == 1
    it.close()
    it.close()


async def test_a_taken_port_is_an_error_at_once():
    first = UdpTransport(Inbox(), "127.0.0.1")
    with pytest.raises(OSError, match="in use"):
        UdpTransport(Inbox(), *first.address)
    first.close()


async def test_tcp_frames_messages_and_answers_over_the_same_connection():
    server_box, client_box = Inbox(), Inbox()
    server, client = StreamTransport(server_box, "127.0.0.1"), StreamTransport(client_box, "127.0.0.1")
    await server.start()
    await client.start()
    to = Peer("tcp", *server.address)
    client.send(MESSAGE, to)
    client.send(MESSAGE, to)
    _, source = await within(server_box.messages.get())
    await within(server_box.messages.get())
    server.send(MESSAGE, source)
    data, answered_from = await within(client_box.messages.get())
    assert (data, answered_from) == (MESSAGE, to)
    await client.close()
    assert await within(server_box.gone.get()) == source
    await server.close()


async def test_an_answer_whose_connection_is_gone_goes_to_where_its_sender_listens():
    one, two = Inbox(), Inbox()
    phone, it = StreamTransport(one, "127.0.0.1"), StreamTransport(two, "127.0.0.1")
    await phone.start()
    await it.start()
    _, writer = await asyncio.open_connection(*it.address)
    writer.write(b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n")
    _, source = await within(two.messages.get())
    writer.close()
    assert await within(two.gone.get()) == source
    via = b"Via: SIP/2.0/TCP 127.0.0.1:%d;branch=z9hG4bKx\r\n" % phone.address[1]
    answer = b"SIP/2.0 200 OK\r\n" + via + b"Content-Length: 0\r\n\r\n"
    it.send(answer, source)
    data, _ = await within(one.messages.get())
    assert data == answer
    it.send(b"OPTIONS sip:y SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:1\r\nContent-Length: 0\r\n\r\n", source)
    assert await within(two.gone.get()) == source
    await phone.close()
    await it.close()


@pytest.mark.parametrize(
    ("via", "port"),
    [("TLS 10.0.0.9:5071", 5071), ("TLS phone.example", 5061), ("TLS 10.0.0.9;received=10.0.0.7;rport=40000", 5061)],
)
def test_an_answer_never_goes_to_another_host_than_its_request_came_from(via, port):
    gone = Peer("tls", "10.0.0.7", 40_000)
    answer = f"SIP/2.0 200 OK\r\nVia: SIP/2.0/{via};branch=z9hG4bKx\r\n\r\n".encode()
    assert answered_anew(answer, gone) == Peer("tls", "10.0.0.7", port)
    assert answered_anew(b"rubbish", gone) == gone


async def test_a_connection_that_cannot_be_made_is_reported():
    closed = UdpTransport(Inbox(), "127.0.0.1")
    box = Inbox()
    it = StreamTransport(box, "127.0.0.1")
    await it.start()
    nobody = Peer("tcp", "127.0.0.1", closed.address[1])
    it.send(MESSAGE, nobody)
    assert await within(box.gone.get()) == nobody
    await it.close()
    closed.close()


async def test_a_ping_is_answered_with_a_pong():
    it = StreamTransport(Inbox(), "127.0.0.1")
    await it.start()
    reader, writer = await asyncio.open_connection(*it.address)
    writer.write(b"\r\n\r\n")
    assert await within(reader.readexactly(2)) == b"\r\n"
    writer.close()
    await it.close()


async def test_what_cannot_be_cut_is_handed_on_to_be_refused_and_ends_the_connection():
    box = Inbox()
    it = StreamTransport(box, "127.0.0.1")
    await it.start()
    reader, writer = await asyncio.open_connection(*it.address)
    writer.write(MESSAGE + MESSAGE.replace(b"4", b"-4"))
    with contextlib.suppress(ConnectionResetError):
        assert await within(reader.read()) == b""
    assert (await within(box.messages.get()))[0] == MESSAGE
    assert b"-4" in (await within(box.messages.get()))[0]
    await within(box.gone.get())
    writer.close()
    await it.close()


async def test_a_peer_that_does_not_read_is_given_up():
    box = Inbox()
    it = StreamTransport(box, "127.0.0.1")
    await it.start()
    _, writer = await asyncio.open_connection(*it.address)
    writer.write(MESSAGE)
    _, source = await within(box.messages.get())
    for _ in range(40):
        it.send(b"x" * 1024 * 1024, source)
    assert await within(box.gone.get()) == source
    writer.close()
    await it.close()


@pytest.mark.parametrize(("host", "text"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
async def test_a_phone_behind_nat_learns_its_address_by_stun_on_the_sip_port(host, text):
    it = UdpTransport(Inbox(), host)
    it.start()
    phone = Inbox()
    other = UdpTransport(phone, host)
    other.start()
    request = struct.pack("!HHI12s", 1, 0, 0x2112A442, b"twelve-bytes")
    other.send(request, Peer("udp", *it.address))
    answer, source = await within(phone.messages.get())
    assert source == Peer("udp", *it.address)
    assert str(source) == f"udp:{text}:{it.address[1]}"
    kind, _, cookie, identity = struct.unpack_from("!HHI12s", answer)
    assert (kind, cookie, identity) == (0x0101, 0x2112A442, b"twelve-bytes")
    attribute, length, family, port = struct.unpack_from("!HHxBH", answer, 20)
    assert (attribute, length, family) == (0x20, 8, 1) if host == "127.0.0.1" else (0x20, 20, 2)
    assert port ^ 0x2112 == other.address[1]
    mask = struct.pack("!I", cookie) + identity
    address = bytes(a ^ b for a, b in zip(answer[28:], mask, strict=False))
    assert str(ipaddress.ip_address(address)) == host
    it.close()
    other.close()


@pytest.mark.parametrize("text", ["udp:127.0.0.1:5060", "tls:pbx.lab:5061", "tcp:[2001:db8::1]:5060"])
def test_a_peer_reads_as_it_is_written(text):
    assert str(parse_peer(text)) == text


def test_a_peer_without_a_transport_is_one_of_udp():
    assert str(parse_peer("127.0.0.1:5060")) == "udp:127.0.0.1:5060"


@pytest.mark.parametrize("text", ["", "host", "host:0", "host:99999", "a:b:c:d", "udp:2001:db8::1:5060", "[::1]"])
def test_what_is_no_peer_is_refused(text):
    with pytest.raises(ValueError, match="no address"):
        parse_peer(text)
