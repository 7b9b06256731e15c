"""The schema for editors knows what the reader knows: steps of the plans of the house fit it, mistakes do not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from lab.cli import main
from test_plans.located import read_located
from test_plans.plan import SHIPPED
from test_plans.runner import VERBS
from test_plans.schema import schema

SCHEMA = schema(VERBS)
BY_VERB = {kind["required"][0]: kind for kind in SCHEMA["$defs"]["step"]["oneOf"]}


def fits(step: dict[str, Any]) -> bool:
    """As a validator would judge a step by its names and its subject."""
    verb = next((verb for verb in BY_VERB if verb in step), "")
    kind = BY_VERB.get(verb)
    if kind is None or not set(step) <= set(kind["properties"]):
        return False
    subject = kind["properties"][verb]
    if "enum" in subject and step[verb] not in subject["enum"]:
        return False
    return verb != "do" or re.search(subject["pattern"], step[verb]) is not None


def steps(items: list[Any]) -> Iterator[dict[str, Any]]:
    for item in items:
        yield item
        yield from steps(item.get("steps", []))
        for branch in item.get("parallel", []):
            yield from steps(branch if isinstance(branch, list) else [branch])


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.yaml")))
def test_every_step_of_a_plan_of_the_house_fits(name):
    document = read_located((SHIPPED / f"{name}.yaml").read_text("utf-8"))[0]
    parts = [*document.get("fragments", {}).values()]
    for case in document["cases"]:
        assert set(case) <= set(SCHEMA["$defs"]["case"]["properties"])
        parts += [case.get("steps", []), case.get("teardown", [])]
    assert set(document) <= set(SCHEMA["properties"])
    assert [step for part in parts for step in steps(part) if not fits(step)] == []


@pytest.mark.parametrize(
    "step",
    [
        {"dial": "caller"},
        {"do": "caller.dail", "to": "x"},
        {"expect": "call.rings"},
        {"check": "crd"},
        {"expect": "call.up", "withing": "3s"},
    ],
)
def test_a_mistake_does_not(step):
    assert not fits(step)


def test_the_command_prints_it(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["switchroom", "plan", "schema"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (None, 0)
    assert json.loads(capsys.readouterr().out) == SCHEMA
