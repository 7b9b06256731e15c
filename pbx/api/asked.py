"""One request as a resource sees it: who asks, for what, of which house."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pbx.access import Action, Actor, Decision, Kind, Thing, may, may_some, within
from pbx.accounts.audit import entry
from pbx.api.answers import Refused, nothing, wrong
from pbx.api.changes import changes
from pbx.api.house import Edit, House
from pbx.api.identity import Identities, Known
from pbx.clock import Moment
from pbx.domain.directory import Directory
from pbx.domain.tenancy import User
from pbx.numerals import natural
from pbx.store.protocol import AuditSaved, Kept

LEAST, MOST, USUAL = 1, 1000, 100
"""How many a page may hold, and holds when nobody says."""


@dataclass(slots=True)
class Asked:
    house: House
    actor: Actor
    method: str
    path: dict[str, str]
    """Parameters of the path; `~` stands for the actor's own no more."""
    query: Mapping[str, str]
    body: Mapping[str, Any]
    now: Moment
    right: Kind | None = None
    does: Action = "view"
    """What the route is for."""
    rows: list[Any] | None = None
    """The body where it is a list."""
    if_match: str = ""
    identities: Identities | None = None
    known: Known | None = None
    address: str = ""
    """Where the request came from."""

    @property
    def domain(self) -> str:
        return self.path.get("domain", "")

    @property
    def directory(self) -> Directory:
        """The domain that is asked about; Refused when there is none."""
        directory = self.house.directory(self.domain)
        if directory is None:
            raise nothing("domain", self.domain)
        return directory

    def directories(self, kind: Kind) -> Iterator[Directory]:
        """Every domain a list is asked of: one, or for `*`, or a path without one, all that the actor knows."""
        if self.domain not in ("", "*"):
            yield self.directory
            return
        for name in self.house.names():
            directory = self.house.directory(name)
            if directory is not None and may_some(self.actor, "view", kind, name, directory.reseller.name):
                yield directory

    @property
    def user(self) -> User:
        return self.user_in(self.directory)

    def user_in(self, directory: Directory) -> User:
        """Return the user of the path as an edit finds them: others of the same turn may have gone before; Refused."""
        extension = self.path["user"]
        found = directory.users_by_extension.get(extension)
        if found is None:
            raise nothing("user", extension)
        return found

    def require(self, action: Action, thing: Thing) -> None:
        """Refused when the actor may not: 404 where it may not even know that there is such a thing."""
        refuse(may(self.actor, action, thing), f"{thing.kind} {thing.name!r}")

    def sees(self, kind: Kind) -> Callable[[Thing], bool]:
        return within(self.actor, "view", kind)

    async def edit(self, edit: Edit, what: str) -> Directory:
        """Change the domain; who did it, and what it was before and after, is written down with it."""
        return await self.house.edit(self.domain, edit, what, self._audit)

    async def submit(self, *submitted: Kept) -> None:
        """Keep something beside the domain, and who did it; return once it is durable."""
        thing = Thing(self.right or "event", self.domain, name=next(reversed(self.path.values()), ""))
        note = self._entry(thing, self.does, None, _masked(self.body))
        await self.house.submit(*submitted, *((note,) if submitted else ()))

    def _audit(self, before: Directory, after: Directory) -> list[Kept]:
        domain, reseller = after.domain.name, after.reseller.name
        return [
            self._entry(Thing(kind, domain, reseller, name), _done(was, now), was, now)
            for kind, name, was, now in changes(before, after)
        ]

    def _entry(self, thing: Thing, action: str, before: object, after: object) -> Kept:
        number, at = self.house.token(16), self.now.wall.timestamp()
        return AuditSaved(entry(number, at, self.actor, f"api {self.address}".strip(), thing, action, before, after))

    @property
    def synchronous(self) -> bool:
        return self.body.get("synchronous") == "yes"

    def text(self, name: str) -> str:
        """Return a text of the body; empty when it has none."""
        value = self.body.get(name)
        return str(value).strip() if isinstance(value, str | int) else ""

    def needed(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise wrong(name, self.body.get(name), "it is required", "send it")
        return value

    def page(self) -> slice:
        """Return which of a list are asked for; Refused for what is no page."""
        start = self._number("start", 0, 0, 2**31)
        limit = self._number("limit", USUAL, LEAST, MOST)
        return slice(start, start + limit)

    def _number(self, name: str, usual: int, least: int, most: int) -> int:
        text = self.query.get(name)
        if text is None or text == "":
            return usual
        number = natural(text)
        if number is None or not least <= number <= most:
            raise wrong(name, text, f"it is a number from {least} to {most}", f"leave it out for {usual}")
        return number

    def matches(self, version: str, theirs: Callable[[], Mapping[str, Any]]) -> None:
        """Refused with 412 when the caller has seen another version of what it wants to change."""
        if self.if_match and self.if_match != "*" and version not in self.if_match:
            now, yours = theirs(), dict(self.body)
            raise Refused(412, "somebody has changed it meanwhile", yours=yours, theirs=now)


def refuse(decision: Decision, words: str) -> None:
    """Raise what a decision that says no is answered with. The reasons of a 404 are nobody's business."""
    if decision:
        return
    if decision.status == 404:
        raise Refused(404, f"there is no {words}")
    others = f"; who can: {', '.join(decision.others)}" if decision.others else ""
    raise Refused(403, f"{'. '.join(decision.because)}{others}")


def _done(before: object, after: object) -> Action:
    return "create" if before is None else "delete" if after is None else "edit"


_SECRET = ("password", "pin", "secret", "base64_file", "File")


def _masked(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what was sent, secrets and files left out; None for nothing."""
    shown = {n: "***" if any(word in n for word in _SECRET) or isinstance(v, bytes) else v for n, v in body.items()}
    return shown or None
