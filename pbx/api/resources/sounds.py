"""Sound by index: music on hold (`moh`), hold messages (`msg`), greetings of a user; from text, base64 or a file.

Greetings `1` to `9` are those of the mailbox, `0` is the recorded name. Music and messages are prompts of the domain
named `moh-N` and `msg-N`; a user's are kept under `moh-101-N`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pbx.access import Action, Kind
from pbx.api.answers import ACCEPTED, Answer, Refused, nothing, wrong
from pbx.api.asked import Asked
from pbx.api.collection import COUNT_SCHEMA
from pbx.api.forms import TEXT, YES_NO
from pbx.api.routes import Route
from pbx.domain.kept import KeptPrompt
from pbx.media.wav import write_wav
from pbx.numerals import natural
from pbx.ownership import domain_thing, user_thing

MOST = 99
GREETINGS = 9
SAMPLES_A_SECOND = 8000


@dataclass(frozen=True)
class Sounds:
    """One kind of sound of one kind of owner."""

    noun: str
    right: Kind
    under: str
    prefix: str
    """Of the prompts' names; empty for greetings, whose name is their index."""

    def routes(self) -> tuple[Route, ...]:
        one = f"{self.under}/{{index}}"
        told = {"type": "object", "properties": dict.fromkeys(("filename", "file-access-url"), TEXT.schema)}
        many = {"type": "array", "items": told}
        return (
            Route("GET", self.under, self.list_, self.right, f"List every {self.noun}", None, many, ("start", "limit")),
            Route("POST", self.under, self.create, self.right, f"Add a {self.noun}", _SENT, told),
            Route("GET", f"{self.under}/count", self.count, self.right, f"Count every {self.noun}", None, COUNT_SCHEMA),
            Route("GET", one, self.read, self.right, f"Read a {self.noun}; format=wav for its sound", None, told,
                  ("format",)),
            Route("PUT", one, self.change, self.right, f"Replace a {self.noun}", _SENT, told),
            Route("DELETE", one, self.delete, self.right, f"Remove a {self.noun}"),
        )  # fmt: skip

    async def list_(self, asked: Asked) -> Answer:
        self._allow(asked, "view")
        return Answer(200, [self._told(asked, at, kept) for at, kept in sorted(self._all(asked).items())][asked.page()])

    async def count(self, asked: Asked) -> Answer:
        self._allow(asked, "view")
        return Answer(200, {"total": len(self._all(asked))})

    async def read(self, asked: Asked) -> Answer:
        self._allow(asked, "view")
        at, kept = self._one(asked)
        if asked.query.get("format") != "wav":
            return Answer(200, self._told(asked, at, kept))
        try:
            octets = await asyncio.to_thread((asked.house.recordings / f"{kept.recording}.wav").read_bytes)
        except OSError:
            raise Refused(410, "the sound is gone; send it once more") from None
        return Answer(200, octets, kind="audio/wav")

    async def create(self, asked: Asked) -> Answer:
        self._allow(asked, "create")
        known = self._all(asked)
        written = asked.text("index")
        most = GREETINGS if not self.prefix else MOST
        free = next((n for n in range(1, most + 1) if n not in known), None)
        at = _index(written, most) if written else free
        if at is None:
            raise Refused(409, f"there are {most} of them, and no more may be")
        if at in known and asked.text("convert") != "yes" and written:
            raise Refused(409, f"there is a {self.noun} {at} already; PUT replaces it")
        return await self._keep(asked, at)

    async def change(self, asked: Asked) -> Answer:
        self._allow(asked, "edit")
        at, _ = self._one(asked)
        return await self._keep(asked, at)

    async def delete(self, asked: Asked) -> Answer:
        self._allow(asked, "delete")
        _, kept = self._one(asked)
        asked.house.command(lambda switch, now: switch.remove_prompt(kept.owner, kept.name, now))
        await asked.submit()
        return ACCEPTED

    # --- parts ----------------------------------------------------------------------------------------

    async def _keep(self, asked: Asked, at: int) -> Answer:
        if asked.house.switch_of(asked.domain) is None:
            raise Refused(409, f"domain {asked.domain} is configured here, and served by no switch that keeps sound")
        content, text = _content(asked)
        try:
            samples = await asked.house.sound(content, text)
        except ValueError as error:
            raise wrong(
                "File" if content else "script", None, str(error), "send a WAV or MP3 file, or a text"
            ) from None
        recording = f"draft-{int(asked.now.wall.timestamp() * 1000)}-{asked.house.token(8)}"
        await asyncio.to_thread(write_wav, asked.house.recordings / f"{recording}.wav", samples)
        owner, name = self._name(asked, at)
        origin, seconds = ("upload" if content else "speech"), len(samples) / SAMPLES_A_SECOND
        kept = KeptPrompt(owner, name, recording, seconds, origin, text, asked.now.wall.timestamp())
        asked.house.command(lambda switch, now: switch.keep_prompt(kept, now))
        await asked.submit()
        return Answer(200, self._told(asked, at, kept)) if asked.synchronous else ACCEPTED

    def _name(self, asked: Asked, at: int) -> tuple[str, str]:
        """Return owner and name of the prompt of an index."""
        if not self.prefix:
            return asked.path["user"], "name" if at == 0 else str(at)
        user = asked.path.get("user")
        return "", f"{self.prefix}-{user}-{at}" if user else f"{self.prefix}-{at}"

    def _all(self, asked: Asked) -> Mapping[int, KeptPrompt]:
        if asked.house.switch_of(asked.domain) is None:
            return {}
        owner, first = self._name(asked, 1)
        kept = asked.house.store.prompts(owner)
        if not self.prefix:
            return {0 if name == "name" else int(name): it for name, it in kept.items() if name in _OF_A_BOX}
        stem = first.rpartition("-")[0] + "-"
        rows = ((natural(name.removeprefix(stem)), it) for name, it in kept.items() if name.startswith(stem))
        return {at: it for at, it in rows if at is not None}

    def _one(self, asked: Asked) -> tuple[int, KeptPrompt]:
        at = natural(asked.path["index"])
        found = self._all(asked).get(at) if at is not None else None
        if at is None or found is None:
            raise nothing(self.noun, asked.path["index"])
        return at, found

    def _told(self, asked: Asked, at: int, kept: KeptPrompt) -> dict[str, Any]:
        where = self.under.replace("{domain}", asked.domain).replace("{user}", asked.path.get("user", ""))
        when = f"{datetime.fromtimestamp(kept.at, UTC):%Y-%m-%d %H:%M:%S}"
        return {
            "index": at, "filename": f"{kept.name}.wav", "ordinal-order": at,
            "file-duration-seconds": round(kept.seconds),
            "file-size-kilobytes": str(round(kept.seconds * SAMPLES_A_SECOND * 2 / 1024)), "created-datetime": when,
            "file-access-url": f"/ns-api/v2{where}/{at}?format=wav", "file-script-text": kept.text,
            "file-source": kept.origin, "text-to-speech-voice-id": "", "text-to-speech-language": "en-US",
        }  # fmt: skip

    def _allow(self, asked: Asked, action: Action) -> None:
        if "user" in asked.path:
            asked.require(action, user_thing(asked.directory, asked.user.extension, self.right))
        else:
            asked.require(action, domain_thing(asked.directory, self.right))


