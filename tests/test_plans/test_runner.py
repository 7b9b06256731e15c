"""The runner against a bench in memory: verdicts, locks, leaks, retries, teardown."""

from __future__ import annotations

import pytest

from pbx.events import CallRinging, FeatureUsed, ServerFault
from test_plans.plan import read_plan
from test_plans.runner import VERBS
from test_plans.verdicts import differences
from tests.test_plans.toy_office import HEAD, TALK, ToyBench, plan_of, run


def one(result, case="C01"):
    return next(item for item in result.cases if item.case == case)


def test_a_call_that_works_passes_with_every_step_noted():
    result = run(plan_of(TALK))
    case = one(result)
    assert (case.verdict, case.reason) == ("passed", "")
    assert case.binding == {"caller": "11", "desk": "12"}
    assert [step.verdict for step in case.steps] == ["passed"] * 8
    assert {step.witness for step in case.steps} == {"observed", "action"}
    assert result.passed
    assert result.exit_code == 0
    assert result.leaks == {}


def test_the_record_of_a_call_is_compared_with_what_why_said_before_it():
    assert [before == after for _, before, after in one(run(plan_of(TALK))).records] == [True]
    lying = one(run(plan_of(TALK), ToyBench("why lies")))
    assert lying.verdict == "failed"
    assert "not what `why` said before" in lying.reason


@pytest.mark.parametrize(
    ("fault", "reason", "line"),
    [
        ("rings nobody", "no call.ringing within 1 s", 13),
        ("deaf caller", "one-way audio: 11 <desk> does not hear 12 <desk> (it reached the switch", 16),
        ("no record", "0 call records fit, not 1", 19),
        ("forgets records", "c-0001 is not in the call history, though it was said to be written", 19),
        ("never ends", "no call.ended within 2 s", 18),
        ("server fault", "the server reported a fault: switch: KeyError", 19),
        ("leak", "leak: 1 calls", 19),
    ],
)
def test_a_broken_switch_fails_the_case_at_the_step_that_shows_it(fault, reason, line):
    case = one(run(plan_of(TALK), ToyBench(fault)))
    assert case.verdict == "failed"
    assert reason in case.reason
    assert case.steps[-1].line == line


def test_a_failed_expectation_tells_what_was_seen_instead_nearest_first():
    wrong = TALK.replace("caller_number: $caller.number", 'caller_number: "99"')
    case = one(run(plan_of(wrong)))
    assert case.steps[-1].seen[0].startswith("call.ringing")
    assert "caller_number is '11', not '99'" in case.steps[-1].seen[0]


def test_a_leak_that_no_case_can_be_blamed_for_fails_the_run():
    bench = ToyBench()
    bench.left["sessions"] = 2
    two = TALK + TALK.replace("C01", "C02")
    result = run(plan_of(two), bench)
    assert result.leaks == {"sessions": 2}
    assert not result.passed
    assert result.exit_code == 1


def test_a_message_left_in_a_box_is_a_leak():
    bench = ToyBench()
    bench.after(0.5, bench.leave_a_message)
    assert one(run(plan_of(TALK), bench)).reason == "leak: 1 new messages in box 11; 1 new messages in box 12"
    full = ToyBench()
    full.leave_a_message()
    assert one(run(plan_of(TALK), full)).verdict == "passed"


def test_a_role_bound_to_each_device_makes_a_case_of_every_device_that_fits():
    each = TALK.replace("    title", "    roles: {caller: {can: [dial], bind: each-device}}\n    title")
    bench = ToyBench()
    bench.device("13").capabilities = frozenset({"answer", "hears"})
    result = run(plan_of(each), bench)
    assert result.verdicts == {"C01@11": "passed", "C01@12": "passed", "C01@14": "passed"}
    assert [case.binding["caller"] for case in result.cases] == ["11", "12", "14"]


def test_a_role_bound_to_each_model_makes_a_case_of_every_model_and_combines():
    bench = ToyBench()
    for name in ("13", "14"):
        bench.device(name).model = "D[2]"
    each = TALK.replace("    title", "    roles: {caller: {can: [dial], bind: each-model}}\n    title")
    assert list(run(plan_of(each), bench).verdicts) == ["C01@D1", "C01@D[2]"]
    both = TALK.replace(
        "    title",
        "    roles: {caller: {can: [dial], bind: each-model}, desk: {can: [answer], bind: each-model}}\n    title",
    )
    verdicts = run(plan_of(both), bench).verdicts
    assert list(verdicts) == ["C01@D1@D1", "C01@D1@D[2]", "C01@D[2]@D1", "C01@D[2]@D[2]"]
    assert set(verdicts.values()) == {"passed"}


