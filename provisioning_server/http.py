"""The HTTP shell: every request goes to `respond`; nothing else is served."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import format_datetime
from pathlib import Path

from aiohttp import web

from provisioning_server.respond import Answer, ConfigRequest

Respond = Callable[[ConfigRequest], Answer]


def make_app(respond: Respond, authority: Path | None = None) -> web.Application:
    """Return the application. Bodies of uploads are not read; `authority` is the certificate phones may trust."""

    async def trust(request: web.Request) -> web.StreamResponse:
        assert authority is not None
        return web.FileResponse(authority, headers={"Content-Type": "application/x-pem-file"})

    async def serve(request: web.Request) -> web.Response:
        peer = request.transport.get_extra_info("peername") if request.transport else None
        address = f"{peer[0]}:{peer[1]}" if peer else ""
        headers = {name.lower(): value for name, value in request.headers.items()}
        agent = headers.get("user-agent", "")
        answer = respond(ConfigRequest(request.scheme, request.path, address, agent, headers, request.method))
        return _reply(answer)

    app = web.Application()
    if authority is not None:
        app.router.add_get("/ca.pem", trust)
    app.router.add_route("*", "/{path:.*}", serve)
    return app


def _reply(answer: Answer) -> web.Response:
    reply = web.Response(status=answer.status, body=answer.body)
    reply.headers["Content-Type"] = answer.content_type
    reply.headers["Cache-Control"] = "no-cache" if answer.etag else "no-store"
    if answer.etag:
        reply.headers["ETag"] = answer.etag
    if answer.last_modified is not None:
        reply.headers["Last-Modified"] = format_datetime(answer.last_modified, usegmt=True)
    if answer.status == 405:
        reply.headers["Allow"] = "GET, HEAD"
    return reply
