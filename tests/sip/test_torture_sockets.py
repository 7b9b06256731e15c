"""The torture messages, octet by octet over real sockets, against a whole switch: UDP, and TCP as it frames.

After each an OPTIONS is answered: over the same connection where its end could be told, else over a new one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from lab.cores import SwitchCore
from lab.floor import real_token
from lab.seeds.load import load_seed
from lab.shell import RealClock, Shell, shell_on_both
from pbx.bus import Bus
from pbx.events import ServerFault, Stamped
from pbx.media.virtual import VirtualEngine
from pbx.sip.address import Peer
from pbx.sip.transport import UdpTransport
from pbx.store.memory import MemoryStore
from pbx.switch.switch import Switch
from tests.sip.test_torture import ALL, REFUSED, SILENCE

pytestmark = pytest.mark.realtime

DIRECTORY = load_seed().directory
UNFRAMED = {"ncl", "mcl01", "clerr", "scalar02", "ipv6-in-sdp", "baddn", "test", "inv2543"}
"""Over a stream nobody can tell where these end, or they want more octets than there are."""
OVER_TCP = {"clerr": set(), "ipv6-in-sdp": set(), "baddn": set(), "dblreq": {407}, "mcl01": {400}}
"""What a stream makes different: it waits for the rest, and what follows a message is the next one."""
SWITCH_SAYS = {"OPTIONS": 200, "INVITE": 407, "REGISTER": 407, "MESSAGE": 407}


def owed(name: str, *, stream: bool) -> set[int]:
    if stream and name in OVER_TCP:
        return OVER_TCP[name]
    if name in REFUSED:
        return {REFUSED[name]} - {SILENCE}
    method = ALL[name].partition(b" ")[0].decode()
    return set() if method == "SIP/2.0" else {SWITCH_SAYS.get(method, 501)}


def options(number: int, transport: str) -> bytes:
    return (
        f"OPTIONS sip:acme.lab SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1:9;branch=z9hG4bKalive{number};rport\r\n"
        f"From: <sip:t@acme.lab>;tag=t{number}\r\nTo: <sip:acme.lab>\r\nCall-ID: alive-{number}\r\n"
        "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def statuses(answers: list[bytes]) -> set[int]:
    """Final answers to the message itself: an INVITE's are repeated, its 100 says nothing."""
    return {int(answer[8:11]) for answer in answers if b"alive-" not in answer} - {100}


class Ear:
    """Hears everything that comes back over UDP."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()

    def received(self, data: bytes, source: Peer) -> None:
        self.heard.put_nowait(data)

    def all_received(self) -> None:
        pass

    def disconnected(self, peer: Peer) -> None: ...

    def waited(self, seconds: float) -> None: ...

    def insecure(self, peer: Peer, error: Exception) -> None: ...


@pytest.fixture
async def switched() -> AsyncIterator[tuple[Shell, list[ServerFault]]]:
    clock, bus, faults = RealClock(), Bus(), []
    shell = await shell_on_both(clock, "127.0.0.1")

    def note(stamped: Stamped) -> None:
        faults.append(stamped.event)

    bus.subscribe(note, [ServerFault])
    switch = Switch(
        DIRECTORY,
        {"udp": shell.udp, "tcp": shell.udp},
        engine=VirtualEngine("127.0.0.1", lambda *_: None, lambda name: 1.0),
        bus=bus,
        token=real_token,
        history=MemoryStore(),
        now=clock.now(),
    )
    shell.start(SwitchCore(switch, lambda mono: clock.now()))
    yield shell, faults
    await shell.close()


@pytest.mark.parametrize("name", ALL)
async def test_over_udp_each_gets_what_it_is_owed_and_an_options_after_it_is_answered(switched, name):
    shell, faults = switched
    ear = Ear()
    phone = UdpTransport(ear, "127.0.0.1")
    phone.start()
    to = Peer("udp", *shell.udp)
    phone.send(ALL[name], to)
    phone.send(options(1, "UDP"), to)
    answers: list[bytes] = []
    async with asyncio.timeout(10):
        while not answers or b"alive-1\r\n" not in answers[-1]:
            answers.append(await ear.heard.get())
    phone.close()
    assert statuses(answers) == owed(name, stream=False)
    assert faults == []


@pytest.mark.parametrize("name", ALL)
async def test_over_tcp_each_gets_what_it_is_owed_and_an_options_after_it_is_answered(switched, name):
    shell, faults = switched
    reader, writer = await asyncio.open_connection(*shell.udp)
    writer.write(ALL[name])
    if name not in UNFRAMED:
        writer.write(options(1, "TCP"))
    writer.write_eof()
    async with asyncio.timeout(10):
        came = await reader.read()
    writer.close()
    answers = [b"SIP/2.0 " + rest for rest in re.split(rb"(?m)^SIP/2\.0 (?=\d{3} )", came)[1:]]
    assert statuses(answers) == owed(name, stream=True)
    if name not in UNFRAMED | {"mcl01"}:
        assert any(b"alive-1\r\n" in answer for answer in answers) or name == "dblreq"
    reader, writer = await asyncio.open_connection(*shell.udp)
    writer.write(options(2, "TCP"))
    async with asyncio.timeout(10):
        assert (await reader.readline()).startswith(b"SIP/2.0 200")
    writer.close()
    assert faults == []
