"""Voicemail as the switch keeps it: recordings that become messages, copies of them, drafts, lamps that follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pbx.callflow.ports import MessageRemoved, MessageSaved, PromptSaved, RecordingDropped
from pbx.callflow.voicemail.room import room_s
from pbx.domain.history import Message
from pbx.domain.kept import KeptPrompt
from pbx.domain.mailboxes import Mailbox
from pbx.events import ServerFault, VoicemailDropped, VoicemailFull, VoicemailLeft
from pbx.media.engine import RecordingFinished

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

DAY_S = 86_400


@dataclass(slots=True)
class _Expected:
    """A recording in progress, or one that waits for what its caller makes of it."""

    call: str
    box: str = ""
    """Empty for a draft."""
    caller_number: str = ""
    caller_name: str = ""
    message: Message | None = None
    """What it becomes, once it is finished."""
    finished: bool = False
    over: bool = False
    """The call has ended."""


class Mailboxes:
    """Owns the recordings whose fate is not settled."""

    def __init__(self, switch: Switch, token: Callable[[int], str]) -> None:
        self._switch = switch
        self._token = token
        self._expected: dict[str, _Expected] = {}

    # --- recordings -----------------------------------------------------------------------------------

    def expect(self, call: str, box: str, caller_number: str, caller_name: str) -> str:
        """Name a recording that becomes a message of `box`."""
        recording = self._named(f"vm-{box}")
        self._expected[recording] = _Expected(call, box, caller_number, caller_name)
        return recording

    def draft(self, call: str) -> str:
        """Name a recording that is nobody's until it is kept."""
        recording = self._named("draft")
        self._expected[recording] = _Expected(call)
        return recording

    def recorded(self, event: RecordingFinished) -> None:
        """A recording has ended. A message whose caller is gone is delivered, a draft then goes."""
        it = self._expected.get(event.recording)
        if it is None:
            return
        it.finished = True
        if event.problem:
            del self._expected[event.recording]
            what = f"a message of {it.caller_number or 'somebody'} for box {it.box}" if it.box else "a recording"
            self._switch.publish(ServerFault("voicemail", it.call, f"{what} could not be kept: {event.problem}"))
            return
        if it.box:
            it.message = self._message(event, it)
        if it.over or event.reason == "hangup":
            self._settle(event.recording, it)

    def deliver(self, call: str, recording: str) -> None:
        it = self._expected.get(recording)
        if it is not None and it.call == call and it.finished:
            self._settle(recording, it)

    def discard(self, call: str, recording: str) -> None:
        it = self._expected.get(recording)
        if it is not None and it.call == call:
            self._drop(recording)

    def call_over(self, call: str) -> None:
        """Messages the caller did not take back are delivered; drafts nobody kept go."""
        for recording, it in list(self._expected.items()):
            if it.call == call:
                it.over = True
                if it.finished:
                    self._settle(recording, it)

    def lost(self) -> None:
        """The media process has died, and with it what was being recorded."""
        for recording, it in list(self._expected.items()):
            if it.finished:
                self._settle(recording, it)
        self._expected.clear()

    def live(self) -> int:
        return len(self._expected)

    # --- messages and prompts -------------------------------------------------------------------------

    def keep(self, message: Message) -> None:
        """The message is in another folder now."""
        self._switch.submit(MessageSaved(message))
        self.changed(message.box)

    def remove(self, message: Message) -> None:
        self._switch.submit(MessageRemoved(message.box, message.id))
        self.changed(message.box)

    def changed(self, box: str) -> None:
        """Messages of a box have come, gone or been heard."""
        self._switch.watchers.box_changed(box)
        self._switch.notices.box_changed(box)

    def full(self, call: str, box: str) -> None:
        """A message could not be left, or copied, for want of room."""
        self._switch.publish(VoicemailFull(call, box))
        self._switch.notices.full(box)

    def send_on(self, call: str, message: Message, box: str, comment: str) -> bool:
        """Put a copy into another box, the comment was a draft; False when the box is full."""
        self._expected.pop(comment, None)
        at = self._switch.now.wall.timestamp()
        copy = replace(
            message, id=self._named("copy"), box=box, folder="new", at=at, forwarded_by=message.box, comment=comment
        )
        sent = self._put(call, copy)
        if not sent and comment:
            self._switch.submit(RecordingDropped(comment))
        return sent

    def keep_prompt(self, call: str, prompt: KeptPrompt) -> None:
        self._expected.pop(prompt.recording, None)
        self._switch.submit(PromptSaved(prompt))

    # --- parts ----------------------------------------------------------------------------------------

    def _named(self, kind: str) -> str:
        return f"{kind}-{int(self._switch.now.wall.timestamp() * 1000)}-{self._token(8)}"

    def _message(self, event: RecordingFinished, it: _Expected) -> Message:
        at = self._switch.now.wall.timestamp()
        return Message(
            event.recording, it.box, "new", event.recording, event.seconds, it.caller_number, event.heard, at,
            it.caller_name,
        )  # fmt: skip

    def _settle(self, recording: str, it: _Expected) -> None:
        message = it.message
        if message is None:
            self._drop(recording)
        elif message.seconds < self._box(message.box).min_message_s:
            self._drop(recording)
            self._switch.publish(VoicemailDropped(it.call, message.box, message.seconds, "too short"))
        else:
            del self._expected[recording]
            if self._put(it.call, message, its_own=True):
                self._copy(it.call, message)

    def _drop(self, recording: str) -> None:
        del self._expected[recording]
        self._switch.submit(RecordingDropped(recording))

    def _copy(self, call: str, message: Message) -> None:
        for box in self._box(message.box).copy_to:
            self._put(call, replace(message, id=self._named("copy"), box=box, forwarded_by=message.box))

    def _put(self, call: str, message: Message, *, its_own: bool = False) -> bool:
        """Put a message into its box; the lamp is lit once it is durable. False when it does not fit.

        `its_own`: a message just recorded, which was given no longer than there was room.
        """
        switch = self._switch
        self._empty_trash(message.box, message.at)
        prompts = switch.history.prompts(message.box).values()
        room = room_s(self._box(message.box), switch.history.messages(message.box), prompts)
        if not its_own and message.seconds > room:
            self.full(call, message.box)
            return False
        left = VoicemailLeft(call, message.box, message.id, message.seconds, message.caller_number, message.heard)
        switch.durability.then(switch.submit(MessageSaved(message)), lambda: self._delivered(left))
        switch.notices.about(message)
        return True

    def _empty_trash(self, box: str, now: float) -> None:
        days = self._box(box).trash_days
        for message in list(self._switch.history.messages(box)):
            if days and message.folder == "trash" and message.at < now - days * DAY_S:
                self._switch.submit(MessageRemoved(box, message.id))

    def _box(self, box: str) -> Mailbox:
        user = self._switch.directory.users_by_extension.get(box)
        return user.mailbox if user is not None else Mailbox()

    def _delivered(self, event: VoicemailLeft) -> None:
        self._switch.publish(event)
        self.changed(event.box)
