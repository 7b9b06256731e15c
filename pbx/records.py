"""Call records: the events of one call folded into one row of history. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pbx.clock import Moment
from pbx.domain.history import CallRecord
from pbx.events import (
    AnswerConfirmed,
    CallEnded,
    CallerProved,
    CallInvited,
    CallParked,
    CallPickedUp,
    CallPulled,
    CallRouted,
    CallUnparked,
    CallUp,
    ConferenceJoined,
    ConfirmationAsked,
    Event,
    FaxAnswered,
    FeatureUsed,
    LegEnded,
    LegInvited,
    MenuEntered,
    RecordingBegan,
    TransferRecalled,
    VoicemailGreeted,
    VoicemailOpened,
    VoicemailRefused,
)

_UNANSWERED = {16: "NO ANSWER", 17: "BUSY", 19: "NO ANSWER", 20: "NO ANSWER"}
"""Disposition by Q.850 cause when nobody answered; any other is FAILED."""


def last_caller(records: Iterable[CallRecord], extension: str, but: str) -> str | None:
    """Return the number of the newest call that came for a user, empty when it was withheld; None without any.

    `records` are newest first; `but` is the call that asks.
    """
    stop = f"user:{extension}"
    for record in records:
        if record.call != but and record.caller_number != extension and stop in record.path.split(" > "):
            return record.caller_number
    return None


@dataclass(slots=True)
class CallFacts:
    """What the events of one call have told so far; `take` is the only input."""

    call: str
    _invited: CallInvited | None = None
    _started_at: float = 0.0
    _answered_at: float = 0.0
    _ended: CallEnded | None = None
    _ended_at: float = 0.0
    _answered_by: str = ""
    _disposition: str = ""
    _by_attendant: bool = False
    """Nobody but an attendant has answered: whoever comes next decides anew."""
    _talk_from: float | None = None
    _outbound: bool = False
    _path: list[str] = field(default_factory=list)
    _numbers: dict[str, str] = field(default_factory=dict)
    _before: tuple[str, str, float | None] = ("", "", None)
    """Answered by, disposition and talk before the newest answer, which may turn out to need confirmation."""

    @property
    def answered_by(self) -> str:
        """Extension, device, mailbox or number that answered; empty while nobody has."""
        return self._answered_by

    def talk_s(self, at: Moment) -> float:
        """Return the seconds since somebody, a mailbox or an attendant answered."""
        return round(at.mono - self._talk_from, 3) if self._talk_from is not None else 0.0

    def take(self, event: Event, at: Moment) -> None:
        match event:
            case CallInvited():
                self._invited, self._started_at = event, at.wall.timestamp()
            case CallRouted(destination=destination):
                self._moved_on()
                if self._path[-1:] != [destination]:
                    self._path.append(destination)
            case LegInvited(leg=leg, device=device, number=number):
                self._outbound = self._outbound or not device
                self._numbers[leg] = number
                self._moved_on()
            case CallUp(role="caller"):
                self._answered_at = at.wall.timestamp()
            case CallUp(leg=leg, device=device, extension=extension):
                self._numbers[leg] = extension or device or self._numbers.get(leg, "")
                self._answered(self._numbers[leg], "ANSWERED", at)
            case ConfirmationAsked():
                self._answered_by, self._disposition, self._talk_from = self._before
            case AnswerConfirmed(leg=leg):
                self._answered(self._numbers.get(leg, ""), "ANSWERED", at)
            case MenuEntered(attendant=attendant) if not self._disposition:
                self._by_attendant = True
                self._answered(attendant, "ANSWERED", at)
            case ConferenceJoined(conference=conference):
                self._answered(conference, "ANSWERED", at)
            case FaxAnswered(account=account):
                self._answered(f"fax:{account}", "ANSWERED", at)
            case VoicemailGreeted(box=box):
                self._answered(box, "VOICEMAIL", at)
            case FeatureUsed(code=code):
                if not self._disposition:
                    self._by_attendant = True
                    self._answered(code, "ANSWERED", at)
            case CallParked(slot=slot) if self._path[-1:] == ["park:any"]:
                self._path[-1] = f"park:{slot}"
            case CallPickedUp(extension=extension, device=device):
                self._path.append(f"picked-up:{extension or device}")
            case RecordingBegan():
                self._path.append("recorded")
            case CallerProved(extension=extension):
                self._path.append(f"as:{extension}")
            case TransferRecalled(device=device):
                self._path.append(f"recalled:{device}")
            case CallPulled(device=device):
                self._path.append(f"pulled:{device}")
            case CallUnparked(outcome=outcome, by=by) if by:
                self._path.append(f"{outcome}:{by}")
            case VoicemailOpened(box=box) | VoicemailRefused(box=box):
                self._answered(box, "ANSWERED", at)
            case LegEnded(leg=leg, by="peer") if self._invited is not None and leg == self._invited.leg:
                self._disposition = self._disposition or "CANCELLED"
            case CallEnded(cause=cause):
                self._ended, self._ended_at = event, at.wall.timestamp()
                self._disposition = self._disposition or _UNANSWERED.get(cause, "FAILED")
            case _:
                pass

    def record(self) -> CallRecord:
        """Return the row as far as it is known; ValueError before the call has begun."""
        invited, ended = self._invited, self._ended
        if invited is None:
            raise ValueError(f"{self.call} has not been invited")
        return CallRecord(
            call=self.call,
            caller_number=invited.caller_number,
            caller_name=invited.caller_name,
            device=invited.device,
            dialled=invited.dialled,
            answered_by=self._answered_by,
            disposition=self._disposition,
            direction="inbound" if not invited.device else "outbound" if self._outbound else "internal",
            started_at=self._started_at,
            answered_at=self._answered_at,
            ended_at=self._ended_at,
            talk_s=ended.talk_s if ended is not None else 0.0,
            cause=ended.cause if ended is not None else 0,
            path=" > ".join(self._path),
        )

    def _answered(self, by: str, disposition: str, at: Moment) -> None:
        self._before = self._answered_by, self._disposition, self._talk_from
        self._answered_by, self._disposition = by, disposition
        self._talk_from = at.mono if self._talk_from is None else self._talk_from

    def _moved_on(self) -> None:
        """The call goes on from an attendant: that the attendant had answered is not its outcome."""
        if self._by_attendant:
            self._by_attendant, self._answered_by, self._disposition, self._talk_from = False, "", "", None
