"""Voicemail: `users/{user}/voicemails/{new|save|trash}`; files are told with the address of their sound."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pbx.access import Action
from pbx.api.answers import ACCEPTED, Answer, Refused, nothing, wrong
from pbx.api.asked import Asked
from pbx.api.collection import COUNT_SCHEMA
from pbx.api.forms import TEXT
from pbx.api.routes import Route
from pbx.callflow.ports import Change, MessageRemoved, MessageSaved
from pbx.clock import Moment
from pbx.domain.history import Message
from pbx.ownership import user_thing
from pbx.switch.switch import Switch

UNDER = "/domains/{domain}/users/{user}/voicemails/{folder}"
ONE = f"{UNDER}/{{filename}}"
FOLDERS = {"new": "new", "save": "saved", "trash": "trash"}


def name_of(message: Message) -> str:
    return f"vm-{message.at:.0f}-{message.id}.wav"


def told(asked: Asked, message: Message, index: int) -> dict[str, Any]:
    domain, name = asked.domain, name_of(message)
    folder = next(theirs for theirs, ours in FOLDERS.items() if ours == message.folder)
    path = asked.house.recordings / f"{message.recording}.wav"
    size = path.stat().st_size // 1024 if path.is_file() else round(message.seconds * 8)
    where = f"/ns-api/v2/domains/{domain}/users/{message.box}/voicemails/{folder}/{name}"
    when = f"{datetime.fromtimestamp(message.at, UTC):%Y-%m-%dT%H:%M:%S+00:00}"
    return {
        "filename": name, "ordinal-order": index, "index": index, "length": round(message.seconds),
        "file-duration-seconds": round(message.seconds), "filesize": size, "file-size-kilobytes": str(size),
        "created-datetime": when, "recorded-datetime": when, "filedate": when, "file-access-url": where,
        "remotepath": where, "FromName": message.caller_name, "FromUser": message.caller_number, "FromHost": domain,
        "NmsAni": message.caller_number, "NmsRecStartTime": when, "NmsRecDuration": str(round(message.seconds)),
        "TimeZone": asked.directory.zone_of_user(asked.user), "transcription": message.transcription,
    }  # fmt: skip


def _folder(asked: Asked, action: Action) -> list[Message]:
    user, folder = asked.user, asked.path["folder"]
    asked.require(action, user_thing(asked.directory, user.extension, "voicemail"))
    if folder not in FOLDERS:
        raise wrong("folder", folder, f"it is one of {', '.join(FOLDERS)}", "send new")
    if asked.house.switch_of(asked.domain) is None:
        return []
    kept = asked.house.store.messages(user.extension)
    return [message for message in kept if message.folder == FOLDERS[folder]]


def _one(asked: Asked, action: Action) -> tuple[Message, int]:
    name = asked.path["filename"]
    for index, message in enumerate(_folder(asked, action)):
        if name in (name_of(message), message.id):
            return message, index
    raise nothing("message", name)


async def _list(asked: Asked) -> Answer:
    rows = [told(asked, message, at) for at, message in enumerate(_folder(asked, "view"))]
    return Answer(200, rows[asked.page()])


async def _count(asked: Asked) -> Answer:
    return Answer(200, {"total": len(_folder(asked, "view"))})


async def _read(asked: Asked) -> Answer:
    message, index = _one(asked, "view")
    if asked.query.get("format") != "wav":
        return Answer(200, [told(asked, message, index)])  # the platform answers one as a list
    path = asked.house.recordings / f"{message.recording}.wav"
    if not path.is_file():
        raise Refused(410, "the sound is gone")
    return Answer(200, path.read_bytes(), kind="audio/wav")


def _change(asked: Asked, box: str, change: Change) -> None:
    def carried_out(switch: Switch, now: Moment) -> None:
        switch.history.submit(change)
        switch.box_changed(box, now)

    asked.house.command(carried_out)


async def _delete(asked: Asked) -> Answer:
    """To the trash; out of the trash for good."""
    message, _ = _one(asked, "delete")
    gone = message.folder == "trash"
    change = MessageRemoved(message.box, message.id) if gone else MessageSaved(replace(message, folder="trash"))
    _change(asked, message.box, change)
    await asked.submit()
    return ACCEPTED


async def _save(asked: Asked) -> Answer:
    message, _ = _one(asked, "edit")
    _change(asked, message.box, MessageSaved(replace(message, folder="saved")))
    await asked.submit()
    return ACCEPTED


async def _forward(asked: Asked) -> Answer:
    message, _ = _one(asked, "edit")
    to = next(
        (
            asked.text(name)
            for name in ("voicemail-forward-new-destination", "destination", "to-user")
            if asked.text(name)
        ),
        "",
    )
    to = to.removeprefix("vmail_").partition("@")[0]
    other = asked.directory.users_by_extension.get(to)
    if other is None or not other.voicemail or to == message.box:
        raise wrong("destination", to, "it is another user with a mailbox", "send an extension")
    if not asked.house.command(lambda switch, now: switch.send_message_on(message, to, now)):
        raise Refused(409, f"mailbox {to} is full")
    await asked.submit()
    return ACCEPTED


_TOLD = {"type": "object", "properties": dict.fromkeys(("filename", "file-access-url", "FromUser"), TEXT.schema)}
ROUTES = (
    Route("GET", UNDER, _list, "voicemail", "List messages", None, {"type": "array", "items": _TOLD},
          ("start", "limit")),
    Route("GET", f"{UNDER}/count", _count, "voicemail", "Count messages", None, COUNT_SCHEMA),
    Route("GET", ONE, _read, "voicemail", "Read a message; format=wav for its sound", None,
          {"type": "array", "items": _TOLD}, ("format",)),
    Route("DELETE", ONE, _delete, "voicemail", "Delete a message"),
    Route("PATCH", f"{ONE}/save", _save, "voicemail", "Save a message"),
    Route("PATCH", f"{ONE}/forward", _forward, "voicemail", "Send a message on",
          {"type": "object", "properties": {"voicemail-forward-new-destination": TEXT.schema}}),
)  # fmt: skip
