"""Which cases are run: by id, tag, an earlier report; in another order; again and again."""

from __future__ import annotations

import pytest

from test_plans.preview import preview
from test_plans.report.document import document, results
from test_plans.selection import Selection, not_passed, of_query
from tests.test_plans.toy_office import TALK, ToyBench, plan_of, run

THREE = TALK + TALK.replace("C01", "C02") + TALK.replace("C01", "K01")
EACH = TALK.replace("    title", "    roles: {caller: {can: [dial], bind: each-device}}\n    title")


def ids(plan) -> list[str]:
    return [case.id for case in plan.cases]


def test_a_plan_is_run_again_as_a_whole():
    assert ids(Selection(repeat=2).arrange(plan_of(THREE))) == ["C01", "C02", "K01", "C01#2", "C02#2", "K01#2"]


def test_a_seed_gives_one_order_and_keeps_every_case():
    plan = plan_of(THREE)
    orders = {tuple(ids(Selection(shuffle=seed).arrange(plan))) for seed in range(40)}
    assert {frozenset(order) for order in orders} == {frozenset(ids(plan))}
    assert len(orders) == 6
    assert Selection(shuffle=3).arrange(plan) == Selection(shuffle=3).arrange(plan)


def test_what_did_not_pass_is_run_again_and_nothing_else():
    each = plan_of(EACH)
    failed = run(each, ToyBench("rings nobody"))
    assert set(failed.verdicts.values()) == {"failed"}
    again = Selection(cases=not_passed(results(document(failed))))
    second = run(again.arrange(each), only=again.takes)
    assert second.verdicts == dict.fromkeys(failed.verdicts, "passed")
    assert not_passed(results(document(second))) == frozenset()


def test_a_case_that_failed_in_any_turn_is_run_again():
    plan = Selection(repeat=2).arrange(plan_of(TALK))
    assert not_passed(results(document(run(plan, ToyBench("rings nobody"))))) == {"C01"}


def test_tags_of_the_plan_are_tags_of_its_cases():
    plan = plan_of(TALK.replace("    title", "    tags: [long]\n    title") + TALK.replace("C01", "C02"))
    assert [case.id for case in plan.cases if Selection(tag="long").takes(case)] == ["C01"]
    assert [case.id for case in plan.cases if Selection(without="long").takes(case)] == ["C02"]


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection("C0", "long", frozenset({"C01", "K01@1/0 ü"}), frozenset({"C01#2", "N1"}), 7, 3, "serial"),
        Selection(cases=frozenset()),
    ],
)
def test_a_selection_travels_in_an_address(selection):
    back = of_query(selection.query())
    assert back == selection or (selection.cases == frozenset() and not any(map(back.takes, plan_of(THREE).cases)))


@pytest.mark.parametrize("pair", [("shuffle", "x"), ("repeat", "-1"), ("repeat", "1001"), ("shuffle", "9" * 30)])
def test_what_is_no_number_is_named(pair):
    with pytest.raises(ValueError, match=f"{pair[0]}='{pair[1]}' is no number"):
        of_query([pair])


@pytest.mark.parametrize("text", ["", "[]", '{"cases": 1}', '{"cases": [{"id": "C01"}]}'])
def test_a_report_that_is_none_is_refused(text):
    with pytest.raises(ValueError):
        not_passed(text)


def test_a_preview_binds_as_the_run_will_and_touches_nothing():
    plan, bench = plan_of(THREE), ToyBench()
    lines = list(preview(plan, bench.devices()))
    done = run(plan, bench)
    for case in done.cases:
        bound = ", ".join(f"{role} {device}" for role, device in case.binding.items())
        assert any(f"{case.case} " in line and f"[{bound}]" in line for line in lines), case.case
    assert sum("do caller.dial" in line for line in lines) == 3


def test_a_preview_names_what_is_missing():
    bench = ToyBench()
    for device in bench.devices():
        device.capabilities -= {"answer"}
    assert "blocked: no device for role 'desk'" in next(iter(preview(plan_of(TALK), bench.devices())))
