"""What ails the lines of a lab's phones: faults at datagram level, per link and direction, until they are ended.

A link is `everybody`, `site NAME` or `phone DEVICE`; the narrowest that has a fault holds. The line is impaired where
its phone is plugged in, for SIP over UDP and for media alike, in virtual and in real time, from one seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Literal, Protocol

from lab.errors import BAD_INPUT, UserError
from lab.network.presets import Network, network
from lab.wire import Impairment, WireCounts
from pbx.clock import FOREVER, Moment
from pbx.events import Event, FaultBegan, FaultEnded
from pbx.numerals import natural

EVERYBODY = "everybody"
Direction = Literal["to_provider", "from_provider"]
DIRECTIONS: tuple[Direction, ...] = ("to_provider", "from_provider")
GOOD = Impairment()
LONGEST_S = 86_400.0
MOST_DROPPED = 1000
_METHODS = frozenset(
    {"", "INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "SUBSCRIBE", "NOTIFY", "OPTIONS", "INFO", "REFER", "SIP/2.0"}
)
"""What a datagram may begin with that is to be lost; `SIP/2.0` for an answer, nothing for whatever comes."""
_MS, _PERCENT = ("delay_ms", "jitter_ms"), ("loss", "duplication")


@dataclass(frozen=True, slots=True)
class Line:
    """A phone's own link."""

    device: str
    """Of its first extension."""
    site: str
    felt: bool = True
    """False for a phone whose packets do not pass the lab's hands (pyVoIP, foreign ones)."""


class Lines(Protocol):
    """The cables of a lab, of either world."""

    def lines(self) -> Sequence[Line]: ...

    def impair_line(self, device: str, ways: tuple[Impairment, Impairment] | None) -> None:
        """Impair a phone's line, to the provider and from it; None makes it good."""
        ...

    def drop_next(self, device: str, outward: bool, count: int, beginning: bytes) -> None: ...

    def counts(self, device: str) -> tuple[WireCounts, WireCounts]: ...


@dataclass(frozen=True, slots=True)
class Fault:
    link: str
    to_provider: Impairment
    from_provider: Impairment
    preset: str = ""
    ends_at: float = FOREVER
    """Monotonic seconds."""

    @property
    def words(self) -> str:
        return self.preset or "; ".join(
            f"{name.replace('_', ' ')}: {said(getattr(self, name))}"
            for name in DIRECTIONS
            if getattr(self, name) != GOOD
        )


@dataclass(frozen=True, slots=True)
class LinkView:
    """One link as it is told: the fault on it, if any, and what has become of its datagrams since."""

    link: str
    fault: Fault | None
    ends_in_s: float | None
    phones: int
    unfelt: int
    """Phones of it whose packets do not pass here."""
    counts: Mapping[str, WireCounts] = field(default_factory=dict)


