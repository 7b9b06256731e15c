"""Mail about voicemail: what is owed to whom, what has become of it, and reminders of what nobody has heard.

What is owed is on the disk before anybody carries it; who carries it says `sent` or `failed`. One notice has one
address, so that one which is refused keeps nothing from the others.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pbx.callflow.ports import MessageSaved, NoticeRemoved, NoticeSaved
from pbx.clock import FOREVER
from pbx.domain.history import Message
from pbx.domain.kept import Notice
from pbx.domain.tenancy import User
from pbx.events import MailDelayed, MailQueued, MailRefused, MailSent, VoicemailTranscribed

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

HOUR_S = 3600
_THEN = {"attsave": "saved", "briefattsave": "saved", "atttrash": "trash", "briefatttrash": "trash"}
"""Where a message goes once the mail with its sound is gone."""


class Notices:
    """Owns the moments of the reminders."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._due: dict[str, float] = {}
        """Box → when its owner is to be reminded next, POSIX seconds."""

    # --- what is owed ---------------------------------------------------------------------------------

    def queue(self, notice: Notice) -> None:
        """Owe a notice to each of its addresses; to nobody, if only its message is to be turned into text."""
        for to in notice.to or ("",):
            one = replace(notice, id=self._switch.token(16), to=(to,) if to else (), at=self._wall)
            queued = MailQueued(one.id, one.box, to, one.subject)
            ticket = self._switch.submit(NoticeSaved(one))
            self._switch.durability.then(ticket, lambda event=queued: self._switch.publish(event))  # type: ignore[misc]

    def about(self, message: Message) -> None:
        """A message has come: tell its owner in the way of the mailbox."""
        user = self._switch.directory.users_by_extension.get(message.box)
        if user is None:
            return
        mode, transcriber = user.mailbox.notify, _engine(user)
        to = user.emails if mode != "no" else ()
        if not to and not transcriber:
            return
        when = self._clock(user, message.at)
        who = f"{message.caller_name} {message.caller_number}".strip() or "an unknown caller"
        length = f"{max(1, round(message.seconds))} s"
        text = f"{length} from {who}, {when}."
        if not mode.startswith("brief"):
            text = (
                f"A new message is in mailbox {message.box}.\n\nFrom: {who}\nWhen: {when}\nLength: {length}\n\n"
                "To hear it, dial 5001.\n"
            )
        recording = message.recording if "att" in mode else ""
        subject = f"Voicemail from {who}"
        self.queue(Notice("", message.box, message.id, to, subject, text, recording, transcriber))

    def full(self, box: str) -> None:
        """A caller was turned away for want of room."""
        user = self._switch.directory.users_by_extension.get(box)
        if user is not None and user.mailbox.alert_when_full and user.emails:
            text = f"A caller could not leave a message in mailbox {box}: it is full. Please delete some messages.\n"
            self.queue(Notice("", box, "", user.emails, f"Mailbox {box} is full", text))

    # --- what became of it ----------------------------------------------------------------------------

    def transcribed(self, notice: str, text: str, problem: str) -> None:
        """An engine has turned a message into text, or could not; the notice about it needs none any more."""
        found = self._notice(notice)
        if found is None:
            return
        self._switch.submit(NoticeSaved(replace(found, transcriber="")))
        message = self._message(found)
        if message is not None and text:
            self._switch.submit(MessageSaved(replace(message, transcription=text)))
        self._switch.publish(VoicemailTranscribed(found.box, found.message, found.transcriber, problem))

    def sent(self, notice: str) -> None:
        found = self._notice(notice)
        if found is None:
            return
        self._switch.submit(NoticeRemoved(notice))
        if not found.to:
            return
        message = self._message(found)
        if message is not None and found.recording:
            message = self._put_away(message)
        folder = message.folder if message is not None else ""
        self._switch.publish(
            MailSent(notice, found.box, found.to[0], found.subject, bool(found.recording or found.document), folder)
        )  # fmt: skip

    def failed(self, notice: str, reason: str, *, for_good: bool) -> None:
        found = self._notice(notice)
        if found is None:
            return
        tries = found.tries + 1
        self._switch.submit(NoticeSaved(replace(found, tries=tries, problem=reason, refused=for_good)))
        to = found.to[0] if found.to else ""
        if for_good:
            self._switch.publish(MailRefused(notice, found.box, to, reason))
        else:
            self._switch.publish(MailDelayed(notice, found.box, to, reason, tries))

    # --- reminders ------------------------------------------------------------------------------------

    def box_changed(self, box: str) -> None:
        """Messages have come, gone or been heard: when is the owner to be reminded?"""
        user = self._switch.directory.users_by_extension.get(box)
        self._due.pop(box, None)
        if user is None or not user.mailbox.remind_every_h or not user.emails:
            return
        newest = max((m.at for m in self._switch.history.messages(box) if m.folder == "new"), default=None)
        if newest is None:
            return
        every_s = user.mailbox.remind_every_h * HOUR_S
        number = int((self._wall - newest) / every_s) + 1
        if number <= user.mailbox.reminders:
            self._due[box] = newest + number * every_s

    def directory_changed(self) -> None:
        """Who is reminded may be different; also at the start."""
        self._due.clear()
        for user in self._switch.directory.users:
            if user.mailbox.remind_every_h:
                self.box_changed(user.extension)

    def tick(self) -> None:
        for box in [box for box, due in self._due.items() if due <= self._wall + 1e-6]:
            user = self._switch.directory.users_by_extension.get(box)
            new = sum(message.folder == "new" for message in self._switch.history.messages(box))
            if user is not None and new:
                text = f"{new} new message{'s'[: new > 1]} in mailbox {box} wait{'s'[: new == 1]} to be heard.\n"
                self.queue(Notice("", box, "", user.emails, f"Messages wait in mailbox {box}", text))
            self.box_changed(box)

    def next_deadline(self) -> float:
        if not self._due:
            return FOREVER
        now = self._switch.now
        return now.mono + max(0.0, min(self._due.values()) - now.wall.timestamp())

    # --- parts ----------------------------------------------------------------------------------------

    @property
    def _wall(self) -> float:
        return self._switch.now.wall.timestamp()

    def _clock(self, user: User, at: float) -> str:
        zone = ZoneInfo(self._switch.directory.zone_of_user(user))
        return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M %Z")

    def _notice(self, notice: str) -> Notice | None:
        return next((one for one in self._switch.history.notices() if one.id == notice), None)

    def _message(self, notice: Notice) -> Message | None:
        messages = self._switch.history.messages(notice.box) if notice.message else ()
        return next((message for message in messages if message.id == notice.message), None)

    def _put_away(self, message: Message) -> Message:
        """Its sound has been sent: save it or throw it away, unless its owner has been quicker."""
        user = self._switch.directory.users_by_extension.get(message.box)
        folder = _THEN.get(user.mailbox.notify, "new") if user is not None else "new"
        if message.folder != "new" or folder == "new":
            return message
        message = replace(message, folder=folder)
        self._switch.mailboxes.keep(message)
        return message


def _engine(user: User) -> str:
    return "" if user.mailbox.transcription == "no" else user.mailbox.transcription
