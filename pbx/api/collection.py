"""Objects of one section of a directory as a REST collection: list, count, read, create, change, delete.

Every write is one edit of the whole domain: judged by the domain's rules, durable when it is answered, or refused with
nothing of it done. What a client sends as it read it changes nothing: an inherited value stays inherited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any

from pbx.access import Action, Kind, Thing
from pbx.api.answers import ACCEPTED, Answer, Refused, nothing, wrong
from pbx.api.asked import Asked
from pbx.api.routes import Route
from pbx.api.shapes import Shape, Written, as_refusal, changed, made
from pbx.domain.base import Model
from pbx.domain.directory import Directory
from pbx.domain.removal import Kind as Removed
from pbx.domain.removal import Referenced, without
from pbx.ownership import domain_thing

Items = Callable[[Asked, Directory], Iterable[Any]]
Around = tuple[Asked, Directory]
"""What a told field may look at."""


def every(section: str) -> Items:
    return lambda asked, directory: getattr(directory, section)


@dataclass(frozen=True)
class Collection:
    noun: str
    """`user`; also how its kept fields are filed."""
    right: Kind
    shape: Shape
    model: type[Model]
    section: str
    key: str
    """Field of the model that names one."""
    named: str
    """Field of the body that names a new one."""
    under: str
    parameter: str
    items: Items
    """Which of them are there to be asked for."""
    thing: Callable[[Directory, Any], Thing]
    """What it is to the permission table."""
    removed_as: Removed | None
    fresh: Callable[[Asked, Written], Mapping[str, Any]] = lambda asked, written: {}
    """What a new one has besides what was sent."""
    before: Callable[[Asked, Directory, Written], Directory] = lambda asked, directory, written: directory
    """What else a write of it changes, first."""
    prepared: Callable[[Asked], Mapping[str, Any]] = lambda asked: asked.body
    """The body, where several fields of theirs are one of ours."""
    find: Callable[[Asked, Directory, str], Any] | None = None
    """The one of that name, by a look-up; None: by looking through `items`."""
    right_made: Kind | None = None
    """The row for making and removing one, where that is another."""
    verbs: tuple[str, ...] = ("list", "count", "read", "create", "change", "delete")

    @cached_property
    def _filters(self) -> Mapping[str, str]:
        """Field → where it lives, of those a list can be narrowed by."""
        return {it.name: it.at for it in self.shape.fields if it.at and it.told is None}

    # --- routes ---------------------------------------------------------------------------------------

    def routes(self) -> tuple[Route, ...]:
        one = f"{self.under}/{{{self.parameter}}}"
        told, many = self.shape.schema(), {"type": "array", "items": self.shape.schema()}
        new, change = self.shape.schema(new=True), self.shape.schema(change=True)
        page = ("start", "limit", "fields", "sort", "site")
        made = self.right_made or self.right
        known = {
            "list": Route("GET", self.under, self.list_, self.right, f"List every {self.noun}", None, many, page),
            "count": Route("GET", f"{self.under}/count", self.count, self.right, f"Count every {self.noun}", None,
                           COUNT_SCHEMA),
            "read": Route("GET", one, self.read, self.right, f"Read one {self.noun}", None, told),
            "create": Route("POST", self.under, self.create, made, f"Create a {self.noun}", new, told),
            "change": Route("PUT", one, self.change, self.right, f"Change a {self.noun}", change, told),
            "delete": Route("DELETE", one, self.delete, made, f"Delete a {self.noun}"),
        }  # fmt: skip
        return tuple(known[verb] for verb in self.verbs)

    # --- reading --------------------------------------------------------------------------------------

    async def list_(self, asked: Asked) -> Answer:
        return Answer(200, self.told_page(asked))

    async def count(self, asked: Asked) -> Answer:
        return Answer(200, {"total": sum(1 for _ in self._seen(asked))})

    async def read(self, asked: Asked) -> Answer:
        directory = asked.directory
        item = self.one(asked, directory)
        body = self.tell((asked, directory), item)
        return Answer(200, body, {"ETag": f'"{self.version(directory, item)}"'})

    def told_page(self, asked: Asked) -> list[dict[str, Any]]:
        page, rows = asked.page(), self._seen(asked)
        for name in asked.query.keys() & self._filters.keys():
            at, wanted = self._filters[name], asked.query[name]
            rows = _narrowed(rows, at, wanted)
        if order := asked.query.get("sort"):
            rows = iter(self._sorted(list(rows), order))
        told = [self.tell((asked, directory), item) for directory, item in _sliced(rows, page)]
        if names := asked.query.get("fields"):
            shown = {name.strip() for name in names.split(",")}
            told = [{name: value for name, value in body.items() if name in shown} for body in told]
        return told

    def _seen(self, asked: Asked) -> Iterator[tuple[Directory, Any]]:
        for directory in asked.directories(self.right):
            sees = asked.sees(self.right)
            whole = sees(domain_thing(directory, self.right))  # who sees what is nobody's sees all of the domain
            for item in self.items(asked, directory):
                if whole or sees(self.thing(directory, item)):
                    yield directory, item

    def _sorted(self, rows: list[tuple[Directory, Any]], order: str) -> list[tuple[Directory, Any]]:
        name, down = order.lstrip("-"), order.startswith("-")
        known = next((it for it in self.shape.fields if it.name == name and it.at), None)
        if known is None:
            names = ", ".join(it.name for it in self.shape.fields if it.at)
            raise wrong("sort", order, f"a list is sorted by one of {names}", "with - before it to turn it round")
        return sorted(rows, key=lambda row: str(_at(row[1], known.at)), reverse=down)

    def one(self, asked: Asked, directory: Directory) -> Any:
        name = asked.path[self.parameter]
        found = (
            self.find(asked, directory, name)
            if self.find is not None
            else next((item for item in self.items(asked, directory) if getattr(item, self.key) == name), None)
        )
        if found is None or not asked.sees(self.right)(self.thing(directory, found)):
            raise nothing(self.noun, name)
        return found

    def tell(self, around: Around, item: Any) -> dict[str, Any]:
        return self.shape.tell(around, item, around[1].kept.get(self.filed(item), {}))

    def filed(self, item: Any) -> str:
        return f"{self.noun}:{getattr(item, self.key)}"

    def version(self, directory: Directory, item: Any) -> str:
        text = f"{item!r}{directory.kept.get(self.filed(item))}"
        return blake2b(text.encode(), digest_size=8).hexdigest()

    # --- writing --------------------------------------------------------------------------------------

    async def create(self, asked: Asked) -> Answer:
        written = self.shape.read(self.prepared(asked), new=True)

        def edit(directory: Directory) -> Directory:
            name = str(written.values.get(self.key, "")) or str(self.fresh(asked, written).get(self.key, ""))
            directory = self.before(asked, directory, written)
            if any(getattr(item, self.key) == name for item in getattr(directory, self.section)):
                raise Refused(409, f"there is a {self.noun} {name!r} already")
            item = made(self.model, self.fresh(asked, written), written.values, self.shape)
            self.allow(asked, "create", directory, None, item)
            items = (*getattr(directory, self.section), item)
            return self.replaced(directory, items, written, item, ("add", len(items) - 1))

        directory = await asked.edit(edit, f"{self.noun} {asked.text(self.named)}")
        if not asked.synchronous:
            return with_ignored(ACCEPTED, written)
        item = getattr(directory, self.section)[-1]
        return with_ignored(Answer(200, self.tell((asked, directory), item)), written)

    async def change(self, asked: Asked) -> Answer:
        body, name = self.prepared(asked), asked.path[self.parameter]
        now = self.tell((asked, asked.directory), self.one(asked, asked.directory))
        written = self.shape.read({k: v for k, v in body.items() if k not in now or now[k] != v}, new=False)

        def edit(directory: Directory) -> Directory:
            item = self.one(asked, directory)
            asked.matches(self.version(directory, item), lambda: self.tell((asked, directory), item))
            directory = self.before(asked, directory, written)
            new = changed(item, written.values, self.shape)
            if getattr(new, self.key) != getattr(item, self.key):
                raise wrong(self.named, getattr(new, self.key), "it cannot be changed", f"leave {self.named} out")
            self.allow(asked, "edit", directory, item, new)
            return self.put(directory, item, new, written)

        directory = await asked.edit(edit, f"{self.noun} {name}")
        if not asked.synchronous:
            return with_ignored(ACCEPTED, written)
        return with_ignored(Answer(200, self.tell((asked, directory), self.one(asked, directory))), written)

    async def delete(self, asked: Asked) -> Answer:
        name = asked.path[self.parameter]

        def edit(directory: Directory) -> Directory:
            item = self.one(asked, directory)
            asked.matches(self.version(directory, item), lambda: self.tell((asked, directory), item))
            self.allow(asked, "delete", directory, item, None)
            assert self.removed_as is not None, "this collection removes in a way of its own"
            return taken_out(directory, self.removed_as, name, self.filed(item))

        await asked.edit(edit, f"{self.noun} {name}")
        return ACCEPTED

    def allow(self, asked: Asked, action: Action, directory: Directory, before: Any, after: Any) -> None:
        """Refused when the actor may not make the one of the other; None for what is not there."""
        for item in (before, after):
            if item is not None:
                asked.require(action, self.thing(directory, item))

    def put(self, directory: Directory, item: Any, new: Any, written: Written) -> Directory:
        """Return the directory with `new` in the place of `item`."""
        items: Sequence[Any] = getattr(directory, self.section)
        place = next(at for at, other in enumerate(items) if other is item)
        if self.section == "users":
            try:
                return with_kept(directory.with_user(new), self.filed(new), written.kept)
            except ValueError as error:
                raise as_refusal(error, self.shape, written.values, ("users", place)) from None
        return self.replaced(directory, (*items[:place], new, *items[place + 1 :]), written, new, ("put", place))

    def replaced(
        self, directory: Directory, items: tuple[Any, ...], written: Written, item: Any, where: tuple[str, int]
    ) -> Directory:
        try:
            new = directory.replaced(**{self.section: items})
        except ValueError as error:
            raise as_refusal(error, self.shape, written.values, (self.section, where[1])) from None
        return with_kept(new, self.filed(item), written.kept)


COUNT_SCHEMA = {"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]}


def with_kept(directory: Directory, filed: str, values: Mapping[str, Any]) -> Directory:
    """Return the directory with what a client wrote beside an object."""
    return directory.with_kept(filed, {**directory.kept.get(filed, {}), **values}) if values else directory


def taken_out(directory: Directory, kind: Removed, name: str, filed: str) -> Directory:
    try:
        left = without(directory, kind, name)
    except Referenced as still:
        raise Refused(409, str(still), needed_by=list(still.references)) from None
    except ValueError as error:
        raise Refused(404, str(error)) from None
    return left.with_kept(filed, {})


def with_ignored(answer: Answer, written: Written) -> Answer:
    """Say which names of the body nobody here knows."""
    if not written.ignored:
        return answer
    names = ", ".join(name.encode("ascii", "replace").decode()[:60] for name in written.ignored[:20])
    return replace(
        answer, headers={**answer.headers, "Switchroom-Ignored": "".join(c for c in names if c.isprintable())}
    )


def _narrowed(rows: Iterator[tuple[Directory, Any]], at: str, wanted: str) -> Iterator[tuple[Directory, Any]]:
    return (row for row in rows if str(_at(row[1], at)) == wanted)


def _sliced(rows: Iterator[tuple[Directory, Any]], page: slice) -> Iterator[tuple[Directory, Any]]:
    for at, row in enumerate(rows):
        if at >= page.stop:
            return
        if at >= page.start:
            yield row


def _at(item: Any, path: str) -> Any:
    for name in path.split("."):
        item = getattr(item, name)
    return item
