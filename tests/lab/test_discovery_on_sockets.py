"""Discovery on real sockets: phones of the lab that are told nothing boot by multicast and by a maker's service."""

from __future__ import annotations

import asyncio
import socket
import ssl

import aiohttp
import pytest
import pytest_asyncio

from lab.addresses import PortPlan
from lab.phone_tls import FactoryTls
from lab.phones.boot import BootPace
from lab.seeds.load import Seed
from lab.seeds.model import LabSeed
from lab.service import Lab, LabSettings
from pbx.domain.directory import Directory
from pbx.events import DiscoveryAnswered

pytestmark = [pytest.mark.realtime, pytest.mark.asyncio(loop_scope="module")]

KINDS = {"201": ("yealink/t4x_t5x", "T46S", "805ec0000201"), "202": ("poly/vvx", "VVX450", "64167f000202")}
OWN = {"203": ("poly/vvx", "VVX450", "64167f000203"), "204": ("snom/d", "D785", "000413000204")}


def town() -> Directory:
    kinds = KINDS | OWN
    users = [{"extension": number, "first_name": "Ana"} for number in kinds]
    devices = [
        {
            "id": number, "extension": number, "mac": mac, "family": family, "model": model,
            "password": f"secret-of-{number}", "token": f"{int(number):032x}",
        }
        for number, (family, model, mac) in kinds.items()
    ]  # fmt: skip
    return Directory.model_validate({"domain": {"name": "acme.lab"}, "users": users, "devices": devices})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab():
    seed = Seed(town(), LabSeed(untold=tuple(KINDS)))
    settings = LabSettings(ports=PortPlan(redirect=0, pnp=0), pyvoip=False, pace=BootPace(0.02, 0.02, 0.02, 4.0, 1.0))
    made = Lab(seed, settings)
    await made.start()
    try:
        yield made
    finally:
        await made.close()


async def test_phones_that_are_told_nothing_find_the_lab_and_register(lab) -> None:
    phones = [phone for phone in lab.phones if phone.extensions[0].device in KINDS]
    lab.power(True, phones)
    assert await lab.until(lambda: all(p.lines and all(ln.registered for ln in p.lines) for p in phones), 30)
    found = {e.event.device: e.event.how for e in lab.bus.since(0) if isinstance(e.event, DiscoveryAnswered)}
    assert found == {"201": "pnp", "202": "redirect"}


async def asked(lab, host: str, path: str, certificate: str = "") -> tuple[int, str]:
    at, trust = lab.listening, FactoryTls(lab._certificates, lab.now.wall)
    async with aiohttp.ClientSession() as session:
        url = f"https://{at.host}:{at.redirect_port}{path}"
        how = {"ssl": trust(certificate), "server_hostname": host, "headers": {"Host": host}}
        async with session.get(url, allow_redirects=False, **how) as answer:
            return answer.status, answer.headers.get("Location", "") or await answer.text()


async def test_a_maker_answers_by_its_own_name_and_certificate_and_only_the_box_itself(lab) -> None:
    status, text = await asked(lab, "ztp.polycom.com", "/64167f000203.cfg", "64167f000203")
    assert status == 200
    assert f'device.prov.serverName="{lab.listening.provisioning_url}/' in text
    refused = [
        await asked(lab, "ztp.polycom.com", "/64167f000203.cfg"),
        await asked(lab, "ztp.polycom.com", "/64167f000203.cfg", "64167f000202"),
        await asked(lab, "ztp.polycom.com", "/64167fffffff.cfg", "64167fffffff"),
        await asked(lab, "ztp.polycom.com", "/passwd"),
        await asked(lab, "rps.yealink.com", "/64167f000203.cfg", "64167f000203"),
    ]
    assert set(refused) == {(404, "404 Not Found\n")}


async def test_a_name_that_is_no_makers_is_not_in_the_certificate(lab) -> None:
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await asked(lab, "ztp.example.com", "/64167f000203.cfg")


def subscribe(mac: str, own: tuple[str, int], event: str = "ua-profile") -> bytes:
    return (
        f"SUBSCRIBE sip:MAC%3a{mac}@224.0.1.75 SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {own[0]}:{own[1]};branch=z9hG4bK-{mac}{event}\r\n"
        f"From: <sip:MAC%3a{mac}@224.0.1.75>;tag=a1\r\nTo: <sip:MAC%3a{mac}@224.0.1.75>\r\n"
        f"Call-ID: {mac}\r\nCSeq: 2 SUBSCRIBE\r\nContact: <sip:{own[0]}:{own[1]}>\r\n"
        f'Event: {event};profile-type="device";vendor="snom";model="snomD785";version="10.1.39.11"\r\n'
        "Expires: 0\r\nAccept: application/url\r\nContent-Length: 0\r\n\r\n"
    ).encode()


async def test_the_group_answers_a_known_box_and_nobody_else(lab) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.setblocking(False)
        phone.bind(("127.0.0.1", 0))
        phone.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        own, group = phone.getsockname(), ("224.0.1.75", lab.listening.pnp_port)
        for silent in (
            subscribe("000413ffffff", own), subscribe("000413000204", own, "presence"), b"\xff" * 40, b"",
            subscribe("000413000204", own).replace(b"SUBSCRIBE", b"INVITE"),
        ):  # fmt: skip
            phone.sendto(silent, group)
        phone.sendto(subscribe("000413000204", own), group)
        async with asyncio.timeout(10):
            accepted = await loop.sock_recv(phone, 4096)
            notify = await loop.sock_recv(phone, 4096)
    assert accepted.startswith(b"SIP/2.0 200 OK\r\n")
    head, _, body = notify.partition(b"\r\n\r\n")
    assert head.startswith(f"NOTIFY sip:127.0.0.1:{own[1]} SIP/2.0".encode())
    assert b"Subscription-State: terminated;reason=timeout" in head
    assert b"Content-Type: application/url" in head
    token = lab.directory.devices_by_id["204"].token.get_secret_value()
    assert body.decode().startswith(f"{lab.listening.provisioning_url}/{token}")


async def test_the_makers_certificates_are_trusted_by_the_labs_authority_alone(lab) -> None:
    at = lab.listening
    with pytest.raises(ssl.SSLError):
        await asyncio.get_running_loop().create_connection(
            asyncio.Protocol,
            at.host,
            at.redirect_port,
            ssl=ssl.create_default_context(),
            server_hostname="ztp.polycom.com",
        )