class Faults:
    """Owns the faults; `later` runs something after so many seconds, `changed` is told of every change."""

    def __init__(
        self,
        lines: Lines,
        now: Callable[[], Moment],
        publish: Callable[[Event], None],
        later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        self._lines, self._now, self._publish, self._later = lines, now, publish, later
        self._faults: dict[str, Fault] = {}
        self.changed: Callable[[], None] = lambda: None

    @property
    def active(self) -> Sequence[Fault]:
        return tuple(self._faults.values())

    def links(self) -> list[str]:
        lines = self._lines.lines()
        sites = sorted({line.site for line in lines if line.site})
        return [EVERYBODY, *(f"site {site}" for site in sites), *(f"phone {line.device}" for line in lines)]

    def put(
        self, link: str, to_provider: Impairment, from_provider: Impairment, *, preset: str = "", for_s: float = FOREVER
    ) -> Fault:
        """Let a fault hold on a link, for so long; UserError names the links there are."""
        self._known(link)
        if not for_s > 0 and for_s != FOREVER:
            raise _refused(f"a fault cannot last {for_s:g} s", "it lasts longer than nothing", "name minutes above 0")
        lasts = min(for_s, LONGEST_S) if for_s != FOREVER else FOREVER
        ends_at = self._now().mono + lasts if lasts != FOREVER else FOREVER
        fault = self._faults[link] = Fault(link, to_provider, from_provider, preset, ends_at)
        self._apply()
        self._publish(FaultBegan(link, preset, fault.words, 0.0 if lasts == FOREVER else lasts))
        if lasts != FOREVER:
            self._later(lasts, lambda: self._run_out(fault))
        self.changed()
        return fault

    def preset(self, link: str, name: str, *, for_s: float = FOREVER) -> Fault:
        """Let a link be like a network of `lab/network/presets`, as far as a line goes: routers are for assessments."""
        return self.put(link, *line_of(network(name)), preset=name, for_s=for_s)

    def drop(self, link: str, direction: str, count: int, method: str = "") -> None:
        """Lose the next `count` datagrams of one direction of a link, those that begin with `method`."""
        self._known(link)
        if direction not in DIRECTIONS:
            raise _refused(f"{direction!r} is no direction", "a link has two", f"one of {', '.join(DIRECTIONS)}")
        if method not in _METHODS or not 1 <= count <= MOST_DROPPED:
            wanted = f"1 to {MOST_DROPPED} of {', '.join(sorted(_METHODS - {''}))}, or of anything"
            raise _refused(f"the next {count} {method} cannot be dropped", "nothing is known by that", wanted)
        beginning = f"{method} ".encode() if method else b""
        for device in self._phones_of(link):
            self._lines.drop_next(device, direction == "to_provider", count, beginning)
        self._publish(FaultBegan(link, "", f"the next {count} {method} {direction.replace('_', ' ')} are lost", 0.0))
        self.changed()

    def clear(self, link: str = "", why: str = "ended") -> list[str]:
        """End the fault of a link, or all; return those links."""
        if link:
            self._known(link)
        ended = [name for name in self._faults if link in ("", name)]
        for name in ended:
            del self._faults[name]
        self._apply()
        for name in ended:
            self._publish(FaultEnded(name, why))
        self.changed()
        return ended

    def report(self) -> list[LinkView]:
        """Return every link with a fault first, then the others."""
        now = self._now().mono
        views = []
        for link in sorted(self.links(), key=lambda name: name not in self._faults):
            fault, phones = self._faults.get(link), self._phones_of(link, felt=False)
            felt = self._phones_of(link)
            counts: dict[str, WireCounts] = dict(zip(DIRECTIONS, self._sum(felt), strict=True)) if fault else {}
            left = fault.ends_at - now if fault is not None and fault.ends_at != FOREVER else None
            views.append(LinkView(link, fault, left, len(phones), len(phones) - len(felt), counts))
        return views

    # --- parts ----------------------------------------------------------------------------------------

    def _sum(self, devices: Sequence[str]) -> tuple[WireCounts, WireCounts]:
        total = WireCounts(), WireCounts()
        for device in devices:
            for whole, part in zip(total, self._lines.counts(device), strict=True):
                for one in fields(WireCounts):
                    setattr(whole, one.name, getattr(whole, one.name) + getattr(part, one.name))
        return total

    def _apply(self) -> None:
        """The narrowest link that has a fault holds for a phone."""
        for line in self._lines.lines():
            if not line.felt:
                continue
            names = (f"phone {line.device}", f"site {line.site}", EVERYBODY)
            fault = next((self._faults[name] for name in names if name in self._faults), None)
            self._lines.impair_line(line.device, None if fault is None else (fault.to_provider, fault.from_provider))

    def _phones_of(self, link: str, *, felt: bool = True) -> list[str]:
        return [
            line.device
            for line in self._lines.lines()
            if link in (EVERYBODY, f"site {line.site}", f"phone {line.device}") and (line.felt or not felt)
        ]

    def _run_out(self, fault: Fault) -> None:
        if self._faults.get(fault.link) is fault:
            self.clear(fault.link, "its time was over")

    def _known(self, link: str) -> None:
        if link not in self.links():
            raise _refused(
                f"there is no link {link!r}", "a link is everybody, a site or a phone of the lab's own",
                f"name one of {', '.join(self.links()[:12])}",
            )  # fmt: skip


def line_of(network: Network) -> tuple[Impairment, Impairment]:
    """Return what a network does to a line each way; one that blocks UDP loses all of it."""
    ways = network.to_provider, network.from_provider
    return (replace(ways[0], loss=1.0), replace(ways[1], loss=1.0)) if network.router.blocks else ways


def read(told: Mapping[str, object]) -> Impairment:
    """Read `delay_ms`, `jitter_ms`, `loss` and `duplication` (percent), `kbit_s`; UserError names what is wrong."""
    known = (*_MS, *_PERCENT, "kbit_s")
    figures: dict[str, float] = {}
    for name, value in told.items():
        if name not in known:
            raise _refused(f"a line has no {name!r}", "it is none of its figures", f"one of {', '.join(known)}")
        try:
            figures[name] = float(str(value))
        except ValueError:
            figures[name] = -1.0
        most = 100.0 if name in _PERCENT else 60_000.0 if name in _MS else 10_000_000.0
        if not 0 <= figures[name] <= most:
            raise _refused(f"{name} cannot be {value!r}", f"it is a number from 0 to {most:g}", f"say {name}=20")
    return Impairment(
        figures.get("delay_ms", 1000 * GOOD.delay_s) / 1000,
        figures.get("jitter_ms", 0.0) / 1000,
        figures.get("loss", 0.0) / 100,
        figures.get("duplication", 0.0) / 100,
        figures.get("kbit_s", 0.0),
    )


def said(line: Impairment) -> str:
    """Write a line's figures in words."""
    words = [f"{1000 * line.delay_s:g} ms" if line.delay_s != GOOD.delay_s else ""]
    words += [f"jitter {1000 * line.jitter_s:g} ms"] if line.jitter_s else []
    words += [f"{100 * line.loss:g} % lost"] if line.loss else []
    words += [f"{100 * line.duplication:g} % doubled"] if line.duplication else []
    words += [f"{line.kbit_s:g} kbit/s"] if line.kbit_s else []
    return ", ".join(filter(None, words)) or "as good as any"


def minutes(text: str) -> float:
    """Read how many minutes a fault is to last, in seconds; empty for until it is ended. UserError."""
    if not text:
        return FOREVER
    count = natural(text)
    if not count:
        raise _refused(f"{text!r} is no number of minutes", "a fault lasts whole minutes", "say minutes=5")
    return 60.0 * count


def _refused(happened: str, why: str, remedy: str) -> UserError:
    return UserError(happened, why, remedy, "docs/network.md", BAD_INPUT)
