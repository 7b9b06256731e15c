"""A checklist in CSV becomes a guided plan; what is no checklist is refused with every row named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from test_plans.checklist import BadChecklist, plan_of, read_checklist
from test_plans.lint import lint
from test_plans.needs import REFERENCE, references
from test_plans.plan import read_plan
from test_plans.runner import VERBS


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_row_becomes_a_case_that_asks_for_the_expected_result(sign):
    table = sign.join(["No", "Expected result", "Test case", "Tester"]) + "\r\n"
    table += sign.join(["1.1", '"102 rings, and shows ""101""."', "Call 102 from 101", ""]) + "\r\n\r\n"
    plan = read_plan(plan_of(read_checklist("\ufeff" + table), "site a", "Site A"), "plan", VERBS)
    [case] = plan.cases
    assert (plan.id, case.id, case.title, case.tags) == ("site-a", "1.1", "Call 102 from 101", ("guided",))
    [step] = case.steps
    assert step.arguments == {"human": "Call 102 from 101", "ask": '102 rings, and shows "101"?'}
    assert lint(plan) == []


def test_a_dollar_is_no_reference():
    plan = read_plan(plan_of(read_checklist("number,item,expected\n1,Buy for $5,$caller pays\n"), "x", "X"), "p", VERBS)
    assert list(references(plan.cases[0].steps[0])) == []
    assert REFERENCE.sub("$", plan.cases[0].steps[0].arguments["ask"]) == "$caller pays?"


def test_every_problem_is_named_with_its_row():
    with pytest.raises(BadChecklist) as raised:
        read_checklist("number,item,expected\n,a,b\n1,,b\n2,a,\n1,a,b\n")
    assert raised.value.problems == [
        "row 2: no number",
        "row 3: no item",
        "row 4: nothing is expected, so nothing could be ticked",
        "row 5: number 1 stands twice",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "row 1: it has no column for number"),
        ("number,item\n1,a\n", "row 1: it has no column for expected"),
        ("number,item,expected\n", "row 2: there are no items"),
        ("number,item\0", "row 1: this is no text"),
        ("number,item,expected\n" + "1,a,b\n" * 2001, "more than 2000 rows"),
    ],
)
def test_what_is_no_checklist_is_refused(text, said):
    with pytest.raises(BadChecklist, match=said):
        read_checklist(text)


def problems_of(table: str) -> list[str]:
    try:
        plan = plan_of(read_checklist(table), "x", "X")
    except BadChecklist as refused:
        return refused.problems
    read_plan(plan, "plan", VERBS)
    return []


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=5))
def test_whatever_people_write_is_a_plan_or_a_refusal_by_row(cells):
    rows = "".join(f'{at},"{a.replace(chr(34), "")}","{b.replace(chr(34), "")}"\n' for at, (a, b) in enumerate(cells))
    assert all(problem.startswith("row ") for problem in problems_of("number,item,expected\n" + rows))
