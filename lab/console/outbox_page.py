"""The outbox (console.md S8): everything that left the switchroom, with what was attached; each sees the own mail."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from aiohttp import web

from lab.console.faults_page import Form, Frame
from lab.mail.outbox import Caught
from lab.portal.gate import ACTOR
from lab.posted import Dispatched
from pbx.access import Thing, may_some, reaches_all, within
from pbx.api.subscribing import Delivery
from pbx.domain.directory import Directory
from pbx.domain.kept import Notice
from pbx.numerals import natural
from pbx.ownership import people_thing

KINDS = ("mail", "waiting", "webhooks", "emergency")
_PLAYED = {"audio/wav": "audio/wav", "audio/x-wav": "audio/wav"}
_URL = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")


class Post(Protocol):
    def letters(self) -> Sequence[Caught]:
        """Oldest first."""
        ...

    def letter(self, number: int) -> Caught | None: ...

    def read(self, number: int) -> None:
        """Somebody has opened a letter."""
        ...

    def waiting(self) -> Sequence[Notice]: ...

    def webhooks(self) -> Sequence[Delivery]: ...

    def emergencies(self) -> Sequence[Dispatched]: ...

    def empty(self) -> None: ...

    def again(self) -> None:
        """Try now whatever waits."""
        ...

    def when(self, at: float) -> str:
        """POSIX seconds on the domain's clock."""
        ...


@dataclass(slots=True)
class OutboxPage:
    """Adds its routes to an application."""

    frame: Frame
    form: Form
    post: Callable[[], Post]
    home: Callable[[], Directory]

    def route(self, app: web.Application) -> None:
        app.router.add_get("/outbox", self._list)
        app.router.add_post("/outbox", self._change)
        app.router.add_get("/outbox/{number}", self._letter)
        app.router.add_get("/outbox/{number}/{place}", self._attached)

    async def _list(self, request: web.Request) -> web.Response:
        return self._shown(request, None)

    async def _letter(self, request: web.Request) -> web.Response:
        letter = self._found(request)
        if isinstance(letter, web.Response):
            return letter
        self.post().read(letter.number)
        return self._shown(request, letter)

    async def _attached(self, request: web.Request) -> web.Response:
        letter = self._found(request)
        if isinstance(letter, web.Response):
            return letter
        place = natural(request.match_info["place"])
        if place is None or place >= len(letter.attachments):
            return self._none(request)
        name, kind, octets = letter.attachments[place]
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
        if kind not in _PLAYED:
            headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name or 'attachment')}"
        return web.Response(body=octets, content_type=_PLAYED.get(kind, "application/octet-stream"), headers=headers)

    async def _change(self, request: web.Request) -> web.StreamResponse:
        form: Mapping[str, object] = await self.form(request)
        if form.get("do") == "empty":
            self.post().empty()
        elif form.get("do") == "again":
            self.post().again()
        else:
            return self.frame.refusal(request, 400, "Nothing was done", "The form is of another page.", "/outbox")
        raise web.HTTPSeeOther("/outbox")

    def _shown(self, request: web.Request, letter: Caught | None) -> web.Response:
        post, lab = self.post(), self._is_lab(request)
        letters = [one for one in reversed(post.letters()) if self._sees(request)(self._thing(one))]
        kind = request.query.get("kind", KINDS[0])
        kind = kind if kind in KINDS and lab else KINDS[0]
        waiting, webhooks, emergencies = (post.waiting(), post.webhooks(), post.emergencies()) if lab else ((), (), ())
        return self.frame.page(
            request,
            "outbox.html",
            room="outbox",
            kind=kind,
            kinds=KINDS if lab else KINDS[:1],
            counts=dict(zip(KINDS, map(len, (letters, waiting, webhooks, emergencies)), strict=True)),
            letters=letters,
            letter=letter,
            parts=_parts(letter) if letter is not None else (),
            pieces=_pieces(letter.text) if letter is not None else (),
            view=request.query.get("view", "text"),
            raw=letter.letter.as_bytes().decode("utf-8", "replace")[:100_000] if letter is not None else "",
            waiting=waiting,
            webhooks=webhooks,
            emergencies=emergencies,
            when=post.when,
            lab=lab,
        )  # fmt: skip

    def _found(self, request: web.Request) -> Caught | web.Response:
        number = natural(request.match_info["number"])
        letter = self.post().letter(number) if number is not None else None
        if letter is None or not self._sees(request)(self._thing(letter)):
            return self._none(request)
        return letter

    def _none(self, request: web.Request) -> web.Response:
        why = "The outbox keeps the newest 500, until it is emptied."
        return self.frame.refusal(request, 404, "There is no such letter", why, "/outbox")

    def _thing(self, letter: Caught) -> Thing:
        directory = self.home()
        addresses = {address.casefold() for address in letter.to}
        owners = [user.extension for user in directory.users if addresses & {email.casefold() for email in user.emails}]
        return people_thing(directory, owners, "mail", str(letter.number))

    def _sees(self, request: web.Request) -> Callable[[Thing], bool]:
        actor, home = request[ACTOR], self.home()
        if reaches_all(actor, "view", "mail", home.domain.name, home.reseller.name):
            return lambda thing: True
        return within(actor, "view", "mail")

    def _is_lab(self, request: web.Request) -> bool:
        home = self.home()
        return bool(may_some(request[ACTOR], "edit", "event", home.domain.name, home.reseller.name))


def _parts(letter: Caught) -> list[tuple[str, str, int, bool]]:
    """Name, kind, octets of each attachment, and whether it is sound."""
    return [(name or "attachment", kind, len(octets), kind in _PLAYED) for name, kind, octets in letter.attachments]


def _pieces(text: str) -> list[tuple[str, bool]]:
    """A letter's text in pieces, and whether each is an address of the web."""
    found, at = [], 0
    for match in _URL.finditer(text):
        found += [(text[at : match.start()], False), (match[0], True)]
        at = match.end()
    return [*found, (text[at:], False)]
