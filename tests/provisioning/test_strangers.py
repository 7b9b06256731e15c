"""Strangers learn nothing: a refusal has the same status, body, length and time for what is known and what is not."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable, Sequence
from statistics import median

import pytest
from aiohttp import ClientSession, web

from pbx.events import AddressBanned, ServerFault
from provisioning_server.bans import FIRST_S
from provisioning_server.http import REFUSED_AFTER_S, make_server
from provisioning_server.respond import NOT_FOUND, Answer, ConfigRequest, respond
from provisioning_server.tftp import error
from provisioning_server.tftp_server import TftpServer
from tests.provisioning.provisioned import JSON, OWN_FILE, POLY, WRONG, YEALINK, Counter, reason, small_domain

ELSEWHERE = "198.51.100.7"


def walked(desk: Counter, requests: int, a_second: int = 200) -> list[Answer]:
    """Ask for one name after another of Yealink's prefix, the known phone among them."""
    answers = []
    for number in range(requests):
        answers.append(desk.ask(f"805ec0{number + 0x50:06x}.cfg"))
        desk.passes(1 / a_second)
    return answers


def seen(answer: Answer) -> tuple[object, ...]:
    return answer.status, answer.body, answer.content_type, answer.etag, answer.last_modified


# --- the walk --------------------------------------------------------------------------------------------


def test_a_walk_over_a_vendors_prefix_learns_nothing_and_is_banned():
    desk = Counter()
    answers = walked(desk, 2000)
    assert f"{YEALINK}.cfg" in {answer.events[0].path for answer in answers}
    assert len({seen(answer) for answer in answers}) == 1
    bans = [event for answer in answers for event in answer.events if isinstance(event, AddressBanned)]
    assert [(ban.place, ban.for_s) for ban in bans] == [("192.0.2.50", 60)]


def test_phones_elsewhere_are_served_meanwhile_and_those_with_a_token_even_there():
    desk = Counter(small_domain(settings={"user:109": {"provisioning.open": True}}))
    walked(desk, 50)
    assert desk.own(YEALINK).status == 200
    assert desk.own(POLY, desk.steady(POLY)).status == 200
    assert reason(desk.own(JSON, "")).startswith("this address is banned")
    assert desk.ask(OWN_FILE[JSON], host=ELSEWHERE).status == 200


def test_a_ban_is_the_same_over_tftp_and_takes_common_files_too():
    desk = Counter(window=True)
    walked(desk, 600)
    for protocol in ("tftp", "http"):
        answer = desk.ask("y000000000066.cfg", protocol=protocol)
        assert seen(answer) == seen(desk.ask("no.such.file"))
        assert reason(answer).startswith("this address is banned")
    desk.passes(FIRST_S)
    assert desk.ask("y000000000066.cfg", protocol="tftp").status == 200


def test_a_ban_does_not_tell_known_names_from_unknown_ones():
    # if only unknown names counted, who is one guess short of a ban could ask
    known, unknown = Counter(), Counter()
    for desk in (known, unknown):
        for number in range(desk.office.bans.limit - 1):
            desk.ask(f"805ec0ffff{number:02x}.cfg")
    known.ask(OWN_FILE[YEALINK])
    unknown.ask("805ec0eeeeee.cfg")
    assert known.ask("site.cfg").status == unknown.ask("site.cfg").status == 404


def test_a_phone_that_was_locked_out_may_ask_all_day():
    desk = Counter()
    for _ in range(200):
        desk.own(YEALINK, WRONG)
    assert desk.ask("site.cfg").status == 200


def test_the_networks_of_a_site_are_never_banned():
    trusted = {"site:Toronto": {"provisioning.trusted_networks": "192.0.2.0/24"}}
    desk = Counter(small_domain(settings=trusted), window=True)
    assert not [e for answer in walked(desk, 300) for e in answer.events if isinstance(e, AddressBanned)]
    assert desk.own(POLY, "").status == 200


def test_a_network_that_is_none_is_told_with_the_first_ban_and_harms_nobody():
    trusted = {"domain": {"provisioning.trusted_networks": "192.0.2.0/24 10.0.0.0/33"}}
    desk = Counter(small_domain(settings=trusted))
    answers = [desk.ask(f"805ec0aaaa{n:02x}.cfg", host=ELSEWHERE) for n in range(25)]
    (fault,) = [event for answer in answers for event in answer.events if isinstance(event, ServerFault)]
    assert fault.message == "provisioning.trusted_networks names what is no network: 10.0.0.0/33"


# --- time ------------------------------------------------------------------------------------------------