def test_a_case_for_each_device_of_a_kind_that_is_not_there_is_blocked():
    each = TALK.replace("    title", "    roles: {caller: {traits: [unheard-of], bind: each-device}}\n    title")
    assert one(run(plan_of(each))).verdict == "blocked"


def test_cases_with_disjoint_devices_run_side_by_side_and_shared_ones_wait():
    started: list[tuple[str, float]] = []
    bench = ToyBench()
    cases = "".join(TALK.replace("C01", f"C0{n}") for n in (1, 2, 3))
    result = run(plan_of(cases), bench, progress=lambda r, what: started.append((f"{r.case} {what}", bench.mono)))
    assert [case.verdict for case in result.cases] == ["passed"] * 3
    at = dict(started)
    assert at["C01 started"] == at["C02 started"] == 0.0
    assert at["C03 started"] >= min(at["C01 done"], at["C02 done"])
    bound = [set(case.binding.values()) for case in result.cases]
    assert not bound[0] & bound[1]


def test_a_serial_case_runs_alone():
    times: dict[str, float] = {}
    bench = ToyBench()
    cases = TALK + TALK.replace("C01", "C02").replace("    title", "    serial: true\n    title")
    run(plan_of(cases), bench, progress=lambda r, what: times.__setitem__(f"{r.case} {what}", bench.mono))
    assert times["C02 started"] >= times["C01 done"]


def test_what_is_told_late_of_a_call_of_before_is_no_leak_of_a_serial_case():
    bench = ToyBench()
    bench.after(0.5, lambda: bench.bus.publish(FeatureUsed("of-before", "*78", "", True), bench.now()))
    assert one(run(plan_of(TALK.replace("    title", "    serial: true\n    title")), bench)).verdict == "passed"


def test_every_phone_gets_its_turn_and_the_seed_decides_who_is_first():
    cases = "".join(TALK.replace("C01", f"C{n:02}") for n in range(4))
    used = [device for case in run(plan_of(cases), side_by_side=1).cases for device in case.binding.values()]
    assert sorted(used) == sorted(["11", "12", "13", "14"] * 2)
    orders = {tuple(one(run(plan_of(TALK), seed=seed)).binding.values()) for seed in range(12)}
    assert len(orders) > 3
    assert run(plan_of(TALK), seed=5).cases[0].binding == run(plan_of(TALK), seed=5).cases[0].binding


def test_a_case_without_a_device_is_blocked_with_the_reason_and_never_passed():
    case = TALK.replace("    steps", "    roles: {desk: {can: [answer], traits: [unheard-of]}}\n    steps")
    result = run(plan_of(case))
    assert one(result).verdict == "blocked"
    assert "'desk'" in one(result).reason
    assert "unheard-of" in one(result).reason
    assert result.exit_code == 5


def test_a_case_waits_for_devices_that_come_back_and_is_blocked_when_they_do_not():
    bench = ToyBench()
    for device in bench.devices():
        device.registered = False
    bench.after(5.0, lambda: [setattr(device, "registered", True) for device in bench.devices()])
    assert one(run(plan_of(TALK), bench)).verdict == "passed"
    gone = ToyBench()
    for device in gone.devices():
        device.registered = False
    assert one(run(plan_of(TALK), gone)).verdict == "blocked"


def test_a_failed_blocker_ends_the_plan_and_says_so():
    told: list[str] = []
    cases = TALK.replace("    title", "    severity: blocker\n    title") + TALK.replace("C01", "C02")
    result = run(
        plan_of(cases), ToyBench("no record"), side_by_side=1, progress=lambda r, what: told.append(f"{r.case} {what}")
    )
    assert [case.verdict for case in result.cases] == ["failed", "skipped"]
    assert result.cases[1].reason == "blocker C01 failed"
    assert told[-1] == "C02 done"


def test_passed_on_retry_is_flaky_and_counts_its_attempts():
    bench = ToyBench("rings nobody")
    bench.after(0.9, bench.faults.clear)
    result = run(plan_of(TALK.replace("    title", "    retry: {max: 1}\n    title")), bench)
    assert (one(result).verdict, one(result).attempts) == ("flaky", 2)
    assert result.passed
    again = one(run(plan_of(TALK.replace("    title", "    retry: 1\n    title")), ToyBench("rings nobody")))
    assert (again.verdict, again.attempts) == ("failed", 2)


def test_a_case_that_takes_too_long_is_ended_and_its_phones_hang_up():
    slow = """\
  - id: C01
    timeout: 3s
    steps:
      - {do: caller.dial, to: $desk.extension}
      - {wait: 60s}
"""
    bench = ToyBench()
    assert one(run(plan_of(slow), bench)).reason == "not over within 3 s"
    assert all(device.idle for device in bench.devices())


