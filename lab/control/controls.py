"""Commands to physical phones that are under way: each is given once, however often its outcome is asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType

from lab.control.caller import Address, drive
from lab.control.command import Driving, Refused
from lab.errors import BAD_INPUT, UserError
from lab.supervisor import Supervisor
from pbx.catalogue import plug_ins
from pbx.domain.devices import Device
from pbx.events import PhoneSaid, Stamped
from test_plans.bench import HeardSound

HEARS = "hears"
"""The word of a phone that tells what it hears; what it says beside is the sound."""
MOST_HEARD = 200
DRIVERS = plug_ins("lab.drivers", needs="FAMILIES")


def driver_of(family: str) -> ModuleType | None:
    """Return the driver of a phone family (`yealink/t4x_t5x`), None when there is none."""
    return next((driver for driver in DRIVERS.values() if family.startswith(driver.FAMILIES)), None)


@dataclass(slots=True)
class _Underway:
    done: bool = False
    refusal: str = ""


class Controls:
    """`where` tells a device's address, None when it is not known; `named` are drivers that the operator has chosen."""

    def __init__(
        self,
        supervisor: Supervisor,
        where: Callable[[str], Address | None],
        named: Mapping[str, str],
    ) -> None:
        """UserError names a driver that there is not."""
        self._supervisor, self._where = supervisor, where
        self._underway: dict[tuple[str, str, str], _Underway] = {}
        self._looked: dict[str, _Underway] = {}
        self._heard: dict[str, deque[HeardSound]] = {}
        self._named: dict[str, str] = {}
        for device, driver in named.items():
            self.name(device, driver)

    def name(self, device: str, driver: str) -> None:
        """Use a driver for a device from now on, empty for the one of its family; UserError when there is none."""
        if driver and driver not in DRIVERS:
            raise UserError(
                f"there is no driver {driver!r}", "phones are controlled by the modules of lab/drivers",
                f"name one of {', '.join(DRIVERS)}", "docs/drivers.md", BAD_INPUT,
            )  # fmt: skip
        self._named[device] = driver
        self.forget(device)

    def take(self, stamped: Stamped) -> None:
        """Note what a phone says that it hears."""
        event = stamped.event
        if isinstance(event, PhoneSaid) and event.what == HEARS:
            heard = self._heard.setdefault(event.device, deque(maxlen=MOST_HEARD))
            heard.append(HeardSound(stamped.at.mono, event.remote))

    def heard(self, device: str) -> Sequence[HeardSound]:
        """Return what a phone said that it heard, oldest first."""
        return list(self._heard.get(device, ()))

    def driver_of(self, device: Device) -> ModuleType | None:
        return DRIVERS.get(self._named.get(device.id, "")) or driver_of(device.family)

    def look(self, device: str, driver: ModuleType) -> str | None:
        """Return why a phone does not let itself be driven, empty when it does; None until that is known."""
        looked = self._looked.get(device)
        if looked is None:
            looked = self._looked[device] = _Underway()
            self._begin(device, driver.look(), looked)
        return looked.refusal if looked.done else None

    def forget(self, device: str) -> None:
        """Look again: it has registered anew, perhaps with another configuration."""
        self._looked.pop(device, None)

    def do(self, device: str, driver: ModuleType, action: str, argument: str) -> bool:
        """Give a command, or ask after it: True once the phone has taken it; Refused when it does not."""
        key = (device, action, argument)
        underway = self._underway.get(key)
        if underway is None:
            # Whoever told it something else before has given up asking what came of it.
            for other in [other for other in self._underway if other[0] == device]:
                del self._underway[other]
            underway = self._underway[key] = _Underway()
            self._begin(device, driver.do(action, argument), underway)
        if not underway.done:
            return False
        del self._underway[key]
        if underway.refusal:
            raise Refused(underway.refusal)
        return True

    def outcomes(self) -> Mapping[str, str]:
        """What is known of each phone that was looked at: empty for one that can be driven."""
        return {device: looked.refusal for device, looked in self._looked.items() if looked.done}

    def _begin(self, device: str, script: Driving, underway: _Underway) -> None:
        self._supervisor.start(f"control {device}", self._carry(device, script, underway))

    async def _carry(self, device: str, script: Driving, underway: _Underway) -> None:
        where = self._where(device)
        try:
            if where is None:
                raise Refused(f"{device} is not registered: nobody knows where it is")
            await drive(script, where)
        except Refused as refused:
            underway.refusal = str(refused)
        finally:
            underway.done = True
