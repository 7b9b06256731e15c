"""A pyVoIP phone as one of the lab's boxes: it boots from what the server served, its calls run on pyVoIP's threads.

The box has the inputs and outputs of a simulated phone (`phone.Phone`), so that the same shell drives it. What
pyVoIP's threads tell is carried into the event loop by `hand_over`; nothing else is touched from outside the loop.
pyVoIP is an extra: `available` says whether it is there, and it is imported only when a phone is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec

from lab.phones.boot import Boot, BootPace
from lab.phones.chassis import Chassis, Extension
from lab.phones.family import Account, Box, Family, Fetch, Fetched, PhoneConfig, Resync
from lab.phones.pyvoip_line import PyvoipLine, Voice
from lab.phones.registration import Standing
from pbx.clock import FOREVER
from pbx.sip.address import Peer
from pbx.sip.stack import Outgoing


def available() -> bool:
    return find_spec("pyVoIP") is not None


class PyvoipPhone(Chassis[PyvoipLine]):
    """The box around it. `clock` gives monotonic seconds; `hand_over` runs a function in the event loop."""

    def __init__(
        self,
        family: Family,
        box: Box,
        extensions: Sequence[Extension],
        *,
        dhcp: Mapping[int, str],
        address: str,
        voice: Callable[[str], Voice],
        hand_over: Callable[[Callable[[], None]], None],
        clock: Callable[[], float],
        pace: BootPace | None = None,
        changed: Callable[[PyvoipPhone], None] | None = None,
    ) -> None:
        super().__init__(family, box, extensions, dhcp, pace)
        self._address, self._voice, self._hand_over, self._clock = address, voice, hand_over, clock
        self._tell = changed

    def live(self) -> dict[str, int]:
        return {"calls": sum(len(line.live_calls) for line in self.lines)}

    def power_on(self, now: float) -> None:
        if self.powered:
            return
        self.powered = True
        self._begin(self._new_boot(now))

    def power_off(self, now: float) -> None:
        for line in self.lines:
            line.close()
        self._unplugged()
        self._changed()

    def resync(self, now: float) -> None:
        if not self._at_rest:
            return
        boot = self._new_boot(now)
        boot.reload(now)
        self._begin(boot)

    def woken(self, now: float) -> None:
        """pyVoIP hears for itself."""

    def closed(self, peer: Peer, now: float) -> None:
        """pyVoIP speaks UDP only."""

    def receive(self, data: bytes, source: Peer, now: float) -> None:
        """pyVoIP reads its own socket."""

    def act(self, button: Callable[[], object], now: float) -> object:
        return button()

    def fetched(self, number: int, answer: Fetched, now: float) -> None:
        if self._boot is None:
            return
        self._boot.fetched(number, answer, now)
        self._follow(now)

    def tick(self, now: float) -> None:
        if self._boot is not None:
            self._boot.tick(now)
        if now >= self._retry_at:
            self._retry_at = FOREVER
            self._begin(self._new_boot(now))
        self._follow(now)

    def next_deadline(self) -> float:
        return min(self._boot.next_deadline() if self._boot is not None else FOREVER, self._retry_at)

    def take_outgoing(self) -> list[Outgoing]:
        return []

    def take_fetches(self) -> list[tuple[int, Fetch]]:
        fetch = self._boot.take_fetch() if self._boot is not None else None
        return [fetch] if fetch is not None else []

    def _begin(self, boot: Boot) -> None:
        self._boot, self.strip = boot, boot.strip
        self._changed()

    def _follow(self, now: float) -> None:
        if self._boot is None:
            return
        if (config := self._new_config()) is not None:
            self._apply(config, now)
        else:
            self._give_up(now)
        self._changed()

    def _apply(self, config: PhoneConfig, now: float) -> None:
        kept = {line.account: line for line in self.lines}
        lines = []
        for account in config.accounts:
            line = kept.pop(account, None)
            if line is None:
                line = self._new_line(account)
                self.strip.begin("register", now)
                line.start()
            lines.append(line)
        for line in kept.values():
            line.close()
        self._adopt(config, lines)

    def _new_line(self, account: Account) -> PyvoipLine:
        return PyvoipLine(
            account,
            address=self._address,
            user_agent=self.family.user_agent(self.box),
            voice=self._voice,
            hand_over=self._hand_over,
            clock=self._clock,
            changed=self._changed,
            notified=self._notified,
        )

    def _notified(self, event: str) -> None:
        wanted = self.family.resync(event)
        if wanted is Resync.REBOOT:
            self.reboot(self._clock())
        elif wanted is Resync.RELOAD:
            self.resync(self._clock())

    def _changed(self) -> None:
        self._show_registration()
        if self._tell is not None:
            self._tell(self)

    def _show_registration(self) -> None:
        if not self.lines:
            return
        now, result = self._clock(), self.strip.result("register")
        if all(line.registered for line in self.lines):
            if result != "ok":
                self.strip.end("register", now)
                self.strip.end("subscribe", now, note="none")
        elif any(line.standing in (Standing.REFUSED, Standing.SILENCE) for line in self.lines) and result != "fail":
            status = max(line.status for line in self.lines)
            self.strip.end("register", now, ok=False, note=f"Register {status}")
