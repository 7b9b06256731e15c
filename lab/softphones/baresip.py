"""baresip 1.0: its three files as they are served, what belongs to this machine behind them, commands over `ctrl_tcp`
(JSON in netstrings).
"""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import aiohttp

from lab.softphones.program import (
    KEY_S,
    PATIENCE_S,
    NotStarted,
    Site,
    Told,
    Unwilling,
    end,
    free_port,
    write_voice,
)
from lab.waiting import woken

MODULES = Path("/usr/lib/baresip/modules")
_ANSWERS_S = 5.0
_SETTLES_S = 1.0
"""baresip takes a hold, a resume or a transfer for done before its re-INVITE is through, and refuses the next one. What
it records it names by the second: the next call of the same second would be written over the last one."""
_WORDS = {
    "CALL_INCOMING": "ringing",
    "CALL_RINGING": "dialling",
    "CALL_PROGRESS": "dialling",
    "CALL_ESTABLISHED": "connected",
    "CALL_CLOSED": "ended",
}


class Baresip:
    """One process; `told` hears of its calls."""

    def __init__(self, site: Site, told: Told) -> None:
        self._site, self._told = site, told
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._registered = asyncio.Event()
        self._calls: dict[str, str] = {}
        """Call id → the word that was told last."""
        self._number = 0
        self._busy_until = 0.0

    async def start(self) -> None:
        program = shutil.which("baresip")
        if program is None:
            raise NotStarted("baresip is not installed (Debian: baresip-core)")
        control = free_port()
        await self._furnish(control)
        with (self._site.home / "baresip.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                program, "-f", str(self._site.home), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )
        reader, self._writer = await self._connected(control)
        self._listening = asyncio.get_running_loop().create_task(self._listen(reader), name="baresip")
        await self._register()

    async def _furnish(self, control: int) -> None:
        """Fetch what the server has for it, and add only what belongs to this machine."""
        site = self._site
        (site.home / "rec").mkdir(parents=True, exist_ok=True)
        async with aiohttp.ClientSession() as session:
            for name in ("config", "accounts", "contacts"):
                async with session.get(site.config_url + name, raise_for_status=True) as answer:
                    (site.home / name).write_bytes(await answer.read())
        voice = write_voice(site.home / "voice.wav", site.device)
        local = {
            "module_path": MODULES, "sip_listen": f"{site.address}:5060", "net_interface": site.address,
            "rtp_ports": "12000-12200", "audio_source": f"aufile,{voice}",
            # Sound goes nowhere here: a bridge of its own takes what it plays, and what it rings with.
            "audio_player": f"aubridge,null{site.device}", "audio_alert": f"aubridge,alert{site.device}",
            "snd_path": site.home / "rec", "ctrl_tcp_listen": f"127.0.0.1:{control}",
            "module": "aufile.so\nmodule aubridge.so\nmodule sndfile.so", "module_app": "ctrl_tcp.so",
        }  # fmt: skip
        with (site.home / "config").open("a") as config:
            config.write("\n" + "".join(f"{name} {value}\n" for name, value in local.items()))

    async def _connected(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE_S
        while loop.time() < until and not self._gone:
            try:
                return await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await woken(asyncio.Event(), 0.05)
        raise NotStarted(f"baresip did not open its control port: {self._last_words()}")

    async def _register(self) -> None:
        """What was told before the control port was there stands in its log."""
        until = asyncio.get_running_loop().time() + PATIENCE_S
        while not self._registered.is_set() and "[1 binding]" not in self._log():
            if self._gone or asyncio.get_running_loop().time() > until:
                raise NotStarted(f"baresip is not registered: {self._last_words()}")
            await woken(asyncio.Event(), 0.05)

    async def do(self, action: str, argument: str) -> None:
        await woken(asyncio.Event(), self._busy_until - asyncio.get_running_loop().time())
        words = set(self._calls.values())
        uri = f"sip:{argument}@{self._site.domain}"
        match action:
            case "dial":
                await self._say("dial", uri)
            case "answer" | "reject" if "ringing" not in words:
                raise Unwilling("no call rings here")
            case "answer":
                await self._say("accept")
            case "reject" | "hangup":
                if not words:
                    raise Unwilling("there is no call to end")
                await self._say("hangup")
            case "hold" | "resume" | "press" | "transfer" if "connected" not in words:
                raise Unwilling("no call is up here")
            case "hold" | "resume":
                await self._say(action)
                self._busy_until = asyncio.get_running_loop().time() + _SETTLES_S
            case "transfer":
                await self._say("transfer", uri)
            case "press":
                for key in argument:
                    await self._say("sndcode", key)
                    await woken(asyncio.Event(), KEY_S)
            case _:
                raise Unwilling(f"baresip has no way to {action}")

    @property
    def recording(self) -> Path | None:
        found = self._site.home.glob("rec/dump-*-dec.wav")
        return max(found, key=lambda path: path.stat().st_mtime_ns, default=None)

    async def ended(self) -> None:
        if self._process is not None:
            await self._process.wait()

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        if self._process is not None:
            await end(self._process)

    async def _say(self, command: str, params: str = "") -> None:
        assert self._writer is not None, "start first"
        self._number += 1
        token = str(self._number)
        body = json.dumps({"command": command, "params": params, "token": token}).encode()
        answered = self._answers[token] = asyncio.get_running_loop().create_future()
        self._writer.write(b"%d:%s," % (len(body), body))
        try:
            async with asyncio.timeout(_ANSWERS_S):
                answer = await answered
        except TimeoutError:
            raise Unwilling(f"baresip does not answer {command}") from None
        finally:
            del self._answers[token]
        if not answer.get("ok"):
            raise Unwilling(
                f"baresip refuses {command}: {str(answer.get('data', '')).strip() or 'it does not say why'}"
            )

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                size = await reader.readuntil(b":")
                message = json.loads((await reader.readexactly(int(size[:-1]) + 1))[:-1])
                if message.get("response"):
                    waiting = self._answers.get(str(message.get("token", "")))
                    if waiting is not None and not waiting.done():
                        waiting.set_result(message)
                elif message.get("event"):
                    self._take(message)
        except (asyncio.IncompleteReadError, ConnectionError):
            return

    def _take(self, event: dict[str, Any]) -> None:
        kind, call = str(event.get("type", "")), str(event.get("id", ""))
        if kind == "REGISTER_OK":
            self._registered.set()
        word = _WORDS.get(kind)
        if word is None or self._calls.get(call) == word:
            return
        if word == "ended":
            self._calls.pop(call, None)
            self._busy_until = asyncio.get_running_loop().time() + _SETTLES_S
        else:
            self._calls[call] = word
        self._told(word, call, _user(str(event.get("peeruri", ""))))

    @property
    def _gone(self) -> bool:
        return self._process is None or self._process.returncode is not None

    def _log(self) -> str:
        return (self._site.home / "baresip.log").read_text(errors="replace")

    def _last_words(self) -> str:
        return self._log()[-400:].strip() or "it said nothing"


def _user(uri: str) -> str:
    return uri.partition(":")[2].partition("@")[0] if ":" in uri else uri
