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
     "attended", "fax", "screen", "lamp", "hears", "config", "fetch", "register", "repeat", "leave", "watch",
     "be", "open", "submit", "send", "ask", "follow", "upload", "forget", "intercom"}
)  # fmt: skip
"""What a device may be able to do, or to show; `intercom` is to answer by itself when a call asks for it."""
ACTIONS = CAPABILITIES - {"screen", "lamp", "hears", "config", "intercom"}
VIAS = ("soft", "http", "sip", "human")
"""Ways to a device: a simulated phone's own buttons, its maker's remote control, the switch by SIP alone, a person."""
SETTINGS: Mapping[str, frozenset[str]] = {
    "fetch": frozenset({"path", "device", "token", "agent"}),
    "register": frozenset({"device", "password", "transport", "agent", "expires"}),
    "be": frozenset({"device", "password", "transport", "agent", "codecs"}),
    "watch": frozenset({"package", "extension", "expires"}),
    "open": frozenset({"path"}),
    "submit": frozenset({"path", "value"}),
    "send": frozenset({"path", "value"}),
    "ask": frozenset({"method", "path", "value"}),
    "upload": frozenset({"path", "value"}),
    "follow": frozenset({"mail"}),
}
"""What laptops and browsers do, and what each may be told."""
ATTRIBUTES = frozenset(
    {"id", "extension", "number", "label", "family", "model", "site", "mac", "direct_number", "screen", "hold_target",
     "outside_number", "emergency_number", "emergency_address"}
)  # fmt: skip
"""What a plan may say of a device: `$desk.extension`."""
KEYS: Mapping[str, str] = {
    "answer": "Answer", "reject": "Reject", "hold": "Hold", "resume": "Resume", "transfer": "Transfer",
    "conference": "Conference", "messages": "Messages", "redial": "Redial", "dnd": "DND", "menu": "Menu",
}  # fmt: skip
"""Keys a person may be told to press (`{desk.keys.hold}`), and what each is called where nobody knows better."""
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
    "once": frozenset({"device", "setting", "value"}),
    "unplug": frozenset({"device"}),
    "plug": frozenset({"device"}),
    "network": frozenset({"site", "network"}),
    "power": frozenset({"state"}),
    "change": frozenset({"object", "field", "value"}),
    "undo": frozenset({"object"}),
    "add": frozenset({"section", "value"}),
    "remove": frozenset({"object"}),
    "rotate": frozenset({"device"}),
    "agent": frozenset({"agent", "state"}),
    "provisioning": frozenset({"state"}),
    "cable": frozenset({"device"}),
    "crowd": frozenset({"size"}),
    "count_queue": frozenset({"queue"}),
    "fax": frozenset({"account", "to", "pages"}),
    "trunk": frozenset({"trunk", "state"}),
    "portal_clock": frozenset({"ahead"}),
}
"""What the operator of the switch may do (`do: pbx.relabel`), and what each needs to know."""
CABLE = frozenset({"loss", "delay_ms", "jitter_ms"})
"""What a cable may be like: percent, and milliseconds."""


class CannotDo(Exception):
    """The device, or the bench, cannot do that now; the text says why."""


class Lacking(CannotDo):
    """This bench has not what it would take, and never will: the step is blocked."""


@dataclass(frozen=True, slots=True)
class HeardSound:
    """What a device's ear recognised: `signature:<party>`, `prompt:<name>`, `moh:<class>`, `tone:<name>`, `silence`."""

    at: float
    """Monotonic seconds."""
    sound: str


@dataclass(frozen=True, slots=True)
class SeenFax:
    """One fax as its owner has it."""

    at: float
    """Monotonic seconds, or those of the history."""
    sent: bool
    pages: tuple[str, ...]
    """Each by a digest of its dots."""
    problem: str
    over: str
    """`T.38` or `G.711`."""


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
    def key_names(self) -> Mapping[str, str]:
        """What is written on its keys, by KEYS, as far as the data of its model tells."""
        ...

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
    def patience_s(self) -> float:
        """How long what it is told may take: a person takes longer than a button."""
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

    @property
    def host(self) -> str:
        """Its address on the network, where events are known by that; empty for telephones."""
        ...

    @property
    def answer(self) -> tuple[int, str]:
        """Status and text of what a laptop or a browser was answered last."""
        ...

    @property
    def config(self) -> Mapping[str, str]:
        """What the phone has read, by its maker's own names."""
        ...

    @property
    def shows(self) -> str:
        """Who the other party is, as a telephone with or without a screen tells it."""
        ...

    def set(self, action: str, arguments: Mapping[str, str]) -> None:
        """Do one of SETTINGS; CannotDo when it cannot."""
        ...

    def faxes(self) -> Sequence[SeenFax]:
        """What the fax machine at it has sent and received, oldest first; nothing without one."""
        ...

    def do(self, action: str, argument: str = "", via: str = "") -> None:
        """Press the buttons of `action`; CannotDo when it cannot, or has not yet. `via` is among VIAS, or empty.

        `dial <digits>`, `answer`, `reject`, `hangup`, `hold`, `resume`, `transfer <digits>` (blind), `attended` (joins
        the other ends of its two calls), `conference` (of
        its two calls, which it mixes itself), `press <keys>`, `fax <digits> <pages>`,
        `reboot`, `reset` (to what it was in the factory's box), `forget` (another person sits down at the browser).
        """
        ...


