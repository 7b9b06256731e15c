"""What happened and why: call history, the audit, the role matrix, and *why may I?*"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from lab.portal.gate import ACTOR
from lab.portal.room import SHOWN, Room, first_row
from lab.portal.sections import FRAMES, SECTIONS, USERS
from pbx.access import ACTIONS, KINDS, REACHES, SCOPES, Action, Actor, Decision, Kind, may, may_some, table, within
from pbx.domain.directory import Directory
from pbx.ownership import record_thing, user_thing


@dataclass(slots=True)
class Looking:
    room: Room

    def route(self, app: web.Application) -> None:
        app.router.add_get("/d/{domain}/history", self._history)
        app.router.add_get("/d/{domain}/audit", self._audit)
        app.router.add_get("/d/{domain}/roles", self._roles)
        app.router.add_get("/d/{domain}/why-may-i", self._why)

    async def _history(self, request: web.Request) -> web.Response:
        directory = self.room.directory(request)
        sees = within(request[ACTOR], "view", "call record")
        zone = ZoneInfo(directory.domain.time_zone)
        found = [one for one in self.room.house.records(directory.domain.name) if sees(record_thing(directory, one))]
        first = first_row(request, len(found))
        rows = [
            (
                one.call, f"{datetime.fromtimestamp(one.started_at, zone):%d %b %Y %H:%M:%S}",
                one.caller_number or "withheld", one.dialled, one.path, one.disposition.capitalize(), one.talk_s,
            )
            for one in found[first : first + SHOWN]
        ]  # fmt: skip
        return self.room.page(
            request, "portal/history.html", room="history", domain=directory.domain.name, rows=rows, total=len(found),
            first=first, most=SHOWN,
        )  # fmt: skip

    async def _audit(self, request: web.Request) -> web.Response:
        directory = self.room.directory(request)
        zone = ZoneInfo(directory.domain.time_zone)
        found = [one for one in self.room.ledger.store().audit() if one.domain == directory.domain.name]
        first = first_row(request, len(found))
        rows = [
            (f"{datetime.fromtimestamp(one.at, zone):%d %b %Y %H:%M:%S}", one) for one in found[first : first + SHOWN]
        ]
        return self.room.page(
            request, "portal/audit.html", room="audit", domain=directory.domain.name, rows=rows, total=len(found),
            first=first, most=SHOWN,
        )  # fmt: skip

    async def _roles(self, request: web.Request) -> web.Response:
        directory = self.room.directory(request)
        roles = directory.domain.platform.roles
        scopes = [scope for scope in SCOPES if scope != "No Portal"]
        rows = [
            (right, [[REACHES[letter] for letter in REACHES if letter in right.of(scope)] for scope in scopes])
            for right in table(roles)
        ]
        return self.room.page(
            request,
            "portal/roles.html",
            room="roles",
            domain=directory.domain.name,
            roles=roles,
            scopes=scopes,
            rows=rows,
        )

    async def _why(self, request: web.Request) -> web.Response:
        """Why may I, or may somebody I may look as, do a thing: the table's answer, with the rows it rests on."""
        directory, me = self.room.directory(request), request[ACTOR]
        domain, reseller = directory.domain.name, directory.reseller.name
        kinds = [kind for kind in KINDS if any(may_some(me, action, kind, domain, reseller) for action in ACTIONS)]
        kind: Kind = next((one for one in KINDS if one == request.query.get("kind")), "profile")
        action: Action = next((one for one in ACTIONS if one == request.query.get("action")), "view")
        of = request.query.get("of", "").strip()
        decision = self._decision(directory, me, kind, of)(action)
        shown = decision.because if decision.status != 404 else ("There is no such thing within your reach.",)
        return self.room.page(
            request, "portal/why.html", room="why-may-i", domain=directory.domain.name, kinds=kinds, kind=kind,
            actions=ACTIONS, action=action, of=of, decision=decision, because=shown,
        )  # fmt: skip

    @staticmethod
    def _decision(directory: Directory, me: Actor, kind: Kind, of: str) -> Callable[[Any], Decision]:
        if not of:
            domain, reseller = directory.domain.name, directory.reseller.name
            return lambda action: may_some(me, action, kind, domain, reseller)
        section = next((one for one in SECTIONS if one.kind == kind and one is not USERS and one is not FRAMES), None)
        item = section.find(directory, of) if section is not None else None
        thing = (
            section.thing(directory, item)
            if section is not None and item is not None
            else user_thing(directory, of, kind)
        )
        return lambda action: may(me, action, thing)
