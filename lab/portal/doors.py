"""The doors: log in and out, links of mails, the password, ending other sessions, looking as somebody else."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from lab.portal.gate import ACTOR, BASE, VIEW, Gate, cookie_name
from lab.portal.ledger import Ledger
from pbx.accounts import passwords
from pbx.accounts.desk import LINKS, LIVES_S, NotLoggedIn
from pbx.domain.accounts import PassKind
from pbx.ownership import user_thing

Page = Callable[..., web.Response]
"""`(request, template, status=200, **context)`."""


@dataclass(slots=True)
class Doors:
    gate: Gate
    ledger: Ledger
    page: Page
    form: Callable[[web.Request], object]
    """Reads a form, bad ones are a 400."""

    def route(self, app: web.Application) -> None:
        app.router.add_get("/login", self._door)
        app.router.add_post("/login", self._log_in)
        app.router.add_post("/logout", self._log_out)
        app.router.add_get("/link/{secret}", self._link)
        app.router.add_post("/link/{secret}", self._redeem)
        app.router.add_get("/account", self._account)
        app.router.add_post("/account/password", self._change)
        app.router.add_post("/account/sign-out-everywhere", self._everywhere)
        app.router.add_post("/view-as", self._view_as)
        app.router.add_post("/view-as/stop", self._stop)

    # --- in and out -----------------------------------------------------------------------------------

    async def _door(self, request: web.Request) -> web.Response:
        return self._shown(request, back=request.query.get("back", "/"))

    async def _log_in(self, request: web.Request) -> web.Response:
        form = await self._form(request)
        back, login = _inside(str(form.get("back", "/"))), str(form.get("login", ""))
        browser = request.headers.get("User-Agent", "")
        secret = await self.gate.desk.log_in(login, str(form.get("password", "")), request.remote or "", browser)
        if isinstance(secret, NotLoggedIn):
            status = 429 if secret.retry_after_s else 401
            answer = self._shown(request, status=status, back=back, login=login[:120], wrong=secret.words)
            if secret.retry_after_s:
                answer.headers["Retry-After"] = str(math.ceil(secret.retry_after_s))
            return answer
        self.gate.desk.end(request.cookies.get(cookie_name(request), ""))
        await self.ledger.durable()
        answer = web.HTTPSeeOther(back)
        _carry(request, answer, secret)
        answer.del_cookie(VIEW)
        raise answer

    async def _log_out(self, request: web.Request) -> web.Response:
        self.gate.desk.end(request.cookies.get(cookie_name(request), ""))
        await self.ledger.durable()
        answer = web.HTTPSeeOther("/login")
        answer.del_cookie(cookie_name(request), secure=request.secure, httponly=True, samesite="Lax")
        answer.del_cookie(VIEW)
        raise answer

    # --- links and passwords --------------------------------------------------------------------------

    async def _link(self, request: web.Request) -> web.Response:
        return self._link_page(request)

    async def _redeem(self, request: web.Request) -> web.Response:
        form = await self._form(request)
        shown = self.gate.desk.shown(request.match_info["secret"], LINKS)
        account = self.gate.desk.account_of(shown) if shown is not None else None
        if shown is None or account is None:
            return self._link_page(request)
        password, (directory, user) = str(form.get("password", "")), account
        if why := passwords.why_not(password, directory.login_of(user), user.first_name, user.extension):
            return self._link_page(request, status=422, wrong=why)
        await self.gate.desk.set_password(shown.domain, shown.extension, password)
        await self.ledger.durable()
        raise web.HTTPSeeOther("/login")

    def _link_page(self, request: web.Request, status: int = 200, wrong: str = "") -> web.Response:
        shown = self.gate.desk.shown(request.match_info["secret"], LINKS)
        account = self.gate.desk.account_of(shown) if shown is not None else None
        login = account[0].login_of(account[1]) if account is not None else ""
        status = status if account is not None else 404
        return self.page(
            request, "portal/link.html", status=status, room="", login=login, wrong=wrong, least=passwords.LEAST
        )

    async def _account(self, request: web.Request) -> web.Response:
        return self._own(request)

    async def _change(self, request: web.Request) -> web.Response:
        form, me = await self._form(request), request[BASE]
        directory = self.gate.directory(me.domain)
        user = directory.users_by_extension.get(me.extension) if directory is not None else None
        if directory is None or user is None:
            return self._own(request, status=422, wrong="The lab engineer has no password here: it is a setting.")
        new = str(form.get("password", ""))
        right = await self.gate.desk.checked(me.name, str(form.get("old", "")), request.remote or "")
        if isinstance(right, NotLoggedIn):
            return self._own(request, status=422, wrong="The password so far is not right.")
        if why := passwords.why_not(new, me.name, user.first_name, user.extension):
            return self._own(request, status=422, wrong=why)
        await self.gate.desk.set_password(me.domain, me.extension, new)
        self.ledger.note(me, request, user_thing(directory, me.extension, "profile"), "edit", "password", "password")
        await self.ledger.durable()
        raise web.HTTPSeeOther("/login")

    async def _everywhere(self, request: web.Request) -> web.Response:
        me = request[BASE]
        self.gate.desk.revoke(me.domain, me.extension, ("session", "token", "refresh"))
        await self.ledger.durable()
        raise web.HTTPSeeOther("/login")

    def _own(self, request: web.Request, status: int = 200, wrong: str = "") -> web.Response:
        me = request[BASE]
        sessions = self.gate.desk.passes_of(me.domain, me.extension) if me.extension else []
        return self.page(
            request, "portal/account.html", status=status, room="account", me=me, wrong=wrong, least=passwords.LEAST,
            sessions=[one for one in sessions if one.kind == "session"],
        )  # fmt: skip

    # --- another's eyes -------------------------------------------------------------------------------

    async def _view_as(self, request: web.Request) -> web.Response:
        form = await self._form(request)
        domain, extension = str(form.get("domain", "")), str(form.get("extension", ""))
        directory = self.gate.directory(domain)
        if directory is None or extension not in directory.users_by_extension:
            raise web.HTTPNotFound
        thing, me = user_thing(directory, extension, "view as"), request[BASE]
        self.gate.must(request, "create", thing)
        self.ledger.note(me, request, thing, "create", None, f"looks as {extension}")
        await self.ledger.durable()
        answer = web.HTTPSeeOther("/")
        answer.set_cookie(VIEW, f"{domain}/{extension}", samesite="Lax", httponly=True, secure=request.secure)
        raise answer

    async def _stop(self, request: web.Request) -> web.Response:
        me = request[ACTOR]
        if me.by:
            directory = self.gate.directory(me.domain)
            assert directory is not None, "who is looked as has a domain"
            thing = user_thing(directory, me.extension, "view as")
            self.ledger.note(request[BASE], request, thing, "delete", f"looks as {me.extension}", None)
            await self.ledger.durable()
        answer = web.HTTPSeeOther("/")
        answer.del_cookie(VIEW)
        raise answer

    # --- all of them ----------------------------------------------------------------------------------

    async def _form(self, request: web.Request) -> Mapping[str, object]:
        return await self.form(request)  # type: ignore[no-any-return, misc]

    def _shown(self, request: web.Request, status: int = 200, **context: object) -> web.Response:
        shown = {"login": "", "wrong": "", "back": "/", **context}
        return self.page(request, "portal/login.html", status=status, room="", **shown)


def link_hours(kind: PassKind) -> int:
    return round(LIVES_S[kind] / 3600)


def _inside(back: str) -> str:
    """A place of this console, never another site's."""
    return back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"


def _carry(request: web.Request, answer: web.HTTPException, secret: str) -> None:
    answer.set_cookie(
        cookie_name(request), secret, max_age=int(LIVES_S["session"]), samesite="Lax", httponly=True,
        secure=request.secure, path="/",
    )  # fmt: skip
