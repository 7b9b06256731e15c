"""What a run writes has the shape that is published; a mistake has not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.cli import main
from test_plans.report.document import document
from test_plans.report.schema import schema
from tests.test_plans.report.test_reports import BLOCKED
from tests.test_plans.test_interruptions import THREE, Held, whole
from tests.test_plans.toy_office import TALK, ToyBench, plan_of, run

SCHEMA = schema()
_TYPES: dict[str, Any] = {
    "string": str, "integer": int, "number": int | float, "boolean": bool, "object": dict, "array": list,
    "null": type(None),
}  # fmt: skip


def faults(value: Any, wanted: dict[str, Any], at: str = "") -> list[str]:
    """Judge a value by what our schema uses of JSON Schema."""
    if "$ref" in wanted:
        wanted = SCHEMA["$defs"][wanted["$ref"].rpartition("/")[2]]
    if "oneOf" in wanted:
        each = [faults(value, one, at) for one in wanted["oneOf"]]
        return [] if sum(not one for one in each) == 1 else [f"{at}: {min(each, key=len)}"]
    if "const" in wanted or "enum" in wanted:
        return [] if value in wanted.get("enum", [wanted.get("const")]) else [f"{at}: {value!r}"]
    types = wanted["type"] if isinstance(wanted["type"], list) else [wanted["type"]]
    if not any(isinstance(value, _TYPES[one]) and (one == "boolean" or value not in (True, False) or value in (0, 1))
               for one in types):  # fmt: skip
        return [f"{at}: {value!r} is no {types}"]
    if isinstance(value, dict):
        return _of_object(value, wanted, at)
    if isinstance(value, list) and "prefixItems" in wanted:
        wrong = [f"{at}: {len(value)} items"] if len(value) != wanted["minItems"] else []
        columns = zip(value, wanted["prefixItems"], strict=False)
        return wrong + [one for item, column in columns for one in faults(item, column, at)]
    if isinstance(value, list):
        return [one for place, item in enumerate(value) for one in faults(item, wanted["items"], f"{at}[{place}]")]
    return []


def _of_object(value: dict[str, Any], wanted: dict[str, Any], at: str) -> list[str]:
    known, more = wanted.get("properties", {}), wanted.get("additionalProperties", True)
    found = [f"{at}: {name} is missing" for name in wanted.get("required", ()) if name not in value]
    for name, item in value.items():
        if name in known:
            found += faults(item, known[name], f"{at}.{name}")
        elif isinstance(more, dict):
            found += faults(item, more, f"{at}.{name}")
        elif more is False:
            found.append(f"{at}: {name} is unknown")
    return found


def read_back(result) -> Any:
    return json.loads(json.dumps(document(result)))


@pytest.mark.parametrize("fault", ["", "deaf caller"])
def test_a_report_has_the_published_shape(fault):
    cases = TALK + BLOCKED + "  - {id: N01, steps: [{do: caller.reboot}]}\n"
    assert faults(read_back(run(plan_of(cases, "later: {C09: later}\n"), ToyBench(fault))), SCHEMA) == []


def test_so_has_each_line_of_a_journal():
    for line in whole(Held(THREE)):
        assert faults(json.loads(line), SCHEMA["$defs"]["line"]) == []


def test_a_mistake_has_not():
    wrong = read_back(run(plan_of(TALK)))
    wrong["cases"][0]["verdict"] = "fine"
    wrong["cases"][0]["steps"][0]["evidence"] = []
    del wrong["domain"]
    assert len(faults(wrong, SCHEMA)) == 3


def test_the_command_prints_it(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["switchroom", "runs", "schema"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (0, None)
    assert json.loads(capsys.readouterr().out) == SCHEMA
