"""linphonec 5.1: nothing but its provisioning URL and what belongs to this machine in its file, commands on its command
line.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from pathlib import Path

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

_ASKS_S = 0.5
_HOLDS_S = 5.0
_RC = """[misc]
config-uri={config_url}
[sip]
bind_address={address}
sip_port={port}
sip_tcp_port=0
sip_tls_port=0
guess_hostname=0
use_ipv6=0
auto_net_state_mon=0
[rtp]
bind_address={address}
audio_rtp_port=7100-7150
[net]
mtu=0
firewall_policy=0
[video]
enabled=0
capture=0
display=0
[storage]
uri=null
call_logs_db_uri=null
"""
_INCOMING = re.compile(r"incoming call from .*?sips?:([^@>;]*).*assigned id (\d+)")
_OUTGOING = re.compile(r"call (?:id )?to .*?sips?:([^@>;]*).*assigned id (\d+)")
_PAUSED = re.compile(r"Call (\d+) .*is now paused")
_CALL = re.compile(r"Call (\d+) .*?(connected|ended|error)")


class Linphone:
    """One process; `told` hears of its calls."""

    def __init__(self, site: Site, told: Told) -> None:
        self._site, self._told = site, told
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._registered, self._paused = asyncio.Event(), asyncio.Event()
        self._calls: dict[str, tuple[str, str]] = {}
        """Number of a call → the word that was told last, and the other party."""
        self._said = ""
        self._recordings = 0

    async def start(self) -> None:
        program, site = shutil.which("linphonec"), self._site
        if program is None:
            raise NotStarted("linphonec is not installed (Debian: linphone-cli)")
        (site.home / ".local" / "share" / "linphone").mkdir(parents=True, exist_ok=True)
        file = site.home / "linphonerc"
        file.write_text(_RC.format(config_url=site.config_url, address=site.address, port=free_port()))
        home = str(site.home)
        self._process = await asyncio.create_subprocess_exec(
            program, "-c", str(file), "-d", "0",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=home,
            env={**os.environ, "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home},
        )  # fmt: skip
        self._listening = asyncio.get_running_loop().create_task(self._listen(), name="linphone")
        until = asyncio.get_running_loop().time() + PATIENCE_S
        while not self._registered.is_set():
            if self._process.returncode is not None or asyncio.get_running_loop().time() > until:
                raise NotStarted(f"linphonec is not registered: {self._said[-400:].strip()}")
            self._say("status register")
            await woken(self._registered, _ASKS_S)
            if "registered, identity" in self._said:
                break
        voice = write_voice(site.home / "voice.wav", site.device)
        self._say("soundcard use files")
        self._say(f"play {voice}")
        self._record_anew()

    async def do(self, action: str, argument: str) -> None:
        uri = f"sip:{argument}@{self._site.domain}"
        up = self._those("connected")
        match action:
            case "dial":
                if up and not self._paused.is_set():  # it places no second call beside one that talks
                    await self._hold()
                self._say(f"call {uri}")
            case "answer" | "reject" if not self._those("ringing"):
                raise Unwilling("no call rings here")
            case "answer":
                self._say(f"answer {self._those('ringing')[-1]}")
            case "reject":
                self._say(f"terminate {self._those('ringing')[-1]}")
            case "hangup":
                if not self._calls:
                    raise Unwilling("there is no call to end")
                self._say(f"terminate {list(self._calls)[-1]}")
            case "hold" | "resume" | "press" | "transfer" if not up:
                raise Unwilling("no call is up here")
            case "hold":
                await self._hold()
            case "resume":
                self._paused.clear()
                self._say(f"resume {up[-1]}")
            case "transfer":
                self._say(f"transfer {up[-1]} {uri}")
            case "attended":
                if len(up) < 2:
                    raise Unwilling("there are no two calls to join")
                self._say(f"transfer {up[-2]} --to-call {up[-1]}")
            case "press":
                for key in argument:
                    self._say(key)
                    await woken(asyncio.Event(), KEY_S)
            case _:
                raise Unwilling(f"linphonec has no way to {action}")

    async def _hold(self) -> None:
        self._say("pause")
        try:
            async with asyncio.timeout(_HOLDS_S):
                await self._paused.wait()
        except TimeoutError:
            raise Unwilling("linphonec does not put the call on hold") from None

    @property
    def recording(self) -> Path | None:
        return self._site.home / f"heard-{self._recordings}.wav"

    async def ended(self) -> None:
        if self._process is not None:
            await self._process.wait()

    async def close(self) -> None:
        if self._process is not None:
            await end(self._process)
        if self._listening is not None:
            await asyncio.gather(self._listening, return_exceptions=True)

    def _those(self, word: str) -> list[str]:
        return [call for call, (is_now, _) in self._calls.items() if is_now == word]

    def _say(self, line: str) -> None:
        assert self._process is not None, "start first"
        assert self._process.stdin is not None
        if self._process.returncode is not None:
            raise Unwilling("linphonec has gone")
        self._process.stdin.write(line.encode() + b"\n")

    def _record_anew(self) -> None:
        self._recordings += 1
        self._say(f"record {self.recording}")

    async def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with (self._site.home / "linphonec.log").open("ab", buffering=0) as log:
            while line := await self._process.stdout.readline():
                log.write(line)
                self._said = (self._said + line.decode("utf-8", "replace"))[-4000:]
                self._take(line.decode("utf-8", "replace"))

    def _take(self, line: str) -> None:
        if _PAUSED.search(line):
            self._paused.set()
        elif begun := _INCOMING.search(line) or _OUTGOING.search(line):
            word = "ringing" if "ncoming" in line else "dialling"
            self._calls[begun[2]] = word, begun[1]
            self._paused.clear()
            self._told(word, begun[2], begun[1])
        elif (found := _CALL.search(line)) and found[1] in self._calls:
            word = "connected" if found[2] == "connected" else "ended"
            with_whom = self._calls[found[1]][1]
            if word == "ended":
                del self._calls[found[1]]
                if not self._calls:
                    self._record_anew()
            else:
                self._calls[found[1]] = word, with_whom
            self._told(word, found[1], with_whom)