def test_teardown_runs_whatever_became_of_the_steps_and_its_failure_fails_the_case():
    bench = ToyBench("rings nobody")
    end = "    teardown: [{do: pbx.empty_mailbox, box: $desk.extension}]\n"
    assert one(run(plan_of(TALK + end), bench)).verdict == "failed"
    assert bench.operations == [("empty_mailbox", {"box": "12"})]
    case = one(run(plan_of(TALK + end), ToyBench("no operator")))
    assert (case.verdict, case.reason) == ("failed", "teardown: pbx.empty_mailbox: nobody is there")


def test_teardown_runs_after_a_timeout_too():
    slow = """\
  - id: C01
    timeout: 1s
    steps: [{do: caller.dial, to: $desk.extension}, {wait: 60s}]
    teardown: [{do: pbx.restart}]
"""
    bench = ToyBench()
    assert one(run(plan_of(slow), bench)).verdict == "failed"
    assert bench.operations == [("restart", {})]


def test_on_fail_continue_takes_the_remaining_steps_and_fails_all_the_same():
    case = one(run(plan_of(TALK.replace("    title", "    on_fail: continue\n    title")), ToyBench("deaf caller")))
    assert [step.verdict for step in case.steps].count("failed") == 1
    assert len(case.steps) == 8
    assert case.verdict == "failed"
    assert "one-way audio" in case.reason


def test_a_mistake_in_a_bench_is_an_error_of_that_case_alone():
    broken = "  - {id: N01, steps: [{do: caller.reboot}, {check: registration, role: caller}]}\n"
    result = run(plan_of(broken + TALK))
    assert one(result, "N01").verdict == "error"
    assert one(result, "N01").reason == "LookupError: 'no such button'"[:13] + "no such button"
    assert one(result).verdict == "passed"
    assert result.exit_code == 1


def test_an_action_a_device_cannot_do_fails_with_its_words():
    case = one(run(plan_of("  - {id: C01, steps: [{do: desk.answer}, {check: registration, role: desk}]}\n")))
    assert (case.verdict, case.reason) == ("failed", "desk.answer: 11 cannot answer now")


def test_a_step_for_a_person_is_blocked_when_there_is_none():
    case = one(run(plan_of('  - {id: C01, steps: [{human: "Press the lamp key of {desk}", ask: "Was it lit?"}]}\n')))
    assert case.verdict == "blocked"
    assert case.reason.startswith("needs a person: Press the lamp key")


def test_figures_over_a_limit_warn_or_fail():
    figures = """\
      - measure: rtp
        role: caller
        where: {codec: PCMU, received: "> 50"}
        warn: {loss: "> 0.5%"}
        fail: {mos: "< 3.0"}
"""
    assert one(run(plan_of(TALK + figures))).verdict == "passed"
    warned = one(run(plan_of(TALK + figures), ToyBench("lossy")))
    assert (warned.verdict, warned.reason) == ("warned", "11 <desk>: loss is 3.0, > 0.5%")
    strict = figures.replace("< 3.0", "< 4.2")
    failed = one(run(plan_of(TALK + strict), ToyBench("lossy")))
    assert (failed.verdict, failed.reason) == ("failed", "11 <desk>: mos is 4.1, < 4.2")


def test_fragments_and_repetition_stand_for_their_steps():
    head = """\
fragments:
  ringing:
    - {do: caller.dial, to: $desk.extension}
    - {expect: call.ringing, where: {role: desk}}
    - {do: caller.hangup}
    - {expect: call.ended}
"""
    case = one(run(plan_of("  - {id: C01, steps: [{repeat: 3, steps: [{use: ringing}]}]}\n", head)))
    assert case.verdict == "passed"
    assert [step.text for step in case.steps].count("do caller.dial (to 12)") == 3
    assert len([s for s in case.events if isinstance(s.event, CallRinging)]) == 3


def test_a_fragment_is_given_other_values_by_whoever_uses_it():
    head = """\
vars: {number: "99", party: nobody}
fragments:
  calls:
    - parallel:
        - {do: caller.dial, to: $number}
        - {expect: call.ringing, where: {role: desk, caller_number: [$party]}}
    - {do: caller.hangup}
"""
    given = "{use: calls, with: {number: $desk.extension, party: $caller.number}}"
    case = one(run(plan_of(f"  - {{id: C01, steps: [{{check: idle, role: desk}}, {given}]}}\n", head)))
    assert (case.verdict, case.reason) == ("passed", "")
    assert "do caller.dial (to 12)" in [step.text for step in case.steps]
    assert "expect call.ringing (where role=desk caller_number=11)" in [step.text for step in case.steps]


