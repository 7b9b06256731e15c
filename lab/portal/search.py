"""The search palette: what there is of a name or number, within the reader's reach; rooms, and commands beside them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from aiohttp import web

from lab.console.language import language_of, saying
from lab.portal.gate import ACTOR
from lab.portal.nav import Link
from lab.portal.places import spaced
from lab.portal.room import Room
from lab.portal.sections import SECTIONS
from pbx.access import may_some, within
from pbx.domain.directory import Directory
from pbx.ownership import hardware_thing, phone_thing, record_thing

MOST = 12
_NEAREST = 3
_COMMANDS = (
    ("switchroom why NUMBER --from 101", "explain a route; no call is placed"),
    ("switchroom map --reaches 101", "what reaches an extension"),
    ("switchroom call 101 102", "place a call"),
    ("switchroom phone dial 101 102", "press the buttons of a phone"),
    ("switchroom run PLAN --against URL", "run a test plan"),
    ("switchroom trace", "the ladder in a terminal"),
    ("switchroom provision why MAC NAME", "where a setting comes from"),
    ("switchroom fault set LINK --loss 3", "spoil a line on purpose"),
    ("switchroom doctor", "what this machine lacks"),
)
"""What may be typed at a terminal, and what it does."""


@dataclass(frozen=True, slots=True)
class Hit:
    kind: str
    title: str
    sub: str
    href: str
    """Empty for a command."""


@dataclass(slots=True)
class SearchPage:
    """Adds its route to an application. `home` is the domain the switch serves."""

    room: Room
    home: Callable[[], Directory]
    rooms: Callable[[web.Request], Sequence[tuple[str, list[Link]]]]
    floor: Callable[[], Collection[str]]
    """The phones that can be picked up, by device."""

    def route(self, app: web.Application) -> None:
        app.router.add_get("/search", self._search)

    async def _search(self, request: web.Request) -> web.Response:
        words = request.query.get("q", "").strip()[:80]
        say = saying(language_of(request))
        entries = [*self._rooms(request), *self._objects(request), *_commands()]
        wanted = words.casefold().split()
        hits = [hit for hit in entries if all(word in _text(hit, say) for word in wanted)] if wanted else []
        nearest = [] if hits or not wanted else _nearest(words, [hit for hit in entries if hit.href])
        template = "portal/found.html" if request.query.get("part") == "1" else "portal/search.html"
        shown = hits[:MOST] if wanted else [*self._rooms(request)]
        return self.room.page(
            request, template, room="", words=words, hits=shown, total=len(hits), nearest=nearest,
            events=f"/calls?{urlencode({'q': words})}",
        )  # fmt: skip

    def _rooms(self, request: web.Request) -> Iterator[Hit]:
        for group, links in self.rooms(request):
            yield from (Hit("room", title, group, href) for _, href, title, _ in links)

    def _objects(self, request: web.Request) -> Iterator[Hit]:
        actor, home = request[ACTOR], self.home()
        directory = self.room.gate.directory(actor.domain) or home
        domain = directory.domain.name
        for section in SECTIONS:
            if not may_some(actor, "view", section.kind, domain, directory.reseller.name):
                continue
            for item in section.all(directory):
                thing = section.thing(directory, item)
                if within(actor, "view", thing.kind)(thing):
                    key = str(getattr(item, section.key))
                    name = str(getattr(item, "name", "") or getattr(item, "description", ""))
                    href = f"/d/{domain}/{section.path}/{quote(key, safe='')}"
                    yield Hit(section.one, spaced(key) if section.path == "numbers" else key, name, href)
        floor = self.floor()
        sees, owns = within(actor, "view", "phone"), within(actor, "view", "hardware")
        for device in home.devices:
            if device.id in floor and sees(phone_thing(home, device.extension)):
                yield Hit("phone", device.id, f"{device.model} {device.mac or ''}".strip(), f"/phones/{device.id}")
            if device.mac and owns(hardware_thing(home, device.mac)):
                yield Hit("box", device.mac, f"{device.id} {device.model}".strip(), f"/devices/{device.mac}")
        calls = within(actor, "view", "call record")
        for record in self.room.house.records(home.domain.name)[:200]:
            if calls(record_thing(home, record)):
                told = f"{record.caller_number} → {record.dialled}"
                yield Hit("call", record.call, told, f"/calls/{quote(record.call, safe='')}")


def _commands() -> Iterator[Hit]:
    for command, what in _COMMANDS:
        yield Hit("command", command, what, "")


def _text(hit: Hit, say: Callable[..., str]) -> str:
    """What the words of a search are looked for in: English, and the reader's language."""
    plain = hit.title.replace(" ", "").replace("+", "")
    return f"{hit.title} {plain} {hit.sub} {hit.kind} {say(hit.title)} {say(hit.sub)}".casefold()


def _nearest(words: str, entries: Sequence[Hit]) -> list[Hit]:
    """The three whose name is most like what was typed."""
    by_name = {f"{hit.title} {hit.sub}".casefold(): hit for hit in entries}
    by_name |= {hit.title.casefold(): hit for hit in entries} | {hit.sub.casefold(): hit for hit in entries if hit.sub}
    close = difflib.get_close_matches(words.casefold(), by_name, n=8, cutoff=0.3)
    return list(dict.fromkeys(by_name[name] for name in close))[:_NEAREST]
