"""The postman of the real world: carries what the store says is owed to the mail server, until it is taken.

One letter at a time. While the mail server is away everything waits in the store, and events say why; a restart
begins where the last process was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Protocol

from lab.faxes.cabinet import Folder
from lab.mail.letters import NoAddress, letter, sender_in
from lab.mail.relay import NotSent, Relay, send
from lab.mail.rounds import Rounds
from pbx.bus import Bus
from pbx.callflow.ports import History
from pbx.clock import FOREVER, Moment
from pbx.domain.directory import Directory
from pbx.domain.history import Message
from pbx.domain.kept import Notice
from pbx.events import MailQueued, Stamped
from pbx.switch.switch import Switch


class Sender(Protocol):
    """The lab, as its postman knows it."""

    bus: Bus

    @property
    def now(self) -> Moment: ...

    @property
    def alive(self) -> bool: ...

    @property
    def directory(self) -> Directory: ...

    @property
    def history(self) -> History: ...

    def command_switch(self, command: Callable[[Switch, Moment], object]) -> object: ...


class Postman:
    """`run` is its one task."""

    def __init__(
        self,
        house: Sender,
        relay: Relay,
        usual_sender: str,
        recordings: Path,
        transcribers: Mapping[str, ModuleType],
    ) -> None:
        self._house, self._relay, self._usual_sender = house, relay, usual_sender
        self._recordings = recordings
        self._transcribers = transcribers
        self._rounds = Rounds()
        self._wanted = asyncio.Event()

    async def run(self) -> None:
        end = self._house.bus.subscribe(self._queued, [MailQueued])
        try:
            while True:
                if not await self._carry_one():
                    await self._rest()
        finally:
            end()

    def again(self) -> None:
        """Try now whatever waits."""
        self._rounds = Rounds()
        self._wanted.set()

    def _queued(self, stamped: Stamped) -> None:
        self._wanted.set()

    async def _carry_one(self) -> bool:
        """Try the oldest notice that is due; False when none is."""
        house = self._house
        if not house.alive:
            return False
        notice = self._rounds.due(house.history.notices(), house.now.mono)
        if notice is None:
            return False
        if notice.transcriber:
            text, problem = await self._text_of(notice)
            self._tell(lambda switch, now: switch.transcribed(notice.id, text, problem, now))
        try:
            if notice.to:
                message = self._message(notice)
                await asyncio.to_thread(self._send, notice, message.transcription if message is not None else "")
        except NotSent as error:
            reason, for_good = str(error), error.for_good
            self._rounds.failed(notice, house.now.mono)
            self._tell(lambda switch, now: switch.mail_failed(notice.id, reason, now, for_good=for_good))
        else:
            self._rounds.done(notice)
            self._tell(lambda switch, now: switch.mail_sent(notice.id, now))
        return True

    def _send(self, notice: Notice, transcription: str) -> None:
        sound = None
        if notice.recording:
            with suppress(OSError):
                sound = (self._recordings / f"{notice.recording}.wav").read_bytes()
        try:
            mail = letter(
                notice,
                sender=sender_in(self._house.directory.domain, self._usual_sender),
                sent=self._house.now.wall,
                sound=sound,
                transcription=transcription,
                fax=Folder(self._recordings).get(notice.document) if notice.document else None,
            )
        except NoAddress as error:
            raise NotSent(str(error), for_good=True) from None
        send(self._relay, mail)

    async def _text_of(self, notice: Notice) -> tuple[str, str]:
        """Return what the message says, or why nobody knows."""
        engine = self._transcribers.get(notice.transcriber)
        message = self._message(notice)
        if engine is None:
            return "", f"no transcription engine {notice.transcriber!r} is installed"
        if message is None:
            return "", "the message is not there any more"
        try:
            text = await asyncio.to_thread(engine.transcribe, self._recordings / f"{message.recording}.wav")
        except Exception as error:  # noqa: BLE001 - a plug-in of anybody's: its failure is an answer
            return "", f"{notice.transcriber}: {type(error).__name__}: {error}"
        return str(text), ""

    def _message(self, notice: Notice) -> Message | None:
        kept = self._house.history.messages(notice.box) if notice.message else ()
        return next((message for message in kept if message.id == notice.message), None)

    def _tell(self, command: Callable[[Switch, Moment], object]) -> None:
        if self._house.alive:  # else it was sent and is sent again: better twice than never
            self._house.command_switch(command)

    async def _rest(self) -> None:
        due = self._rounds.next(self._house.history.notices()) if self._house.alive else FOREVER
        left_s = min(max(due - self._house.now.mono, 0.05), 60.0)
        with suppress(TimeoutError):
            async with asyncio.timeout(left_s):
                await self._wanted.wait()
        self._wanted.clear()
