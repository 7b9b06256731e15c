"""Mail in the virtual world: what the store says is owed comes into the outbox a moment later, or does not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from lab.faxes.cabinet import Cabinet
from lab.mail.letters import NoAddress, letter, sender_in
from lab.mail.outbox import REFUSAL, Outbox
from lab.mail.rounds import Rounds
from pbx.bus import Bus
from pbx.callflow.ports import History
from pbx.clock import FOREVER, Moment
from pbx.domain.directory import Directory
from pbx.domain.kept import Notice
from pbx.events import MailQueued
from pbx.switch.switch import Switch

CARRIED_S = 0.05
"""How long the mail server takes over one letter."""


class Surroundings(Protocol):
    """The world, as its post knows it."""

    bus: Bus

    @property
    def now(self) -> Moment: ...

    @property
    def alive(self) -> bool: ...

    @property
    def directory(self) -> Directory: ...

    @property
    def history(self) -> History: ...

    @property
    def cabinet(self) -> Cabinet: ...

    def command_switch(self, command: Callable[[Switch, Moment], object]) -> object: ...


class VirtualPost:
    """Carries one letter at a time, as the real postman does; no engine here turns sound into text."""

    def __init__(self, world: Surroundings, outbox: Outbox, later: Callable[[float, Callable[[], None]], None]) -> None:
        self._world, self._outbox, self._later = world, outbox, later
        self._rounds = Rounds()
        self._armed = FOREVER
        world.bus.subscribe(lambda stamped: self._look_in(CARRIED_S), [MailQueued])

    def restarted(self) -> None:
        """Another switch: it goes on with what waits."""
        self._rounds = Rounds()
        self._look_in(CARRIED_S)

    def _look_in(self, seconds: float) -> None:
        due = self._world.now.mono + seconds
        if due < self._armed:
            self._armed = due
            self._later(seconds, partial(self._look, due))

    def _look(self, armed: float) -> None:
        if armed != self._armed:
            return
        self._armed = FOREVER
        if not self._world.alive:
            return
        now = self._world.now
        notice = self._rounds.due(self._world.history.notices(), now.mono)
        if notice is not None:
            self._carry(notice)
        left = self._rounds.next(self._world.history.notices())
        if left < FOREVER:
            self._look_in(max(CARRIED_S, left - now.mono))

    def _carry(self, notice: Notice) -> None:
        world, now = self._world, self._world.now
        if notice.transcriber:
            problem = f"no transcription engine {notice.transcriber!r} is installed"
            world.command_switch(lambda switch, at: switch.transcribed(notice.id, "", problem, at))
        sender = sender_in(world.directory.domain)
        try:
            if notice.to:
                mail = letter(
                    notice,
                    sender=sender,
                    sent=now.wall,
                    sound=b"RIFF" if notice.recording else None,
                    fax=world.cabinet.get(notice.document) if notice.document else None,
                )
                if not self._outbox.takes:
                    self._rounds.failed(notice, now.mono)
                    world.command_switch(lambda switch, at: switch.mail_failed(notice.id, REFUSAL, at, for_good=False))
                    return
                self._outbox.put(mail, sender, notice.to, now.wall.timestamp())
        except NoAddress as error:
            why = str(error)
            world.command_switch(lambda switch, at: switch.mail_failed(notice.id, why, at, for_good=True))
            return
        self._rounds.done(notice)
        world.command_switch(lambda switch, at: switch.mail_sent(notice.id, at))
