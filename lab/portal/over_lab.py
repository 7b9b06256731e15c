"""The portal over a lab of either world: its domains, its presence, its mail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from aiohttp import web

from lab.house import House
from pbx.accounts.desk import LIVES_S, AccountDesk
from pbx.callflow.question import Presence
from pbx.clock import Moment
from pbx.domain.accounts import PassKind
from pbx.domain.directory import Directory
from pbx.domain.history import CallRecord, Fax
from pbx.domain.kept import Notice
from pbx.domain.tenancy import User
from pbx.media.fax import spandsp
from pbx.media.prompts.texts import TEXTS
from pbx.store.protocol import Store

DURABLE_WITHIN_S = 5.0
"""Then the disk is said to refuse: what was changed holds meanwhile, and is written when it can be."""


@dataclass(slots=True)
class LabHouse:
    """Implements `lab.portal.sight.House`."""

    lab: House
    store: Callable[[], Store]
    domains: Callable[[], Sequence[Directory]]
    exchange: Callable[[str], House | None] = lambda domain: None
    """The house of a domain beside the first, while it is served."""

    def directories(self) -> Sequence[Directory]:
        return self.domains()

    def presence(self, domain: str) -> Presence:
        lab = self._of(domain)
        return lab.switch.presence(None) if lab is not None and lab.alive else Presence()

    def now(self) -> Moment:
        return self.lab.hour

    def prompts(self, domain: str) -> Set[str]:
        lab = self._of(domain)
        kept = lab.history.prompts("") if lab is not None else {}
        return TEXTS.keys() | kept.keys()

    def new_messages(self, domain: str, extension: str) -> int:
        lab = self._of(domain)
        messages = lab.history.messages(extension) if lab is not None else ()
        return sum(message.folder == "new" for message in messages)

    def records(self, domain: str) -> Sequence[CallRecord]:
        lab = self._of(domain)
        return lab.history.records() if lab is not None else ()

    def faxes(self, domain: str) -> Sequence[Fax]:
        lab = self._of(domain)
        return lab.history.faxes() if lab is not None else ()

    async def fax_pages(self, fax: Fax) -> bytes | None:
        return await asyncio.to_thread(self.lab.cabinet.get, fax.document)

    def faxes_work(self) -> bool:
        return not spandsp.unavailable()

    def _of(self, domain: str) -> House | None:
        """Whose switch has this domain: what it has done is of no other."""
        return self.lab if domain == self.lab.directory.domain.name else self.exchange(domain)

    def serves(self, domain: str) -> bool:
        return self._of(domain) is not None

    async def durable(self) -> None:
        """Wait for the disk; 503 when it refuses."""
        try:
            async with asyncio.timeout(DURABLE_WITHIN_S):
                await self.store().written()
        except TimeoutError:
            raise web.HTTPServiceUnavailable(
                text="The disk refuses: what you changed holds, but a restart may lose it.",
                headers={"Retry-After": "5"},
            ) from None


@dataclass(slots=True)
class Invitations:
    """Mails links: a welcome to who has no password yet, a reset to who has."""

    lab: House
    desk: AccountDesk
    url: str = ""
    """Of the console, without a slash at its end; known once it listens."""

    def send(self, by: str, directory: Directory, user: User) -> str:
        """Mail a link; return the addresses, empty when the user has none."""
        if not user.emails:
            return ""
        domain = directory.domain.name
        kind: PassKind = "reset" if self.desk.has_password(domain, user.extension) else "welcome"
        secret = self.desk.link(kind, domain, user.extension, by)
        hours = round(LIVES_S[kind] / 3600)
        subject = "Welcome to your telephone" if kind == "welcome" else "Your new password"
        text = (
            f"Hello {user.first_name},\n\nyour login is {directory.login_of(user)}. Choose your password here:\n\n"
            f"{self.url}/link/{secret}\n\nThe link works once, within {hours} hours.\n"
        )
        notice = Notice("", user.extension, "", user.emails, subject, text)
        self.lab.command_switch(lambda switch, now: switch.notices.queue(notice))
        return ", ".join(user.emails)
