"""The map of a domain's calls and *what if* (console.md S3): where every number leads, at any hour, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web

from lab.console.flow_svg import MOST_BOXES, Box, Way, columns, merged, svg
from lab.portal.gate import ACTOR
from lab.portal.places import Place, label_of, place_of
from lab.portal.room import Room
from pbx.access import may, reaches_all, within
from pbx.callflow.changes import next_changes, turns
from pbx.callflow.decisions import DecisionRecord
from pbx.callflow.findings import TITLES, Finding, findings
from pbx.callflow.flow_map import Edge, FlowMap, edges_at, flow_map, is_called
from pbx.callflow.question import Asked, Presence, Route
from pbx.callflow.routing import route
from pbx.clock import Moment
from pbx.domain.directory import Directory
from pbx.domain.queues import AgentStatus
from pbx.ownership import user_thing

SOMEBODY = "14165550142"
"""Who calls from outside where nobody is named."""
_TICKS = 6
_MOST_NUMBERS = 20
"""Numbers whose next changes are looked for."""
_MOST_TURNS = 24
"""Beginnings and ends of time frames that are looked at for them."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of the outline: by which options a call comes to a node, and where it can go from there."""

    whys: tuple[str, ...]
    place: Place
    active: bool
    trouble: str
    again: bool
    """It stands above with all that follows."""
    below: tuple[Branch, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """A finding as it is listed."""

    finding: Finding
    title: str
    label: str
    href: str
    """Its place on the map."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment at which calls begin to go another way."""

    words: str
    at: str
    what: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is live, read once: the rest of a page is drawn elsewhere."""

    at: Moment
    presence: Presence
    prompts: Set[str]
    served: bool
    """The switch has this domain."""


@dataclass(slots=True)
class FlowPage:
    room: Room

    def route(self, app: web.Application) -> None:
        app.router.add_get("/d/{domain}/map", self._map)
        app.router.add_get("/d/{domain}/what-if", self._what_if)

    # --- the map --------------------------------------------------------------------------------------

    async def _map(self, request: web.Request) -> web.Response:
        directory = self.room.directory(request)
        at, wrong = self._moment(directory, request.query.get("at", ""))
        house, domain = self.room.house, directory.domain.name
        seen = _Seen(at, house.presence(domain), house.prompts(domain), house.serves(domain))
        # A large domain takes a while, and the switch lives in this loop.
        context = await asyncio.to_thread(self._drawn, request, directory, seen)
        return self.room.page(request, "portal/map.html", room="map", domain=domain, wrong=wrong, **context)

    def _drawn(self, request: web.Request, directory: Directory, seen: _Seen) -> dict[str, object]:
        query, at = request.query, seen.at
        drawn = self._within_reach(request, directory, flow_map(directory))
        active = edges_at(directory, at.wall)
        told = self._findings(request, directory, drawn, seen)
        troubles = _troubles(told)
        start, chosen = query.get("from", ""), query.get("node", "")
        roots = tuple(root for root in drawn.roots if not start or root == start) or drawn.roots
        ways = merged(drawn.edges, active)
        if query.get("active"):
            ways = [way for way in ways if way.active]
        placed = columns(roots, ways)
        count = sum(map(len, placed))
        places = {label: place_of(directory, label) for label in _labels(drawn)}
        small = count <= MOST_BOXES
        return {
            "at": _local(at, directory),
            "given": _given(query.get("at", "")),
            "roots": [places[root] for root in drawn.roots],
            "start": start if start in drawn.roots else "",
            "only_active": bool(query.get("active")),
            "findings": told,
            "snags": _counts(told),
            "picture": self._picture(request, directory, placed, ways, troubles, chosen) if small else "",
            "count": count,
            "outline": tuple(_outline(drawn, roots, places, active, troubles)),
            "chosen": self._chosen(request, directory, drawn, chosen, active) if chosen in places else None,
            "reach": self._reach(directory, drawn, query.get("reaches", "").strip()),
            "reaches": query.get("reaches", "").strip()[:80],
            "ticks": list(islice(_ticks(directory, drawn, seen), _TICKS)),
            "link": _linker(request),
        }

    def _picture(
        self,
        request: web.Request,
        directory: Directory,
        placed: Sequence[Sequence[str]],
        ways: Sequence[Way],
        troubles: dict[str, str],
        chosen: str,
    ) -> str:
        link = _linker(request)
        boxes = {}
        for label in (label for column in placed for label in column):
            place = place_of(directory, label)
            trouble = troubles.get(label, "") or ("" if place.known else "unknown")
            boxes[label] = Box(label, place.title, place.sub, link(node=label) + "#chosen", trouble, label == chosen)

        def words(box: Box) -> str:
            onward = [f"{', '.join(way.whys)}: {boxes[way.target].title}" for way in ways
                      if way.source == box.label and way.target in boxes]  # fmt: skip
            parts = [f"{box.sub} {box.title}".strip(), box.trouble, "; ".join(onward[:6])]
            return ". ".join(part for part in parts if part)

        return svg(boxes, placed, ways, directory.domain.name, words)

    def _findings(self, request: web.Request, directory: Directory, drawn: FlowMap, seen: _Seen) -> list[Told]:
        """What is wrong, as far as the reader sees the domain."""
        link = _linker(request)
        offline = frozenset(directory.devices_by_id) - seen.presence.registered if seen.served else frozenset()
        shown, wide = _labels(drawn), self._wide(request, directory)
        found = []
        for finding in findings(directory, seen.prompts, offline):
            label = label_of(directory, finding)
            if wide or label in shown:
                href = link(node=label) + "#chosen" if label in shown else ""
                found.append(Told(finding, TITLES[finding.rule], label, href))
        return found

    def _chosen(
        self, request: web.Request, directory: Directory, drawn: FlowMap, label: str, active: Iterable[Edge]
    ) -> dict[str, object]:
        """All of one node: where it leads, what leads to it, and its page."""
        place, taken = place_of(directory, label), set(active)
        onward = [(edge.why, place_of(directory, edge.target), edge in taken) for edge in drawn.out.get(label, ())]
        into = [(place_of(directory, e.source), e.why, e in taken) for e in drawn.edges if e.target == label]
        opens = place.href if may(request[ACTOR], "view", place.thing) else ""
        kind, _, name = label.partition(":")
        dials = name if kind in ("number", "user", "queue", "conference") else ""
        dials = name.partition("/")[0] if kind == "attendant" else dials
        return {"place": place, "onward": onward, "into": into, "opens": opens, "dials": dials}

    def _reach(self, directory: Directory, drawn: FlowMap, name: str) -> dict[str, object] | None:
        """What brings a call to somebody: the way from each number, from inside, and by dialling the extension."""
        if not name:
            return None
        dialled = [
            f"{attendant.extension}/{menu.name}"
            for attendant in directory.attendants
            for menu in attendant.menus
            if len(name) in menu.dial_by_extension and name.isdigit()
        ]
        paths = [[(edge.why, place_of(directory, edge.target)) for edge in path] for path in drawn.paths_to(name)]
        starts = [place_of(directory, path[0].source) for path in drawn.paths_to(name)]
        aside = [(place_of(directory, edge.source), edge.why) for edge in drawn.aside_from_numbers(name)]
        known = any(is_called(label, name) for label in _labels(drawn))
        return {"known": known, "paths": list(zip(starts, paths, strict=True)), "aside": aside, "dialled": dialled}

    def _wide(self, request: web.Request, directory: Directory) -> bool:
        return reaches_all(request[ACTOR], "view", "flow map", directory.domain.name, directory.reseller.name)

    def _within_reach(self, request: web.Request, directory: Directory, drawn: FlowMap) -> FlowMap:
        """The map from where the reader's own things stand: those, and where they lead."""
        if self._wide(request, directory):
            return drawn
        sees = within(request[ACTOR], "view", "flow map")
        labels = dict.fromkeys([*drawn.roots, *(edge.source for edge in drawn.edges)])
        mine = {label for label in labels if sees(place_of(directory, label).thing)}
        edges = tuple(edge for edge in drawn.edges if edge.source in mine)
        led_to = {edge.target for edge in edges}
        roots = [label for label in labels if label in mine and label not in led_to]
        return FlowMap(edges, tuple(roots or sorted(mine)[:1]))

    # --- what if --------------------------------------------------------------------------------------

    async def _what_if(self, request: web.Request) -> web.Response:
        directory, query = self.room.directory(request), request.query
        number, caller = query.get("number", "").strip()[:80], query.get("from", "").strip()[:80]
        off = [name for name in query.get("off", "").replace(",", " ").split() if name][:50]
        empty = query.get("empty", "")
        at, wrong = self._moment(directory, query.get("at", ""))
        unknown = [name for name in off if name not in directory.devices_by_id]
        if unknown:
            wrong = wrong or f"there is no phone {', '.join(unknown)[:80]} here"
        sees = within(request[ACTOR], "view", "flow map")
        devices = [d.id for d in directory.devices if sees(user_thing(directory, d.extension, "flow map"))]
        answer = None
        if number and not wrong:
            self._must_reach(request, directory, number, caller)
            answer = answered(
                directory, self._presence(directory, off, empty, now=not query.get("at")), number, caller, at
            )
        return self.room.page(
            request,
            "portal/what_if.html",
            room="what-if",
            domain=directory.domain.name,
            number=number,
            caller=caller,
            given=query.get("at", ""),
            off=" ".join(off),
            empty=empty,
            queues=[queue.extension for queue in directory.queues],
            devices=devices,
            numbers=[one.number for one in directory.numbers],
            wrong=wrong,
            at=_local(at, directory),
            answer=answer,
            command=_command(number, caller, query.get("at", ""), off),
        )

    def _must_reach(self, request: web.Request, directory: Directory, number: str, caller: str) -> None:
        """Who sees a part of the domain asks about calls to, or from, that part."""
        if self._wide(request, directory):
            return
        device = directory.devices_by_id.get(caller)
        ends = [
            f"user:{number}",
            f"number:{number}",
            f"queue:{number}",
            f"user:{device.extension if device else caller}",
        ]
        attendant = directory.attendants_by_extension.get(number)
        ends += [f"attendant:{number}/{attendant.menus[0].name}"] if attendant is not None else []
        known = [place for place in (place_of(directory, label) for label in ends) if place.known]
        if not any(may(request[ACTOR], "view", place.thing) for place in known):
            raise web.HTTPNotFound

    def _presence(self, directory: Directory, off: Sequence[str], empty: str, *, now: bool) -> Presence:
        """Who is there: now, those who are; at another moment everybody, at rest. `off` and `empty` are taken away."""
        everybody = Presence(frozenset(directory.devices_by_id))
        there = self.room.house.presence(directory.domain.name) if now else everybody
        there = replace(there, registered=there.registered - frozenset(off))
        queue = directory.queues_by_extension.get(empty)
        if queue is None:
            return there
        gone = {(queue.extension, agent.name): AgentStatus.LOGGED_OUT for agent in queue.agents}
        return replace(there, statuses={**there.statuses, **gone})

    def _moment(self, directory: Directory, text: str) -> tuple[Moment, str]:
        """The moment asked for on the domain's clock, now when none is; and what is wrong with it."""
        now = self.room.house.now()
        if not text:
            return now, ""
        try:
            wall = datetime.fromisoformat(text[:40]).replace(tzinfo=_zone(directory)).astimezone(UTC)
        except (ValueError, OverflowError):
            return now, f"{text[:40]!r} is no moment, like 2026-12-25T10:15"
        return Moment(now.mono, wall), ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Where a call would go."""

    record: DecisionRecord
    rings: tuple[str, ...]
    shown_as: str
    next_change: str
    then: str

    @property
    def lines(self) -> list[tuple[str, str, str, str]]:
        """Verdict, step, what it saw and why, link: as the page of a call shows its record."""
        return [
            (one.verdict, one.step, " — ".join(word for word in (one.rule, one.saw, one.because) if word), one.link)
            for one in self.record.decisions
        ]


def answered(directory: Directory, presence: Presence, number: str, caller: str, at: Moment) -> Answer:
    """Return where a call would go, why, whom it rings, and when that is next otherwise; no call is placed.

    `caller` is a device of the domain, or any number outside.
    """
    device = directory.devices_by_id.get(caller)
    asked = (
        Asked(number, device.extension, device.id, device.extension) if device else Asked(number, caller or SOMEBODY)
    )
    found: Route = route(directory, asked, presence, at)
    rings = tuple(ringing.target.label for ringing in found.ring.targets) if found.ring is not None else ()
    change = next_changes(directory, [asked], presence, at)[0]
    when = f"{change[0].wall.astimezone(_zone(directory)):%a %d %b %Y %H:%M}" if change is not None else ""
    then = change[1].record.outcome if change is not None else ""
    shown_as = f"{found.caller_id.number} {found.caller_id.name}".strip()
    return Answer(found.record, rings, shown_as, when, then)


def _ticks(directory: Directory, drawn: FlowMap, seen: _Seen) -> Iterator[Tick]:
    """The next moments at which a call to a number that is shown begins to go another way."""
    numbers = [root.removeprefix("number:") for root in drawn.roots if root.startswith("number:")]
    calls, zone = [Asked(number, SOMEBODY) for number in numbers[:_MOST_NUMBERS]], _zone(directory)
    ways = [route(directory, call, seen.presence, seen.at).record.outcome for call in calls]
    for wall in islice(turns(directory, seen.at.wall), _MOST_TURNS if calls else 0):
        then = Moment(seen.at.mono, wall)
        later = [route(directory, call, seen.presence, then).record.outcome for call in calls]
        if later != ways:
            changed = zip(calls, ways, later, strict=True)
            what = "; ".join(f"{call.dialled} → {after}" for call, before, after in changed if before != after)
            local, ways = wall.astimezone(zone), later
            yield Tick(f"{local:%a %d %b %H:%M}", f"{local:%Y-%m-%dT%H:%M}", what)


def _given(text: str) -> str:
    """A moment as the form writes it, empty for none."""
    try:
        return f"{datetime.fromisoformat(text[:40]):%Y-%m-%dT%H:%M}"
    except ValueError:
        return ""


def _outline(
    drawn: FlowMap, roots: Sequence[str], places: dict[str, Place], active: Iterable[Edge], troubles: dict[str, str]
) -> Iterator[Branch]:
    """The map as nested lists; what stands above is named again, not told again."""
    told, taken = set[str](), set(active)

    def branch(label: str, edges: Sequence[Edge]) -> Branch:
        again = label in told and label in drawn.out
        told.add(label)
        whys, on = tuple(dict.fromkeys(edge.why for edge in edges)), not edges or any(edge in taken for edge in edges)
        below = () if again else tuple(branch(target, pair) for target, pair in _by_target(drawn, label).items())
        return Branch(whys, places[label], on, troubles.get(label, ""), again, below)

    yield from (branch(root, ()) for root in roots)


def _by_target(drawn: FlowMap, label: str) -> dict[str, list[Edge]]:
    found: dict[str, list[Edge]] = {}
    for edge in drawn.out.get(label, ()):
        found.setdefault(edge.target, []).append(edge)
    return found


def _labels(drawn: FlowMap) -> dict[str, None]:
    return dict.fromkeys([*drawn.roots, *(label for edge in drawn.edges for label in (edge.source, edge.target))])


def _troubles(told: Iterable[Told]) -> dict[str, str]:
    return {one.label: f"{one.finding.rule} {one.title}" for one in told if one.label}


def _counts(told: Iterable[Told]) -> list[tuple[str, str, int]]:
    """How often each rule found something: rule, title, count."""
    counts: dict[str, int] = {}
    for one in told:
        counts[one.finding.rule] = counts.get(one.finding.rule, 0) + 1
    return [(rule, TITLES[rule], count) for rule, count in sorted(counts.items())]


def _linker(request: web.Request) -> Callable[..., str]:
    """Return what makes an address of this page with some of its inputs changed."""

    def link(**changed: str) -> str:
        kept = {name: request.query.get(name, "") for name in ("from", "at", "active", "node", "reaches")}
        told = {name: value for name, value in (kept | changed).items() if value}
        return f"{request.path}?{urlencode(told)}" if told else request.path

    return link


def _command(number: str, caller: str, at: str, off: Sequence[str]) -> str:
    """The same question at a terminal."""
    parts = [f"switchroom why {number}"]
    parts += [f"--from {caller}"] if caller else []
    parts += [f'--at "{at.replace("T", " ")}"'] if at else []
    parts += [f"--without {','.join(off)}"] if off else []
    return " ".join(parts)


def _zone(directory: Directory) -> ZoneInfo:
    return ZoneInfo(directory.domain.time_zone)


def _local(at: Moment, directory: Directory) -> str:
    return f"{at.wall.astimezone(_zone(directory)):%a %d %b %Y %H:%M %Z}"
