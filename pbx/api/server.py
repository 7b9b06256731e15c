"""Takes a request, answers it: who asks, which route, may it, and what the resource says. No socket is needed.

`~` in a path is the actor's own domain or user. A refusal is always `{"code", "message"}`, with `errors` where single
fields are at fault; a fault of ours is a 500 that says no more, and is told to the house.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from pbx.access import kept_out, may, may_some
from pbx.accounts.desk import among
from pbx.api.answers import Answer, Refused, wrong
from pbx.api.asked import Asked, refuse
from pbx.api.forms import NotSo
from pbx.api.house import House
from pbx.api.identity import Identities, Known
from pbx.api.routes import Route, Routes
from pbx.catalogue import plug_ins
from pbx.ownership import party_thing

PREFIX = "/ns-api/v2"
MOST_BYTES = 2_000_000


@dataclass(slots=True)
class Request:
    """As it came."""

    method: str
    path: str
    """Behind the prefix, still quoted."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""
    address: str = ""
    form: Mapping[str, Any] | None = None
    """Fields of a form, files as octets; None where the body is JSON or nothing."""


def all_routes() -> Routes:
    """Return the routes of every resource there is."""
    return Routes(route for module in plug_ins("pbx.api.resources", needs="ROUTES").values() for route in module.ROUTES)


class Server:
    def __init__(
        self,
        house: House,
        identities: Identities,
        failed: Callable[[str, Exception], None],
        routes: Routes | None = None,
    ) -> None:
        """`failed` is told of a fault of ours."""
        self._house, self._identities, self._failed = house, identities, failed
        self.routes = routes or all_routes()

    async def answer(self, request: Request) -> Answer:
        try:
            return await self._answer(request)
        except Refused as refused:
            return refused.answer()
        except NotSo as error:
            return Refused(400, str(error)).answer()
        except Exception as fault:  # noqa: BLE001 - the one place where a fault of ours is contained
            self._failed(f"{request.method} {request.path}", fault)
            return Refused(500, "a fault of this server; it is in its log").answer()

    async def _answer(self, request: Request) -> Answer:
        parts = [unquote(part) for part in request.path.strip("/").split("/")]
        method = "GET" if request.method == "HEAD" else request.method
        route, path, methods = self.routes.find(method, parts)
        if route is None and not methods:
            raise Refused(404, f"nothing is at {request.path[:200]}")
        if route is None:
            refused = Refused(405, f"{request.path[:200]} takes {', '.join(sorted(methods))}").answer()
            return replace(refused, headers={"Allow": ", ".join(sorted(methods))})
        asked = await self._asked(request, route, path)
        if route.right is not None:
            self._allow(route, asked)
        return await route.act(asked)

    async def _asked(self, request: Request, route: Route, path: dict[str, str]) -> Asked:
        known = self._known(request) if route.right is not None else Known.nobody()
        own = {"domain": known.actor.domain, "user": known.actor.extension, "key_id": known.key, "agent": known.login}
        for name, value in path.items():
            if value == "~" and own.get(name):
                path[name] = own[name]
        if path.get("user", "").endswith(f"@{path.get('domain')}"):
            path["user"] = path["user"].partition("@")[0]
        body, rows = _body(request)
        return Asked(
            house=self._house, actor=known.actor, method=request.method, path=path, query=request.query, body=body,
            now=self._house.now, rows=rows, if_match=request.headers.get("if-match", ""), identities=self._identities,
            known=known, address=request.address, right=route.right, does=route.does,
        )  # fmt: skip

    def _known(self, request: Request) -> Known:
        header = request.headers.get("authorization", "")
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise Refused(401, "who asks? Send Authorization: Bearer and a token (POST /tokens), JWT or API key")
        known = self._identities.known(secret.strip()) if secret.isascii() else None
        if known is None:
            raise Refused(401, "this token, JWT or key is not known, has ended or was revoked")
        if not among(request.address, known.addresses):
            raise Refused(401, "this key may not be used from this address")
        return known

    def _allow(self, route: Route, asked: Asked) -> None:
        """What the table says of any such thing of the domain; of the one that is meant the resource asks again."""
        assert route.right is not None
        domain = asked.domain if asked.domain != "*" else ""
        directory = self._house.directory(domain) if domain else None
        if domain and directory is None and route.path.startswith("/domains/{domain}") and asked.domain != "*":
            if route.path == "/domains/{domain}/count":
                return
            refuse_unknown(domain)
        reseller = directory.reseller.name if directory is not None else asked.actor.reseller
        refuse(may_some(asked.actor, route.does, route.right, domain, reseller), f"domain {domain[:120]!r}")
        refuse(kept_out(asked.actor, self._identities.desk.closed(domain)), f"domain {domain[:120]!r}")
        extension = asked.path.get("user", "")
        if directory is not None and extension in directory.users_by_extension:
            # Before anything else is said of what was sent: of others not even whether it would be right.
            refuse(may(asked.actor, route.does, party_thing(directory, extension, route.right)), f"user {extension!r}")


def refuse_unknown(domain: str) -> None:
    raise Refused(404, f"there is no domain {domain[:120]!r}")


def _body(request: Request) -> tuple[Mapping[str, Any], list[Any] | None]:
    """Return the fields of a body, and its rows where it is a list; Refused for what is neither."""
    if request.form is not None:
        return request.form, None
    if len(request.body) > MOST_BYTES:
        raise Refused(413, f"the body is larger than {MOST_BYTES // 1_000_000} MB")
    if not request.body.strip():
        return {}, None
    try:
        found = json.loads(request.body)
        json.dumps(found, ensure_ascii=False).encode()  # half a character, "\\ud800", cannot be kept
    except (ValueError, RecursionError) as error:
        raise wrong(
            "body", None, f"it is no JSON: {error}"[:200], 'send an object, as {"synchronous": "yes"}'
        ) from None
    if isinstance(found, dict):
        return found, None
    if isinstance(found, list):
        alone = found[0] if len(found) == 1 and isinstance(found[0], dict) else {}
        return alone, found
    raise wrong("body", None, "it is no object", 'send an object, as {"synchronous": "yes"}')