def test_branches_run_side_by_side_and_count_their_own_expectations():
    both = """\
  - id: C01
    roles: {third: {can: [dial]}, fourth: {can: [answer]}}
    steps:
      - {do: caller.dial, to: $desk.extension}
      - {do: third.dial, to: $fourth.extension}
      - parallel:
          - [{expect: call.ringing, where: {role: fourth}}, {do: fourth.answer}]
          - [{expect: call.ringing, where: {role: desk}}, {do: desk.answer}, {expect: call.up, count: 2}]
          - {wait: 1s, because: somebody thinks}
      - {measure: audio, between: [third, fourth]}
"""
    case = one(run(plan_of(both)))
    assert (case.verdict, case.reason) == ("passed", "")
    wrong = both.replace("count: 2", "count: 9")
    assert "no call.up within 2 s" in one(run(plan_of(wrong))).reason


def test_a_fault_of_another_call_is_not_blamed_on_this_case_but_one_of_the_server_is():
    bench = ToyBench()
    bench.after(0.3, lambda: bench.publish(ServerFault("switch", "c-9999", "elsewhere")))
    assert one(run(plan_of(TALK), bench)).verdict == "passed"
    bench = ToyBench()
    bench.after(0.3, lambda: bench.publish(ServerFault("store", "", "disk full")))
    assert "disk full" in one(run(plan_of(TALK), bench)).reason


def test_only_the_cases_asked_for_are_run():
    result = run(plan_of(TALK + TALK.replace("C01", "C02")), only=lambda case: case.id == "C02")
    assert list(result.verdicts) == ["C02"]


def test_two_runs_are_compared_case_by_case():
    good, bad = run(plan_of(TALK)), run(plan_of(TALK), ToyBench("no record"))
    assert differences(good, good) == []
    assert differences(good, bad) == ["C01: passed / failed"]
    more = run(plan_of(TALK + TALK.replace("C01", "C02")))
    assert differences(good, more) == ["C02: absent / passed"]
    assert differences(more, good) == ["C02: passed / absent"]


def test_the_same_seed_gives_the_same_run_to_the_last_step():
    a, b = (run(plan_of(TALK), seed=3) for _ in range(2))
    assert [case.steps for case in a.cases] == [case.steps for case in b.cases]
    assert a.seconds == b.seconds


def test_a_role_is_bound_to_the_other_port_of_the_same_box_or_to_another_site():
    bench = ToyBench()
    bench.device("14").mac = bench.device("12").mac
    bench.device("13").site = "Laval"
    head = HEAD.replace("desk: {can: [answer]}", "desk: {can: [answer], same_box: caller}")
    plan = read_plan(f"{head}cases:\n{TALK}", "toy.yaml", VERBS)
    assert set(one(run(plan, bench)).binding.values()) == {"12", "14"}
    head = HEAD.replace("desk: {can: [answer]}", 'desk: {can: [answer], site: "!caller"}')
    plan = read_plan(f"{head}cases:\n{TALK}", "toy.yaml", VERBS)
    assert one(run(plan, bench)).binding == {"caller": "11", "desk": "13"}
    head = HEAD.replace("desk: {can: [answer]}", "desk: {outside: true}")
    plan = read_plan(f"{head}cases:\n{TALK.replace('$desk.extension', '$desk.id')}", "toy.yaml", VERBS)
    assert one(run(plan, bench)).binding == {"caller": "11", "desk": "14165550142"}


def test_cases_that_hold_the_same_thing_run_one_after_the_other():
    case = """\
  - id: C0{at}
    title: Waits
    holds: [the lift]
    roles: {{caller: {{can: [dial]}}}}
    steps:
      - {{check: idle, role: caller}}
      - {{wait: 2s, because: it rides}}
"""
    began = {}
    result = run(
        plan_of(case.format(at=1) + case.format(at=2)),
        progress=lambda one, what: began.setdefault((one.case, what), one.started.mono if one.started else 0.0),
    )
    assert [one.verdict for one in result.cases] == ["passed", "passed"]
    assert began["C02", "started"] >= began["C01", "started"] + 2.0


def test_an_action_that_must_be_refused_fails_when_it_is_done_and_for_another_reason():
    case = """\
  - id: C01
    title: Refused
    steps:
      - {{do: pbx.restart, refused: "{glob}"}}
"""
    assert run(plan_of(case.format(glob="nobody*")), ToyBench("no operator")).cases[0].verdict == "passed"
    assert "another reason" in run(plan_of(case.format(glob="busy*")), ToyBench("no operator")).cases[0].reason
    assert "should have been refused" in run(plan_of(case.format(glob="*"))).cases[0].reason
