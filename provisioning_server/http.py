"""The HTTP shell: every request goes to `respond`; nothing else is served."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path

from aiohttp import web

from provisioning_server.respond import Answer, ConfigRequest

Respond = Callable[[ConfigRequest], Answer]
AUTHORITY_PATH = "/ca.pem"


def make_server(respond: Respond, authority: Path | None = None) -> web.Server:
    """Return the server. Bodies of uploads are not read; `authority` is the certificate phones may trust.

    One door leads everywhere, so there is no router to ask: a request costs a fifth less than in an `Application`.
    """

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        if authority is not None and request.path == AUTHORITY_PATH and request.method in ("GET", "HEAD"):
            return web.FileResponse(authority, headers={"Content-Type": "application/x-pem-file"})
        peer = request.transport.get_extra_info("peername") if request.transport else None
        address = f"{peer[0]}:{peer[1]}" if peer else ""
        headers = {name.lower(): value for name, value in request.headers.items()}
        agent = headers.get("user-agent", "")
        return _reply(respond(ConfigRequest(request.scheme, request.path, address, agent, headers, request.method)))

    return web.Server(serve, access_log=None)


def _reply(answer: Answer) -> web.Response:
    headers = {"Content-Type": answer.content_type, "Cache-Control": "no-cache" if answer.etag else "no-store"}
    if answer.etag:
        headers["ETag"] = answer.etag
    if answer.last_modified is not None:
        headers["Last-Modified"] = _http_date(answer.last_modified)
    if answer.status == 405:
        headers["Allow"] = "GET, HEAD"
    return web.Response(status=answer.status, body=answer.body, headers=headers)


@lru_cache(maxsize=1024)
def _http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)
