"""Voicemail as the switch keeps it: recordings that become messages, messages that move, lamps that follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pbx.callflow.ports import MessageRemoved, MessageSaved
from pbx.domain.history import Message
from pbx.events import ServerFault, VoicemailLeft
from pbx.media.engine import RecordingFinished

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

MIN_MESSAGE_S = 1.0
"""A shorter message is a caller who hung up at the beep."""


class Mailboxes:
    """Owns the recordings in progress."""

    def __init__(self, switch: Switch, token: Callable[[int], str]) -> None:
        self._switch = switch
        self._token = token
        self._expected: dict[str, tuple[str, str, str]] = {}

    def expect(self, call: str, box: str, caller_number: str) -> str:
        """Name a recording that becomes a message of `box` when it ends."""
        recording = f"vm-{box}-{int(self._switch.now.wall.timestamp() * 1000)}-{self._token(8)}"
        self._expected[recording] = (call, box, caller_number)
        return recording

    def recorded(self, event: RecordingFinished) -> None:
        """A recording has ended: deliver it; the lamp is lit once the message is durable."""
        expected = self._expected.pop(event.recording, None)
        if expected is None:
            return
        call, box, caller = expected
        switch = self._switch
        if event.problem:
            where = f"a message of {caller or 'somebody'} for box {box} could not be kept: {event.problem}"
            switch.publish(ServerFault("voicemail", call, where))
            return
        if event.seconds < MIN_MESSAGE_S:
            return
        at = switch.now.wall.timestamp()
        message = Message(event.recording, box, "new", event.recording, event.seconds, caller, event.heard, at)
        left = VoicemailLeft(call, box, message.id, message.seconds, caller, message.heard)
        switch.durability.then(switch.submit(MessageSaved(message)), lambda: self._delivered(left))

    def keep(self, message: Message) -> None:
        """The message is in another folder now."""
        self._switch.submit(MessageSaved(message))
        self._switch.watchers.box_changed(message.box)

    def remove(self, message: Message) -> None:
        self._switch.submit(MessageRemoved(message.box, message.id))
        self._switch.watchers.box_changed(message.box)

    def lost(self) -> None:
        """The media process has died, and with it what was being recorded."""
        self._expected.clear()

    def live(self) -> int:
        return len(self._expected)

    def _delivered(self, event: VoicemailLeft) -> None:
        self._switch.publish(event)
        self._switch.watchers.box_changed(event.box)
