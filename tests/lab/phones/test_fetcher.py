"""Boots over real HTTP and TFTP sockets, against the provisioning server itself."""

from __future__ import annotations

import asyncio
import re
import socket

import pytest

from lab.inventory import Station, dhcp_answer, stations
from lab.phones.boot import Boot, BootPace
from lab.phones.family import Fetch, Fetched
from lab.phones.fetcher import Fetcher
from lab.phones.flashing import Flashing
from lab.provisioner import discovery_url
from lab.seeds.load import load_seed
from lab.shell import RealClock
from pbx.domain.directory import Directory
from pbx.events import ConfigRefused, ConfigServed, Event
from provisioning_server.app import ProvisioningService
from provisioning_server.families import shipped_families
from provisioning_server.ledger import Ledger
from provisioning_server.overlay import ServedAt
from tests.lab.every_family import every_family

pytestmark = pytest.mark.realtime

SEED = load_seed()
STATIONS = stations(SEED.directory, tftp=SEED.lab.tftp)


class Server:
    def __init__(self, directory: Directory = SEED.directory) -> None:
        self.events: list[Event] = []
        self.service = ProvisioningService(
            shipped_families(),
            lambda: directory,
            at=ServedAt("127.0.0.1", 5060, "http://127.0.0.1:1/p"),
            ledger=Ledger(b"secret", lan_window=True),
            publish=self.events.append,
            now=RealClock().now,
        )
        self.tftp_url = ""

    async def start(self) -> None:
        (host, port), tftp = await self.service.start("127.0.0.1", 0, 0)
        self.service.moved(ServedAt("127.0.0.1", 5060, f"http://{host}:{port}/p"))
        self.tftp_url = f"tftp://{tftp[0]}:{tftp[1]}/"


@pytest.fixture
async def server():
    made = Server()
    await made.start()
    yield made
    await made.service.close()


@pytest.fixture
async def fetcher():
    made = Fetcher()
    yield made
    await made.close()


async def booted(station: Station, url: str, fetcher: Fetcher) -> Boot:
    boot = Boot(station.family, station.box(typed_url=url), dhcp_answer(station, url), BootPace(), 0.0)
    boot.reload(0.0)
    while (taken := boot.take_fetch()) is not None:
        number, wanted = taken
        boot.fetched(number, await fetcher.fetch(wanted), 0.0)
    return boot


@pytest.mark.parametrize("station", STATIONS, ids=lambda station: f"{station.device} {station.family.name}")
async def test_every_family_boots_over_real_sockets(server, fetcher, station):
    url = discovery_url(server.service.office, SEED.directory, station, server.tftp_url)
    boot = await booted(station, url, fetcher)
    assert boot.failure is None
    assert [account.auth_user for account in boot.config.accounts] == [item.device for item in station.extensions]
    sensitive = [event for event in server.events if isinstance(event, ConfigServed) and event.sensitive]
    assert {event.protocol for event in sensitive} == {station.told}
    assert {event.mac for event in sensitive} == {station.mac}


async def test_a_phone_of_every_family_boots_over_http_and_over_tftp(fetcher):
    everybody = every_family()
    server = Server(everybody)
    await server.start()
    try:
        for station in stations(everybody):
            own = discovery_url(server.service.office, everybody, station, server.tftp_url)
            for url in (own, server.tftp_url) if station.family.dhcp_options else (own,):
                boot = await booted(station, url, fetcher)
                assert boot.failure is None, f"{station.family.name} by {url}: {boot.failure}"
                assert [account.auth_user for account in boot.config.accounts] == [station.device]
                server.service.reopen(station.mac)
    finally:
        await server.service.close()


async def test_an_unknown_box_gets_nothing_and_says_so(server, fetcher):
    known = next(station for station in STATIONS if station.family.name == "yealink/t4x_t5x")
    stranger = Station(known.family, known.model, "805ec0ffffff", known.extensions, True)
    boot = await booted(stranger, server.tftp_url, fetcher)
    assert boot.failure.words == "Config 404"
    assert [event for event in server.events if isinstance(event, ConfigRefused)]


async def test_what_cannot_be_reached_is_no_answer(fetcher):
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    assert await fetcher.fetch(Fetch(f"http://127.0.0.1:{port}/x", "a")) == Fetched(0)
    assert await fetcher.fetch(Fetch("ftp://127.0.0.1/x", "a")) == Fetched(0)


async def test_an_image_whose_connection_breaks_off_is_fetched_on_from_there():
    image, asked = bytes(range(256)) * 40, list[str]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        begins = re.search(r"Range: bytes=(\d+)-", head)
        asked.append(begins[1] if begins else "")
        at = int(begins[1]) if begins else 0
        line = "206 Partial Content" if begins else "200 OK"
        writer.write(f'HTTP/1.1 {line}\r\nETag: "v1"\r\nContent-Length: {len(image) - at}\r\n\r\n'.encode())
        writer.write(image[at : at + 4000])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    fetcher = Fetcher()
    flashing = Flashing(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/p/t46s-66.86.0.15.rom", "Yealink")
    try:
        async with asyncio.timeout(30):
            while not flashing.over:
                flashing.take(await fetcher.fetch(flashing.fetch()))
    finally:
        await fetcher.close()
        server.close()
    assert (flashing.whole, bytes(flashing.image), flashing.version) == (True, image, "66.86.0.15")
    assert asked == ["", "4000", "8000"]


@pytest.mark.parametrize(
    ("answers", "image", "whole"),
    [
        ([Fetched(200, b"ab", etag="1", cut=True), Fetched(206, b"cd", etag="1")], b"abcd", True),
        ([Fetched(200, b"ab", etag="1", cut=True), Fetched(200, b"xyz", etag="2")], b"xyz", True),
        ([Fetched(200, b"ab", etag="1", cut=True), Fetched(206, b"cd", etag="2")], b"", False),
        ([Fetched(200, b"ab", etag="1", cut=True), Fetched(416), Fetched(200, b"x", etag="1")], b"x", True),
        ([Fetched(200, b"ab", etag="1", cut=True), *[Fetched(0)] * 5], b"ab", False),
    ],
)
def test_parts_of_one_image_make_a_whole_and_parts_of_two_do_not(answers, image, whole):
    flashing = Flashing("http://x/t46s-1.2.rom", "agent")
    for answer in answers:
        assert not flashing.over
        flashing.take(answer)
    assert (bytes(flashing.image), flashing.whole) == (image, whole)
    assert flashing.given_up is (answers[-1] == Fetched(0))
