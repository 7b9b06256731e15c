"""The map of a domain's calls: what leads where by which option, and what reaches an object. No live state."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from pbx.domain.answering import AnsweringRule
from pbx.domain.attendants import Attendant, Menu, MenuAction
from pbx.domain.destinations import Destination, ToAttendant, ToUser
from pbx.domain.directory import Directory
from pbx.domain.numbers import PhoneNumber
from pbx.domain.queues import Agent
from pbx.domain.tenancy import User
from pbx.domain.user_consistency import FORWARDS


@dataclass(frozen=True, slots=True)
class Edge:
    """`why` says when a call goes from `source` to `target` (labels): `key 2`, `no answer`, `time frame lunch`."""

    source: str
    target: str
    why: str
    by_itself: bool
    """The call moves on without anybody pressing a key, dialling or answering."""


@dataclass(frozen=True)
class FlowMap:
    """Every edge of a domain, in its order; nodes are labels of destinations and `number:1NPANXXXXXX`."""

    edges: tuple[Edge, ...]
    roots: tuple[str, ...]
    """The domain's numbers."""

    @cached_property
    def out(self) -> dict[str, tuple[Edge, ...]]:
        found: dict[str, list[Edge]] = {}
        for edge in self.edges:
            found.setdefault(edge.source, []).append(edge)
        return {source: tuple(edges) for source, edges in found.items()}

    @cached_property
    def reached(self) -> frozenset[str]:
        """Everything a call from outside can come to, dialling by extension left aside."""
        seen, waiting = set(self.roots), deque(self.roots)
        while waiting:
            for edge in self.out.get(waiting.popleft(), ()):
                if edge.target not in seen:
                    seen.add(edge.target)
                    waiting.append(edge.target)
        return frozenset(seen)

    def paths_to(self, name: str) -> tuple[tuple[Edge, ...], ...]:
        """Return the shortest way from each number to `name`, a label or the extension, number or device in one."""
        found = (self._path(root, name) for root in self.roots)
        return tuple(path for path in found if path)

    def aside_from_numbers(self, name: str) -> tuple[Edge, ...]:
        """Return the edges to `name` from what no number leads to: only who is called inside brings a call there."""
        return tuple(
            edge
            for edge in self.edges
            if is_called(edge.target, name) and not is_called(edge.source, name) and edge.source not in self.reached
        )

    def _path(self, root: str, name: str) -> tuple[Edge, ...]:
        waiting: deque[tuple[str, tuple[Edge, ...]]] = deque([(root, ())])
        seen = {root}
        while waiting:
            node, path = waiting.popleft()
            if path and is_called(node, name):
                return path
            for edge in self.out.get(node, ()):
                if edge.target not in seen:
                    seen.add(edge.target)
                    waiting.append((edge.target, (*path, edge)))
        return ()


def is_called(label: str, name: str) -> bool:
    """Tell whether a label is `name` or that of an object so called: `user:123`, `attendant:123/main`."""
    return label == name or label.partition(":")[2].partition("/")[0] == name


def branches(drawn: FlowMap, node: str, margin: str, told: set[str]) -> Iterator[str]:
    """Yield the ways on from a node, a line each; one that has been `told` is named again, its ways are not."""
    by_target: dict[str, list[str]] = {}
    for edge in drawn.out.get(node, ()):
        by_target.setdefault(edge.target, []).append(edge.why)
    for target, reasons in by_target.items():
        again = target in told and target in drawn.out
        yield f"{margin}├ {', '.join(reasons)} → {target}{' (see above)' if again else ''}"
        if not again:
            told.add(target)
            yield from branches(drawn, target, f"{margin}│ ", told)


def flow_map(directory: Directory) -> FlowMap:
    """Return the map of a domain."""
    edges = [*_numbers(directory), *_users(directory), *_attendants(directory), *_queues(directory)]
    return FlowMap(tuple(dict.fromkeys(edges)), tuple(f"number:{number.number}" for number in directory.numbers))


def node_of(directory: Directory, destination: Destination) -> str:
    """Return the label of where a destination really is: `main` is the first menu, whatever its name."""
    if isinstance(destination, ToAttendant):
        attendant = directory.attendants_by_extension.get(destination.extension)
        menu = attendant.menu(destination.menu) if attendant else None
        return f"attendant:{destination.extension}/{menu.name if menu else destination.menu}"
    return destination.label


def edges_at(directory: Directory, at: datetime) -> frozenset[Edge]:
    """Return the edges a call can take at a moment (aware): of what time frames decide, what is in force then."""
    edges = [*_numbers_at(directory, at), *_users_at(directory, at), *_queues(directory)]
    for attendant in directory.attendants:
        first = f"attendant:{attendant.extension}/{attendant.menus[0].name}"
        zone = directory.zone_of_site(attendant.site)
        frames = [directory.frames_by_name[name] for name in attendant.open_frames]
        if attendant.closed and frames and not any(frame.covers(at, zone) for frame in frames):
            edges.append(Edge(first, f"attendant:{attendant.extension}/{attendant.closed}", "out of hours", True))
            menus = [menu for menu in attendant.menus if menu is not attendant.menus[0]]
        else:
            menus = list(attendant.menus)
        edges += [edge for menu in menus for edge in _menu(directory, attendant, menu)]
    return frozenset(edges)


