"""What the portal asks of the lab: the domains, who is registered, what is waiting, what time it is."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from pbx.callflow import routing
from pbx.callflow.decisions import DecisionRecord
from pbx.callflow.question import Asked, Presence
from pbx.clock import Moment
from pbx.domain.attendants import Attendant
from pbx.domain.directory import Directory
from pbx.domain.history import CallRecord, Fax
from pbx.domain.queues import Queue
from pbx.domain.tenancy import User

_SOMEBODY = "14165550142"
"""Whose call *Now goes to* asks about: anybody outside."""


class House(Protocol):
    def directories(self) -> Sequence[Directory]: ...

    def presence(self, domain: str) -> Presence: ...

    def now(self) -> Moment:
        """The hour of the office, which time frames go by."""
        ...

    def serves(self, domain: str) -> bool:
        """Whether the switch has this domain: what it has done is of no other."""
        ...

    def prompts(self, domain: str) -> Set[str]:
        """The greetings there are."""
        ...

    def new_messages(self, domain: str, extension: str) -> int: ...

    def records(self, domain: str) -> Sequence[CallRecord]:
        """Newest first."""
        ...

    def faxes(self, domain: str) -> Sequence[Fax]:
        """Newest first."""
        ...

    async def fax_pages(self, fax: Fax) -> bytes | None:
        """Return the pages as TIFF, None when they are gone."""
        ...

    def faxes_work(self) -> bool:
        """There is a fax engine."""
        ...


@dataclass(frozen=True)
class Sight:
    """One domain at one moment, as a page shows it; never kept."""

    house: House
    directory: Directory

    @cached_property
    def now(self) -> Moment:
        return self.house.now()

    @cached_property
    def presence(self) -> Presence:
        return self.house.presence(self.directory.domain.name)

    def goes_to(self, dialled: str) -> str:
        """Return where a call from outside for an extension or number goes now."""
        return self._routed(dialled).outcome.replace(":", " ", 1)

    def menu_now(self, attendant: Attendant) -> str:
        """Return which menu callers of an attendant enter now, and the frame that decides."""
        found = routing.resolve_attendant(self.directory, attendant.extension, "main", self.now)
        if found is None:
            return ""
        return f"menu {found.menu.name}" + (f", {found.time_frame}" if found.time_frame else "")

    def agents_now(self, queue: Queue) -> str:
        """Return who can be offered a queue's callers now, or where those go who are refused."""
        found = routing.resolve_queue(self.directory, queue.extension, self.presence)
        if found is None:
            return ""
        if found.refused is not None:
            return found.refused.label.replace(":", " ", 1)
        return f"offered to {', '.join(found.agents)}" if found.agents else "waits: nobody is logged in"

    def rules_record(self, user: User) -> DecisionRecord:
        asked = Asked(user.extension, _SOMEBODY)
        return routing.resolve_user(self.directory, user.extension, asked, self.presence, self.now).record

    def rule_in_force(self, user: User) -> int | None:
        """Return the place of the answering rule that holds now, None while none does."""
        for decision in self.rules_record(user).decisions:
            if decision.step == "answering rule" and decision.verdict == "✓" and "/rules/" in decision.link:
                return int(decision.link.rpartition("/")[2])
        return None

    def rings(self, user: User) -> str:
        """Return what a call for a user does now, in words, the rule in force with it."""
        record = self.rules_record(user)
        outcome = record.outcome.replace(":", " ", 1)
        return f"rings {user.extension}" if record.outcome == f"user:{user.extension}" else outcome

    def phones(self, extension: str) -> tuple[tuple[str, str], ...]:
        """Return the devices of a user with their glyph: registered or not."""
        devices = self.directory.devices_by_extension.get(extension, ())
        return tuple(("●" if one.id in self.presence.registered else "○", one.model or one.id) for one in devices)

    def _routed(self, dialled: str) -> DecisionRecord:
        return routing.route(self.directory, Asked(dialled, _SOMEBODY), self.presence, self.now).record
