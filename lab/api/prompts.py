"""`/api/v1/prompts`: the domain's own prompts, and the greetings and names of mailboxes (docs/prompts.md).

* `GET /api/v1/prompts` (`?owner=101` for a mailbox): what is kept, and the speech engine that is there.
* `PUT /api/v1/prompts/{name}` with a sound file (WAV, MP3, Ogg, …), or `{"text": "…"}` as JSON to have it spoken.
* `GET /api/v1/prompts/{name}/sound`: the sound as WAV.
* `POST /api/v1/prompts/{name}/call` with `{"extension": "101"}`: ring that extension and record it there.
* `DELETE /api/v1/prompts/{name}`.

A mailbox (`?owner=101`) has greetings `1` to `9` and a `name`; any other name is the domain's.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from json import JSONDecodeError
from typing import Any

from aiohttp import web

from lab.api.refusal import refused
from lab.prompts.sounds import MOST_BYTES, NoSound, read_sound
from lab.prompts.speech import NoSpeech, engine, speak
from lab.service import Lab
from pbx.domain.kept import KeptPrompt
from pbx.media.prompts import catalogue
from pbx.media.wav import write_wav

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}\Z")
_OF_A_BOX = re.compile(r"[1-9]|name")


class PromptDesk:
    """Adds its routes to an application."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def route(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/prompts", self._list)
        app.router.add_put("/api/v1/prompts/{name}", self._put)
        app.router.add_delete("/api/v1/prompts/{name}", self._delete)
        app.router.add_get("/api/v1/prompts/{name}/sound", self._sound)
        app.router.add_post("/api/v1/prompts/{name}/call", self._call)

    async def _list(self, request: web.Request) -> web.Response:
        kept = self._lab.history.prompts(request.query.get("owner", ""))
        shipped = [{"name": name, "text": catalogue.text_of(name)} for name in catalogue.names()]
        prompts = [asdict(prompt) for prompt in kept.values()]
        return web.json_response({"prompts": prompts, "shipped": shipped, "speech": engine()})

    async def _put(self, request: web.Request) -> web.Response:
        owner, name = _named(request)
        if (problem := self._problem(owner, name)) is not None:
            return problem
        try:
            samples, origin, text = await _samples(request)
        except NoSpeech as error:
            return refused(503, "the prompt was not made", str(error), "or send a sound file")
        except NoSound as error:
            return refused(400, "the prompt was not kept", str(error), 'send a sound file, or {"text": "…"} as JSON')
        lab = self._lab
        recording = f"draft-{int(lab.now.wall.timestamp() * 1000)}-{secrets.token_hex(4)}"
        await asyncio.to_thread(write_wav, lab.recordings / f"{recording}.wav", samples)
        kept = KeptPrompt(owner, name, recording, len(samples) / 8000, origin, text, lab.now.wall.timestamp())
        lab.command_switch(lambda switch, now: switch.keep_prompt(kept, now))
        return web.json_response(asdict(kept), status=201)

    async def _delete(self, request: web.Request) -> web.Response:
        kept = self._kept(request)
        if kept is None:
            return _none(request)
        self._lab.command_switch(lambda switch, now: switch.remove_prompt(kept.owner, kept.name, now))
        return web.Response(status=204)

    async def _sound(self, request: web.Request) -> web.Response:
        kept = self._kept(request)
        if kept is None:
            return _none(request)
        try:
            octets = await asyncio.to_thread((self._lab.recordings / f"{kept.recording}.wav").read_bytes)
        except OSError as error:
            return refused(410, "the sound is gone", str(error.strerror), "give the prompt once more")
        return web.Response(body=octets, content_type="audio/wav")

    async def _call(self, request: web.Request) -> web.Response:
        owner, name = _named(request)
        if (problem := self._problem(owner, name)) is not None:
            return problem
        body = await _json(request)
        extension = str(body.get("extension", "")) if body is not None else ""
        call = self._lab.command_switch(lambda switch, now: switch.record_prompt(extension, owner, name, now))
        if not call:
            why = f"no phone of extension {extension!r} is registered"
            return refused(409, "nobody can be called", why, '{"extension": "101"}, one that is registered')
        return web.json_response({"call": call}, status=202)

    def _problem(self, owner: str, name: str) -> web.Response | None:
        """Say what is wrong with whose prompt it is, or its name."""
        user = self._lab.directory.users_by_extension.get(owner)
        if owner and (user is None or not user.voicemail):
            return refused(404, "there is no such mailbox", f"{owner!r} has none", "an extension with voicemail")
        if not (_OF_A_BOX.fullmatch(name) if owner else _NAME.match(name)):
            why = "a mailbox has 1 to 9 and name" if owner else "a name is of a-z, 0-9, - and _"
            return refused(400, f"{name!r} is no name of a prompt", why, "docs/prompts.md")
        return None

    def _kept(self, request: web.Request) -> KeptPrompt | None:
        owner, name = _named(request)
        return self._lab.history.prompts(owner).get(name)


def _named(request: web.Request) -> tuple[str, str]:
    """Return (owner, name)."""
    return request.query.get("owner", ""), request.match_info["name"]


def _none(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    return refused(404, f"there is no prompt {name!r}", "nobody has given one", "GET /api/v1/prompts")


async def _samples(request: web.Request) -> tuple[bytes, str, str]:
    """Return (mu-law samples, origin, text) of what was sent."""
    if request.content_type == "application/json":
        body = await _json(request)
        text = body.get("text") if body is not None else None
        if not isinstance(text, str):
            raise NoSound("the JSON has no text")
        return await speak(text), "speech", text
    if (request.content_length or 0) > MOST_BYTES:
        raise NoSound(f"it is larger than {MOST_BYTES // 1_000_000} MB")
    octets = bytearray()
    async for piece in request.content.iter_chunked(1 << 16):
        octets += piece
        if len(octets) > MOST_BYTES:
            raise NoSound(f"it is larger than {MOST_BYTES // 1_000_000} MB")
    return await asyncio.to_thread(read_sound, bytes(octets)), "upload", ""


async def _json(request: web.Request) -> Mapping[str, Any] | None:
    try:
        body = await request.json()
    except (JSONDecodeError, UnicodeDecodeError):
        return None
    return body if isinstance(body, Mapping) else None
