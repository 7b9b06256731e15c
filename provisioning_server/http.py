"""The HTTP shell: every GET and HEAD goes to `respond`; nothing else is served."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from provisioning_server.respond import Answer, ConfigRequest

Respond = Callable[[ConfigRequest], Answer]


def make_app(respond: Respond) -> web.Application:
    """Return the application; uploads are off, so PUT and POST get 405."""

    async def serve(request: web.Request) -> web.Response:
        peer = request.transport.get_extra_info("peername") if request.transport else None
        address = f"{peer[0]}:{peer[1]}" if peer else ""
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = ConfigRequest(request.scheme, request.path, address, headers.get("user-agent", ""), headers)
        answer = respond(asked)
        reply = web.Response(status=answer.status, body=answer.body)
        reply.headers["Content-Type"] = answer.content_type
        reply.headers["Cache-Control"] = "no-store" if answer.status == 404 else "no-cache"
        if answer.etag:
            reply.headers["ETag"] = answer.etag
        return reply

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    return app
