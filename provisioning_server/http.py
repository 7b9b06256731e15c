"""The HTTP shell: every request goes to `respond`; nothing else is served.

What is refused leaves a fixed while after it came, whatever the reason and however long it took to find: the time of a
refusal tells nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from provisioning_server.bans import Network, address_of, is_within
from provisioning_server.login import CHALLENGE
from provisioning_server.respond import TEXT, Answer, ConfigRequest
from provisioning_server.uploads import LARGEST

Respond = Callable[[ConfigRequest], Answer]
Keep = Callable[[ConfigRequest, Answer, bytes], Awaitable[Answer]]
REFUSED_AFTER_S = 0.02
NONE: Mapping[str, Path] = MappingProxyType({})
TOO_LARGE = Answer(413, b"413 Content Too Large\n", TEXT, "", ())
_VERSIONS = {"TLSv1": "TLSv1.0"}
"""As OpenSSL calls it → as the others are called."""


def make_server(
    respond: Respond,
    certificates: Mapping[str, Path] = NONE,
    proxies: Sequence[Network] = (),
    keep: Keep | None = None,
) -> web.Server:
    """Return the server. `certificates` are for everybody, by their paths; `proxies` are those whose X-Forwarded-For is
    believed; `keep` is given the body of an upload that may come: others are not read.

    One door leads everywhere, so there is no router to ask: a request costs a fifth less than in an `Application`.
    """

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        if request.path in certificates and request.method in ("GET", "HEAD"):
            return web.FileResponse(certificates[request.path], headers={"Content-Type": "application/x-pem-file"})
        arrived_at = asyncio.get_running_loop().time()
        peer = request.transport.get_extra_info("peername") if request.transport else None
        address = f"{peer[0]}:{peer[1]}" if peer else ""
        if proxies and peer:
            address = forwarded_for(peer[0], request.headers.getall("X-Forwarded-For", ()), proxies) or address
        headers = {name.lower(): value for name, value in request.headers.items()}
        agent = headers.get("user-agent", "")
        tls, name = _of_the_connection(request)
        asked = ConfigRequest(
            request.scheme, request.path, address, agent, headers, request.method, tls, request.query_string, name
        )
        answer = respond(asked)
        if answer.sent is not None and request.method in ("PUT", "POST"):
            body = await _body(request)
            answer = TOO_LARGE if body is None or keep is None else await keep(asked, answer, body)
            return _reply(answer)
        if answer.status >= 400:
            await _until(arrived_at + REFUSED_AFTER_S)
        if answer.file is not None:  # with Range, If-Range and the rest of RFC 9110 §14
            return _File(answer.file, headers={"Content-Type": answer.content_type})
        return _reply(answer)

    return web.Server(serve, access_log=None)


def make_redirect_server(redirected: Callable[[ConfigRequest, str], tuple[Answer, str]]) -> web.Server:
    """Return the server that plays the makers' redirect services, told apart by the name they are called by."""

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        arrived_at = asyncio.get_running_loop().time()
        peer = request.transport.get_extra_info("peername") if request.transport else None
        address = f"{peer[0]}:{peer[1]}" if peer else ""
        headers = {name.lower(): value for name, value in request.headers.items()}
        tls, name = _of_the_connection(request)
        agent = headers.get("user-agent", "")
        asked = ConfigRequest(
            "https", request.path_qs, address, agent, headers, request.method, tls, request.query_string, name
        )
        answer, location = redirected(asked, (request.host or "").partition(":")[0])
        if answer.status >= 400:
            await _until(arrived_at + REFUSED_AFTER_S)
        reply = _reply(answer)
        if location:
            reply.headers["Location"] = location
        return reply

    return web.Server(serve, access_log=None)


def forwarded_for(peer: str, headers: Sequence[str], proxies: Sequence[Network]) -> str:
    """Return whom a proxy speaks for, as `address:0`: the right-most address that is no proxy of ours.

    What stands left of it the client may have written itself. Empty when the peer is no proxy, or names nobody.
    """
    if not is_within(peer, proxies):
        return ""
    for hop in reversed([hop.strip() for line in headers for hop in line.split(",")]):
        host = _without_port(hop)
        if address_of(host) is None:
            return ""
        if not is_within(host, proxies):
            return f"{host}:0"
    return ""


def _of_the_connection(request: web.BaseRequest) -> tuple[str, str]:
    """Return (version of TLS, name in the phone's certificate), empty for none."""
    tls = request.transport.get_extra_info("ssl_object") if request.transport else None
    if tls is None:
        return "", ""
    subject = (tls.getpeercert() or {}).get("subject", ())
    names = [value for part in subject for key, value in part if key == "commonName"]
    return _VERSIONS.get(tls.version(), tls.version()), names[0] if names else ""


def _without_port(hop: str) -> str:
    """Some proxies add the port: `192.0.2.7:4711`, `[2001:db8::7]:4711`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


class _File(web.FileResponse):
    """aiohttp reads a date in If-Range, and no tag: a phone would put two images together (RFC 9110 §13.1.5)."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        asked = request.headers.get("If-Range", "")
        if asked.startswith(('"', "W/")) and asked != self._tag():
            headers = request.headers.copy()
            headers.popall("Range", None)
            request = request.clone(headers=headers)
        return await super().prepare(request)

    def _tag(self) -> str:
        known = self._path.stat()
        return f'"{known.st_mtime_ns:x}-{known.st_size:x}"'


async def _body(request: web.BaseRequest) -> bytes | None:
    """Read an upload; None when it is larger than may be."""
    if (request.content_length or 0) > LARGEST:
        return None
    whole = bytearray()
    async for part in request.content.iter_any():
        whole += part
        if len(whole) > LARGEST:
            return None
    return bytes(whole)


async def _until(moment: float) -> None:
    loop = asyncio.get_running_loop()
    waited = loop.create_future()
    handle = loop.call_at(moment, waited.set_result, None)
    try:
        await waited
    finally:
        handle.cancel()


def _reply(answer: Answer) -> web.Response:
    headers = {"Content-Type": answer.content_type, "Cache-Control": "no-cache" if answer.etag else "no-store"}
    if answer.etag:
        headers["ETag"] = answer.etag
    if answer.last_modified is not None:
        headers["Last-Modified"] = _http_date(answer.last_modified)
    if answer.status == 401:
        headers["WWW-Authenticate"] = CHALLENGE
    if answer.status == 405:
        headers["Allow"] = "GET, HEAD"
    return web.Response(status=answer.status, body=answer.body, headers=headers)


@lru_cache(maxsize=1024)
def _http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)
