"""A call at a mailbox, and at whatever else is kept of voices: messages, greetings, prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pbx.callflow.ports import BoxSaved
from pbx.domain.history import Message
from pbx.domain.kept import BoxState, KeptPrompt
from pbx.domain.sounds import Recording, Sound, Spoken
from pbx.media.engine import Capability
from pbx.media.prompts import catalogue
from pbx.switch.call_state import CallState
from pbx.switch.music import music_for


class MailboxSide(CallState):
    @property
    def can_record(self) -> bool:
        return self._switch.history.writes and Capability.RECORDING in self._switch.engine.capabilities

    def record_message(self, box: str, *, max_s: float, silence_s: float) -> None:
        recording = self._switch.mailboxes.expect(self.id, box, self.asked.caller_number, self._caller_name)
        self.caller.engine.record(self.caller.name, recording, max_s=max_s, silence_s=silence_s)

    def record_draft(self, *, max_s: float, silence_s: float) -> None:
        recording = self._switch.mailboxes.draft(self.id)
        self.caller.engine.record(self.caller.name, recording, max_s=max_s, silence_s=silence_s)

    def deliver(self, recording: str) -> None:
        self._switch.mailboxes.deliver(self.id, recording)

    def discard(self, recording: str) -> None:
        self._switch.mailboxes.discard(self.id, recording)

    @property
    def _caller_name(self) -> str:
        user = self.directory.users_by_extension.get(self.asked.caller_extension)
        return user.name if user is not None else self.asked.caller_name

    def messages(self, box: str) -> Sequence[Message]:
        return self._switch.history.messages(box)

    def keep_message(self, message: Message) -> None:
        self._switch.mailboxes.keep(message)

    def remove_message(self, message: Message) -> None:
        self._switch.mailboxes.remove(message)

    def box_full(self, box: str) -> None:
        self._switch.mailboxes.full(self.id, box)

    def send_on(self, message: Message, box: str, comment: str) -> None:
        self._switch.mailboxes.send_on(self.id, message, box, comment)

    def prompts(self, owner: str) -> Mapping[str, KeptPrompt]:
        return self._switch.history.prompts(owner)

    def music(self, extension: str) -> Sound:
        return music_for(self._switch.directory, extension, self.prompts(""), self._switch.chance)

    def spoken(self, name: str, instead: str = "") -> Spoken:
        own = self.prompts("").get(name)
        if own is not None:
            return Recording(own.recording, instead=instead)
        return name if catalogue.text_of(name) else Recording(name, instead=instead)

    def keep_prompt(self, prompt: KeptPrompt) -> None:
        self._switch.mailboxes.keep_prompt(self.id, prompt)

    def box(self, box: str) -> BoxState:
        return self._switch.history.box(box)

    def keep_box(self, state: BoxState) -> None:
        self._switch.submit(BoxSaved(state))
