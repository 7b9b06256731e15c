"""Who comes in: a session, a token, or on the loopback of a lab nobody but the lab engineer (console.md 4.9).

*Lab mode*: a console that listens on a loopback address takes whoever has not logged in for the lab engineer, a Super
User, as long as nothing stands between (a forwarded request never is). Anywhere else people log in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from aiohttp import web

from lab.portal.rights import PUBLIC, RIGHTS
from pbx.access import Action, Actor, Decision, Thing, kept_out, may, may_some
from pbx.accounts.desk import LAB_LOGIN, AccountDesk, among
from pbx.domain.accounts import PassKind
from pbx.domain.directory import Directory
from pbx.ownership import actor_of, user_thing

LAB_ENGINEER: Final = Actor("lab engineer", "Super User")
ACTOR: Final = web.RequestKey("actor", Actor)
BASE: Final = web.RequestKey("base actor", Actor)
"""Who sits there, while somebody looks with another's eyes."""
VIEW: Final = "view_as"
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "Via")
_BEARERS: tuple[PassKind, ...] = ("token", "key")
_SESSIONS: tuple[PassKind, ...] = ("session",)
_OTHER_DOORS = ("/ns-api/",)
"""Interfaces on the same port that ask for their own tokens."""


class Refused(web.HTTPForbidden):
    """A 403 with the reasons of the table."""

    def __init__(self, decision: Decision) -> None:
        super().__init__()
        self.decision = decision


class Gate:
    """Answers who a request is from and whether it may; keeps nothing."""

    def __init__(
        self, desk: AccountDesk, directories: Callable[[], Sequence[Directory]], home: Callable[[], str], *, lab: bool
    ) -> None:
        self.desk, self._directories, self._home, self._lab = desk, directories, home, lab

    async def admit(self, request: web.Request) -> None:
        """Note who asks; a login page, 401, 403 or 404 for who may not."""
        route = request.match_info.route
        if request.match_info.http_exception is not None or request.path.startswith(_OTHER_DOORS):
            return
        base = self._who(request)
        actor = self._with_eyes_of(request, base) if base is not None else None
        if actor is not None and base is not None:
            request[ACTOR], request[BASE] = actor, base
        path = route.resource.canonical if route.resource is not None else ""
        if path in PUBLIC:
            return
        if actor is None:
            raise self._log_in_first(request)
        method = "GET" if request.method == "HEAD" else request.method
        action, kind = RIGHTS.get((method, path)) or ("view" if method == "GET" else "edit", "event")
        domain = request.match_info.get("domain", self._home())
        if path in _OWN_BUSINESS:
            return
        reseller = self.reseller_to_be(domain) if kind == "onboarding" else self.reseller_of(domain)
        self.check(may_some(actor, action, kind, domain, reseller))
        if kind != "onboarding":
            self.check(kept_out(actor, self.desk.closed(domain)))

    def must(self, request: web.Request, action: Action, thing: Thing) -> Decision:
        """Return the decision on one thing; 403 or 404 when it is not allowed."""
        return self.check(may(request[ACTOR], action, thing))

    def check(self, decision: Decision) -> Decision:
        if decision:
            return decision
        raise web.HTTPNotFound if decision.status == 404 else Refused(decision)

    def directory(self, name: str) -> Directory | None:
        return next((one for one in self._directories() if one.domain.name == name), None)

    def reseller_of(self, domain: str) -> str:
        found = self.directory(domain)
        return found.reseller.name if found is not None else ""

    def reseller_to_be(self, domain: str) -> str:
        """Return whose a domain is; of one that is not there yet, the reseller of the domain at home."""
        return self.reseller_of(domain if self.directory(domain) is not None else self._home())

    def _who(self, request: web.Request) -> Actor | None:
        bearer = request.headers.get("Authorization", "")
        if bearer.startswith("Bearer "):
            told = _sound(bearer.removeprefix("Bearer ").strip())
            shown = self.desk.shown(told, _BEARERS)
            if shown is not None:
                return self.desk.actor(shown) if among(request.remote or "", shown.addresses) else None
            return LAB_ENGINEER if self.desk.is_lab(told, request.remote or "") else None
        secret = _sound(request.cookies.get(cookie_name(request), ""))
        shown = self.desk.shown(secret, _SESSIONS) if secret else None
        if shown is not None:
            return LAB_ENGINEER if not shown.domain and shown.by == LAB_LOGIN else self.desk.actor(shown)
        near = self._lab and not any(name in request.headers for name in _FORWARDED)
        return LAB_ENGINEER if near else None

    def _with_eyes_of(self, request: web.Request, base: Actor) -> Actor:
        """Who looks as somebody else has that person's rights, changes nothing, and must have the right to look."""
        domain, _, extension = request.cookies.get(VIEW, "").partition("/")
        directory = self.directory(domain) if extension else None
        user = directory.users_by_extension.get(extension) if directory is not None else None
        if directory is None or user is None or not may(base, "create", user_thing(directory, extension, "view as")):
            return base
        seen = actor_of(directory, user, by=base.name)
        return replace(seen, read_only=f"viewing as {user.name} is for looking alone")

    @staticmethod
    def _log_in_first(request: web.Request) -> web.HTTPException:
        if request.method in ("GET", "HEAD") and not request.path.startswith(("/api/", "/stream", "/metrics")):
            return web.HTTPSeeOther(f"/login?back={quote(request.path_qs)}")
        return web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})


def cookie_name(request: web.Request) -> str:
    """A name with `__Host-` binds the cookie to this host, and works over TLS alone."""
    return "__Host-session" if request.secure else "session"


def _sound(secret: str) -> str:
    """Octets that are no UTF-8 come as half characters, of which there is no digest."""
    return secret.encode("utf-8", "replace").decode()


_OWN_BUSINESS = frozenset({
    "/", "/stream", "/account", "/account/password", "/account/sign-out-everywhere", "/view-as", "/view-as/stop",
})  # fmt: skip
"""Of no domain: whoever has come in at all, wherever the own domain is; `/view-as` asks of the person."""