def separation(one: Sequence[float], other: Sequence[float]) -> float:
    """Mann-Whitney: standard deviations by which the samples' ranks differ. Needs no assumption about the load: who is
    asked when is drawn by lot."""
    ranks: dict[float, list[int]] = {}
    for rank, value in enumerate(sorted([*one, *other]), start=1):
        ranks.setdefault(value, []).append(rank)
    of = {value: sum(places) / len(places) for value, places in ranks.items()}
    n, m = len(one), len(other)
    u = sum(of[value] for value in one) - n * (n + 1) / 2
    return (u - n * m / 2) / (n * m * (n + m + 1) / 12) ** 0.5


PROBES = 2000
AT_ONCE = 50
CANNOT_TELL = 5.0
"""By chance once in two million runs."""


Ask = Callable[[str], Awaitable[None]]


async def probed(askers: Sequence[Ask]) -> tuple[list[float], list[float]]:
    """Ask for known and unknown names in an order drawn by lot; return the times of both."""
    names = [YEALINK] * (PROBES // 2) + [f"805ec0{n:06x}" for n in range(0xE00000, 0xE00000 + PROBES // 2)]
    random.Random(7).shuffle(names)
    taken: dict[bool, list[float]] = {True: [], False: []}
    loop = asyncio.get_running_loop()

    async def some(ask: Ask, mine: list[str]) -> None:
        for mac in mine:
            begun = loop.time()
            await ask(f"{mac}.cfg")
            taken[mac == YEALINK].append(loop.time() - begun)

    async with asyncio.timeout(60):
        await asyncio.gather(*(some(ask, names[n :: len(askers)]) for n, ask in enumerate(askers)))
    return taken[True], taken[False]


def assert_nobody_can_tell(known: list[float], unknown: list[float]) -> None:
    assert len(known) + len(unknown) == PROBES
    assert abs(separation(known, unknown)) < CANNOT_TELL
    # the test sees what there is to see: a spread more for half of them
    spread = median(abs(t - median(known)) for t in known)
    assert separation([t + spread for t in known], known) > CANNOT_TELL


@pytest.fixture
def patient() -> Counter:
    """A desk that bans nobody, so that every probe is judged by itself."""
    return Counter(small_domain(settings={"domain": {"provisioning.trusted_networks": "127.0.0.0/8"}}))


def answered(desk: Counter, protocol: str, path: str, address: str) -> Answer:
    return respond(ConfigRequest(protocol, path, address), desk.office, desk.directory, desk.now)


@pytest.mark.realtime
async def test_2000_probes_over_http_cannot_tell_known_from_unknown(patient):
    runner = web.ServerRunner(make_server(lambda r: answered(patient, "http", r.path, r.address)))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    wires = [await asyncio.open_connection(*runner.addresses[0][:2]) for _ in range(AT_ONCE)]

    def asker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Ask:
        async def ask(name: str) -> None:
            writer.write(f"GET /p/{WRONG}/{name} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 404")
            assert await reader.readexactly(len(NOT_FOUND)) == NOT_FOUND

        return ask

    try:
        assert_nobody_can_tell(*await probed([asker(*wire) for wire in wires]))
    finally:
        for _, writer in wires:
            writer.close()
        await runner.cleanup()


@pytest.mark.realtime
async def test_2000_probes_over_tftp_cannot_either(patient):
    def fetch(name: str, address: str) -> bytes | None:
        answer = answered(patient, "tftp", name, address)
        return answer.body if answer.status == 200 else None

    server = TftpServer(fetch, "127.0.0.1", 0)
    server.start()
    loop = asyncio.get_running_loop()
    wires = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) for _ in range(AT_ONCE)]

    def asker(wire: socket.socket) -> Ask:
        wire.connect(server.address)

        async def ask(name: str) -> None:
            wire.send(b"\0\1" + name.encode() + b"\0octet\0")
            assert await loop.sock_recv(wire, 512) == error(1, "File not found")

        return ask

    try:
        assert_nobody_can_tell(*await probed([asker(wire) for wire in wires]))
    finally:
        for wire in wires:
            wire.close()
        server.close()


@pytest.mark.realtime
async def test_a_refusal_takes_its_time_and_a_file_does_not(patient):
    runner = web.ServerRunner(make_server(lambda r: answered(patient, "http", r.path, r.address)))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    loop = asyncio.get_running_loop()
    try:
        async with ClientSession() as session:
            begun = loop.time()
            refused = await session.get(f"http://{host}:{port}/p/nothing")
            assert refused.status == 404
            assert loop.time() - begun >= REFUSED_AFTER_S * 0.9
            best = []
            for _ in range(20):
                begun = loop.time()
                assert (await session.get(f"http://{host}:{port}/p/site.cfg")).status == 200
                best.append(loop.time() - begun)
            assert min(best) < REFUSED_AFTER_S
    finally:
        await runner.cleanup()
