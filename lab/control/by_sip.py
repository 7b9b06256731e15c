"""Phones driven by the switch itself, over SIP: while a run is in progress, and never else.

A phone that answers a call because a NOTIFY says so is a microphone in somebody's room (testing.md A2): so nothing is
sent outside a run, and everything that is sent stands in the event stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, get_args

from lab.control.command import Refused
from pbx.clock import Moment
from pbx.switch.phone_control import NOT_BY_ITSELF, SILENT, Deed
from pbx.switch.switch import Switch

DEEDS: tuple[Deed, ...] = get_args(Deed)


class OfTheSwitch(Protocol):
    """What is used of a lab."""

    @property
    def switch(self) -> Switch: ...

    def command_switch(self, command: Callable[[Switch, Moment], object]) -> object: ...


@dataclass(slots=True)
class _Underway:
    status: int = 0
    """Of the phone's answer; 0 while there is none."""


class SipControl:
    """Owns what is under way; each deed is sent once, however often its outcome is asked for."""

    def __init__(self, house: OfTheSwitch) -> None:
        self._house = house
        self._runs = 0
        self._looked: set[tuple[str, str]] = set()
        self._underway: dict[tuple[str, str, str], _Underway] = {}

    @contextmanager
    def run(self) -> Iterator[None]:
        """Let phones be driven as long as this lasts."""
        self._runs += 1
        try:
            yield
        finally:
            self._runs -= 1
            if not self._runs:
                self._underway.clear()
                self._looked.clear()

    @property
    def allowed(self) -> bool:
        return self._runs > 0

    def deeds(self, device: str) -> frozenset[Deed]:
        """Return what a phone offers to do; nothing outside a run, and while it has not been asked."""
        if not self.allowed or self._house.switch.binding(device) is None or not self._is_known(device):
            return frozenset()
        return self._house.switch.phones.deeds(device)

    def do(self, device: str, action: str, argument: str) -> bool:
        """Give a command, or ask after it: True once the phone has obeyed; Refused when it does not."""
        deed = next((deed for deed in DEEDS if deed == action), None)
        if deed is None:
            raise Refused(f"nobody can {action} by SIP alone; {', '.join(DEEDS)} can be done")
        if not self.allowed:
            raise Refused("phones are driven by SIP during test runs only")
        if not self._is_known(device):
            return False
        key = (device, action, argument)
        underway = self._underway.get(key)
        if underway is None:
            # Whoever told it something else before has given up asking what came of it.
            for other in [other for other in self._underway if other[0] == device]:
                del self._underway[other]
            underway = self._underway[key] = _Underway()
            refusal = self._send(device, deed, argument, underway)
            if refusal:
                del self._underway[key]
                raise Refused(refusal)
        if not underway.status:
            return False
        del self._underway[key]
        if underway.status >= 300:
            known = {SILENT: "does not answer", NOT_BY_ITSELF: "does not answer a call by itself"}
            raise Refused(f"{device} {known.get(underway.status) or f'refuses it with {underway.status}'}")
        return True

    def _send(self, device: str, deed: Deed, argument: str, underway: _Underway) -> str:
        def then(status: int) -> None:
            underway.status = status

        return str(
            self._house.command_switch(lambda switch, now: switch.control_phone(device, deed, argument, now, then))
        )

    def _is_known(self, device: str) -> bool:
        """Ask the phone once what it takes; False until it has answered. Refused when it is not registered."""
        binding = self._house.switch.binding(device)
        if binding is None:
            raise Refused(f"{device} is not registered")
        if self._house.switch.phones.lets(device) is not None:
            return True
        if (device, binding.contact) not in self._looked:
            self._looked.add((device, binding.contact))
            self._house.command_switch(lambda switch, now: switch.look_at_phone(device, now))
        return False
