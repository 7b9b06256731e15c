"""What the console shows, as values: the pages know phones, calls and runs only through these.

Whoever composes the lab hands the console a `ConsoleSource`; nothing here knows a socket or a switch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lab.console.language import Say


@dataclass(frozen=True, slots=True)
class StateLook:
    """How a state is told: never by colour alone (WCAG 1.4.1)."""

    glyph: str
    word: str
    colour: str
    """A colour token of the style sheet: `ok`, `ring`, `call`, `boot`, `off`, `fault`."""


STATES = {
    "idle": StateLook("●", "Idle", "ok"),
    "ringing": StateLook("◆", "Ringing", "ring"),
    "calling": StateLook("◇", "Calling", "ring"),
    "in-call": StateLook("▶", "In call", "call"),
    "held": StateLook("‖", "On hold", "call"),
    "booting": StateLook("◐", "Booting", "boot"),
    "off": StateLook("○", "Off", "off"),
    "fault": StateLook("▲", "Fault", "fault"),
}

VERDICTS = {
    "passed": StateLook("✓", "Passed", "ok"),
    "warned": StateLook("✓", "Passed with a warning", "ring"),
    "flaky": StateLook("≈", "Passed on retry", "ring"),
    "attested-passed": StateLook("☞", "Attested passed", "ok"),
    "failed": StateLook("✗", "Failed", "fault"),
    "attested-failed": StateLook("☞", "Attested failed", "fault"),
    "error": StateLook("!", "Runner error", "fault"),
    "blocked": StateLook("▣", "Blocked", "ring"),
    "skipped": StateLook("–", "Skipped", "off"),
    "running": StateLook("◐", "Running", "boot"),
    "waiting": StateLook("○", "To do", "off"),
}


STANDINGS = {
    "assigned": StateLook("●", "Assigned", "ok"),
    "in stock": StateLook("▣", "In stock", "boot"),
    "on its way": StateLook("◇", "On its way", "boot"),
    "retired": StateLook("–", "Retired", "off"),
    "quarantined": StateLook("▲", "Quarantined", "ring"),
    "waits for a box": StateLook("○", "Waits for a box", "ring"),
}
"""Where a box stands."""

RESULTS = {
    "ANSWERED": StateLook("✓", "Answered", "ok"),
    "VOICEMAIL": StateLook("✉", "Voicemail", "boot"),
    "BUSY": StateLook("■", "Busy", "ring"),
    "NO ANSWER": StateLook("○", "No answer", "ring"),
    "CANCELLED": StateLook("–", "Cancelled", "off"),
    "FAILED": StateLook("✗", "Failed", "fault"),
    "SERVER RESTART": StateLook("✗", "Cut by a restart", "fault"),
    "up": StateLook("✓", "Answered", "ok"),
    "": StateLook("–", "Ended", "off"),
}
"""What came of a call; the keys are a call record's dispositions, and before it is written what is known of it."""


@dataclass(frozen=True, slots=True)
class BootPart:
    """One part of the boot strip; `result` is `ok`, `fail`, `now` or `wait`."""

    name: str
    result: str
    seconds: float = 0.0
    note: str = ""

    @property
    def width(self) -> int:
        """Its share of the strip, 0 to 9: a step each time the duration doubles from 20 ms."""
        return min(9, max(0, math.ceil(math.log2(max(self.seconds, 0.01) / 0.02))))


@dataclass(frozen=True, slots=True)
class Lamp:
    """A key lamp: `idle`, `busy` or `ringing`."""

    label: str
    state: str


@dataclass(frozen=True, slots=True)
class PhoneCard:
    device: str
    extension: str
    name: str
    site: str
    model: str
    mac: str
    state: str
    """A key of `STATES`."""
    note: str = ""
    """Short words beside the state, e.g. `00:42` or `Config 404`."""
    talking_s: float | None = None
    """How long the call is up; None without one."""
    has_screen: bool = True
    """False for a port of an adapter, which has a label instead."""
    screen: tuple[str, str, str] = ("", "", "")
    """Top line, big line, second line."""
    soft_keys: tuple[str, ...] = ()
    lamps: tuple[Lamp, ...] = ()
    waiting: int = 0
    """New voicemail messages."""
    message_lamp: bool = False
    do_not_disturb: bool = False
    boot: tuple[BootPart, ...] = ()

    @property
    def look(self) -> StateLook:
        return STATES[self.state]

    @property
    def boot_s(self) -> float | None:
        """Seconds from power to the last part, once every part is done."""
        done = bool(self.boot) and all(part.result == "ok" for part in self.boot)
        return sum(part.seconds for part in self.boot) if done else None

    def sentence(self, say: Say) -> str:
        """What the live region says of this phone."""
        return f"{self.extension or self.device} {say(self.look.word).lower()} {self.note}".strip()


@dataclass(frozen=True, slots=True)
class Handset:
    """A phone as whoever picks it up finds it."""

    card: PhoneCard
    buttons: tuple[str, ...]
    hears: tuple[str, ...]
    """What its ear recognised last, newest first."""
    calls: tuple[str, ...]
    """The other party of each live call, and its state."""


@dataclass(frozen=True, slots=True)
class CallRow:
    """One line of the calls page: all legs joined."""

    call: str
    started: str
    caller: str
    dialled: str
    path: tuple[str, ...]
    result: str
    talk_s: float
    live: bool


