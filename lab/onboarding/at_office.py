"""The onboarding desk of a lab in real time: its domains, its mail, its runs; cases are kept in the store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import datetime
from typing import Protocol

from lab.exchanges import Exchanges
from lab.onboarding.case import Case
from lab.onboarding.desk import OnboardingDesk
from lab.onboarding.letters import Letter
from lab.service import Lab
from pbx.api.resources.kept import SMS
from pbx.domain.directory import Directory
from pbx.domain.kept import Notice
from pbx.store.protocol import Document, DocumentSaved

KIND = "onboarding"
_TICK_S = 60.0
_BOX = "onboarding"


class Domains(Protocol):
    """Every domain of the house, and how one is taken."""

    def domains(self) -> Sequence[Directory]: ...

    def adopt(self, directory: Directory, what: str) -> None: ...


class OfficeOnboarding:
    """Owns the desk and the minute it looks at its clocks; `open` when the lab is up, `close` before it goes."""

    def __init__(
        self,
        lab: Lab,
        domains: Domains,
        plan_is_good: Callable[[], bool],
        fresh: Callable[[int], str],
        console: Callable[[], str],
        exchanges: Exchanges,
    ) -> None:
        """`plan_is_good`: whether the newest run on the domain the house serves is; `console`: where its pages are."""
        self._lab, self._domains, self._plan_is_good, self._fresh = lab, domains, plan_is_good, fresh
        self._console, self._exchanges = console, exchanges
        self.desk = OnboardingDesk(self)
        self._next: asyncio.TimerHandle | None = None

    def open(self) -> None:
        kept = self._lab.store.documents("", KIND).values()
        unseal = {"unseal": self._lab.vault.unseal}
        self.desk = OnboardingDesk(self, [Case.model_validate_json(one.text, context=unseal) for one in kept])
        self._tick()

    def close(self) -> None:
        if self._next is not None:
            self._next.cancel()

    def _tick(self) -> None:
        self.desk.tick()
        self._next = asyncio.get_running_loop().call_later(_TICK_S, self._tick)

    # --- what the desk asks for -----------------------------------------------------------------------

    def now(self) -> datetime:
        return self._lab.hours.now().wall

    def directory(self, domain: str) -> Directory | None:
        return next((one for one in self._domains.domains() if one.domain.name == domain), None)

    def registered(self, domain: str) -> Set[str]:
        lab = self._lab if self._serves(domain) else self._exchanges.lab(domain)
        return lab.switch.registered() if lab is not None and lab.alive else frozenset()

    def plan_passed(self, domain: str) -> bool:
        if self._serves(domain):
            return self._plan_is_good()
        office = self._exchanges.offices().get(domain)
        return office is not None and office.plan_is_good()

    def adopt(self, directory: Directory, why: str) -> None:
        self._domains.adopt(directory, why)

    def route_texts(self, domain: str, routes: Sequence[Mapping[str, str]]) -> None:
        for route in routes:
            document = Document(domain, SMS.noun, route["number"], json.dumps(route))
            self._lab.store.submit(DocumentSaved(document))

    def send(self, letter: Letter) -> None:
        notice = Notice("", _BOX, "", letter.to, letter.subject, letter.text)
        self._lab.command_switch(lambda switch, now: switch.notices.queue(notice))

    def keep(self, case: Case) -> None:
        text = case.model_dump_json(context={"secrets": self._lab.vault.seal})
        self._lab.store.submit(DocumentSaved(Document("", KIND, case.domain, text)))

    def fresh(self, length: int) -> str:
        return self._fresh(length)

    @property
    def console(self) -> str:
        return self._console()

    def _serves(self, domain: str) -> bool:
        return domain == self._lab.directory.domain.name
