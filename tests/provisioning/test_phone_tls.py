"""Provisioning over TLS: the oldest version each family may use, and the door for phones with their own certificate."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientConnectorError, ClientOSError, ClientSession, ServerDisconnectedError, TCPConnector

from lab.certificates import Certificates, explained
from lab.phone_tls import PhoneTls
from lab.shell import RealClock
from pbx.clock import Moment
from pbx.events import TlsRefused
from pbx.sip.address import Peer
from provisioning_server.app import ProvisioningService
from provisioning_server.ledger import Ledger
from tests.conftest import need
from tests.provisioning.provisioned import (
    AT,
    FAMILIES,
    OWN_FILE,
    POLY,
    WRONG,
    YEALINK,
    Counter,
    first,
    reason,
    served,
    small_domain,
    with_device,
)  # fmt: skip

NOW = datetime(2026, 11, 24, tzinfo=UTC)
TODAY = RealClock().now().wall
"""For certificates that curl is to take."""
SPA_DOMAIN = with_device(small_domain(), "101", family="cisco/spa", model="SPA504G")


# --- what a certificate opens ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [YEALINK, YEALINK.upper(), "80:5E:C0:00:01:01"])
def test_a_certificate_with_the_phones_mac_opens_its_files_without_a_token(name):
    desk = Counter(with_device(small_domain(), "101", settings={"provisioning.open": False}))
    answer = desk.ask(OWN_FILE[YEALINK], certificate=name)
    assert "opened by the phone's certificate" in served(answer).reason


@pytest.mark.parametrize(
    ("mac", "certificate", "why"),
    [
        (YEALINK, POLY, f"the certificate is that of {POLY}"),
        (YEALINK, "phone.example", "the certificate is that of phone.example"),
        ("805ec0ffffff", "805ec0ffffff", "unknown MAC"),
    ],
)
def test_it_opens_nobody_elses(mac, certificate, why):
    desk = Counter(window=True)
    answer = desk.ask(f"{mac}.cfg", first(YEALINK), certificate=certificate)
    assert (answer.status, answer.body) == (404, b"404 Not Found\n")
    assert reason(answer) == why


def test_a_phone_that_shows_its_certificate_boots_even_where_others_are_banned():
    desk = Counter()
    for number in range(desk.office.bans.limit):
        desk.ask(f"805ec0aaaa{number:02x}.cfg", WRONG)
    assert desk.ask(OWN_FILE[YEALINK]).status == 404
    assert desk.ask(OWN_FILE[YEALINK], certificate=YEALINK).status == 200


# --- versions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "status"), [("TLSv1.1", 404), ("TLSv1.2", 200), ("TLSv1.3", 200), ("", 200)])
def test_a_family_is_served_from_its_oldest_tls_on(version, status):
    assert Counter().ask(OWN_FILE[YEALINK], first(YEALINK), tls=version).status == status


def test_phones_that_know_no_better_lower_it_for_themselves_alone():
    desk = Counter(SPA_DOMAIN)
    assert desk.ask(f"spa{YEALINK}.cfg", first(YEALINK), tls="TLSv1.0").status == 200
    answer = desk.ask(OWN_FILE[POLY], first(POLY), tls="TLSv1.0")
    assert reason(answer) == "TLSv1.0 is too old for poly/vvx"


# --- over sockets ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("tls") / "tls", ["127.0.0.1"], TODAY)


class Doors:
    def __init__(self, certificates: Certificates, domain=None) -> None:
        self.domain = domain or small_domain()
        self.tls = PhoneTls(certificates)
        self.service = ProvisioningService(
            FAMILIES, lambda: self.domain, at=AT, ledger=Ledger(b"doors"), publish=lambda event: None,
            now=lambda: Moment(0.0, NOW), insecure=self._insecure,
        )  # fmt: skip
        self.told: asyncio.Queue[TlsRefused] = asyncio.Queue()

    def _insecure(self, peer: tuple[str, int], error: Exception) -> None:
        self.told.put_nowait(explained(Peer("https", *peer), error, "http://lab/ca.pem"))

    async def __aenter__(self) -> Doors:
        self.tls.allow(self.service.oldest_tls)
        await self.service.start("127.0.0.1", 0, 0)
        self.for_all = self.service.listen_tls("127.0.0.1", 0, self.tls.for_all)
        self.certified = self.service.listen_tls("127.0.0.1", 0, self.tls.with_certificate)
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.service.close()


def trusting(certificates: Certificates) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificates.ca_file))


async def fetched(port: int, name: str, context: ssl.SSLContext) -> int:
    async with ClientSession(connector=TCPConnector(ssl=context)) as session:
        async with session.get(f"https://127.0.0.1:{port}/p/{name}") as answer:
            return answer.status


@pytest.mark.realtime
async def test_a_file_comes_over_tls_by_its_token(certificates):
    async with Doors(certificates) as doors:
        assert await fetched(doors.for_all, f"{first(YEALINK)}/{YEALINK}.cfg", trusting(certificates)) == 200
        assert await fetched(doors.for_all, f"{YEALINK}.cfg", trusting(certificates)) == 404


@pytest.mark.realtime
async def test_a_phone_of_tls_1_0_is_let_in_only_where_the_domain_has_such_phones(certificates):
    old = trusting(certificates)
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1
    async with Doors(certificates) as doors:
        with pytest.raises((ClientConnectorError, ClientOSError)):
            await fetched(doors.for_all, f"{first(YEALINK)}/{YEALINK}.cfg", old)
    async with Doors(certificates, SPA_DOMAIN) as doors:
        assert await fetched(doors.for_all, f"{first(YEALINK)}/spa{YEALINK}.cfg", old) == 200
        assert await fetched(doors.for_all, f"{first(POLY)}/{OWN_FILE[POLY]}", old) == 404


async def _in_plain_words(doors: Doors) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", doors.for_all)
    writer.write(b"GET /p/x HTTP/1.1\r\n\r\n")
    writer.close()


async def _trusting_nobody(doors: Doors) -> None:
    with pytest.raises(ClientConnectorError):
        await fetched(doors.for_all, "x", ssl.create_default_context())


async def _by_an_old_version(doors: Doors) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ClientConnectorError, ClientOSError)):
        await fetched(doors.for_all, "x", old)


async def _without_a_certificate(doors: Doors) -> None:
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with pytest.raises((ClientConnectorError, ClientOSError, ServerDisconnectedError)):
        await fetched(doors.certified, "x", anybody)


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("come", "happened", "why"),
    [
        (_in_plain_words, "no TLS connection with 127.0.0.1", "it does not speak TLS"),
        (_trusting_nobody, "127.0.0.1 left in the middle of the handshake", "it did not say why"),
        (_by_an_old_version, "no TLS connection with 127.0.0.1", "unsupported protocol"),
        (_without_a_certificate, "127.0.0.1 shows no certificate", "peer did not return a certificate"),
    ],
)
async def test_why_a_phone_was_not_let_in_is_told_and_others_are_served(certificates, come, happened, why):
    async with Doors(certificates) as doors:
        await come(doors)
        async with asyncio.timeout(20):
            told = await doors.told.get()
        assert (told.address.partition(":")[0], told.happened, told.why) == ("https", happened, why)
        assert told.remedy
        assert await fetched(doors.for_all, f"{first(YEALINK)}/{YEALINK}.cfg", trusting(certificates)) == 200


@pytest.mark.realtime
async def test_who_says_nothing_holds_up_nobody_and_is_sent_away_when_the_door_closes(certificates):
    async with Doors(certificates) as doors:
        silent, _ = await asyncio.open_connection("127.0.0.1", doors.for_all)
        assert await fetched(doors.for_all, f"{first(YEALINK)}/{YEALINK}.cfg", trusting(certificates)) == 200
    async with asyncio.timeout(20):
        assert await silent.read() == b""


@pytest.mark.interop
async def test_curl_with_the_right_certificate_gets_the_file_with_the_wrong_or_none_it_does_not(certificates, tmp_path):
    curl = need("curl")
    for mac in (YEALINK, POLY):
        (tmp_path / f"{mac}.pem").write_bytes(certificates.phone_certificate(mac, TODAY))
    other = Certificates(tmp_path / "another" / "tls", ["elsewhere.lab"], TODAY)
    (tmp_path / "stranger.pem").write_bytes(other.phone_certificate(YEALINK, TODAY))

    async def asked(*options: str) -> tuple[int, str]:
        url = f"https://127.0.0.1:{doors.certified}/p/{YEALINK}.cfg"
        command = [curl, "-s", "-m", "20", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", certificates.ca_file]
        process = await asyncio.create_subprocess_exec(*command, *options, url, stdout=asyncio.subprocess.PIPE)
        told, _ = await process.communicate()
        return process.returncode or 0, told.decode()

    async with Doors(certificates) as doors:
        assert await asked("--cert", f"{tmp_path}/{YEALINK}.pem") == (0, "200")
        assert await asked("--cert", f"{tmp_path}/{POLY}.pem") == (0, "404")
        for options in ((), ("--cert", f"{tmp_path}/stranger.pem")):
            code, status = await asked(*options)
            assert (code != 0, status) == (True, "000")


# --- what the operator is told -----------------------------------------------------------------------------


def test_a_makers_authority_that_is_none_is_told_and_the_others_are_trusted(certificates, tmp_path):
    shutil.copytree(certificates.folder, tmp_path / "tls")
    folder = tmp_path / "tls" / "phones"
    folder.mkdir()
    (folder / "yealink.pem").write_text("no certificate")
    shutil.copy(certificates.ca_file, folder / "zzz.pem")
    (told,) = PhoneTls(Certificates(tmp_path / "tls", ["127.0.0.1"], TODAY)).problems
    assert "phones/yealink.pem holds no certificate of an authority" in told


def test_certificates_that_end_within_a_month_are_told_soonest_first(certificates):
    assert certificates.ending(TODAY) == []
    (soon,) = certificates.ending(TODAY + timedelta(days=380))
    assert (soon.path.endswith("server.pem"), soon.days_left) == (True, 16)
    late = certificates.ending(TODAY + timedelta(days=3640))
    assert [one.path.rpartition("/")[2] for one in late] == ["server.pem", "ca.pem"]
    assert late[0].days_left < 0 <= late[1].days_left


def test_a_renewed_certificate_is_shown_from_then_on(certificates, tmp_path):
    shutil.copytree(certificates.folder, tmp_path / "tls")
    mine = Certificates(tmp_path / "tls", ["127.0.0.1"], TODAY)
    doors = PhoneTls(mine)
    mine.reload(TODAY + timedelta(days=380))
    doors.refresh()
    assert mine.ending(TODAY + timedelta(days=380)) == []
