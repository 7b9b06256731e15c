"""The shell of the API: aiohttp requests in, answers out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web
from aiohttp.http import HttpProcessingError

from pbx.api.answers import Answer, Refused
from pbx.api.server import MOST_BYTES, PREFIX, Request, Server

MOST_SOUND = 30_000_000
OLD_TOKENS = "/ns-api/oauth2/token/"
"""Where clients of the former version log in; the answer is the same."""


class Http:
    """Adds its routes to an application."""

    def __init__(self, server: Callable[[], Server]) -> None:
        self._server = server

    def route(self, app: web.Application) -> None:
        app.router.add_route("*", PREFIX + r"/{tail:[\s\S]*}", self._serve)
        app.router.add_route("*", OLD_TOKENS, self._old_tokens)
        app.router.add_route("*", OLD_TOKENS.rstrip("/"), self._old_tokens)

    async def _serve(self, request: web.Request) -> web.Response:
        return await self._answer(request, request.raw_path.partition("?")[0].removeprefix(PREFIX), request.method)

    async def _old_tokens(self, request: web.Request) -> web.Response:
        return await self._answer(request, "/tokens", "POST")

    async def _answer(self, request: web.Request, path: str, method: str) -> web.Response:
        try:
            body, form = await _read(request)
        except Refused as refused:
            return _written(refused.answer())
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Request(method, path, dict(request.query), headers, body, request.remote or "", form)
        return _written(await self._server().answer(asked))


async def _read(request: web.Request) -> tuple[bytes, Mapping[str, Any] | None]:
    """Return the octets of a body, or the fields of a form; Refused when it is too large or broken off."""
    is_form = request.content_type in ("multipart/form-data", "application/x-www-form-urlencoded")
    most = MOST_SOUND if is_form else MOST_BYTES
    if (request.content_length or 0) > most:
        raise Refused(413, f"the body is larger than {most // 1_000_000} MB")
    try:
        if not is_form:
            body = bytearray()
            async for piece in request.content.iter_chunked(1 << 16):
                body += piece
                if len(body) > most:
                    raise Refused(413, f"the body is larger than {most // 1_000_000} MB")
            return bytes(body), None
        fields: dict[str, Any] = {}
        for name, value in (await request.post()).items():
            fields[name] = value.file.read(most) if isinstance(value, web.FileField) else value
        return b"", fields
    except (ValueError, LookupError, HttpProcessingError, ConnectionError) as error:
        raise Refused(400, f"the body cannot be read: {error}"[:200]) from None


def _written(answer: Answer) -> web.Response:
    if answer.kind == "application/json":
        text = (
            json.dumps(answer.body, ensure_ascii=False).encode("utf-8", "replace") if answer.body is not None else b""
        )
        return web.Response(body=text, status=answer.status, headers=answer.headers, content_type="application/json")
    return web.Response(body=answer.body, status=answer.status, headers=answer.headers, content_type=answer.kind)