class BenchRequest(Protocol):
    """Something asked of a person."""

    @property
    def text(self) -> str: ...

    @property
    def question(self) -> str: ...

    @property
    def answer(self) -> str:
        """`yes`, `no` or `skip`; empty while there is none."""
        ...

    @property
    def by(self) -> str: ...

    @property
    def answered_at(self) -> str:
        """Wall time; empty while there is no answer."""
        ...

    def observed(self) -> None:
        """It is done: the switch has seen it."""
        ...

    def instead(self, seen: str) -> None:
        """Tell the person what was seen that is not it."""
        ...

    def withdraw(self) -> None:
        """It is no longer asked; nothing, once it is answered or observed."""
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

    def why_at(self, caller: BenchDevice, dialled: str, at: str) -> str:
        """Return where a call would go at a moment, as `2026-12-25 10:15` on the domain's clock; empty for now."""
        ...

    def findings(self) -> Sequence[str]:
        """What is wrong with the domain's call flows: `R03 loop: …`."""
        ...

    def audit(self) -> Mapping[str, str]:
        """The ten lines of the day of port: name → what is missing, empty for nothing."""
        ...

    def figures(self) -> Mapping[str, float]:
        """Statistics of the queue that is counted."""
        ...

    def registrations(self) -> int:
        """How many devices are registered."""
        ...

    def messages(self, box: str) -> Sequence[Mapping[str, str | float]]:
        """Voicemail of a box: `id folder seconds caller_number heard`."""
        ...

    @property
    def attended(self) -> bool:
        """Somebody is there who can be asked."""
        ...

    def ask(self, text: str, device: str, question: str) -> BenchRequest:
        """Ask a person: to do something, or what they see (`question`)."""
        ...

    def assess(self, site: str, longest_s: float) -> BenchAssessment:
        """Begin to measure a site's network, silences of its router up to `longest_s`; CannotDo names the sites."""
        ...

    def faxes(self, account: str) -> Sequence[SeenFax]:
        """Those an account has received and sent, oldest first."""
        ...

    def recorded(self, call: str) -> bool:
        """The call history holds a row of that call."""
        ...

    def pbx(self, action: str, arguments: Mapping[str, str]) -> None:
        """Change the switch from the operator's side; CannotDo when it cannot.

        `resync device`, `unregister device`, `relabel device label`, `dnd extension state` (`on`/`off`),
        `empty_mailbox box` (messages, greetings, PIN and lock: as new), `mail state` (the mail server takes letters, or
        puts them off), `restart`, `rule extension index state` (an answering rule on or off), `holiday time_frame
        state` (today is one of its dates, or is not), `provisioning_reopen device`, `once device setting value` (for
        one fetch, above what the domain says), `unplug device` and `plug device` (the phone's power), `network site
        network` (a preset by name, or `none`), `power state` (everybody's), `change object field value` (a value of a
        user, queue, …, as JSON), `undo object` (as it was before the first change), `add section value`, `remove
        object`, `rotate device` (a new password), `agent agent state` (in all its queues), `provisioning state` (the
        server is away), `cable device` with `loss`, `delay_ms`, `jitter_ms` (none of them: a good one), `crowd size`
        (so many devices more, which register at once), `count_queue queue` (statistics begin), `fax account to pages`
        (an account sends pages of the lab's own making), `trunk trunk state` (the `first` or `second` way out is `up`,
        `refuses` or `silent`), `portal_clock ahead` (the doors of the portal think it is so much later: links and
        sessions are as old as that).
        """
        ...
