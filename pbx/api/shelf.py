"""A shelf: objects of the platform that this house keeps and does nothing else with, as a REST collection.

They are durable and read back as they were written; the docs say which they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pbx.access import Action, Kind, Thing
from pbx.api.answers import ACCEPTED, Answer, Refused, nothing
from pbx.api.asked import Asked
from pbx.api.collection import COUNT_SCHEMA
from pbx.api.routes import Route
from pbx.api.shapes import Shape
from pbx.domain.directory import Directory
from pbx.store.protocol import Document, DocumentRemoved, DocumentSaved


@dataclass(frozen=True)
class Shelf:
    noun: str
    right: Kind
    shape: Shape
    """Every field is kept."""
    key: str
    """The field that names one; empty where ids are made."""
    under: str
    parameter: str
    where: Callable[[Asked], str] = lambda asked: ""
    """What sets the objects of one path apart from others of the same kind, as the dial plan of a rule."""
    check: Callable[[Asked, Mapping[str, Any]], None] = lambda asked, row: None
    """Refused for what cannot be."""
    verbs: tuple[str, ...] = ("list", "count", "read", "create", "change", "delete")

    def routes(self) -> tuple[Route, ...]:
        one, told = f"{self.under}/{{{self.parameter}}}", self.shape.schema()
        known = {
            "list": Route("GET", self.under, self.list_, self.right, f"List every {self.noun}", None,
                          {"type": "array", "items": told}, ("start", "limit")),
            "count": Route("GET", f"{self.under}/count", self.count, self.right, f"Count every {self.noun}", None,
                           COUNT_SCHEMA),
            "read": Route("GET", one, self.read, self.right, f"Read one {self.noun}", None, told),
            "create": Route("POST", self.under, self.create, self.right, f"Create a {self.noun}",
                            self.shape.schema(new=True), told),
            "change": Route("PUT", one, self.change, self.right, f"Change a {self.noun}",
                            self.shape.schema(change=True), told),
            "delete": Route("DELETE", one, self.delete, self.right, f"Delete a {self.noun}"),
        }  # fmt: skip
        return tuple(known[verb] for verb in self.verbs)

    async def list_(self, asked: Asked) -> Answer:
        return Answer(200, [self.told(asked, row) for row in list(self.rows(asked))[asked.page()]])

    async def count(self, asked: Asked) -> Answer:
        return Answer(200, {"total": sum(1 for _ in self.rows(asked))})

    async def read(self, asked: Asked) -> Answer:
        return Answer(200, self.told(asked, self.one(asked)))

    async def create(self, asked: Asked) -> Answer:
        self.allow(asked, "create")
        written = self.shape.read(asked.body, new=True)
        name = str(written.kept.get(self.key, "")) if self.key else asked.house.token(12)
        row = {"id": name, **written.kept}
        self.check(asked, row)
        if name in self._documents(asked, asked.domain):
            raise Refused(409, f"there is a {self.noun} {name!r} already")
        await self.put(asked, name, row)
        return Answer(200, self.told(asked, row)) if asked.synchronous else ACCEPTED

    async def change(self, asked: Asked) -> Answer:
        self.allow(asked, "edit")
        row = self.one(asked)
        written = self.shape.read(asked.body, new=False)
        new = {**row, **written.kept, **({self.key: row[self.key]} if self.key else {})}
        self.check(asked, new)
        await self.put(asked, str(row["id"]), new)
        return Answer(200, self.told(asked, new)) if asked.synchronous else ACCEPTED

    async def delete(self, asked: Asked) -> Answer:
        self.allow(asked, "delete")
        row = self.one(asked)
        await asked.submit(DocumentRemoved(asked.domain, self._kind(asked), str(row["id"])))
        return ACCEPTED

    # --- parts ----------------------------------------------------------------------------------------

    async def put(self, asked: Asked, name: str, row: Mapping[str, Any]) -> None:
        await asked.submit(DocumentSaved(Document(asked.domain, self._kind(asked), name, json.dumps(row))))

    def rows(self, asked: Asked) -> Iterator[Mapping[str, Any]]:
        if asked.domain in ("", "*"):
            self.allow(asked, "view")
            domains = ["", *(directory.domain.name for directory in asked.directories(self.right))]
        else:
            self._of(asked)
            self.allow(asked, "view")
            domains = [asked.domain]
        for domain in domains:
            for document in self._documents(asked, domain).values():
                yield {**json.loads(document.text), "domain": domain}

    def one(self, asked: Asked) -> Mapping[str, Any]:
        self.allow(asked, "view")
        name = asked.path[self.parameter]
        found = self._documents(asked, asked.domain).get(name)
        if found is None:
            raise nothing(self.noun, name)
        row: Mapping[str, Any] = json.loads(found.text)
        return {**row, "domain": asked.domain}

    def told(self, asked: Asked, row: Mapping[str, Any]) -> dict[str, Any]:
        return self.shape.tell(asked, row, row)

    def allow(self, asked: Asked, action: Action) -> None:
        directory = self._of(asked) if asked.domain not in ("", "*") else None
        reseller = directory.reseller.name if directory is not None else asked.actor.reseller
        domain = asked.domain if directory is not None else asked.actor.domain
        asked.require(action, Thing(self.right, domain, reseller, self.noun))

    def _of(self, asked: Asked) -> Directory:
        return asked.directory

    def _documents(self, asked: Asked, domain: str) -> Mapping[str, Document]:
        return asked.house.documents(domain, self._kind(asked))

    def _kind(self, asked: Asked) -> str:
        where = self.where(asked)
        return f"{self.noun}:{where}" if where else self.noun
