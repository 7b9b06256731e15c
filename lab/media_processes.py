"""The media processes of a lab: the switch's own, and the ears of the phones and the carrier on its floor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from lab.inventory import stations
from pbx.domain.directory import Directory
from pbx.media.local import LocalEngine
from pbx.media.rtpengine import RtpengineEngine

RECORDINGS = "recordings"
EARS = "ears"


class MediaProcesses:
    """What `switch_woken` and `ears_woken` are told of is read from `switch` and `ears`; both there after `start`."""

    def __init__(
        self,
        carrier: Sequence[str],
        directory: Callable[[], Directory],
        data: Path,
        host: str,
        pairs: int,
        rtpengine: tuple[tuple[str, int], tuple[str, int]] | None,
        *,
        fax_speed: int = 1,
        switch_woken: Callable[[], None],
        ears_woken: Callable[[], None] | None,
    ) -> None:
        """`carrier` has the numbers outside, `pairs` of ports each process; `ears_woken` is None without phones.

        `fax_speed`: how much faster than real time T.38 goes.
        """
        self._fax_speed = fax_speed
        self._carrier, self._directory = carrier, directory
        self._data, self._host, self._pairs, self._rtpengine = data, host, pairs, rtpengine
        self._switch_woken = switch_woken
        self._taps: Path | None = None
        self.switch: LocalEngine | RtpengineEngine = self._for_switch()
        self.ears = self._local(EARS, ears_woken, "lab.ears_process") if ears_woken is not None else None

    async def start(self) -> None:
        ears = () if self.ears is None else (self.ears.start(),)
        await asyncio.gather(self.switch.start(), *ears)

    async def renew_switch(self) -> None:
        """Another process for the switch, which knows nothing of the one before."""
        await self.switch.shut()
        self.switch = self._for_switch()
        await self.switch.start()
        self.tap(self._taps)

    def tap(self, folder: Path | None) -> None:
        """Keep the packets of the switch's calls in a folder, or no more; a daemon has no way to."""
        self._taps = folder
        if isinstance(self.switch, LocalEngine):
            self.switch.tap(folder)

    async def close(self) -> None:
        for engine in (self.ears, self.switch):
            if engine is not None:
                await engine.shut()

    def _for_switch(self) -> LocalEngine | RtpengineEngine:
        if self._rtpengine is None:
            return self._local(RECORDINGS, self._switch_woken)
        daemon, keys = self._rtpengine
        sounds, recordings = self._data / "sounds", self._data / RECORDINGS
        return RtpengineEngine(daemon, keys, folder=sounds, recordings=recordings, on_events=self._switch_woken)

    def _local(self, folder: str, woken: Callable[[], None], program: str = "pbx.media.worker") -> LocalEngine:
        recordings = self._data / folder
        recordings.mkdir(parents=True, exist_ok=True)
        return LocalEngine(
            self._host,
            recordings=recordings,
            on_events=woken,
            parties=self.parties,
            music=self.music,
            ports=self._pairs,
            fax_speed=self._fax_speed,
            program=program,
        )

    @property
    def parties(self) -> Sequence[str]:
        """Who speaks with a signature: what stands on the bench. Knowing those of every device would cost a start with
        a thousand of them half a minute and most of a gigabyte."""
        bench = (extension.device for station in stations(self._directory()) for extension in station.extensions)
        return list(dict.fromkeys([*bench, *self._carrier, "emergency", "support", "service"]))

    @property
    def music(self) -> Sequence[str]:
        directory = self._directory()
        named = {directory.domain.music, *(site.music for site in directory.sites)}
        named |= {queue.music for queue in directory.queues}
        return sorted(name for name in named if name)
