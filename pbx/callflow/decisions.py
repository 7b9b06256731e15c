"""Decision records: why a call goes where it goes, kept by routing as it decides, never reconstructed.

A record is a pure function of directory, presence, caller, what was dialled and the moment. It holds no clock time:
the record computed before a call equals, as serialised, the record of the call.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import groupby
from json.encoder import encode_basestring as _quoted
from typing import Literal, NamedTuple

Verdict = Literal["✓", "✗", "·"]
"""✓ applied, ✗ tried and did not apply (or refused), · not reached, or known only when it happens."""


class Decision(NamedTuple):
    """One rule tried; a tuple, because a routing decision makes a dozen or two."""

    step: str
    """What kind of rule: `dial plan`, `number`, `time frame`, `user`, `rule`, `ring`, `attendant`, `queue`, …"""
    rule: str
    """Which one, by the name its owner gave it."""
    saw: str
    """The value it looked at."""
    verdict: Verdict
    because: str
    """What follows, in words."""
    link: str = ""
    """Path of the object in console and API, e.g. `users/101/rules/0`."""


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    question: str
    """`14165550100 from 14165550142`."""
    decisions: tuple[Decision, ...]
    outcome: str
    """Label of the destination at which what can be known beforehand ends, e.g. `user:101`."""

    def to_json(self) -> str:
        """Return canonical JSON: sorted keys, no spaces, characters as they are."""
        # Spelt out: an encoder that copies and sorts costs as much as the routing it records.
        decisions = ",".join([
            f'{{"because":{_quoted(because)},"link":{_quoted(link)},"rule":{_quoted(rule)},"saw":{_quoted(saw)},'
            f'"step":{_quoted(step)},"verdict":"{verdict}"}}'
            for step, rule, saw, verdict, because, link in self.decisions
        ])  # fmt: skip
        return f'{{"decisions":[{decisions}],"outcome":{_quoted(self.outcome)},"question":{_quoted(self.question)}}}'

    @classmethod
    def from_json(cls, text: str) -> DecisionRecord:
        """Return the record of its JSON; ValueError when it is none."""
        try:
            values = json.loads(text)
            decisions = tuple(Decision(**decision) for decision in values.pop("decisions"))
            return cls(decisions=decisions, **values)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"no decision record: {error}") from error


@dataclass(slots=True)
class Trail:
    """The decisions of one answer while it is being found; lives inside one call of `route` or `resolve_…`."""

    decisions: list[Decision] = field(default_factory=list)

    def applied(self, step: str, rule: str, saw: str, because: str, link: str = "") -> None:
        self.decisions.append(Decision(step, rule, saw, "✓", because, link))

    def failed(self, step: str, rule: str, saw: str, because: str, link: str = "") -> None:
        self.decisions.append(Decision(step, rule, saw, "✗", because, link))

    def open(self, step: str, rule: str, saw: str, because: str, link: str = "") -> None:
        """A rule not reached, or one whose condition only the call itself can show."""
        self.decisions.append(Decision(step, rule, saw, "·", because, link))

    def record(self, question: str, outcome: str) -> DecisionRecord:
        return DecisionRecord(question, tuple(self.decisions), outcome)


def explain(record: DecisionRecord) -> str:
    """Return the record as the lines `switchroom why` prints: numbered steps, their rules, links to the right."""
    lines: list[tuple[str, str]] = []
    steps = [(step, list(group)) for step, group in groupby(record.decisions, key=lambda decision: decision.step)]
    margin = max((len(step) for step, _ in steps), default=0)
    for number, (step, group) in enumerate(steps, start=1):
        rules = max(len(decision.rule) for decision in group)
        for place, decision in enumerate(group):
            head = f"{number:>2} {step:<{margin}}" if place == 0 else " " * (margin + 3)
            seen = f"{decision.saw} — " if decision.saw else ""
            lines.append(
                (f"{head}  {decision.verdict} {decision.rule:<{rules}}  {seen}{decision.because}", decision.link)
            )
    width = min(max((len(text) for text, _ in lines), default=0), _LINK_COLUMN)
    title = f"{_spaced(record.question)}  →  {_spaced(record.outcome)}"
    return "\n".join([title, "", *(f"{text:<{width}}  {link}".rstrip() for text, link in lines)])


_LINK_COLUMN = 120
_NUMBER = re.compile(r"\b1([2-9][0-9]{2})([0-9]{3})([0-9]{4})\b")


def _spaced(text: str) -> str:
    return _NUMBER.sub(r"+1 \1 \2 \3", text)
