"""`plan check`: what a plan that can be run could do better."""

from __future__ import annotations

import pytest

from test_plans.lint import lint
from tests.test_plans.toy_office import TALK, plan_of


def rules(cases: str, head: str = "") -> list[tuple[int, str]]:
    return [(finding.line, finding.rule) for finding in lint(plan_of(cases, head))]


def case(*steps: str, extra: str = "") -> str:
    lines = "".join(f"      - {step}\n" for step in steps)
    return f"  - id: C09\n    steps:\n{lines}{extra}" + TALK


def test_a_plan_without_fault_has_no_findings():
    assert rules(TALK) == []


@pytest.mark.parametrize(
    ("steps", "rule"),
    [
        (["{wait: 2s}", "{expect: call.up}"], (11, "wait")),
        (["{do: caller.dial, to: '101'}", "{expect: call.up}"], (11, "fixed-number")),
        (["{expect_all: [{call.ringing: {extension: '103'}}]}"], (11, "fixed-number")),
        (["{check: voicemail, box: 101}"], (11, "fixed-number")),
        (["{do: caller.hangup}"], (9, "proves-nothing")),
        (["{expect: call.up, where: {role: desk}}", "{expect: call.up}"], (12, "consumed")),
        (["{expect: call.up, within: 90s}"], (11, "limit")),
        (["{expect: call.up, where: {device: '*'}}"], (11, "matches-all")),
        (["{expect_none: [call.up]}"], (11, "empty-absence")),
    ],
)
def test_a_weakness_is_named_with_its_line(steps, rule):
    assert rules(case(*steps)) == [rule]


@pytest.mark.parametrize(
    "steps",
    [
        ["{wait: 2s, because: the caller speaks}", "{expect: call.up}"],
        ["{do: caller.dial, to: '611'}", "{expect: call.up}"],
        ["{do: caller.dial, to: '7$desk.extension'}", "{expect: call.up}"],
        ["{expect: sip.response, where: {status: 200}}"],
        ["{expect: call.up, where: {role: desk}}", "{expect: call.up, where: {role: caller}}"],
        ["{expect: call.up}", "{do: caller.hangup}", "{expect: call.up}"],
        ["{human: look, ask: is it lit}"],
        ["{expect_none: [call.up], for: 1s}", "{expect_none: [call.up], from: start}"],
    ],
)
def test_what_is_sound_is_not_complained_of(steps):
    assert rules(case(*steps)) == []


def test_unused_roles_and_fragments_are_named_where_they_stand():
    head = "fragments:\n  never:\n    - {note: unused}\n"
    assert rules(TALK, head) == [(10, "unused-fragment")]
    own = TALK.replace("    steps:", "    roles: {third: {can: [dial]}}\n    steps:")
    assert rules(own) == [(9, "unused-role")]
    alone = "  - {id: C01, steps: [{check: registration, role: caller}]}\n"
    assert rules(alone) == [(6, "unused-role")]


def test_a_finding_reads_as_a_line():
    (finding,) = lint(plan_of(case("{wait: 2s}", "{expect: call.up}")))
    assert finding.text("p.yaml") == "p.yaml:11: a bare wait; expect an event, or say `because` [wait]"
