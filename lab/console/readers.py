"""Who reads the console, and what each sees of the lab's pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from aiohttp import web

from lab.console.views import BoxesPage, CallRow, PhoneCard
from lab.portal import nav
from lab.portal.gate import ACTOR, BASE, LAB_ENGINEER, Gate, cookie_name
from pbx.access import Actor, Kind, Thing, may, may_some, reaches_all, within
from pbx.domain.directory import Directory
from pbx.ownership import hardware_thing, parties_thing, phone_thing


class Reader(Protocol):
    async def admit(self, request: web.Request) -> None:
        """Let in, or raise what is answered instead."""
        ...

    def landing(self, request: web.Request) -> str: ...

    def frame(self, request: web.Request) -> dict[str, object]:
        """What the frame around a page says of its reader: `person`, `logged_in`, `viewing`, `rooms`."""
        ...

    def phones(self, request: web.Request, cards: Sequence[PhoneCard]) -> Sequence[PhoneCard]: ...

    def calls(self, request: web.Request, rows: Sequence[CallRow]) -> Sequence[CallRow]: ...

    def boxes(self, request: web.Request, page: BoxesPage) -> BoxesPage: ...

    def traces(self, request: web.Request) -> bool:
        """Whether the SIP of calls is shown."""
        ...

    def guides(self, request: web.Request) -> bool:
        """Whether the reader answers what a run asks of people."""
        ...

    def commands(self, request: web.Request) -> bool:
        """Whether the reader may do what is the lab's own."""
        ...

    def hears(self, request: web.Request) -> Callable[[str], bool]:
        """Which regions of the live stream the reader is told of."""
        ...


class Everybody:
    """A console without accounts: whoever comes sees all of it."""

    async def admit(self, request: web.Request) -> None:
        return None

    def landing(self, request: web.Request) -> str:
        return "/floor"

    def frame(self, request: web.Request) -> dict[str, object]:
        rooms = [("Lab", [*(link for link, _ in nav.LAB), *nav.FAULTS])]
        return {"person": LAB_ENGINEER.name, "logged_in": False, "viewing": "", "rooms": rooms}

    def phones(self, request: web.Request, cards: Sequence[PhoneCard]) -> Sequence[PhoneCard]:
        return cards

    def calls(self, request: web.Request, rows: Sequence[CallRow]) -> Sequence[CallRow]:
        return rows

    def boxes(self, request: web.Request, page: BoxesPage) -> BoxesPage:
        return page

    def traces(self, request: web.Request) -> bool:
        return True

    def guides(self, request: web.Request) -> bool:
        return True

    def commands(self, request: web.Request) -> bool:
        return True

    def hears(self, request: web.Request) -> Callable[[str], bool]:
        return lambda region: True


class Readers:
    """People with their rights: each sees of the lab's pages what the table gives (console.md 4.3)."""

    def __init__(self, gate: Gate, home: Callable[[], Directory]) -> None:
        self._gate, self._home = gate, home

    async def admit(self, request: web.Request) -> None:
        await self._gate.admit(request)

    def landing(self, request: web.Request) -> str:
        return nav.landing(request[ACTOR], self._home())

    def frame(self, request: web.Request) -> dict[str, object]:
        actor = request.get(ACTOR)
        if actor is None:
            return {"person": "", "logged_in": False, "viewing": "", "rooms": []}
        return {
            "person": request[BASE].name,
            "logged_in": cookie_name(request) in request.cookies,
            "viewing": f"{actor.scope} {actor.name}" if actor.by else "",
            "rooms": self.rooms(request),
        }

    def rooms(self, request: web.Request) -> list[tuple[str, list[nav.Link]]]:
        """The groups of links the reader has."""
        actor = request[ACTOR]
        return nav.rooms(actor, self._home(), self._shown(request, actor))

    def _shown(self, request: web.Request, actor: Actor) -> Directory:
        """The domain of the page, the reader's own where that is none the reader knows: its links would tell of it."""
        asked = self._gate.directory(request.match_info.get("domain", ""))
        if asked is not None and may_some(actor, "view", "home", asked.domain.name, asked.reseller.name):
            return asked
        return self._gate.directory(actor.domain) or self._home()

    def phones(self, request: web.Request, cards: Sequence[PhoneCard]) -> Sequence[PhoneCard]:
        sees, home = within(request[ACTOR], "view", "phone"), self._home()
        return [card for card in cards if sees(phone_thing(home, card.extension))]

    def calls(self, request: web.Request, rows: Sequence[CallRow]) -> Sequence[CallRow]:
        sees = within(request[ACTOR], "view", "call record")
        return [row for row in rows if sees(self._call(row))]

    def boxes(self, request: web.Request, page: BoxesPage) -> BoxesPage:
        if self._wide(request[ACTOR], "hardware"):
            return page
        sees, home = within(request[ACTOR], "view", "hardware"), self._home()
        rows = tuple(row for row in page.rows if sees(hardware_thing(home, row.mac)))
        return replace(page, total=len(rows), rows=rows)

    def traces(self, request: web.Request) -> bool:
        return self._some(request[ACTOR], "sip trace")

    def guides(self, request: web.Request) -> bool:
        actor = request.get(ACTOR)
        return actor is not None and bool(
            may_some(actor, "edit", "test run", self._home().domain.name, self._home().reseller.name)
        )

    def commands(self, request: web.Request) -> bool:
        return self._some(request[ACTOR], "fault")

    def hears(self, request: web.Request) -> Callable[[str], bool]:
        actor = request[ACTOR]
        floor, calls = self._wide(actor, "phone"), self._wide(actor, "call record") and self._wide(actor, "sip trace")
        runs, guides = self._some(actor, "test run"), self.guides(request)

        def hears(region: str) -> bool:
            match region.partition("-")[0]:
                case "phone":
                    return floor or self._phone(actor, region.removeprefix("phone-"))
                case "handset":
                    return self._hand(actor, region.removeprefix("handset-"))
                case "floor" | "say":
                    return floor
                case "call" | "calls":
                    return calls
                case "run" | "runs":
                    return runs
                case "guide":
                    return guides
                case _:
                    return False

        return hears

    def _hand(self, actor: Actor, device: str) -> bool:
        found = self._home().devices_by_id.get(device)
        return found is not None and bool(may(actor, "edit", phone_thing(self._home(), found.extension)))

    def _phone(self, actor: Actor, device: str) -> bool:
        found = self._home().devices_by_id.get(device)
        return found is not None and within(actor, "view", "phone")(phone_thing(self._home(), found.extension))

    def _call(self, row: CallRow) -> Thing:
        return parties_thing(self._home(), "call record", row.call, (row.caller,), row.path)

    def _some(self, actor: Actor, kind: Kind) -> bool:
        return bool(may_some(actor, "view", kind, self._home().domain.name, self._home().reseller.name))

    def _wide(self, actor: Actor, kind: Kind) -> bool:
        """Whether all of the domain's are within reach."""
        return reaches_all(actor, "view", kind, self._home().domain.name, self._home().reseller.name)
