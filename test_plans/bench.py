"""What a plan may use, as protocols: devices, events, the clock, the switch's settings. `lab` implements them.

Actions are commands that return at once; what comes of them is observed: in the event stream, on the device's screen,
by its ears. In virtual time and in real time the same calls are made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pbx.bus import Bus
from pbx.clock import Moment

CAPABILITIES = frozenset(
    {"dial", "answer", "reject", "hangup", "hold", "resume", "transfer", "conference", "press", "reboot", "reset",
     "screen", "lamp", "hears"}
)  # fmt: skip
"""What a device may be able to do, or to show."""
ACTIONS = CAPABILITIES - {"screen", "lamp", "hears"}
ATTRIBUTES = frozenset(
    {"id", "extension", "number", "label", "family", "model", "site", "mac", "direct_number", "screen", "hold_target",
     "outside_number", "emergency_number", "emergency_address"}
)  # fmt: skip
"""What a plan may say of a device: `$desk.extension`."""
OPERATIONS: Mapping[str, frozenset[str]] = {
    "resync": frozenset({"device"}),
    "unregister": frozenset({"device"}),
    "relabel": frozenset({"device", "label"}),
    "dnd": frozenset({"extension", "state"}),
    "empty_mailbox": frozenset({"box"}),
    "mail": frozenset({"state"}),
    "restart": frozenset(),
    "rule": frozenset({"extension", "index", "state"}),
    "holiday": frozenset({"time_frame", "state"}),
    "provisioning_reopen": frozenset({"device"}),
    "unplug": frozenset({"device"}),
    "plug": frozenset({"device"}),
    "network": frozenset({"site", "network"}),
}
"""What the operator of the switch may do (`do: pbx.relabel`), and what each needs to know."""


class CannotDo(Exception):
    """The device, or the bench, cannot do that now; the text says why."""


@dataclass(frozen=True, slots=True)
class HeardSound:
    """What a device's ear recognised: `signature:<party>`, `prompt:<name>`, `moh:<class>`, `tone:<name>`, `silence`."""

    at: float
    """Monotonic seconds."""
    sound: str


class BenchDevice(Protocol):
    """A registered phone, an ATA port, a foreign phone, or a caller outside."""

    @property
    def id(self) -> str:
        """Device id (`101`), or the outside number (`14165550142`)."""
        ...

    @property
    def extension(self) -> str:
        """Empty outside."""
        ...

    @property
    def number(self) -> str:
        """What others see when it calls: the extension, or the outside number."""
        ...

    @property
    def label(self) -> str: ...

    @property
    def family(self) -> str:
        """`vendor/family`, or `outside`."""
        ...

    @property
    def model(self) -> str: ...

    @property
    def site(self) -> str: ...

    @property
    def mac(self) -> str: ...

    @property
    def traits(self) -> frozenset[str]:
        """What its user is there to show (`quiet`, `do-not-disturb`, …), or the habit of an outside number."""
        ...

    @property
    def direct_number(self) -> str:
        """The number that leads to its user at any hour, empty when none does (then it lacks the trait `direct`)."""
        ...

    @property
    def outside_number(self) -> str:
        """What the domain's settings say others outside see of it."""
        ...

    @property
    def emergency_number(self) -> str:
        """The callback number of its emergency address, and the address in one line; empty when there is none."""
        ...

    @property
    def emergency_address(self) -> str: ...

    @property
    def capabilities(self) -> frozenset[str]:
        """Among CAPABILITIES."""
        ...

    @property
    def registered(self) -> bool:
        """Always true outside."""
        ...

    @property
    def idle(self) -> bool:
        """In no call."""
        ...

    @property
    def screen(self) -> str:
        """Everything its screen shows now, lines joined by newlines; empty without a screen."""
        ...

    @property
    def lamp(self) -> bool:
        """The message-waiting lamp is lit."""
        ...

    @property
    def hold_target(self) -> str:
        """Party it talks to, as its screen shows it; empty in no call."""
        ...

    def heard(self) -> Sequence[HeardSound]:
        """What it heard, oldest first, in all its calls since it was switched on (bounded)."""
        ...

    def do(self, action: str, argument: str = "") -> None:
        """Press the buttons of `action`; CannotDo when it cannot.

        `dial <digits>`, `answer`, `reject`, `hangup`, `hold`, `resume`, `transfer <digits>` (blind), `conference` (of
        its two calls, which it mixes itself), `press <keys>`, `reboot`, `reset` (to what it was in the factory's box).
        """
        ...


class BenchAssessment(Protocol):
    """The network of a site, being measured."""

    @property
    def done(self) -> bool: ...

    @property
    def findings(self) -> Mapping[str, str]:
        """What is wrong: an id (`alg`, `nat-timeout`, …) and what was seen, with its remedy; CannotDo before `done`."""
        ...


class Bench(Protocol):
    """One lab, virtual or real."""

    @property
    def bus(self) -> Bus: ...

    @property
    def domain(self) -> str: ...

    @property
    def virtual(self) -> bool: ...

    def now(self) -> Moment: ...

    def devices(self) -> Sequence[BenchDevice]:
        """Everything that can take a role, in a fixed order."""
        ...

    def numbers(self) -> Mapping[str, str]:
        """Outside numbers that answer by themselves: habit → number (`answers`, `busy`, `rings out`, …)."""
        ...

    def live(self) -> Mapping[str, int]:
        """Counts of what is in progress in the switch: all zero between cases."""
        ...

    def why(self, device: BenchDevice, dialled: str) -> str:
        """The decision record, as JSON, of a call that is not placed."""
        ...

    def messages(self, box: str) -> Sequence[Mapping[str, str | float]]:
        """Voicemail of a box: `id folder seconds caller_number heard`."""
        ...

    def assess(self, site: str, longest_s: float) -> BenchAssessment:
        """Begin to measure a site's network, silences of its router up to `longest_s`; CannotDo names the sites."""
        ...

    def recorded(self, call: str) -> bool:
        """The call history holds a row of that call."""
        ...

    def pbx(self, action: str, arguments: Mapping[str, str]) -> None:
        """Change the switch from the operator's side; CannotDo when it cannot.

        `resync device`, `unregister device`, `relabel device label`, `dnd extension state` (`on`/`off`),
        `empty_mailbox box` (messages, greetings, PIN and lock: as new), `mail state` (the mail server takes letters, or
        puts them off), `restart`, `rule extension index state` (an answering rule on or off), `holiday time_frame
        state` (today is one of its dates, or is not), `provisioning_reopen device`, `unplug device` and `plug device`
        (the phone's power), `network site network` (a preset by name, or `none`).
        """
        ...
