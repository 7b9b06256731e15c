"""What steps say of roles: who is mentioned, and what each must be able to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from test_plans.bench import CAPABILITIES
from test_plans.model import Step

NO_ROLES = frozenset({"pbx", "outside"})
"""Names that steps use like roles: the switch, and the numbers outside."""


NAMED = re.compile(r"\{(\w+)(?:\.(?:keys\.(\w+)|(\w+)))?\}")
"""`{role}`, `{role.keys.hold}` and `{role.attribute}` in what a person is told: role, key, attribute."""
_TOLD = ("human", "fr", "ask")


def mentioned(step: Step) -> Iterable[str]:
    """Return the role names in one step: `caller.dial`, `role: desk`, `between: [a, b]`, `$desk.extension`."""
    if step.verb == "do":
        yield str(step.arguments["do"]).partition(".")[0]
    if "role" in step.arguments:
        yield str(step.arguments["role"])
    if isinstance(step.arguments.get("between"), list):
        yield from map(str, step.arguments["between"])
    yield from (role for role, _, _ in told_of(step))
    for where in _conditions(step):
        if "role" in where:
            yield str(where["role"])


def told_of(step: Step) -> Iterable[tuple[str, str, str]]:
    """Return role, key and attribute of everything named in what a person is told."""
    if step.verb == "human":
        texts = (str(step.arguments.get(name, "")) for name in _TOLD)
        yield from (found for text in texts for found in NAMED.findall(text))


def needed(steps: Iterable[Step]) -> dict[str, frozenset[str]]:
    """Return what each role must be able to do, because a step does it or looks at it."""
    found: dict[str, set[str]] = {}
    for step in steps:
        roles = [name for name in mentioned(step) if name not in NO_ROLES]
        roles += [name for name, attribute in references(step) if attribute and name not in NO_ROLES]
        for role in roles:
            found.setdefault(role, set())
        if step.verb == "do" and roles:
            found[roles[0]].add(str(step.arguments["do"]).partition(".")[2])
        elif step.verb == "check" and step.arguments["check"] in ("screen", "lamp", "config") and roles:
            found[roles[0]].add(str(step.arguments["check"]))
        elif step.verb == "measure" and step.arguments["measure"] in ("audio", "hears", "digits"):
            for role in roles if step.arguments["measure"] == "audio" else roles[:1]:
                found[role].add("hears")
    return {role: frozenset(can) & CAPABILITIES for role, can in found.items()}


def _conditions(step: Step) -> Iterable[Mapping[str, Any]]:
    where = step.arguments.get("where")
    if isinstance(where, dict):
        yield where
    entries = step.arguments.get(step.verb)
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            yield from (value for value in entry.values() if isinstance(value, dict))


REFERENCE = re.compile(r"\$(?:\$|(\w+)(?:\.(\w+))?)")
"""`$role.attribute` or `$variable`; `$$` is a dollar."""


def references(step: Step) -> Iterable[tuple[str, str]]:
    """Return name and attribute of everything a step refers to."""
    own = {key: value for key, value in step.arguments.items() if key not in ("steps", "parallel")}
    yield from ((name, attribute) for name, attribute in REFERENCE.findall(repr(own)) if name)