@dataclass(frozen=True, slots=True)
class RouteView:
    """One decision record of a call: its title and the lines `✓ step because`, each with its link."""

    title: str
    outcome: str
    lines: tuple[tuple[str, str, str, str], ...]
    """(verdict glyph, step, what it saw and why, link)."""
    repeats: bool = False
    """Whether every line stands in the record before as well."""


@dataclass(frozen=True, slots=True)
class CallPage:
    row: CallRow
    routes: tuple[RouteView, ...]
    ladder_svg: str
    """Trusted markup made by our own ladder, every text in it escaped there."""
    messages: tuple[tuple[str, str], ...]
    """(heading, full text) of each SIP message, in order."""
    media: tuple[str, ...]
    story: tuple[str, ...] = ()
    """What happened, a sentence a line, with its second."""


@dataclass(frozen=True, slots=True)
class BoxRow:
    """One line of the devices page."""

    mac: str
    standing: str
    """A key of `STANDINGS`."""
    family: str
    model: str
    lines: tuple[str, ...]
    """`101 Ana Roy ●`: device, name, and whether it is registered."""
    note: str
    """Whether its configuration is behind, or how often a stranger has asked."""
    seen: str
    """When it last fetched, on the domain's clock, and from where."""

    @property
    def look(self) -> StateLook:
        return STANDINGS[self.standing]


@dataclass(frozen=True, slots=True)
class GivenFile:
    """A file of its own that a box was given last."""

    name: str
    at: str
    """On the domain's clock."""
    by: str
    """Protocol and address."""
    behind: bool
    """It would be given another now."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """What a box has sent: a log, what was changed at it, its directory, its list of calls."""

    name: str
    at: str
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class SaidOnce:
    """What is said of a box for once, above every other layer."""

    values: tuple[tuple[str, str], ...]
    by: str
    ends: str
    """When, on the domain's clock; or at which fetch."""
    files: tuple[tuple[str, bool], ...]
    """Which carry it, and whether they went out with it."""


@dataclass(frozen=True, slots=True)
class BoxPage:
    row: BoxRow
    served: tuple[GivenFile, ...]
    sent: tuple[SentFile, ...]
    once: SaidOnce | None = None


@dataclass(frozen=True, slots=True)
class BoxesPage:
    total: int
    """How many fit; `rows` may be the first of them."""
    rows: tuple[BoxRow, ...]


@dataclass(frozen=True, slots=True)
class CaseRow:
    case: str
    title: str
    verdict: str
    """A key of `VERDICTS`."""
    seconds: float
    note: str = ""

    @property
    def look(self) -> StateLook:
        return VERDICTS[self.verdict]

    @property
    def over(self) -> bool:
        return self.verdict not in ("waiting", "running")


@dataclass(frozen=True, slots=True)
class RunView:
    run: str
    plan: str
    started: str
    state: str
    """`running`, `done`, `interrupted` or `broken`."""
    cases: tuple[CaseRow, ...]
    has_report: bool = False
    note: str = ""
    """What ended it before its time."""
    left: str = ""
    """How long it may still take, in words."""

    @property
    def done(self) -> int:
        return sum(case.over for case in self.cases)

    @property
    def tally(self) -> tuple[tuple[StateLook, int], ...]:
        counts: dict[str, int] = {}
        for case in self.cases:
            counts[case.verdict] = counts.get(case.verdict, 0) + 1
        return tuple((VERDICTS[verdict], counts[verdict]) for verdict in VERDICTS if verdict in counts)


@dataclass(frozen=True, slots=True)
class Request:
    """What a running plan asks of whoever attends."""

    number: int
    text: str
    device: str
    question: str
    """Empty for something to be done, which is ticked by observation."""
    seen: str
    """What was seen instead so far."""


@dataclass(frozen=True, slots=True)
class ClockView:
    """The lab's time: with date and zone for the top bar, and short, as phones show it."""

    words: str
    screen: str
    shifted: str = ""
    """How the office's hour goes while it is not the real one, e.g. `paused`; then the chip is pink."""


@dataclass(frozen=True, slots=True)
class Health:
    """Readiness of each listener, by name, and whether the whole is ready."""

    ready: bool
    listeners: dict[str, bool]


class ConsoleSource(Protocol):
    """What the console asks of the lab; every answer is a snapshot."""

    @property
    def domain(self) -> str: ...

    def phones(self) -> Sequence[PhoneCard]: ...

    def handset(self, device: str) -> Handset | None:
        """A phone as whoever picks it up finds it."""
        ...

    def press(self, device: str, button: str, argument: str) -> str:
        """Press a button of a phone; return why it was not possible, empty when it was."""
        ...

    def calls(self) -> Sequence[CallRow]:
        """Newest first, bounded."""
        ...

    def call(self, call: str) -> CallPage | None: ...

    def boxes(self, words: str, standing: str) -> BoxesPage:
        """By MAC, bounded; `words` in any spelling of a MAC, name or model, `standing` empty for all."""
        ...

    def box(self, mac: str) -> BoxPage | None: ...

    def runs(self) -> Sequence[RunView]: ...

    def run(self, run: str) -> RunView | None: ...

    def report(self, run: str) -> str | None:
        """The run's report as one HTML document, or None while there is none."""
        ...

    def evidence(self, run: str, case: str, name: str) -> Path | None:
        """Where a piece of evidence of a run lies, None where there is none."""
        ...

    def requests(self) -> Sequence[Request]:
        """Those still open, newest first."""
        ...

    def answer(self, number: int, answer: str, by: str) -> str:
        """Answer a request; return why it was not taken, empty when it was."""
        ...

    def health(self) -> Health: ...

    def clock(self) -> ClockView: ...
