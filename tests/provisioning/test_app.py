"""The service as the lab holds it: one `answer` behind HTTP and TFTP, and what it tells an operator."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import pytest

from pbx.events import ConfigRefused, ConfigServed, Event, InputIgnored, ServerFault
from provisioning_server.app import ProvisioningService
from provisioning_server.ledger import Ledger
from provisioning_server.overlay import ServedAt
from provisioning_server.respond import ConfigRequest
from tests.provisioning.provisioned import (
    AT,
    FAMILIES,
    OWN_FILE,
    POLY,
    YEALINK,
    Counter,
    first,
    small_domain,
    with_device,
)

pytestmark = pytest.mark.realtime
DESK = Counter()


class House:
    """A service on the loopback, with everything it published."""

    def __init__(self) -> None:
        self.domain = small_domain()
        self.events: list[Event] = []
        self.service = ProvisioningService(
            FAMILIES,
            lambda: self.domain,
            at=AT,
            ledger=Ledger(b"of this installation", lan_window=True),
            publish=self.events.append,
            now=lambda: DESK.now,
        )


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def listening(house):
    addresses = await house.service.start("127.0.0.1", 0, 0)
    yield addresses
    await house.service.close()


def asked_by_tftp(address: tuple[str, int], packet: bytes) -> socket.socket:
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.bind(("127.0.0.1", 0))
    wire.setblocking(False)
    wire.sendto(packet, address)
    return wire


async def reply(wire: socket.socket) -> bytes:
    async with asyncio.timeout(3):
        return await asyncio.get_running_loop().sock_recv(wire, 65535)


async def test_a_fault_of_ours_costs_one_answer_and_is_told(house, listening):
    http, tftp = listening
    known, house.domain = house.domain, None  # no directory at all: nothing a peer can do comes to that
    url = f"http://{http[0]}:{http[1]}/p/{first(YEALINK)}/{OWN_FILE[YEALINK]}"
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            assert (answer.status, await answer.read()) == (500, b"500 Internal Server Error\n")
        with asked_by_tftp(tftp, b"\0\1" + OWN_FILE[YEALINK].encode() + b"\0octet\0") as wire:
            assert (await reply(wire))[:4] == b"\0\5\0\1"
        faults = [event for event in house.events if isinstance(event, ServerFault)]
        assert [fault.where for fault in faults] == ["provisioning", "provisioning"]
        assert "http request of 127.0.0.1:" in faults[0].message
        assert first(YEALINK) not in faults[0].message
        house.domain = known
        async with session.get(url) as answer:
            assert answer.status == 200


async def test_both_protocols_serve_the_same_bytes_and_say_so(house, listening):
    http, tftp = listening
    async with aiohttp.ClientSession() as session:
        url = f"http://{http[0]}:{http[1]}/p/{first(YEALINK)}/{OWN_FILE[YEALINK]}"
        async with session.get(url, headers={"User-Agent": "Yealink SIP-T46S 66.86.0.15 80:5e:c0:00:01:01"}) as answer:
            body = await answer.read()
    name = OWN_FILE[YEALINK].encode()
    with asked_by_tftp(tftp, b"\0\1" + name + b"\0octet\0blksize\x0065000\0") as wire:
        assert (await reply(wire))[:2] == b"\0\6"
    with asked_by_tftp(tftp, b"\0\1" + name + b"\0octet\0") as wire:
        assert (await reply(wire))[4:] == body[:512]
    served = [event for event in house.events if isinstance(event, ConfigServed)]
    assert [event.protocol for event in served] == ["http", "tftp", "tftp"]
    assert len({event.sha256 for event in served}) == 1


async def test_refusals_and_rubbish_on_tftp_are_events(house, listening):
    _, tftp = listening
    with asked_by_tftp(tftp, b"\0\1$mac.cfg\0octet\0") as wire:
        assert await reply(wire) == b"\0\5\0\1File not found\0"
    with asked_by_tftp(tftp, b"\0\2x.cfg\0octet\0") as wire:
        assert (await reply(wire))[:4] == b"\0\5\0\2"
    refused = [event for event in house.events if isinstance(event, ConfigRefused)]
    ignored = [event for event in house.events if isinstance(event, InputIgnored)]
    assert [event.reason for event in refused] == ["the phone has not expanded a macro in the name"]
    assert [event.reason for event in ignored] == ["write request"]


@pytest.mark.parametrize("taken", [0, 1])
async def test_a_taken_port_leaves_nothing_listening(listening, taken):
    ports = [0, 0]
    ports[taken] = listening[taken][1]
    other = House().service
    with pytest.raises(OSError):
        await other.start("127.0.0.1", *ports)
    assert other._runner is None
    await other.close()


async def test_closing_twice_is_closing_once(house):
    await house.service.start("127.0.0.1", 0, 0)
    await house.service.close()
    await house.service.close()


def test_an_operator_is_told_urls_names_values_and_what_is_written_nowhere(house):
    service = house.service
    house.domain = with_device(house.domain, "102", settings={"time.zonee": "x"})
    device = house.domain.devices_by_id["102"]
    assert service.tftp_name(device) == OWN_FILE[POLY]
    assert service.config_url(device) == f"{AT.base_url}/{first(POLY)}/"
    assert [value.value for value in service.explain(device) if value.name == "lines.1.user"] == ["102"]
    assert service.unused(device) == ["time.zonee"]


def test_when_the_addresses_become_known_what_was_rendered_before_is_forgotten(house):
    ask = ConfigRequest("http", f"/p/{first(YEALINK)}/{OWN_FILE[YEALINK]}", "127.0.0.1:1")
    assert b"192.0.2.10" in house.service.answer(ask).body
    house.service.moved(ServedAt("198.51.100.7", 5070, "http://198.51.100.7:8080/p"))
    body = house.service.answer(ask).body
    assert b"192.0.2.10" not in body
    assert b"198.51.100.7" in body


def test_reopening_lets_a_device_in_again(house):
    steady = house.service.office.ledger.steady_token(YEALINK, first(YEALINK))
    by = {
        token: ConfigRequest("http", f"/p/{token}/{OWN_FILE[YEALINK]}", "127.0.0.1:1")
        for token in (first(YEALINK), steady)
    }
    assert house.service.answer(by[steady]).status == 200
    assert house.service.answer(by[first(YEALINK)]).status == 404
    house.service.reopen(YEALINK)
    assert house.service.answer(by[first(YEALINK)]).status == 200
