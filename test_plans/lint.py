"""What `plan check` says of a plan that can be run but could be better (testing.md A4): each finding with its line."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from test_plans.expectations import meets
from test_plans.model import Case, Plan, Step, flat, seconds
from test_plans.needs import mentioned, references

_NUMBER = re.compile(r"(?<![\w.$])[1-9]\d{2,4}(?![\w.])")
"""Three to five digits by themselves: somebody's extension."""
_SERVICES = frozenset({"211", "311", "411", "511", "611", "711", "811", "911", "933", "988", "9911", "9933"})
_PLACES = frozenset({"to", "extension", "box", "device", "agent", "answered_by", "caller_number"})
"""Arguments and conditions where digits are an address; elsewhere they count something."""


@dataclass(frozen=True, slots=True)
class Finding:
    line: int
    rule: str
    what: str
    advice: str

    def text(self, source: str) -> str:
        return f"{source}:{self.line}: {self.what}; {self.advice} [{self.rule}]"


def lint(plan: Plan) -> list[Finding]:
    """Return what could be better, by line."""
    found = list(_unused(plan))
    for case in plan.cases:
        if case.home is not None:
            continue  # its own plan is asked
        steps = tuple(flat(case.steps, plan.fragments))
        for rule in _RULES:
            found.extend(rule(case, steps))
    return sorted(set(found), key=lambda finding: (finding.line, finding.rule, finding.what))


def _unused(plan: Plan) -> Iterable[Finding]:
    used = {role.name for case in plan.cases if case.home is None for role in case.roles}
    for name, line in plan.role_lines.items():
        if name not in used:
            yield Finding(line, "unused-role", f"no case uses role {name!r}", "remove it")
    named = {
        str(step.arguments["use"])
        for case in plan.cases
        if case.home is None
        for step in flat((*case.steps, *case.teardown), plan.fragments)
        if step.verb == "use"
    }
    for name, fragment in plan.fragments.items():
        if name not in named:
            yield Finding(fragment[0].line, "unused-fragment", f"no case uses fragment {name!r}", "remove it")


def _roles(case: Case, steps: Iterable[Step]) -> Iterable[Finding]:
    every = [*steps, *flat(case.teardown)]
    said = {name for step in every for name in mentioned(step)}
    said |= {name for step in every for name, _ in references(step)}
    said |= {role.same_box or role.site[1:] for role in case.roles}
    for role in case.roles:
        if role.name not in said:
            yield Finding(
                case.line, "unused-role", f"case {case.id} binds {role.name!r} and never uses it", "remove it"
            )


def _waits(case: Case, steps: Iterable[Step]) -> Iterable[Finding]:
    for step in steps:
        if step.verb == "wait" and "because" not in step.arguments:
            yield Finding(step.line, "wait", "a bare wait", "expect an event, or say `because`")


def _numbers(case: Case, steps: Iterable[Step]) -> Iterable[Finding]:
    """A role named by a trait may lean on its user's settings; a bare number leans on the seed."""
    for step in steps:
        for place, value in _addresses(step.arguments):
            for digits in _NUMBER.findall(str(value)):
                if digits not in _SERVICES:
                    yield Finding(step.line, "fixed-number", f"{place} {digits} is fixed", "use a role or a variable")


def _addresses(value: Any, place: str = "") -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _addresses(item, str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _addresses(item, place)
    elif place in _PLACES:
        yield place, value


def _proofs(case: Case, steps: Iterable[Step]) -> Iterable[Finding]:
    verbs = [step.verb for step in steps]
    refused = any("refused" in step.arguments for step in steps)
    proofs = ("check", "measure", "human", "assess")
    if not refused and not any(verb.startswith("expect") or verb in proofs for verb in verbs):
        yield Finding(
            case.line, "proves-nothing", f"case {case.id} can only pass", "expect, check or measure something"
        )


def _consumed(case: Case, steps: Iterable[Step]) -> Iterable[Finding]:
    """An expectation that the one right before it has met already can only wait for a second event."""
    before: Step | None = None
    for step in steps:
        if before is not None and step.verb == "expect" and "from" not in step.arguments:
            same = before.arguments.get("expect") == step.arguments["expect"]
            if same and _covers(step.arguments.get("where") or {}, before.arguments.get("where") or {}):
                text = f"{step.arguments['expect']} was expected by line {before.line} already"
                yield Finding(step.line, "consumed", text, "say `count: 2`, or tell them apart")
        before = step if step.verb == "expect" else None


def _covers(wider: Mapping[str, Any], narrower: Mapping[str, Any]) -> bool:
    return all(key in narrower and meets(narrower[key], value) for key, value in wider.items())


def _limits(case: Case, steps: Iterable[Step]) -> Iterable[Finding]:
    for step in steps:
        if "within" in step.arguments and seconds(step.arguments["within"]) >= case.timeout_s:
            text = f"within {step.arguments['within']} is longer than case {case.id} may take"
            yield Finding(step.line, "limit", text, "raise `timeout` or lower `within`")


def _globs(case: Case, steps: Iterable[Step]) -> Iterable[Finding]:
    for step in steps:
        where = step.arguments.get("where")
        for name, value in where.items() if isinstance(where, Mapping) else ():
            if isinstance(value, str) and set(value) == {"*"} and fnmatch.fnmatchcase("", value):
                yield Finding(step.line, "matches-all", f"{name}: {value!r} is met by anything", "leave it out")


def _absences(case: Case, steps: Iterable[Step]) -> Iterable[Finding]:
    """Right after what was just expected, and for no time, nothing can have come."""
    for step in steps:
        if step.verb == "expect_none" and "from" not in step.arguments and not seconds(step.arguments.get("for", "0s")):
            yield Finding(step.line, "empty-absence", "nothing is waited for", "say `for: 1s`, or `from: start`")


_RULES: tuple[Callable[[Case, Iterable[Step]], Iterable[Finding]], ...] = (
    _roles,
    _waits,
    _numbers,
    _proofs,
    _consumed,
    _limits,
    _globs,
    _absences,
)
