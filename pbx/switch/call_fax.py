"""A call that a fax machine of the house is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pbx.domain.history import Fax
from pbx.events import FaxAnswered, FaxFailed
from pbx.media.codecs import G711
from pbx.media.engine import Capability
from pbx.switch.call_state import CallState

if TYPE_CHECKING:
    from pbx.switch.calls import Call


class FaxSide(CallState):
    @property
    def can_fax(self) -> bool:
        return self._switch.history.writes and Capability.FAX in self._switch.engine.capabilities

    def fax_refused(self, account: str) -> None:
        why = self._switch.faxes.why_none
        self.publish(FaxFailed("", self.id, account, "in", self.asked.caller_number, 0, why))

    def expect_fax(self) -> None:
        self.caller.negotiation.only(G711)
        self.caller.expects_fax = True

    def receive_fax(self, account: str) -> None:
        self.publish(FaxAnswered(self.id, account))
        known = self.directory.fax_accounts_by_name[account]
        self._switch.faxes.receive(cast("Call", self), self.caller, known)

    def send_fax(self, fax: Fax) -> None:
        self._switch.faxes.send_over(self.caller, fax)

    def not_sent(self, fax: Fax, problem: str, *, again: bool) -> None:
        self._switch.faxes.not_sent(fax, problem, again=again)
