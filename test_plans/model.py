"""What a plan is, once read: roles, steps, cases. Values only; `plan` reads them from YAML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

SEVERITIES = ("blocker", "major", "minor")
STOP, CONTINUE = "stop", "continue"
ONCE, EACH_DEVICE, EACH_MODEL = "once", "each-device", "each-model"
BINDS = (ONCE, EACH_DEVICE, EACH_MODEL)
FIGURES = frozenset(
    {"received", "sent", "lost", "seconds", "mos", "jitter", "loss", "codec", "delay", "kbit_s", "encrypted", "dscp"}
)
"""Of a leg's media: `jitter` and one-way `delay` in ms, `loss` in percent, `kbit_s` as Ethernet carries it."""
_SECRET = frozenset({"password", "pin", "voicemail_pin", "token", "client_secret"})
_PRESSED = re.compile(r"\d{4,}")
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)?\Z")
_SCALE = {"ms": 0.001, None: 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(value: object) -> float:
    """Read `3s`, `200ms`, `1m` or a number of seconds; ValueError when it is none."""
    found = _SECONDS.match(str(value).strip())
    if found is None:
        raise ValueError(f"{value!r} is no length of time, like 3s or 200ms")
    return float(found[1]) * _SCALE[found[2]]


@dataclass(frozen=True, slots=True)
class Verb:
    """What a step may say beside its verb."""

    arguments: frozenset[str]
    kinds: frozenset[str] = frozenset()
    """What may stand after the verb; empty when the verb takes any."""
    nests: bool = False
    """Its work is the steps it holds."""
    needed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What stands after the verb → the arguments it cannot do without."""


@dataclass(frozen=True, slots=True)
class Role:
    """Who may take part: bound to what is registered, never to an extension."""

    name: str
    can: frozenset[str] = frozenset()
    traits: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    """Traits it must not have."""
    family: str = "*"
    """Glob over `vendor/family`."""
    model: str = "*"
    site: str = ""
    """A site's name; `=caller` the same as that role's, `!caller` another one."""
    outside: bool = False
    same_box: str = ""
    """The role whose hardware this one shares (the other port of an ATA)."""
    bind: str = ONCE
    """`each-device` or `each-model`: the case is repeated for every one that fits."""
    device: str = ""
    """The one device of a repeated case."""


@dataclass(frozen=True, slots=True)
class Step:
    verb: str
    arguments: Mapping[str, Any]
    line: int

    def text(self) -> str:
        """Return the step for a reader: passwords, tokens and PINs that are pressed are not told."""
        main = "" if isinstance(self.arguments.get(self.verb), tuple) else _words(self.arguments.get(self.verb))
        rest = {key: value for key, value in self.arguments.items() if key not in (self.verb, "steps")}
        words = ", ".join(f"{key} {_told(key, value)}" for key, value in rest.items())
        return f"{self.verb} {main}".rstrip() + (f" ({words})" if words else "")

    def nested(self) -> Iterable[Step]:
        """Return the steps it holds itself (`repeat`, `parallel`), not those of a fragment."""
        yield from self.arguments.get("steps") or ()
        for branch in self.arguments.get("parallel") or ():
            yield from branch


@dataclass(frozen=True, slots=True)
class Case:
    id: str
    title: str
    severity: str
    roles: tuple[Role, ...]
    steps: tuple[Step, ...]
    line: int
    covers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    serial: bool = False
    timeout_s: float = 120.0
    retries: int = 0
    teardown: tuple[Step, ...] = ()
    """Always run, whatever became of the steps."""
    on_fail: str = STOP
    """`continue`: the steps after a failed one are still taken; the verdict is failed all the same."""
    holds: tuple[str, ...] = ()
    """What else it needs for itself, by any name: a park slot, a switch of the house. No two cases hold the same."""
    home: Plan | None = None
    """The plan it was taken from, whose variables and fragments its steps speak of; None for the plan it is in."""

    @property
    def number(self) -> str:
        """Of the reference's list: `D02` of `D02-queue` and of `D02@101`."""
        return re.split(r"[-@#]", self.id, maxsplit=1)[0]


@dataclass(frozen=True, slots=True)
class Plan:
    id: str
    title: str
    cases: tuple[Case, ...]
    variables: Mapping[str, Any]
    fragments: Mapping[str, tuple[Step, ...]]
    within_s: float
    later: Mapping[str, str] = field(default_factory=dict)
    """Sub-cases left out, and why."""
    source: str = ""
    seed: str = ""
    """The house's domain it is written for; empty for any office."""
    role_lines: Mapping[str, int] = field(default_factory=dict)
    """Where each shared role stands."""
    sha256: str = ""
    """Of its text and that of those it includes: two runs of one digest took the same steps."""


class BadPlan(Exception):
    """A plan that cannot be run; one problem a line, each `file:line: what`."""

    def __init__(self, problems: list[str], source: str = "") -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.source = source or problems[0].partition(":")[0]

    @property
    def happened(self) -> str:
        return f"plan {self.source} was not read: {len(self.problems)} problem{'s'[: len(self.problems) > 1]}"

    @property
    def why(self) -> str:
        return "\n       ".join(self.problems)

    remedy = "mend the lines named"
    reference = "test_plans/plans/office.yaml is a complete example"


def flat(steps: Iterable[Step], fragments: Mapping[str, tuple[Step, ...]] | None = None) -> Iterable[Step]:
    """Return steps with those they hold, depth first; with `fragments`, those that `use` names too."""
    known = fragments or {}
    for step in steps:
        yield step
        yield from flat(step.nested(), known)
        if step.verb == "use":
            name = str(step.arguments["use"])
            # Without it: a fragment that uses itself ends here, and the reader complains.
            yield from flat(known.get(name, ()), {key: value for key, value in known.items() if key != name})


def _pair(key: object, item: object) -> str:
    """`role=desk` of a condition, `call.up (role=desk)` of an event with its conditions."""
    if isinstance(item, dict):
        return f"{key} ({_words(item)})" if item else str(key)
    return f"{key}={_told(key, item)}"


def _told(key: object, value: object) -> str:
    """A variable's name is no secret; four digits that are pressed at once may be somebody's PIN."""
    text = _words(value)
    if key in _SECRET:
        return text if text.startswith("$") else "***"
    return _PRESSED.sub(lambda digits: "*" * len(digits[0]), text) if key == "keys" else text


def _words(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(_pair(key, item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_words(item) for item in value)
    return str(value)
