"""A simulated phone in a person's hand: its buttons by name, from a browser or a script."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from lab.bench_devices import DirectNumbers, LabDevice
from lab.console.views import Handset
from lab.errors import UserError
from lab.house import AnyPhone
from lab.phones.calls import CallState
from lab.phones.chassis import Extension
from lab.phones.face import shown
from lab.phones.screen import card
from lab.service import Lab
from test_plans.bench import CannotDo

_DIALLED = re.compile(r"[0-9*#+]{1,40}\Z")
_HEARD = 4

BUTTONS = {
    "idle": ("dial", "dnd", "reboot", "reset", "unplug"),
    "ringing": ("answer", "reject"),
    "calling": ("hangup",),
    "in-call": ("hangup", "hold", "press", "transfer", "dial", "conference"),
    "held": ("resume", "hangup", "dial"),
    "booting": ("reboot", "unplug"),
    "fault": ("reboot", "reset", "unplug"),
    "off": ("plug in",),
}
"""State of a card → what can be done, as far as the phone can; `attended` comes with a second call."""
_OF_THE_BOX = frozenset({"dnd", "reboot", "reset", "unplug", "plug in"})
_KNOWN = frozenset({one for row in BUTTONS.values() for one in row} | {"attended"})
_NUMBER = frozenset({"dial", "transfer", "press"})
_SEE = "GET /api/v1/phones"


class Handsets:
    """The phones of one lab."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def handset(self, device: str) -> Handset | None:
        found = self._find(device)
        if found is None:
            return None
        phone, extension = found
        line, now = phone.line(extension.port), self._lab.now
        zone = ZoneInfo(self._lab.directory.domain.time_zone)
        face = card(shown(phone, extension), now._replace(wall=now.wall.astimezone(zone)))
        heard = [sensed.sound for sensed in line.ears] if line is not None else []
        live = line.live_calls if line is not None else []
        calls = tuple(f"{call.name} {call.number} · {call.state.value}".strip() for call in live)
        can = self._on_bench(phone, extension).capabilities
        buttons = [one for one in BUTTONS[face.state] if one in can or one in _OF_THE_BOX]
        if sum(call.state is CallState.UP for call in live) > 1 and "attended" in can:
            buttons.append("attended")
        return Handset(face, tuple(buttons), tuple(reversed(heard[-_HEARD:])), calls)

    def press(self, device: str, action: str, argument: str = "") -> None:
        """Press a button; UserError says why that is not possible."""
        found = self._find(device)
        if found is None:
            raise UserError(f"there is no phone {device[:40]!r} on the floor", "the lab has none of that id", _SEE, "")
        if action not in _KNOWN:
            raise UserError(f"{action[:40]!r} is no button", "no phone has it", ", ".join(sorted(_KNOWN)), "")
        if action in _NUMBER and not _DIALLED.fullmatch(argument):
            raise UserError(f"{argument[:40]!r} cannot be dialled", "it is no number", "digits, *, #, a leading +", "")
        try:
            self._do(*found, action, argument)
        except CannotDo as error:
            raise UserError("the phone did not do that", str(error), "look at its screen", "") from None

    def _do(self, phone: AnyPhone, extension: Extension, action: str, argument: str) -> None:
        line = phone.line(extension.port)
        match action:
            case "unplug" | "plug in":
                self._lab.power(action == "plug in", [phone])
            case "dnd":
                if line is None:
                    raise CannotDo(f"{extension.device} has no configuration yet")
                on = not line.do_not_disturb
                self._lab.press(phone, lambda: line.set_do_not_disturb(on))
            case _:
                self._on_bench(phone, extension).do(action, argument)

    def _on_bench(self, phone: AnyPhone, extension: Extension) -> LabDevice:
        return LabDevice(self._lab, phone, extension, DirectNumbers(self._lab))

    def _find(self, device: str) -> tuple[AnyPhone, Extension] | None:
        return next(
            ((phone, one) for phone in self._lab.phones for one in phone.extensions if one.device == device), None
        )
