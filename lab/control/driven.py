"""Physical phones as plans press and watch them: by their maker's remote control, or by whoever stands before them.

What such a phone shows nobody here knows, nor what it hears unless it says so itself (`switchroom softphone`): it lacks
those capabilities, and cases that need them bind others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from lab.bench_devices import DirectNumbers, InTheDirectory, by_sip
from lab.control.command import Refused
from lab.house import House
from lab.people import Asked
from pbx.domain.devices import Device
from pbx.events import (
    CallHeld,
    CallInvited,
    CallResumed,
    CallTransferred,
    CallUp,
    DeviceRegistered,
    DigitReceived,
    Event,
    LegEnded,
    LegFailed,
    Stamped,
)
from test_plans.bench import CannotDo, HeardSound, SeenFax

ANSWER_S = 10.0
"""How long a phone's web server may take over one command."""
PATIENCE_S = 120.0
"""How long a person may take over one thing."""
_BY_HAND = frozenset({"dial", "answer", "reject", "hangup", "hold", "resume", "transfer", "press", "reboot"})
_TO_DO = {
    "dial": "dial {argument}",
    "answer": "answer the call",
    "reject": "reject the call",
    "hangup": "hang up",
    "hold": "put the call on hold",
    "resume": "take the call back from hold",
    "transfer": "transfer the call to {argument}, without asking there first",
    "press": "press {argument}",
    "reboot": "restart the phone: pull its plug and put it back",
}


class DrivenDevice(InTheDirectory):
    """A registered device that is not one of the lab's phones."""

    screen = hold_target = shows = host = ""
    lamp = False
    answer = (0, "")
    config: Mapping[str, str] = MappingProxyType({})

    def __init__(self, house: House, device: Device, extension: str, direct: DirectNumbers) -> None:
        super().__init__(house, device.id, extension, direct)
        self._device = device
        self._driver = house.controls.driver_of(device)
        self._asked: tuple[str, str, Asked] | None = None
        self._done: list[Stamped] = []
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def family(self) -> str:
        return self._device.family

    @property
    def model(self) -> str:
        return self._device.model

    @property
    def mac(self) -> str:
        return self._device.mac or ""

    @property
    def label(self) -> str:
        return self._device.label or self.extension

    @property
    def site(self) -> str:
        user = self._house.directory.users_by_extension.get(self.extension)
        return user.site if user is not None else ""

    @property
    def registered(self) -> bool:
        return self.id in self._house.switch.registered()

    @property
    def idle(self) -> bool:
        return self.extension not in self._house.switch.parties.busy

    @property
    def capabilities(self) -> frozenset[str]:
        """What its maker says it can, as long as it has not refused."""
        by_itself = self._by_driver | self._house.sip_control.deeds(self.id)
        return by_itself | _BY_HAND if self._house.people.attended else by_itself

    @property
    def _by_driver(self) -> frozenset[str]:
        return self._driver.CAN if self._driver is not None and not self._refusal else frozenset()

    @property
    def patience_s(self) -> float:
        return PATIENCE_S if self._driver is None or self._refusal else ANSWER_S

    def heard(self) -> Sequence[HeardSound]:
        return self._house.controls.heard(self.id)

    def faxes(self) -> Sequence[SeenFax]:
        return ()

    def set(self, action: str, arguments: Mapping[str, str]) -> None:
        raise CannotDo(f"{self.id} is no laptop: it has no way to {action}")

    def do(self, action: str, argument: str = "", via: str = "") -> None:
        """Asked again until it does not raise: CannotDo also says that it is not done yet."""
        if not via and action not in self.capabilities:
            raise CannotDo(self._refusal or f"{self.id} has no way to {action}")
        match via or self._way(action, argument):
            case "http":
                self._by_http(action, argument)
            case "sip":
                by_sip(self._house, self.id, action, argument)
            case "human" if self._house.people.attended and action in _BY_HAND:
                self._by_hand(action, argument)
            case way:
                raise CannotDo(f"{self.id} has no way to {action} by {way}")

    def _way(self, action: str, argument: str) -> str:
        """Its maker's remote control, else what it offers by SIP, else whoever stands before it.

        Who has been asked is not overtaken by an offer that comes meanwhile.
        """
        if self._asked is not None and self._asked[:2] == (action, argument):
            return "human"
        if action in self._by_driver:
            return "http"
        return "sip" if action in self._house.sip_control.deeds(self.id) else "human"

    def _by_http(self, action: str, argument: str) -> None:
        if self._driver is None or action not in self._by_driver:
            raise CannotDo(self._refusal or f"{self.id} has no way to {action} by its maker's remote control")
        try:
            taken = self._house.controls.do(self.id, self._driver, action, argument)
        except Refused as refused:
            raise CannotDo(str(refused)) from refused
        if not taken:
            raise CannotDo(f"{self.id} has not answered the command yet")

    @property
    def _refusal(self) -> str:
        """Why it does not let itself be driven; empty while nobody knows."""
        return self._house.controls.look(self.id, self._driver) or "" if self._driver is not None else ""

    def _by_hand(self, action: str, argument: str) -> None:
        if self._asked is None or self._asked[:2] != (action, argument):
            text = f"On {self.label} ({self.model or self.family}): {_TO_DO[action].format(argument=argument)}"
            self._withdraw()
            self._asked = (action, argument, self._house.people.ask(text, self.id))
            self._unsubscribe = self._house.bus.subscribe(self._done.append)
        asked = self._asked[2]
        if asked.state == "answered":
            self._withdraw()
            raise CannotDo(f"{asked.by} says it cannot be done: {asked.text}")
        its = [stamped.event for stamped in self._done if _device_of(stamped.event) == self.id]
        if any(_shows(event, action, argument) for event in its):
            self._house.people.observed(asked)
            self._withdraw()
            return
        deeds = [words for event in its if (words := _in_words(event))]
        if deeds:
            self._house.people.instead(asked, f"seen instead: {deeds[-1]}")
        raise CannotDo(f"nobody has done it yet: {asked.text}")

    def _withdraw(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
        if self._asked is not None:
            self._house.people.withdraw(self._asked[2])
        self._asked, self._unsubscribe = None, None
        self._done.clear()


def _device_of(event: Event) -> str:
    return str(getattr(event, "device", ""))


_SHOWN: dict[str, tuple[type[Event], ...]] = {
    "dial": (CallInvited,),
    "answer": (CallUp,),
    "reject": (LegFailed, LegEnded),
    "hangup": (LegEnded,),
    "hold": (CallHeld,),
    "resume": (CallResumed,),
    "transfer": (CallTransferred,),
    "press": (DigitReceived,),
    "reboot": (DeviceRegistered,),
}
"""What the switch witnesses when it is done."""


def _shows(event: Event, action: str, argument: str) -> bool:
    if not isinstance(event, _SHOWN[action]):
        return False
    if isinstance(event, CallInvited):
        return event.dialled == argument
    if isinstance(event, CallUp):
        return event.role == "called"
    return not isinstance(event, DigitReceived) or argument.endswith(event.digit)


def _in_words(event: Event) -> str:
    """What somebody did; empty for what happens by itself."""
    match event:
        case CallInvited():
            return f"it dialled {event.dialled}"
        case CallUp(role="called"):
            return "it answered a call"
        case LegEnded():
            return "a call ended"
        case CallHeld():
            return "a call was put on hold"
        case CallTransferred():
            return f"a call was transferred to {event.target}"
        case DigitReceived():
            return f"it pressed {event.digit}"
        case _:
            return ""
