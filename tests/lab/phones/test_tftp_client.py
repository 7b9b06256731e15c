from __future__ import annotations

import asyncio
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.phones import tftp_client
from lab.phones.family import Fetched
from lab.phones.tftp_client import Reading


def data(number: int, payload: bytes) -> bytes:
    return struct.pack("!HH", 3, number) + payload


def ack(number: int) -> bytes:
    return struct.pack("!HH", 4, number)


def oack(*words: bytes) -> bytes:
    return struct.pack("!H", 6) + b"".join(word + b"\0" for word in words)


def test_the_request_asks_for_octets_and_options():
    assert Reading("a.cfg", 1428).first() == b"\0\1a.cfg\0octet\0blksize\x001428\0tsize\x000\0"
    assert Reading("a.cfg", 0).first() == b"\0\1a.cfg\0octet\0"


def test_a_server_without_options_is_read_in_blocks_of_512():
    reading = Reading("a")
    reading.first()
    assert reading.answer(data(1, b"x" * 512)) == ack(1)
    assert reading.result is None
    assert reading.answer(data(2, b"y")) == ack(2)
    assert reading.result == Fetched(200, b"x" * 512 + b"y")


def test_granted_options_are_acknowledged_and_used():
    reading = Reading("a")
    reading.first()
    assert reading.answer(oack(b"BLKSIZE", b"8", b"tsize", b"9")) == ack(0)
    assert reading.answer(data(1, b"12345678")) == ack(1)
    assert reading.answer(data(2, b"9")) == ack(2)
    assert reading.result == Fetched(200, b"123456789")


def test_a_file_of_whole_blocks_ends_with_an_empty_one():
    reading = Reading("a", 0)
    reading.first()
    reading.answer(data(1, b"x" * 512))
    assert reading.answer(data(2, b"")) == ack(2)
    assert reading.result == Fetched(200, b"x" * 512)


def test_an_option_not_asked_for_ends_the_transfer():
    reading = Reading("a")
    reading.first()
    assert reading.answer(oack(b"windowsize", b"8"))[:4] == struct.pack("!HH", 5, 8)
    assert reading.result == Fetched(400)


def test_a_block_again_gets_its_acknowledgement_again_and_a_strange_one_nothing():
    reading = Reading("a", 0)
    reading.first()
    reading.answer(data(1, b"x" * 512))
    assert reading.answer(data(1, b"x" * 512)) == ack(1)
    assert reading.answer(data(7, b"x" * 512)) is None
    assert reading.answer(b"\0") is None
    assert reading.answer(b"\0\x09ab") is None


@pytest.mark.parametrize(("error", "status"), [(1, 404), (2, 403), (0, 500), (99, 500)])
def test_an_error_is_told_as_a_status(error, status):
    reading = Reading("a")
    reading.first()
    assert reading.answer(struct.pack("!HH", 5, error) + b"no\0") is None
    assert reading.result == Fetched(status)


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_no_packets_make_it_raise(packets):
    reading = Reading("a")
    reading.first()
    for packet in packets:
        reading.answer(packet)


class OneShelf(asyncio.DatagramProtocol):
    """The least a server can be: one file, and it loses its first answer."""

    def __init__(self) -> None:
        self.requests = 0

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, packet, address):
        if packet[1] == 1:
            self.requests += 1
            if self.requests > 1:
                self.transport.sendto(data(1, b"hello"), address)


async def test_a_lost_request_is_sent_again():
    loop = asyncio.get_running_loop()
    transport, shelf = await loop.create_datagram_endpoint(OneShelf, local_addr=("127.0.0.1", 0))
    host, port = transport.get_extra_info("sockname")
    assert await tftp_client.read(host, port, "a", retry_s=0.05) == Fetched(200, b"hello")
    assert shelf.requests == 2
    transport.close()


async def test_nobody_there_is_told_as_no_answer():
    free = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    assert await tftp_client.read("127.0.0.1", port, "a", retry_s=0.02) == Fetched(0)