def _index(text: str, most: int) -> int:
    at = natural(text)
    if at is None or at > most:
        raise wrong("index", text, f"it is 0 to {most}", "leave it out for the next that is free")
    return at


def _content(asked: Asked) -> tuple[bytes, str]:
    """Return a file's octets, or the text to be spoken."""
    file = asked.body.get("File") or asked.body.get("file")
    if isinstance(file, bytes):
        return file, asked.text("script")
    written = asked.body.get("base64_file")
    if isinstance(written, str) and written:
        try:
            return base64.b64decode(written.partition(",")[2] or written, validate=True), asked.text("script")
        except (binascii.Error, ValueError):
            raise wrong("base64_file", None, "it is no base64", "send the file in base64") from None
    text = asked.text("script")
    if not text:
        raise wrong(
            "script", None, "there is neither a text nor a file", "send script, base64_file or a form with File"
        )
    return b"", text


_OF_A_BOX = ("name", *map(str, range(1, GREETINGS + 1)))
_SENT = {
    "type": "object",
    "properties": {"synchronous": YES_NO.schema, "index": {"type": "integer"}, "convert": YES_NO.schema,
                   **dict.fromkeys(("script", "encoding", "base64_file", "voice_language", "voice_id"), TEXT.schema)},
}  # fmt: skip
_USER = "/domains/{domain}/users/{user}"
KINDS = (
    Sounds("music on hold", "music", "/domains/{domain}/moh", "moh"),
    Sounds("music on hold", "greeting", f"{_USER}/moh", "moh"),
    Sounds("hold message", "music", "/domains/{domain}/msg", "msg"),
    Sounds("hold message", "greeting", f"{_USER}/msg", "msg"),
    Sounds("greeting", "greeting", f"{_USER}/greetings", ""),
)


async def _voices(asked: Asked) -> Answer:
    """The one voice there is, where a speech engine is installed."""
    asked.require("view", user_thing(asked.directory, asked.user.extension, "greeting"))
    voice = {"gender": "neutral", "id": "house", "languageCode": asked.path.get("language", "en-US"),
             "name": "the house's", "type": "standard", "subType": ""}  # fmt: skip
    return Answer(200, [voice])


ROUTES = (
    *(route for kind in KINDS for route in kind.routes()),
    Route("GET", f"{_USER}/voices/{{language}}", _voices, "greeting", "Voices texts are spoken by", None,
          {"type": "array", "items": {"type": "object"}}),
    Route("GET", f"{_USER}/voices", _voices, "greeting", "Voices texts are spoken by", None,
          {"type": "array", "items": {"type": "object"}}),
)  # fmt: skip
