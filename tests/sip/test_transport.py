"""The SIP shell on real loopback sockets."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.sip.address import Peer, parse_peer
from pbx.sip.transport import MAX_MESSAGE, TcpTransport, UdpTransport, frames

MESSAGE = b"OPTIONS sip:x SIP/2.0\r\nVia: x\r\nContent-Length: 4\r\n\r\nbody"


class Inbox:
    """An owner that keeps what arrives."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[tuple[bytes, Peer]] = asyncio.Queue()
        self.gone: asyncio.Queue[Peer] = asyncio.Queue()

    def received(self, data: bytes, source: Peer) -> None:
        self.messages.put_nowait((data, source))

    def disconnected(self, peer: Peer) -> None:
        self.gone.put_nowait(peer)


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
    server, client = TcpTransport(server_box, "127.0.0.1"), TcpTransport(client_box, "127.0.0.1")
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


async def test_a_connection_that_cannot_be_made_is_reported():
    closed = UdpTransport(Inbox(), "127.0.0.1")
    box = Inbox()
    it = TcpTransport(box, "127.0.0.1")
    await it.start()
    nobody = Peer("tcp", "127.0.0.1", closed.address[1])
    it.send(MESSAGE, nobody)
    assert await within(box.gone.get()) == nobody
    await it.close()
    closed.close()


async def test_a_ping_is_answered_with_a_pong():
    it = TcpTransport(Inbox(), "127.0.0.1")
    await it.start()
    reader, writer = await asyncio.open_connection(*it.address)
    writer.write(b"\r\n\r\n")
    assert await within(reader.readexactly(2)) == b"\r\n"
    writer.close()
    await it.close()


async def test_a_message_that_is_too_large_ends_the_connection():
    it = TcpTransport(Inbox(), "127.0.0.1")
    await it.start()
    reader, writer = await asyncio.open_connection(*it.address)
    writer.write(b"X" * (MAX_MESSAGE + 10))
    with contextlib.suppress(ConnectionResetError):
        assert await within(reader.read()) == b""
    writer.close()
    await it.close()


@given(st.lists(st.integers(1, 40)), st.integers(1, 5))
def test_however_a_stream_is_cut_the_messages_are_the_same(cuts, copies):
    stream, rest, found = MESSAGE * copies, b"", []
    pieces = []
    for cut in cuts:
        pieces.append(stream[:cut])
        stream = stream[cut:]
    for piece in [*pieces, stream]:
        messages, rest = frames(rest + piece, lambda pong: None)
        found += messages
    assert found == [MESSAGE] * copies
    assert rest == b""


@pytest.mark.parametrize("text", ["udp:127.0.0.1:5060", "127.0.0.1:5060"])
def test_a_peer_reads_as_it_is_written(text):
    assert str(parse_peer(text)) == "udp:127.0.0.1:5060"


@pytest.mark.parametrize("text", ["", "host", "host:0", "host:99999", "a:b:c:d"])
def test_what_is_no_peer_is_refused(text):
    with pytest.raises(ValueError, match="no address"):
        parse_peer(text)
