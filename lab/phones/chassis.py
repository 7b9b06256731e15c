"""What every box of the lab has, whoever speaks SIP for it: a flash, a boot, lines, and what a person sees of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from lab.phones.boot import Boot, BootPace, Strip
from lab.phones.family import Account, Box, Family, PhoneConfig
from pbx.clock import FOREVER
from provisioning_server.families import shipped_families


@dataclass(frozen=True, slots=True)
class Extension:
    """A device as the lab's inventory knows it: which line of which box, and whose."""

    device: str
    extension: str
    name: str
    site: str
    port: int
    fax: bool = False
    """A fax machine is plugged in."""


class OfAccount(Protocol):
    """A line, as far as the box need know it."""

    @property
    def account(self) -> Account: ...


L = TypeVar("L", bound=OfAccount)


class Chassis(ABC, Generic[L]):
    """Boots by its family's rules and keeps what it was told; a subclass makes the lines and uses them."""

    def __init__(
        self, family: Family, box: Box, extensions: Sequence[Extension], dhcp: Mapping[int, str], pace: BootPace | None
    ) -> None:
        self.family, self.box, self.extensions, self.dhcp = family, box, tuple(extensions), dict(dhcp)
        self._pace = pace or BootPace()
        self._boot: Boot | None = None
        self._retry_at = FOREVER
        self._digest = ""
        """Of what was applied last."""
        self.lines: tuple[L, ...] = ()
        self.config: PhoneConfig | None = None
        self.strip = Strip()
        self.powered = False
        self.kept_url = ""
        """Where the flash says the server is; survives a loss of power, not a factory reset."""
        self.asks_dhcp = True
        """Whether DHCP goes before it; in the flash, too."""
        self._file_key = ""
        """Of the files to come; in the flash, too."""
        self.boots = 0
        """How many times the configuration was fetched and applied."""

    # --- what a person sees ---------------------------------------------------------------------------

    @property
    def error(self) -> str:
        """Words of the error shown, e.g. `Config 404`, or empty."""
        failure = self._boot.failure if self._boot is not None else None
        return failure.words if failure is not None else ""

    @property
    def booting(self) -> bool:
        return self.powered and self._boot is not None and not self._boot.over and not self.lines

    def line(self, port: int = 1) -> L | None:
        return next((line for line in self.lines if line.account.port == port), None)

    def line_of(self, device: str) -> L | None:
        """The line that carries `device` in the lab's inventory, once the box has it."""
        port = next((item.port for item in self.extensions if item.device == device), None)
        return self.line(port) if port is not None else None

    # --- power ----------------------------------------------------------------------------------------

    @abstractmethod
    def power_on(self, now: float) -> None: ...

    @abstractmethod
    def power_off(self, now: float) -> None:
        """Pull the plug: nobody is told."""

    def reboot(self, now: float) -> None:
        self.power_off(now)
        self.power_on(now)

    def factory_reset(self, now: float) -> None:
        self.kept_url, self.asks_dhcp, self._file_key = "", True, ""
        self.reboot(now)

    # --- boot -----------------------------------------------------------------------------------------

    @property
    def _at_rest(self) -> bool:
        """Powered, and not in the middle of a boot."""
        return self.powered and (self._boot is None or self._boot.over)

    def _new_boot(self, now: float) -> Boot:
        return Boot(
            self.family, replace(self.box, file_key=self._file_key), self.dhcp, self._pace, now, self.kept_url,
            asks_dhcp=self.asks_dhcp, chance=self._chance(),
        )  # fmt: skip

    def _chance(self) -> float:
        """From 0 to 1, drawn anew at each boot."""
        return 0.0

    def _unplugged(self) -> None:
        self.powered = False
        self.lines, self.config, self._boot = (), None, None
        self._retry_at = FOREVER
        self.strip = Strip()

    def _new_config(self) -> PhoneConfig | None:
        """What the boot has brought and is not applied yet."""
        boot = self._boot
        if boot is None or boot.config is None or boot.config is self.config:
            return None
        manifest = shipped_families().by_id.get(self.family.name)
        if self.lines and manifest is not None and manifest.ignores_same and boot.digest == self._digest:
            boot.strip.say("config", "unchanged")
            return None
        self._digest = boot.digest
        return boot.config

    def _adopt(self, config: PhoneConfig, lines: Sequence[L]) -> None:
        self.lines, self.config, self._file_key = tuple(lines), config, config.file_key
        if config.server_url:
            self.kept_url, self.asks_dhcp = config.server_url, config.asks_dhcp
        self.boots += 1

    def _give_up(self, now: float) -> bool:
        """Plan another try after a boot that failed and left the box without lines; return whether it was news."""
        if self._boot is None or self._boot.failure is None or self._retry_at != FOREVER or self.lines:
            return False
        self._retry_at = now + self._pace.retry_s
        return True
