"""Faxes: what is to be sent and when, what is at work in which leg, and what became of each.

A fax is on the disk before anybody is called, and is tried again after a restart; one that was being received is over.
Who is to be told is told by mail, which is owed on the disk too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pbx.callflow.fax import send_fax
from pbx.callflow.ports import Fax, FaxRemoved, FaxSaved, RecordingDropped
from pbx.callflow.question import Asked
from pbx.callflow.vocabulary import FaxOver
from pbx.clock import FOREVER
from pbx.domain.destinations import ToFax
from pbx.domain.faxes import FaxAccount
from pbx.domain.kept import Notice
from pbx.events import CallInvited, Event, FaxFailed, FaxQueued, FaxReceived, FaxSent
from pbx.media.engine import Capability, FaxFinished, FaxTask
from pbx.switch.calls import Call
from pbx.switch.legs import Leg

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

DAY_S = 86_400
NO_ENGINE = "fax engine unavailable: the media engine has no fax machines"
_LEFT = "the switch was restarted"


class Faxes:
    def __init__(self, switch: Switch, token: Callable[[int], str]) -> None:
        self._switch, self._token = switch, token
        self._at_work: dict[str, Fax] = {}
        """By the leg whose machine has it."""
        self._due: dict[str, float] = {}
        """Fax that waits → when it is tried, POSIX seconds."""

    def resume(self) -> None:
        """Take up what the process before has left."""
        for fax in list(self._switch.history.faxes()):
            if fax.status == "receiving":
                self._failed_for_good(replace(fax, problem=_LEFT))
            elif fax.status in ("queued", "sending"):
                self._keep(replace(fax, status="queued"))
                self._due[fax.id] = fax.due_at

    # --- sending --------------------------------------------------------------------------------------

    def send(self, account: str, number: str, document: str, pages: int, sender: str) -> Fax:
        """Owe a fax; its pages are in `document`. ValueError when there is no such account."""
        if account not in self._switch.directory.fax_accounts_by_name:
            raise ValueError(f"there is no fax account {account}")
        fax = Fax(
            f"fax-{self._token(16)}", account, "out", "queued", number, self._wall, document, pages, sender=sender
        )
        self._queue(replace(fax, due_at=fax.at))
        return fax

    def tick(self) -> None:
        for name in [name for name, due in self._due.items() if due <= self._wall + 1e-6]:
            del self._due[name]
            fax = self._kept(name)
            if fax is not None:
                self._begin(replace(fax, status="sending", tries=fax.tries + 1))

    def next_deadline(self) -> float:
        if not self._due:
            return FOREVER
        now = self._switch.now
        return now.mono + max(0.0, min(self._due.values()) - now.wall.timestamp())

    def _begin(self, fax: Fax) -> None:
        switch, account = self._switch, self._account(fax)
        if Capability.FAX not in switch.engine.capabilities:
            self._settle(replace(fax, problem=NO_ENGINE), again=False)
            return
        to_own = self._own_account(fax.number)
        if to_own:
            self._hand_over(fax, account, to_own)
            return
        if switch.refuses_calls:
            self._settle(replace(fax, problem="the switch takes no more calls now"), again=True)
            return
        number = switch.next_call_id()
        shown = switch.directory.fax_number(account)
        nobody = Leg(f"{number}.0", "", "", "", switch.engine, switch.negotiation(""))
        call = Call(switch, number, nobody, Asked(fax.number, shown, caller_name=f"fax {fax.account}"))
        switch.begin_alone(call)
        fax = replace(fax, call=number)
        self._keep(fax)
        call.publish(CallInvited(number, nobody.name, shown, f"fax {fax.account}", "", fax.number, ""))
        switch.guarded(call, partial(call.run, send_fax(call, fax)))

    def _own_account(self, number: str) -> str:
        """Return the account of the house that a number leads to, empty when it leads elsewhere."""
        known = self._switch.directory.numbers_by_digits.get(number)
        to = known.routes[0].to if known is not None and known.routes else None
        return to.account if isinstance(to, ToFax) else ""

    def _hand_over(self, fax: Fax, account: FaxAccount, to: str) -> None:
        """Both ends are ours: nobody is called, the pages have two owners from now on."""
        shown = self._switch.directory.fax_number(account)
        theirs = Fax(
            f"fax-{self._token(16)}", to, "in", "received", shown, self._wall, fax.document, fax.pages, fax.pages,
            station=self._station(account), over="handed over",
        )  # fmt: skip
        self._over(replace(fax, done=fax.pages, over="handed over"))
        self._over(theirs)

    # --- at work --------------------------------------------------------------------------------------

    def receive(self, call: Call, leg: Leg, account: FaxAccount) -> None:
        name = f"fax-{self._token(16)}"
        fax = Fax(name, account.name, "in", "receiving", call.asked.caller_number, self._wall, name, call=call.id)
        self._keep(fax)
        self._set_to_work(leg, fax, account, calls=False)

    def send_over(self, leg: Leg, fax: Fax) -> None:
        self._set_to_work(leg, fax, self._account(fax), calls=True)

    def _set_to_work(self, leg: Leg, fax: Fax, account: FaxAccount, *, calls: bool) -> None:
        self._at_work[leg.name] = fax
        leg.has_machine, leg.wants_t38 = True, account.t38
        station, correct = self._station(account), account.error_correction
        leg.engine.fax(leg.name, FaxTask(fax.document, calls, calls, station, correct, fax.pages))

    def finished(self, event: FaxFinished) -> None:
        fax = self._at_work.pop(event.leg, None)
        if fax is None:
            return
        it = replace(
            fax, pages=fax.pages if fax.direction == "out" else event.pages, done=event.pages, station=event.station,
            over=event.over, bit_rate=event.bit_rate, error_correction=event.error_correction,
            problem=event.problem, seconds=round(self._wall - fax.at, 3),
        )  # fmt: skip
        self._settle(it, again=True)
        call = self._switch.call(fax.call)
        if call is not None:
            call.feed(FaxOver(event.pages, event.problem))

    def not_sent(self, fax: Fax, problem: str, *, again: bool) -> None:
        """Nobody has answered."""
        self._settle(replace(fax, problem=problem), again=again)

    def lost(self) -> None:
        """The media process has died, and every machine with it."""
        at_work, self._at_work = self._at_work, {}
        for fax in at_work.values():
            self._settle(replace(fax, problem="the media process died"), again=True)

    @property
    def why_none(self) -> str:
        """Why no fax can be taken now."""
        return "the disk refuses" if not self._switch.history.writes else NO_ENGINE

    def live(self) -> int:
        return len(self._at_work)

    # --- what became of it ----------------------------------------------------------------------------

    def _settle(self, fax: Fax, *, again: bool) -> None:
        if not fax.problem:
            self._over(fax)
        elif again and fax.direction == "out" and fax.tries < self._account(fax).tries:
            self._queue(replace(fax, due_at=self._wall + self._account(fax).retry_after_s))
        else:
            self._failed_for_good(fax)

    def _queue(self, fax: Fax) -> None:
        fax = replace(fax, status="queued")
        self._due[fax.id] = fax.due_at
        told = FaxQueued(fax.id, fax.account, fax.number, fax.pages, fax.sender, fax.tries, fax.problem)
        self._keep(fax, told)

    def _over(self, fax: Fax) -> None:
        kind, status = (FaxSent, "sent") if fax.direction == "out" else (FaxReceived, "received")
        self._keep(
            replace(fax, status=status),
            kind(
                fax.id, fax.call, fax.account, fax.number, fax.done, fax.over, fax.bit_rate, fax.error_correction,
                fax.station, fax.seconds,
            ),
        )  # fmt: skip
        self._tell(replace(fax, status=status))
        self._prune(fax.account)

    def _failed_for_good(self, fax: Fax) -> None:
        if fax.direction == "in" and not fax.pages:
            self._switch.submit(RecordingDropped(fax.document))
            fax = replace(fax, document="")
        fax = replace(fax, status="failed")
        self._keep(
            fax, FaxFailed(fax.id, fax.call, fax.account, fax.direction, fax.number, fax.done, fax.problem)
        )  # fmt: skip
        self._tell(fax)
        self._prune(fax.account)

    def _tell(self, fax: Fax) -> None:
        """Mail what has come to whom the account names, and what became of a fax to who gave it to be sent."""
        known = self._switch.directory.fax_accounts_by_name.get(fax.account)
        box = f"fax:{fax.account}"
        pages = f"{fax.done} page{'s'[: fax.done != 1]}"
        if fax.direction == "out":
            if not fax.sender:
                return
            to = f"+{fax.number.lstrip('+')}"
            outcome = f"was not sent: {fax.problem}" if fax.problem else "was sent"
            text = f"Your fax to {to} {outcome}.\n\nPages sent: {fax.done} of {fax.pages}\nTries: {fax.tries}\n"
            self._switch.notices.queue(Notice("", box, "", (fax.sender,), f"Fax to {to} {outcome}", text))
            return
        if known is None or not known.emails or not fax.document:
            return
        who = fax.number or fax.station or "an unknown number"
        short = f"It broke off: {fax.problem}.\n" if fax.problem else ""
        text = f"A fax has come for {fax.account}.\n\nFrom: {who}\nStation: {fax.station}\nPages: {fax.done}\n{short}"
        subject = f"Fax from {who}, {pages}" + (", incomplete" if fax.problem else "")
        self._switch.notices.queue(
            Notice("", box, "", known.emails, subject, text, document=fax.document, attach=known.attach)
        )

    def _prune(self, account: str) -> None:
        known = self._switch.directory.fax_accounts_by_name.get(account)
        if known is None:
            return
        oldest = self._wall - known.history_days * DAY_S
        for fax in list(self._switch.history.faxes()):
            if fax.account == account and fax.at < oldest and fax.status in ("sent", "received", "failed"):
                self._switch.submit(FaxRemoved(fax.id, fax.document))

    # --- parts ----------------------------------------------------------------------------------------

    @property
    def _wall(self) -> float:
        return self._switch.now.wall.timestamp()

    def _keep(self, fax: Fax, event: Event | None = None) -> None:
        ticket = self._switch.submit(FaxSaved(fax))
        if event is not None:
            self._switch.durability.then(ticket, lambda: self._switch.publish(event))

    def _kept(self, name: str) -> Fax | None:
        return next((fax for fax in self._switch.history.faxes() if fax.id == name), None)

    def _account(self, fax: Fax) -> FaxAccount:
        """Of one that is gone, what an account is by itself: tried once."""
        known = self._switch.directory.fax_accounts_by_name.get(fax.account)
        return known if known is not None else FaxAccount(name=fax.account, tries=1)

    def _station(self, account: FaxAccount) -> str:
        return account.station or self._switch.directory.fax_number(account)
