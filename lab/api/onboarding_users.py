"""The spreadsheet of users of a customer that is being onboarded, over `/api/v1`.

* `GET /api/v1/onboarding/{domain}/users.csv`, `users.xlsx`: the sheet, with whoever is on the form already.
* `POST /api/v1/onboarding/{domain}/users?dry=1&name=&map=Heading=column`: the sheet as the body; what comes of its good
  rows, and what is wrong with every other. `dry` changes nothing; `map` may come several times.
* `POST /api/v1/onboarding/{domain}/users/undo`: take the newest import back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from aiohttp import web

from lab.api.refusal import refused
from lab.onboarding.case import Case
from lab.onboarding.desk import Moved, NoCase, OnboardingDesk
from lab.onboarding.user_import import CannotUndo, Done, Outcome
from lab.onboarding.user_sheet import COLUMNS, csv_sheet, xlsx_sheet
from lab.portal.gate import ACTOR, Refused
from pbx.access import Action, Actor, may_some
from provisioning_server.spreadsheet import BadTable, read_rows

_AT = "/api/v1/onboarding/{domain}/users"
MOST_BYTES = 5_000_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MOST_PROBLEMS = 10_000


class OnboardingUsers:
    """Adds its routes to an application."""

    def __init__(self, desk: Callable[[], OnboardingDesk]) -> None:
        self._desk = desk

    def route(self, app: web.Application) -> None:
        app.router.add_get(f"{_AT}.csv", self._csv)
        app.router.add_get(f"{_AT}.xlsx", self._xlsx)
        app.router.add_post(_AT, self._import)
        app.router.add_post(f"{_AT}/undo", self._undo)

    async def _csv(self, request: web.Request) -> web.Response:
        return await self._sheet(request, "csv")

    async def _xlsx(self, request: web.Request) -> web.Response:
        return await self._sheet(request, "xlsx")

    async def _sheet(self, request: web.Request, kind: str) -> web.Response:
        domain = request.match_info["domain"]
        try:
            users = self._desk().case(domain).packet.users
        except NoCase as error:
            return _no_case(domain, error)
        make, told = (csv_sheet, "text/csv; charset=utf-8") if kind == "csv" else (xlsx_sheet, XLSX)
        body = await asyncio.to_thread(make, users, domain)
        named = f'attachment; filename="users-{domain}.{kind}"'
        return web.Response(body=body, headers={"Content-Type": told, "Content-Disposition": named})

    async def _import(self, request: web.Request) -> web.Response:
        domain, dry = request.match_info["domain"], request.query.get("dry") == "1"
        try:
            named = named_columns(request.query.getall("map", []))
            data = await body_of(request)
            name = request.query.get("name", "")[:200]
            done = await take_in(self._desk(), domain, data, named, request[ACTOR], name, dry=dry)
        except NoCase as error:
            return _no_case(domain, error)
        except BadTable as bad:
            return refused(400, "the table was not read", str(bad), f"GET {_AT}.csv is one; columns: {_columns()}")
        except Moved as error:
            return refused(409, "nothing was imported", str(error), "send it again")
        return web.json_response(shown(done.outcome) | {"dry": dry})

    async def _undo(self, request: web.Request) -> web.Response:
        domain = request.match_info["domain"]
        try:
            case = take_back(self._desk(), domain, request[ACTOR])
        except NoCase as error:
            return _no_case(domain, error)
        except CannotUndo as error:
            return refused(409, "the import was not undone", str(error), "change these by hand")
        return web.json_response({"domain": domain, "users": len(case.packet.users)})


async def take_in(
    desk: OnboardingDesk, domain: str, data: bytes, named: Mapping[str, str], actor: Actor, name: str, *, dry: bool
) -> Done:
    """Read a table and import it, unless `dry`; NoCase, BadTable, Moved. Calls go on meanwhile.

    Refused (403) where users would be added to a domain by who may add none there.
    """
    desk.case(domain)
    rows = await asyncio.to_thread(read_rows, data)
    done = await asyncio.to_thread(desk.would_import, domain, rows, named, actor.name, name)
    if done.outcome.added:
        _must(desk, domain, actor, "create")
    if not dry:
        desk.adopt_import(domain, done)
    return done


def take_back(desk: OnboardingDesk, domain: str, actor: Actor) -> Case:
    """Undo the newest import; NoCase, CannotUndo, Refused where users would go that are not theirs to delete."""
    undo = desk.case(domain).last_import
    if undo is not None and undo.in_domain and undo.added:
        _must(desk, domain, actor, "delete")
    return desk.undo_import(domain, actor.name)


def _must(desk: OnboardingDesk, domain: str, actor: Actor, action: Action) -> None:
    """What the portal would not let them do to the users of a domain, no table does either."""
    directory = desk.directory(domain)
    if directory is not None:
        decision = may_some(actor, action, "user", domain, directory.reseller.name)
        if not decision:
            raise Refused(decision)


async def body_of(request: web.Request) -> bytes:
    """Return the body; BadTable when it is too much."""
    data = bytearray()
    async for chunk in request.content.iter_any():
        data += chunk
        if len(data) > MOST_BYTES:
            raise BadTable(f"it has more than {MOST_BYTES // 1_000_000} MB; send it in parts")
    return bytes(data)


def named_columns(told: Sequence[str]) -> Mapping[str, str]:
    """`Heading=column` → by heading; BadTable for what is written otherwise."""
    pairs = [one.rpartition("=") for one in told]
    if wrong := next((one for one, pair in zip(told, pairs, strict=True) if not pair[0]), ""):
        raise BadTable(f"{wrong[:80]!r} is no mapping; write it as Heading=column")
    return {heading.strip(): column.strip() for heading, _, column in pairs}


def shown(outcome: Outcome) -> dict[str, object]:
    return {
        "added": outcome.added,
        "changed": outcome.changed,
        "same": outcome.same,
        "left_out": [heading.text for heading in outcome.headings if not heading.column],
        "columns": {heading.text: heading.column for heading in outcome.headings if heading.column},
        "problems": [asdict(problem) for problem in outcome.problems[:_MOST_PROBLEMS]],
    }


def _no_case(domain: str, error: NoCase) -> web.Response:
    return refused(404, f"there is no case {domain[:80]!r}", str(error), "GET /api/v1/onboarding")


def _columns() -> str:
    return ", ".join(COLUMNS)
