"""The lab's authority and what its servers show, against real handshakes on loopback."""

from __future__ import annotations

import asyncio
import socket
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from lab.certificates import Certificates, explained
from lab.errors import UserError
from pbx.sip.address import Peer
from pbx.sip.streams import StreamTransport

NOW = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - OpenSSL looks at the real clock
NAMES = ["127.0.0.1", "acme.lab"]
MESSAGE = b"OPTIONS sip:x SIP/2.0\r\nVia: x\r\nContent-Length: 0\r\n\r\n"


class Inbox:
    def __init__(self) -> None:
        self.messages: asyncio.Queue[tuple[bytes, Peer]] = asyncio.Queue()
        self.gone: asyncio.Queue[Peer] = asyncio.Queue()
        self.refused: asyncio.Queue[tuple[Peer, Exception]] = asyncio.Queue()

    def received(self, data: bytes, source: Peer) -> None:
        self.messages.put_nowait((data, source))

    def all_received(self) -> None:
        pass

    def disconnected(self, peer: Peer) -> None:
        self.gone.put_nowait(peer)

    def waited(self, seconds: float) -> None: ...

    def insecure(self, peer: Peer, error: Exception) -> None:
        self.refused.put_nowait((peer, error))


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("made") / "tls", NAMES, NOW)


@pytest.fixture
async def served(made):
    box = Inbox()
    transport = StreamTransport(box, "127.0.0.1", 0, made.security)
    await transport.start()
    yield transport, box
    await transport.close()


async def within(awaitable):
    async with asyncio.timeout(10):
        return await awaitable


def shown_to(transport: StreamTransport, trusted: Path, name: str | None = None) -> asyncio.Future[bytes]:
    """Shake hands as a phone that trusts `trusted` and asks for `name`; return the certificate it was shown."""

    async def shake() -> bytes:
        context = ssl.create_default_context(cafile=str(trusted))
        _, writer = await asyncio.open_connection(
            *transport.address, ssl=context, server_hostname=name or transport.address[0]
        )
        certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return certificate

    return within(shake())


def other(folder: Path, name: str, *, days_ago: int = 0) -> Path:
    """A certificate of another authority, made `days_ago`; return its folder."""
    Certificates(folder, [name], NOW - timedelta(days=days_ago))
    return folder


def copied(source: Path, target: Path) -> None:
    for suffix in (".pem", ".key"):
        target.with_suffix(suffix).write_bytes(source.with_suffix(suffix).read_bytes())


def test_keys_are_for_their_owner_alone_and_what_is_there_is_used_again(tmp_path):
    first = Certificates(tmp_path / "tls", NAMES, NOW)
    for name in ("ca.key", "server.key"):
        assert stat.S_IMODE((tmp_path / "tls" / name).stat().st_mode) == 0o600
    kept = {path.name: path.read_bytes() for path in (tmp_path / "tls").iterdir()}
    again = Certificates(tmp_path / "tls", NAMES, NOW)
    assert again.used == first.used
    assert {path.name: path.read_bytes() for path in (tmp_path / "tls").iterdir()} == kept


def test_the_lab_renews_its_own_certificate_in_time_and_for_a_new_name(tmp_path):
    first = Certificates(tmp_path / "tls", NAMES, NOW)
    later = Certificates(tmp_path / "tls", NAMES, NOW + timedelta(days=380))
    assert later.used.expires_at > first.used.expires_at
    assert "new.lab" in Certificates(tmp_path / "tls", ["new.lab"], NOW + timedelta(days=380)).used.names


async def test_messages_cross_over_tls_and_come_back_over_the_same_connection(served, made):
    server, box = served
    phone = Inbox()
    client = StreamTransport(phone, "127.0.0.1", 0, made.security)
    to = Peer("tls", *server.address)
    client.send(MESSAGE, to)
    data, source = await within(box.messages.get())
    assert (data, source.transport) == (MESSAGE, "tls")
    server.send(MESSAGE, source)
    assert await within(phone.messages.get()) == (MESSAGE, to)
    await client.close()
    assert await within(box.gone.get()) == source


async def test_a_phone_that_does_not_trust_the_authority_is_told_of(served, tmp_path):
    server, box = served
    distrusting = ssl.create_default_context(cafile=str(other(tmp_path / "other", "x.lab") / "ca.pem"))

    def shake() -> None:  # blocking, because asyncio's own client goes away without saying why
        with socket.create_connection(server.address, timeout=10) as wire:
            with pytest.raises(ssl.SSLCertVerificationError):
                distrusting.wrap_socket(wire, server_hostname="127.0.0.1")

    await asyncio.to_thread(shake)
    peer, error = await within(box.refused.get())
    told = explained(peer, error, "http://10.0.0.1:1/ca.pem")
    assert told.happened == "127.0.0.1 does not take our certificate"
    assert "unknown ca" in told.why
    assert "http://10.0.0.1:1/ca.pem" in told.remedy
    assert told.reference


