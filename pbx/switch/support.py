"""The support desk: every call to 611 and every message left there is a ticket, and messages are answered in time.

What is open is what the provider's mailboxes hold unheard, so that a restart loses no request.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pbx.callflow.ports import MessageSaved
from pbx.clock import FOREVER
from pbx.domain.support import BUSINESS_DAYS, SUCCESS_BOX, SUPPORT_BOX
from pbx.events import Event, TicketAnswered, TicketOpened, VoicemailLeft

if TYPE_CHECKING:
    from pbx.switch.calls import Call
    from pbx.switch.switch import Switch

TEAMS = {SUCCESS_BOX: "success team", SUPPORT_BOX: "technical support"}
_STEPS = 8
"""Changes of a time frame looked at for the next opening."""


class SupportDesk:
    """Owns the deadlines of requests left as messages."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._due: dict[tuple[str, str], datetime] = {
            (box, message.id): _answered_at(switch, datetime.fromtimestamp(message.at, UTC))
            for box in TEAMS
            for message in switch.history.messages(box)
            if message.folder == "new"
        }
        self._arm()

    def called(self, call: Call) -> None:
        """A caller has come to the attendant."""
        who = call.asked.caller_number or call.asked.asserted
        self._switch.publish(TicketOpened(
            f"t-{call.id}", call.id, "technical support", who, call.asked.caller_extension, ""
        ))  # fmt: skip

    def taken(self, call: str, agent: str) -> None:
        """An agent has a caller."""
        self._switch.publish(TicketAnswered(f"t-{call}", call, "technical support", agent))

    def take(self, event: Event) -> None:
        """A message for one of the teams opens a ticket of its own."""
        if not isinstance(event, VoicemailLeft) or event.box not in TEAMS:
            return
        now = self._switch.now.wall
        at = _answered_at(self._switch, now)
        self._due[event.box, event.message] = at
        self._arm()
        extension = event.caller_number if event.caller_number in self._switch.directory.users_by_extension else ""
        self._switch.publish(TicketOpened(
            f"t-{event.message}", event.call, TEAMS[event.box], event.caller_number, extension,
            _one_business_day_after(self._switch, now).isoformat(timespec="seconds"),
        ))  # fmt: skip

    def fired(self, name: str, now: float) -> None:
        """The team is back at work: every message whose time has come is answered and kept as heard."""
        wall = self._switch.now.wall
        for key in sorted(key for key, at in self._due.items() if at <= wall):
            del self._due[key]
            box, number = key
            for message in self._switch.history.messages(box):
                if message.id == number:
                    self._switch.submit(MessageSaved(replace(message, folder="saved")))
                    self._switch.publish(TicketAnswered(f"t-{number}", "", TEAMS[box], TEAMS[box]))
        self._arm()

    def clock_stepped(self) -> None:
        self._arm()

    def _arm(self) -> None:
        now, soonest = self._switch.now, min(self._due.values(), default=None)
        left_s = FOREVER if soonest is None else max(0.0, (soonest - now.wall).total_seconds())
        if left_s < FOREVER:
            self._switch.timers.arm(self, "answer", now.mono + left_s)


def _answered_at(switch: Switch, asked: datetime) -> datetime:
    """When a request is answered: as the team opens next, which is within one business day."""
    support = switch.settings.support
    frame, zone = support.frames_by_name[BUSINESS_DAYS], support.domain.time_zone
    at = asked
    for _ in range(_STEPS):
        change = frame.next_change(at, zone)
        if change is None:
            break
        at = change
        if frame.covers(at, zone):
            return at
    return asked


def _one_business_day_after(switch: Switch, asked: datetime) -> datetime:
    """The same hour of the next day the team works; out of hours, the end of the next such day."""
    support = switch.settings.support
    frame, zone = support.frames_by_name[BUSINESS_DAYS], support.domain.time_zone
    if frame.covers(asked, zone):
        later = next((day for n in range(1, _STEPS) if frame.covers(day := asked + timedelta(days=n), zone)), None)
        if later is not None:
            return later
    opening = _answered_at(switch, asked)
    return frame.next_change(opening, zone) or opening
