"""What every page of the portal needs: the gate, the ledger, the lab, and the frame it is drawn in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from lab.portal.gate import ACTOR, Gate
from lab.portal.ledger import Ledger
from lab.portal.sections import Section
from lab.portal.sight import House
from pbx.access import may
from pbx.domain.directory import Directory
from pbx.domain.tenancy import User

SHOWN = 100
"""Rows of a page."""
Form = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Room:
    gate: Gate
    ledger: Ledger
    house: House
    page: Callable[..., web.Response]
    """`(request, template, status=200, **context)`."""
    form: Callable[[web.Request], Awaitable[Form]]
    """Reads a form; one that is cut off is a 400."""

    def directory(self, request: web.Request) -> Directory:
        found = self.gate.directory(request.match_info["domain"])
        if found is None:
            raise web.HTTPNotFound
        return found

    def found(self, request: web.Request, section: Section) -> tuple[Directory, Any]:
        """Return domain and thing of an address; of several of one name the first this reader may see."""
        directory, key = self.directory(request), request.match_info["key"]
        named = [item for item in section.all(directory) if getattr(item, section.key) == key]
        if not named:
            raise web.HTTPNotFound
        seen = (item for item in named if may(request[ACTOR], "view", section.thing(directory, item)))
        return directory, next(seen, named[0])


def first_row(request: web.Request, total: int) -> int:
    """Return the first row of the page asked for."""
    text = request.query.get("first", "0")
    first = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    return first if first < total else 0


def user_tabs(request: web.Request, directory: Directory, user: User) -> Sequence[tuple[str, str, bool]]:
    """Return the tabs of a user: title, address, whether it is this one."""
    at = f"/d/{directory.domain.name}/users/{user.extension}"
    tabs = (("Profile", at), ("Answering rules", f"{at}/rules"))
    return tuple((title, address, address == request.path) for title, address in tabs)
