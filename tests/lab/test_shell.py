from __future__ import annotations

import asyncio
import socket

import pytest

from lab.carrier import Carrier
from lab.clockwork import seeded_token
from lab.shell import RealClock, Shell, shell_on_both
from lab.supervisor import Supervisor
from pbx.media.virtual import VirtualEngine
from pbx.sip.address import Peer
from pbx.sip.stack import Stack

pytestmark = pytest.mark.realtime

OPTIONS = (
    "OPTIONS sip:{host}:{port} SIP/2.0\r\nVia: SIP/2.0/{transport} {via};branch=z9hG4bK1;rport\r\nMax-Forwards: 70\r\n"
    "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: {transport}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


def carrier(address: tuple[str, int], switch: Peer) -> Carrier:
    token = seeded_token(1, "carrier")
    engine = VirtualEngine(address[0], lambda *_: None, lambda name: 1.0)
    stack = Stack({"udp": address, "tcp": address}, token=token, user_agent="carrier")
    return Carrier(stack, engine, token=token, switch=switch, domain="x.lab")


async def test_a_core_is_reached_by_udp_and_by_tcp_at_one_port():
    shell = await shell_on_both(RealClock(), "127.0.0.1")
    host, port = shell.udp
    shell.start(carrier(shell.udp, Peer("udp", host, 9)))
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.setblocking(False)
    client.bind(("127.0.0.1", 0))
    via = f"127.0.0.1:{client.getsockname()[1]}"
    loop = asyncio.get_running_loop()
    await loop.sock_sendto(client, OPTIONS.format(host=host, port=port, transport="UDP", via=via).encode(), shell.udp)
    async with asyncio.timeout(2):
        answer = await loop.sock_recv(client, 4096)
    assert answer.startswith(b"SIP/2.0 200 OK")
    client.close()
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(OPTIONS.format(host=host, port=port, transport="TCP", via="127.0.0.1:1").encode())
    async with asyncio.timeout(2):
        assert (await reader.readline()).startswith(b"SIP/2.0 200 OK")
    writer.close()
    await writer.wait_closed()
    await shell.close()


async def test_timers_fire_without_any_input():
    shell = Shell(RealClock(), "127.0.0.1")
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.setblocking(False)
    silent.bind(("127.0.0.1", 0))
    made = carrier(shell.udp, Peer("udp", *silent.getsockname()))
    shell.start(made)
    made.act(lambda: made.line("14165550148").dial("101", RealClock().mono()), RealClock().mono())
    shell.settle()
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(2):
        first = await loop.sock_recv(silent, 4096)
    async with asyncio.timeout(2):
        again = await loop.sock_recv(silent, 4096)
    assert first == again
    assert first.startswith(b"INVITE sip:101@x.lab")
    await shell.close()
    silent.close()


async def test_a_taken_port_is_an_error_and_a_free_one_is_found():
    taken = await shell_on_both(RealClock(), "127.0.0.1")
    with pytest.raises(OSError):
        await shell_on_both(RealClock(), *taken.udp)
    other = await shell_on_both(RealClock(), "127.0.0.1")
    assert other.udp != taken.udp
    await taken.close()
    await other.close()


async def test_a_closed_shell_takes_nothing_more():
    shell = Shell(RealClock(), "127.0.0.1")
    shell.start(carrier(shell.udp, Peer("udp", "127.0.0.1", 9)))
    await shell.close()
    shell.received(b"OPTIONS", Peer("udp", "127.0.0.1", 9))
    shell.all_received()
    shell.disconnected(Peer("udp", "127.0.0.1", 9))
    shell.woken()
    shell.settle()


async def test_a_supervisor_tells_of_faults_and_ends_what_runs():
    faults: list[tuple[str, str]] = []
    supervisor = Supervisor(lambda name, fault: faults.append((name, str(fault))))
    ended = asyncio.Event()

    async def falls() -> None:
        raise ValueError("broken")

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    supervisor.start("falls", falls())
    supervisor.start("waits", waits())
    async with asyncio.timeout(2):
        while not faults:
            await asyncio.to_thread(lambda: None)
    assert faults == [("falls", "broken")]
    assert len(supervisor) == 1
    await supervisor.close()
    assert ended.is_set()
    late = falls()
    supervisor.start("late", late)
    assert len(supervisor) == 0
