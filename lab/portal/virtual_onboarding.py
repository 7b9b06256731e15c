"""What the onboarding desk of a virtual world asks for: the same desk as a lab's on sockets, on the world's clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from datetime import datetime

from lab.api.ns_house import ApiHouse
from lab.onboarding.at_office import KIND
from lab.onboarding.case import Case
from lab.onboarding.letters import Letter
from lab.world import World
from pbx.domain.directory import Directory
from pbx.domain.kept import Notice
from pbx.store.protocol import Document, DocumentSaved


class VirtualOnboarding:
    """Implements `lab.onboarding.desk.Surroundings`. Plans run here, so none has passed yet."""

    def __init__(self, world: World, house: ApiHouse, token: Callable[[int], str], console: str) -> None:
        self._world, self._house, self._token = world, house, token
        self.console = console

    def now(self) -> datetime:
        return self._world.now.wall

    def directory(self, domain: str) -> Directory | None:
        return self._house.directory(domain)

    def registered(self, domain: str) -> Set[str]:
        return self._world.switch.registered() if domain == self._world.directory.domain.name else frozenset()

    def plan_passed(self, domain: str) -> bool:
        return False

    def adopt(self, directory: Directory, why: str) -> None:
        self._house.adopt(directory, why)

    def route_texts(self, domain: str, routes: Sequence[Mapping[str, str]]) -> None:
        """No texts are sent in a virtual world."""

    def send(self, letter: Letter) -> None:
        notice = Notice("", "onboarding", "", letter.to, letter.subject, letter.text)
        self._world.command_switch(lambda switch, now: switch.notices.queue(notice))

    def keep(self, case: Case) -> None:
        text = case.model_dump_json(context={"secrets": True})
        self._house.store.submit(DocumentSaved(Document("", KIND, case.domain, text)))

    def fresh(self, length: int) -> str:
        return self._token(length)