def _numbers_at(directory: Directory, at: datetime) -> Iterator[Edge]:
    for number in directory.numbers:
        zone = directory.zone_of_site(number.site)
        edges = list(_number(directory, number))
        for choice, edge in zip(number.routes, edges, strict=True):
            frame = directory.frames_by_name.get(choice.time_frame)
            if frame is None or frame.covers(at, zone):
                yield edge
                break


def _users_at(directory: Directory, at: datetime) -> Iterator[Edge]:
    for user in directory.users:
        node, zone = ToUser(extension=user.extension).label, directory.zone_of_user(user)
        in_force = AnsweringRule()
        for rule in sorted(user.rules, key=lambda rule: rule.time_frame == "*"):
            frame = directory.frame_of(user, rule.time_frame)
            if rule.enabled and (frame is None or frame.covers(at, zone)):
                in_force = rule
                break
        yield from _rule(directory, user, node, in_force)
        if user.voicemail:
            yield Edge(node, f"mailbox:{user.extension}", "otherwise", True)


def _numbers(directory: Directory) -> Iterator[Edge]:
    for number in directory.numbers:
        yield from _number(directory, number)


def _number(directory: Directory, number: PhoneNumber) -> Iterator[Edge]:
    for choice in number.routes:
        why = "always" if choice.time_frame == "*" else f"time frame {choice.time_frame}"
        yield Edge(f"number:{number.number}", node_of(directory, choice.to), why, True)


def _users(directory: Directory) -> Iterator[Edge]:
    for user in directory.users:
        node = ToUser(extension=user.extension).label
        for rule in user.rules or (AnsweringRule(),):
            if rule.enabled:
                yield from _rule(directory, user, node, rule)
        if user.voicemail:
            yield Edge(node, f"mailbox:{user.extension}", "otherwise", True)


def _rule(directory: Directory, user: User, node: str, rule: AnsweringRule) -> Iterator[Edge]:
    when = "" if rule.time_frame == "*" else f", time frame {rule.time_frame}"
    for field in FORWARDS:
        destination = getattr(rule, field)
        if destination is not None:
            yield Edge(node, node_of(directory, destination), f"{field.replace('_', ' ')}{when}", True)
    if rule.do_not_disturb or rule.forward_always is not None:
        return
    for target in rule.simultaneous_ring:
        word, _, name = target.target.partition(" ")
        if word != "own":
            yield Edge(node, f"{word}:{name}", f"rings together{when}", False)
    if not rule.simultaneous_ring or any(target.target == "own" for target in rule.simultaneous_ring):
        for device in directory.devices_by_extension.get(user.extension, ()):
            yield Edge(node, f"device:{device.id}", f"rings{when}", False)


def _attendants(directory: Directory) -> Iterator[Edge]:
    for attendant in directory.attendants:
        first = f"attendant:{attendant.extension}/{attendant.menus[0].name}"
        if attendant.closed and attendant.open_frames:
            yield Edge(first, f"attendant:{attendant.extension}/{attendant.closed}", "out of hours", True)
        for menu in attendant.menus:
            yield from _menu(directory, attendant, menu)


def _menu(directory: Directory, attendant: Attendant, menu: Menu) -> Iterator[Edge]:
    node = f"attendant:{attendant.extension}/{menu.name}"
    actions: list[tuple[str, MenuAction, bool]] = [(f"key {key}", menu.keys[key], False) for key in sorted(menu.keys)]
    actions += [("no key", menu.no_key, True), ("any other key", menu.unassigned_key, False)]
    for why, action, by_itself in actions:
        if action.to is not None:
            yield Edge(node, node_of(directory, action.to), why, by_itself)
        elif action.action == "menu":
            target = node_of(directory, ToAttendant(extension=attendant.extension, menu=action.menu))
            yield Edge(node, target, why, by_itself)


def _queues(directory: Directory) -> Iterator[Edge]:
    for queue in directory.queues:
        node = f"queue:{queue.extension}"
        for agent in queue.enabled:
            for phone in phones_of(directory, agent):
                yield Edge(node, phone, f"agent {agent.name}", False)
        if queue.overflow is not None:
            yield Edge(node, node_of(directory, queue.overflow), "overflow", True)
        if queue.unavailable is not None:
            yield Edge(node, node_of(directory, queue.unavailable), "refused", True)


def phones_of(directory: Directory, agent: Agent) -> tuple[str, ...]:
    """Return the labels of what rings for an agent: all phones of a user, one device, or somebody outside."""
    if agent.number:
        return (f"external:{agent.number}",)
    if agent.device:
        return (f"device:{agent.device}",) if agent.device in directory.devices_by_id else ()
    return tuple(f"device:{device.id}" for device in directory.devices_by_extension.get(agent.extension, ()))
