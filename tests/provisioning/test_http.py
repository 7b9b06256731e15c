from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer

from provisioning_server.bans import networks
from provisioning_server.http import forwarded_for, make_server
from provisioning_server.respond import Answer, ConfigRequest, respond
from tests.provisioning.provisioned import ATA, OWN_FILE, POLY, WRONG, YEALINK, Counter, first


class Listening(BaseTestServer):
    def __init__(self, server: web.Server) -> None:
        super().__init__()
        self._server = server

    async def _make_runner(self, **settings: Any) -> web.ServerRunner:
        return web.ServerRunner(self._server, **settings)


@pytest.fixture
def desk() -> Counter:
    return Counter()


@pytest.fixture
async def client(desk, aiohttp_client):
    def answered(request: ConfigRequest) -> Answer:
        return respond(request, desk.office, desk.directory, desk.now)

    return await aiohttp_client(Listening(make_server(answered)))


def url(mac: str, token: str) -> str:
    return f"/p/{token}/{OWN_FILE[mac]}"


async def test_a_file_is_served_with_its_type_and_tag(client, desk):
    answer = await client.get(url(ATA, first(ATA)))
    body = await answer.read()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/xml; charset=utf-8")
    assert body == desk.own(ATA).body
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Last-Modified"] == "Tue, 24 Nov 2026 12:16:40 GMT"
    again = await client.get(url(ATA, first(ATA)), headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, await again.read(), again.headers["ETag"]) == (304, b"", answer.headers["ETag"])


async def test_head_has_the_headers_of_get_and_no_body(client):
    head = await client.head(url(YEALINK, first(YEALINK)))
    got = await client.get(url(YEALINK, first(YEALINK)))
    same = ("Content-Type", "Content-Length", "ETag", "Last-Modified", "Cache-Control")
    assert [head.headers[name] for name in same] == [got.headers[name] for name in same]
    assert (head.status, await head.read()) == (200, b"")


REFUSED = [
    url(YEALINK, WRONG),
    url(YEALINK, first(POLY)),
    f"/p/{OWN_FILE[YEALINK]}",
    f"/p/{first(YEALINK)}/805ec0ffffff.cfg",
    "/p/805ec0ffffff.cfg",
    "/",
    "/index.html",
    "/p/%2e%2e/%2e%2e/etc/passwd",
    "/p/..%5c..%5cboot.ini",
    "/p/$mac.cfg",
    "/p/%00.cfg",
    "/p/%ff%fe.cfg",
    "/p/" + "a" * 4000,
    f"/p/{YEALINK}.boot",
]


async def test_refusals_are_alike_byte_for_byte(client):
    seen = set()
    for path in REFUSED:
        answer = await client.get(path, allow_redirects=False)
        headers = tuple((name, value) for name, value in answer.headers.items() if name != "Date")
        seen.add((answer.status, headers, await answer.read()))
    assert len(seen) == 1
    ((status, _, body),) = seen
    assert (status, body) == (404, b"404 Not Found\n")


@pytest.mark.parametrize("method", ["PUT", "POST", "PROPFIND", "DELETE"])
async def test_nothing_is_taken(client, method):
    known = await client.request(method, url(YEALINK, first(YEALINK)), data=b"x" * 100_000)
    unknown = await client.request(method, "/p/805ec0ffffff-boot.log", data=b"x")
    assert (known.status, known.headers["Allow"], await known.read()) == (
        unknown.status, unknown.headers["Allow"], await unknown.read(),
    ) == (405, "GET, HEAD", b"405 Method Not Allowed\n")  # fmt: skip


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /p/\xff\xfe HTTP/1.1\r\nHost: x\r\nUser-Agent: a\xffb\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"GET http://[::1/x HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\r\n\r\n\0",
    ],
)
async def test_rubbish_on_the_port_harms_nobody(client, raw):
    reader, writer = await asyncio.open_connection(client.server.host, client.server.port)
    writer.write(raw)
    writer.write_eof()
    async with asyncio.timeout(5):
        said = await reader.read()
    writer.close()
    assert b"Traceback" not in said
    assert (await client.get(url(YEALINK, first(YEALINK)))).status == 200


async def test_the_certificate_phones_may_trust_is_there_for_all(aiohttp_client, desk, tmp_path):
    authority = tmp_path / "ca.pem"
    authority.write_bytes(b"-----BEGIN CERTIFICATE-----\n")
    asked: list[ConfigRequest] = []

    def answered(request: ConfigRequest) -> Answer:
        asked.append(request)
        return respond(request, desk.office, desk.directory, desk.now)

    client = await aiohttp_client(Listening(make_server(answered, {"/ca.pem": authority})))
    got = await client.get("/ca.pem")
    assert (got.status, got.headers["Content-Type"]) == (200, "application/x-pem-file")
    assert (await got.read(), asked) == (authority.read_bytes(), [])
    assert (await client.put("/ca.pem", data=b"x")).status == 405


PROXIES, _ = networks(["10.0.0.0/8"])


@pytest.mark.parametrize(
    ("peer", "said", "client"),
    [
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7:0"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7:0"),  # the client wrote the first itself
        ("10.0.0.1", ["203.0.113.9", "198.51.100.7, 10.0.0.2"], "198.51.100.7:0"),  # two proxies, two lines
        ("10.0.0.1", ["198.51.100.7:4711"], "198.51.100.7:0"),
        ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7:0"),
        ("10.0.0.1", ["203.0.113.9, unknown, 10.0.0.2"], ""),  # a proxy that names nobody: itself
        ("10.0.0.1", ["10.0.0.3"], ""),
        ("10.0.0.1", [], ""),
        ("198.51.100.66", ["203.0.113.9"], ""),  # no proxy of ours
    ],
)
def test_only_our_proxies_are_believed_and_of_them_only_the_right_most_stranger(peer, said, client):
    assert forwarded_for(peer, said, PROXIES) == client


async def test_a_ban_meets_whom_the_proxy_speaks_for(aiohttp_client, desk):
    def answered(request: ConfigRequest) -> Answer:
        return respond(request, desk.office, desk.directory, desk.now)

    client = await aiohttp_client(Listening(make_server(answered, proxies=networks(["127.0.0.1"])[0])))
    for number in range(desk.office.bans.limit):
        await client.get(f"/p/805ec0aaaa{number:02x}.cfg", headers={"X-Forwarded-For": "198.51.100.7"})
    assert [ban.place for ban in desk.office.bans.in_force(desk.now.mono)] == ["198.51.100.7"]
    assert (await client.get("/p/site.cfg", headers={"X-Forwarded-For": "198.51.100.8"})).status == 200
    assert (await client.get("/p/site.cfg", headers={"X-Forwarded-For": "198.51.100.7"})).status == 404
