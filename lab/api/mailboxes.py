"""`/api/v1/mailboxes`: what lies in mailboxes, moved, sent on and deleted by another hand than a telephone's.

* `GET /api/v1/mailboxes`: every mailbox, how many messages each folder has, whether wrong PINs have locked it.
* `GET /api/v1/mailboxes/{box}[?folder=new]`: its messages, oldest first.
* `GET /api/v1/mailboxes/{box}/{message}/sound`: the message as WAV.
* `PUT /api/v1/mailboxes/{box}/{message}` with `{"folder": "saved"}`: `new`, `saved` or `trash`.
* `POST /api/v1/mailboxes/{box}/{message}/forward` with `{"to": "102"}`: a copy into another mailbox.
* `DELETE /api/v1/mailboxes/{box}/{message}`: for good, out of whatever folder.
* `DELETE /api/v1/mailboxes/{box}/lock`: let the owner try its PIN again.

Lamps, mail and the telephone of the owner show what has changed at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from json import JSONDecodeError

from aiohttp import web

from lab.api.refusal import refused
from lab.service import Lab
from pbx.callflow.ports import BoxSaved, Change, MessageRemoved, MessageSaved
from pbx.clock import Moment
from pbx.domain.history import Message
from pbx.events import VoicemailDeleted, VoicemailRestored
from pbx.switch.switch import Switch

FOLDERS = ("new", "saved", "trash")


class MailboxDesk:
    """Adds its routes to an application."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def route(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/mailboxes", self._list)
        app.router.add_get("/api/v1/mailboxes/{box}", self._box)
        app.router.add_delete("/api/v1/mailboxes/{box}/lock", self._unlock)
        app.router.add_put("/api/v1/mailboxes/{box}/{message}", self._move)
        app.router.add_delete("/api/v1/mailboxes/{box}/{message}", self._delete)
        app.router.add_get("/api/v1/mailboxes/{box}/{message}/sound", self._sound)
        app.router.add_post("/api/v1/mailboxes/{box}/{message}/forward", self._forward)

    async def _list(self, request: web.Request) -> web.Response:
        boxes = [user.extension for user in self._lab.directory.users if user.voicemail]
        return web.json_response([self._told(box) for box in boxes])

    async def _box(self, request: web.Request) -> web.Response:
        box, folder = request.match_info["box"], request.query.get("folder", "")
        if not self._is_mailbox(box):
            return _no_mailbox(box)
        if folder and folder not in FOLDERS:
            return _no_folder(folder)
        messages = [asdict(one) for one in self._lab.history.messages(box) if not folder or one.folder == folder]
        return web.json_response({**self._told(box), "messages": messages})

    async def _move(self, request: web.Request) -> web.Response:
        message = self._message(request)
        if message is None:
            return _no_message(request)
        folder = (await _json(request)).get("folder")
        if folder not in FOLDERS:
            return _no_folder(folder)
        moved = replace(message, folder=str(folder))
        self._change(message.box, MessageSaved(moved))
        if folder == "trash" and message.folder != "trash":
            self._lab.bus.publish(VoicemailDeleted("", message.box, message.id), self._lab.now)
        elif folder != "trash" and message.folder == "trash":
            self._lab.bus.publish(VoicemailRestored("", message.box, message.id), self._lab.now)
        return web.json_response(asdict(moved))

    async def _delete(self, request: web.Request) -> web.Response:
        message = self._message(request)
        if message is None:
            return _no_message(request)
        self._change(message.box, MessageRemoved(message.box, message.id))
        self._lab.bus.publish(VoicemailDeleted("", message.box, message.id), self._lab.now)
        return web.Response(status=204)

    async def _forward(self, request: web.Request) -> web.Response:
        message = self._message(request)
        if message is None:
            return _no_message(request)
        to = str((await _json(request)).get("to", ""))
        if not self._is_mailbox(to) or to == message.box:
            why = "it is the one it lies in" if to == message.box else f"{to!r} has none"
            return refused(400, "the message was not sent on", why, 'another mailbox: {"to": "102"}')
        if not self._lab.command_switch(lambda switch, now: switch.send_message_on(message, to, now)):
            return refused(409, "the message was not sent on", f"mailbox {to} is full", "delete messages of it first")
        return web.json_response({"to": to}, status=201)

    async def _sound(self, request: web.Request) -> web.StreamResponse:
        message = self._message(request)
        if message is None:
            return _no_message(request)
        path = self._lab.recordings / f"{message.recording}.wav"
        if not path.is_file():
            return refused(410, "the sound is gone", f"{message.recording} has no file", "delete the message")
        return web.FileResponse(path, headers={"Content-Type": "audio/wav"})

    async def _unlock(self, request: web.Request) -> web.Response:
        box = request.match_info["box"]
        if not self._is_mailbox(box):
            return _no_mailbox(box)
        self._change(box, BoxSaved(replace(self._lab.history.box(box), failures=0, locked_until=0.0)))
        return web.Response(status=204)

    # --- parts ----------------------------------------------------------------------------------------

    def _told(self, box: str) -> dict[str, object]:
        counted = Counter(message.folder for message in self._lab.history.messages(box))
        locked = self._lab.history.box(box).locked_until > self._lab.now.wall.timestamp()
        return {"box": box, **{folder: counted[folder] for folder in FOLDERS}, "locked": locked}

    def _change(self, box: str, change: Change) -> None:
        def carried_out(switch: Switch, now: Moment) -> None:
            switch.history.submit(change)
            switch.box_changed(box, now)

        self._lab.command_switch(carried_out)

    def _is_mailbox(self, box: str) -> bool:
        user = self._lab.directory.users_by_extension.get(box)
        return user is not None and user.voicemail

    def _message(self, request: web.Request) -> Message | None:
        box, name = request.match_info["box"], request.match_info["message"]
        return next((one for one in self._lab.history.messages(box) if one.id == name), None)


def _no_mailbox(box: str) -> web.Response:
    return refused(404, "there is no such mailbox", f"{box!r} has none", "GET /api/v1/mailboxes lists them")


def _no_message(request: web.Request) -> web.Response:
    box, name = request.match_info["box"], request.match_info["message"]
    why = f"none in mailbox {box} has that name"
    return refused(404, f"there is no message {name!r}", why, f"GET /api/v1/mailboxes/{box} lists them")


def _no_folder(folder: object) -> web.Response:
    return refused(400, f"{folder!r} is no folder", "it is named by folder", f"one of: {', '.join(FOLDERS)}")


async def _json(request: web.Request) -> Mapping[str, object]:
    """Return the fields of the body, none when it is no JSON object."""
    try:
        body = await request.json()
    except (JSONDecodeError, UnicodeDecodeError):
        return {}
    return body if isinstance(body, Mapping) else {}
