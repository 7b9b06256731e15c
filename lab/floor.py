"""The lab floor in the real world: every phone on its own socket, the carrier on its own, one media process for all.

A simulated phone is a shell around its pure core; a pyVoIP phone brings its own threads. Both are driven alike:
power, buttons, fetched files, one timer.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from zlib import crc32

from lab.carrier import Carrier
from lab.house import AnyPhone
from lab.inventory import Station, dhcp_answer
from lab.phones.boot import BootPace
from lab.phones.family import Fetch
from lab.phones.fetcher import Fetcher
from lab.phones.phone import PNP_GROUP, Phone
from lab.phones.pyvoip_line import Voice
from lab.phones.pyvoip_phone import PyvoipPhone, available
from lab.rough_line import RoughLine
from lab.shares import Share, SharedEngine
from lab.shell import RealClock, Shell, shell_on_both
from lab.supervisor import Supervisor
from pbx.media.engine import Engine
from pbx.sip.address import Peer
from pbx.sip.stack import Stack
from pbx.sip.streams import Security

_CHANCE_AT_ONCE = 512
_chance: list[str] = []
"""What is left of the random characters that were read at once: each read is a call of the kernel, seven a call."""


def real_token(count: int) -> str:
    """Return `count` random lower-case hex characters, each given out once."""
    left = _chance.pop() if _chance else ""
    if len(left) < count:
        left = os.urandom(max(_CHANCE_AT_ONCE, count)).hex()
    _chance.append(left[count:])
    return left[:count]


class Floor:
    """Owns the shells of phones and carrier. `changed` is told of a phone whose face is different."""

    def __init__(
        self,
        *,
        clock: RealClock,
        supervisor: Supervisor,
        engine: Engine,
        host: str,
        voice: Callable[[str], Voice],
        changed: Callable[[AnyPhone], None],
        pyvoip: bool = True,
        pace: BootPace | None = None,
        security: Security | None = None,
    ) -> None:
        self._clock, self._supervisor, self._host = clock, supervisor, host
        self._voice, self._changed, self._pace = voice, changed, pace
        self._pyvoip = pyvoip and available()
        self._security = security
        self._shared = SharedEngine(engine)
        self._fetcher = Fetcher(source=host)
        self._pnp = PNP_GROUP
        self._shells: dict[AnyPhone, Shell] = {}
        self._loop = asyncio.get_running_loop()
        self.phones: list[AnyPhone] = []
        self._trunk_shells: list[Shell] = []
        self.trunks: list[Carrier] = []

    @property
    def carrier(self) -> Carrier:
        assert self.trunks, "the carrier is not there yet"
        return self.trunks[0]

    def media_woken(self) -> None:
        self._shared.woken()

    def share(self) -> Share:
        """Return a part of the floor's media process for somebody else on it."""
        return self._shared.share()

    def bind_trunk(self) -> tuple[str, int]:
        """Take a trunk's address, which the switch must know before it starts; the carrier's own comes first."""
        shell = Shell(self._clock, self._host)
        self._trunk_shells.append(shell)
        return shell.udp

    def start_trunks(self, make: Callable[[Stack, Engine], Carrier]) -> None:
        for shell in self._trunk_shells:
            share = self._shared.share()
            share.woken = shell.woken
            stack = Stack({"udp": shell.udp}, token=real_token, user_agent="Switchroom carrier")
            carrier = make(stack, share)
            self.trunks.append(carrier)
            shell.start(carrier)

    def connect(
        self, names: Mapping[str, tuple[str, int]], trust: Callable[[str], ssl.SSLContext], pnp_port: int
    ) -> None:
        """Tell the phones' network what it knows, before anything is plugged in (see `Fetcher`)."""
        self._fetcher = Fetcher(source=self._host, names=names, trust=trust)
        self._pnp = Peer("udp", PNP_GROUP.host, pnp_port or PNP_GROUP.port)

    async def plug_in(self, station: Station, url: str) -> AnyPhone:
        """Put a box on the floor, switched off; `url` is what discovery will tell it."""
        phone = self._plug_in_pyvoip(station, url) if station.is_pyvoip and self._pyvoip else None
        if phone is None:
            return await self._plug_in_simulated(station, url)
        self.phones.append(phone)
        return phone

    def press(self, phone: AnyPhone, button: Callable[[], object]) -> object:
        result = phone.act(button, self._clock.mono())
        self._shells[phone].settle()
        return result

    def press_outside(self, button: Callable[[], object]) -> object:
        result = self.carrier.act(button, self._clock.mono())
        self._trunk_shells[0].settle()
        return result

    def power(self, on: bool, phones: Sequence[AnyPhone] | None = None) -> None:
        for phone in self.phones if phones is None else phones:
            (phone.power_on if on else phone.power_off)(self._clock.mono())
            self._shells[phone].settle()

    def rough_line(self, phone: AnyPhone) -> RoughLine:
        """Return the line a phone is plugged into."""
        return self._shells[phone].rough_line(crc32(phone.extensions[0].device.encode()))

    def all_registered(self) -> bool:
        return all(phone.lines and all(line.registered for line in phone.lines) for phone in self.phones)

    async def close(self) -> None:
        for phone in self.phones:
            # A pyVoIP phone waits for its threads: not in the loop, where the others still have packets to take.
            if isinstance(phone, PyvoipPhone):
                await asyncio.to_thread(phone.power_off, self._clock.mono())
            else:
                phone.power_off(self._clock.mono())
        for shell in self._shells.values():
            await shell.close()
        for shell in self._trunk_shells:
            await shell.close()
        await self._fetcher.close()

    # --- parts ----------------------------------------------------------------------------------------

    async def _plug_in_simulated(self, station: Station, url: str) -> Phone:
        shell = await shell_on_both(self._clock, self._host)
        share = self._shared.share()
        share.woken = shell.woken
        box = station.box(typed_url=url)
        if self._security is not None:
            shell.secure(self._security)
        local = {"udp": shell.udp, "tcp": shell.udp, "tls": shell.udp}
        phone = Phone(
            station.family,
            box,
            station.extensions,
            dhcp=dhcp_answer(station, url),
            make_stack=lambda: Stack(local, token=real_token, user_agent=station.family.user_agent(box)),
            engine=share,
            token=real_token,
            pace=self._pace,
            changed=self._changed,
            pnp=self._pnp,
        )
        self._take(phone, shell)
        self.phones.append(phone)
        return phone

    def _plug_in_pyvoip(self, station: Station, url: str) -> PyvoipPhone:
        phone = PyvoipPhone(
            station.family,
            station.box(typed_url=url),
            station.extensions,
            dhcp=dhcp_answer(station, url),
            address=self._host,
            voice=self._voice,
            hand_over=self._hand_over,
            clock=self._clock.mono,
            pace=self._pace,
            changed=self._changed,
        )
        self._take(phone, Shell(self._clock, self._host))
        return phone

    def _take(self, phone: AnyPhone, shell: Shell) -> None:
        self._shells[phone] = shell
        shell.after = lambda: self._carry_fetches(phone)
        shell.start(phone)

    def _carry_fetches(self, phone: AnyPhone) -> None:
        for number, wanted in phone.take_fetches():
            self._supervisor.start(f"fetch {wanted.name}", self._fetch(phone, number, wanted))

    async def _fetch(self, phone: AnyPhone, number: int, wanted: Fetch) -> None:
        answer = await self._fetcher.fetch(wanted)
        phone.fetched(number, answer, self._clock.mono())
        self._shells[phone].settle()

    def _hand_over(self, what: Callable[[], None]) -> None:
        """Run something of a pyVoIP thread in the loop; a loop that is closed has nobody left to tell."""
        try:
            self._loop.call_soon_threadsafe(partial(self._handed, what))
        except RuntimeError:
            return

    def _handed(self, what: Callable[[], None]) -> None:
        what()
        for phone in self.phones:
            if isinstance(phone, PyvoipPhone):
                self._shells[phone].settle()