async def test_who_speaks_no_tls_is_told_of(served):
    server, box = served
    _, writer = await asyncio.open_connection(*server.address)
    writer.write(MESSAGE)
    peer, error = await within(box.refused.get())
    assert explained(peer, error, "").why == "it does not speak TLS"
    writer.close()


async def test_a_server_called_by_a_name_it_does_not_have_is_not_spoken_to(tmp_path, made):
    strangers = Certificates(other(tmp_path / "tls", "elsewhere.lab"), ["elsewhere.lab"], NOW)
    server = StreamTransport(Inbox(), "127.0.0.1", 0, strangers.security)
    await server.start()
    box = Inbox()
    trusting = ssl.create_default_context(cafile=str(strangers.ca_file))
    client = StreamTransport(box, "127.0.0.1", 0, type(made.security)(made.security.server, lambda: trusting))
    client.send(MESSAGE, Peer("tls", *server.address))
    peer, error = await within(box.refused.get())
    told = explained(peer, error, "")
    assert told.happened == "the certificate of 127.0.0.1 was not taken"
    assert "mismatch" in told.why
    assert await within(box.gone.get()) == peer
    await client.close()
    await server.close()


async def test_each_name_gets_its_certificate_and_a_new_one_is_shown_without_a_restart(tmp_path):
    mine = Certificates(tmp_path / "tls", NAMES, NOW)
    server = StreamTransport(Inbox(), "127.0.0.1", 0, mine.security)
    await server.start()
    ours = await shown_to(server, mine.ca_file)
    branch = other(tmp_path / "branch", "branch.lab")
    copied(branch / "server.pem", tmp_path / "tls" / "branch.lab.pem")
    assert mine.reload(NOW).names.endswith("branch.lab")
    assert await shown_to(server, branch / "ca.pem", "branch.lab") != ours
    assert await shown_to(server, mine.ca_file) == ours
    await server.close()


UNUSABLE = [
    ({"name": "127.0.0.1", "days_ago": 500}, "expired on"),
    ({"name": "127.0.0.1", "days_ago": -30}, "valid only from"),
    ({"name": "elsewhere.lab"}, "is for elsewhere.lab, phones know this server as 127.0.0.1, acme.lab"),
]


@pytest.mark.parametrize(("certificate", "why"), UNUSABLE, ids=["expired", "not yet", "another name"])
def test_a_certificate_that_is_no_good_is_refused_in_four_parts_and_the_old_one_stays(tmp_path, certificate, why):
    mine = Certificates(tmp_path / "tls", NAMES, NOW)
    before = mine.used
    copied(other(tmp_path / "other", **certificate) / "server.pem", tmp_path / "tls" / "server.pem")
    with pytest.raises(UserError, match="TLS cannot be served") as refused:
        mine.reload(NOW)
    assert why in refused.value.why
    assert refused.value.remedy
    assert refused.value.reference
    assert mine.used == before
    with pytest.raises(UserError):
        Certificates(tmp_path / "tls", NAMES, NOW)


@pytest.mark.parametrize("name", ["ca.pem", "ca.key", "server.pem", "server.key"])
def test_a_file_that_is_broken_is_named(tmp_path, name):
    mine = Certificates(tmp_path / "tls", NAMES, NOW)
    (tmp_path / "tls" / name).write_text("rubbish")
    with pytest.raises(UserError) as refused:
        mine.reload(NOW)
    assert name in refused.value.why


def test_an_authority_that_is_out_of_date_is_no_longer_used(tmp_path):
    Certificates(tmp_path / "tls", NAMES, NOW)
    with pytest.raises(UserError) as refused:
        Certificates(tmp_path / "tls", NAMES, NOW + timedelta(days=4000))
    assert "authority" in refused.value.why


def test_what_phones_are_given_to_trust_can_sign_servers_and_nothing_else(made):
    authority = x509.load_pem_x509_certificate(made.ca_file.read_bytes())
    limits = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (limits.ca, limits.path_length) == (True, 0)
    assert authority.signature_hash_algorithm is not None
    assert authority.signature_hash_algorithm.name == hashes.SHA256.name
    assert b"PRIVATE" not in made.ca_file.read_bytes()
