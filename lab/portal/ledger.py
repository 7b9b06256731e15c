"""What people change through the portal: the directory and its audit entry go to the store together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from lab.portal.gate import ACTOR
from pbx.access import Actor, Thing
from pbx.accounts.audit import entry
from pbx.domain.directory import Directory
from pbx.store.protocol import AuditSaved, Store


@dataclass(slots=True)
class Ledger:
    """Writes; `durable` waits until what was written is on the disk."""

    store: Callable[[], Store]
    apply: Callable[[Directory, str], None]
    token: Callable[[], str]
    at: Callable[[], float]
    """POSIX seconds."""
    durable: Callable[[], Awaitable[None]]

    async def keep(
        self, request: web.Request, directory: Directory, thing: Thing, action: str, before: object, after: object
    ) -> None:
        """Adopt a changed directory, and return once it and who changed it are kept."""
        self.note(request[ACTOR], request, thing, action, before, after)
        self.apply(directory, f"{thing.kind} {thing.name}")
        await self.durable()

    def note(
        self, actor: Actor, request: web.Request, thing: Thing, action: str, before: object, after: object
    ) -> None:
        number, origin = self.token(), f"console {request.remote or ''}".strip()
        self.store().submit(AuditSaved(entry(number, self.at(), actor, origin, thing, action, before, after)))
