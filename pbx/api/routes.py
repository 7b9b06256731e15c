"""Routes: a method, a path, what it does and which right it needs; and finding the one a request is for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from pbx.access import Action, Kind
from pbx.api.answers import Answer
from pbx.api.asked import Asked
from pbx.api.forms import Schema

_DOES: dict[str, Action] = {"GET": "view", "POST": "create", "PUT": "edit", "PATCH": "edit", "DELETE": "delete"}

Handler = Callable[[Asked], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    """`/domains/{domain}/users/{user}`"""
    act: Handler
    right: Kind | None
    """The row of the permission table; None for what needs no token."""
    summary: str
    takes: Schema | None = None
    gives: Schema | None = None
    query: tuple[str, ...] = ()
    action: Action | None = None
    """None: as the method says."""

    @property
    def does(self) -> Action:
        return self.action or _DOES[self.method]


class Routes:
    """Finds routes by their segments: a word that is written goes before a parameter."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.all = tuple(routes)
        self._root = _Node()
        for route in self.all:
            node = self._root
            for part in route.path.strip("/").split("/"):
                node = node.below(part)
            if route.method in node.routes:
                raise ValueError(f"two routes for {route.method} {route.path}")
            node.routes[route.method] = route

    def find(self, method: str, parts: list[str]) -> tuple[Route | None, dict[str, str], tuple[str, ...]]:
        """Return (the route, its parameters, the methods its path takes)."""
        found = self._root.find(parts, 0)
        if found is None:
            return None, {}, ()
        node, values = found
        route = node.routes.get(method)
        names = [part[1:-1] for part in route.path.strip("/").split("/") if part[:1] == "{"] if route else []
        return route, dict(zip(names, values, strict=False)), tuple(node.routes)


@dataclass(slots=True)
class _Node:
    words: dict[str, _Node] = field(default_factory=dict)
    any: _Node | None = None
    routes: dict[str, Route] = field(default_factory=dict)

    def below(self, part: str) -> _Node:
        if part[:1] == "{":
            self.any = self.any or _Node()
            return self.any
        return self.words.setdefault(part, _Node())

    def find(self, parts: list[str], at: int) -> tuple[_Node, list[str]] | None:
        if at == len(parts):
            return (self, []) if self.routes else None
        word = self.words.get(parts[at])
        found = word.find(parts, at + 1) if word is not None else None
        if found is None and self.any is not None and parts[at]:
            found = self.any.find(parts, at + 1)
            if found is not None:
                found[1].insert(0, parts[at])
        return found
