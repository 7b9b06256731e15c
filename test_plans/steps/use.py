"""`use: fragment`: the steps of a fragment stand here; `with` gives variables other values in them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pbx.callflow.script import Script
from test_plans.context import Context
from test_plans.needs import REFERENCE
from test_plans.plan import Step

VERB = "use"
ARGUMENTS = frozenset({"with"})


def nested(context: Context, step: Step) -> Sequence[Sequence[Step]]:
    """Return the steps to run one after another."""
    steps = context.plan.fragments[str(step.arguments["use"])]
    given = context.value(dict(step.arguments.get("with") or {}))
    return [[replace(one, arguments=_given(one.arguments, given)) for one in steps] if given else steps]


def _given(value: Any, given: Mapping[str, Any]) -> Any:
    """Put what is given in the place of its names, deep; every other reference stays."""
    match value:
        case Step():
            return replace(value, arguments=_given(value.arguments, given))
        case Mapping():
            return {key: _given(item, given) for key, item in value.items()}
        case list() | tuple():
            return tuple(_given(item, given) for item in value)
        case str():
            alone = REFERENCE.fullmatch(value)
            if alone and alone[1] in given and not alone[2]:
                return given[alone[1]]
            return REFERENCE.sub(lambda found: _in_text(found, given), value)
    return value


def _in_text(found: re.Match[str], given: Mapping[str, Any]) -> str:
    name, attribute = found[1], found[2]
    if name not in given:
        return found[0]
    return f"{given[name]}.{attribute}" if attribute else str(given[name])


def run(context: Context, step: Step) -> Script[str]:
    return ""
    yield  # a script; the runner plays what `nested` names
