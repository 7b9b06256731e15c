"""Reading plans: what is understood, and how each mistake is told."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from test_plans.plan import BadPlan, load_plan, read_plan, seconds
from test_plans.runner import VERBS
from tests.test_plans.toy_office import HEAD, TALK, plan_of

ONE = "  - id: C01\n    steps:\n      - "


def problems(text: str) -> list[str]:
    with pytest.raises(BadPlan) as found:
        read_plan(text, "p.yaml", VERBS)
    return found.value.problems


def step(text: str) -> list[str]:
    """Problems of a plan with one step; it stands on line 11."""
    return problems(f"{HEAD}cases:\n{ONE}{text}\n")


def test_a_plan_is_read_with_its_lines_roles_and_limits():
    plan = plan_of(TALK)
    case = plan.cases[0]
    assert (plan.id, plan.within_s, case.severity) == ("toy", 2.0, "major")
    assert [step.line for step in case.steps] == list(range(12, 20))
    assert case.steps[0].text() == "do caller.dial (to $desk.extension)"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('do: caller.press, keys: "9306#"', "do caller.press (keys ****#)"),
        ('do: caller.press, keys: "7391#7391#"', "do caller.press (keys ****#****#)"),
        ('do: caller.press, keys: "12"', "do caller.press (keys 12)"),
        ("do: caller.press, keys: $pin", "do caller.press (keys $pin)"),
        ('do: caller.be, device: "101", password: not telling', "do caller.be (device 101, password ***)"),
        ("do: caller.be, device: $caller.id, password: $pin", "do caller.be (device $caller.id, password $pin)"),
        ("do: caller.fetch, device: $caller.id, token: 00112233", "do caller.fetch (device $caller.id, token ***)"),
        ("do: caller.submit, value: {login: a, password: x}", "do caller.submit (value login=a password=***)"),
    ],
)
def test_what_a_report_tells_of_a_step_holds_no_password_and_no_pin(said, told):
    plan = plan_of(f"  - id: C01\n    steps: [{{{said}}}]\n", 'vars: {pin: "1234"}\n')
    assert plan.cases[0].steps[0].text() == told


def test_what_a_role_must_be_able_to_do_follows_from_the_steps():
    roles = {role.name: role.can for role in plan_of(TALK).cases[0].roles}
    assert roles == {"caller": {"dial", "hangup", "hears"}, "desk": {"answer", "hears"}}
    looking = "  - {id: C01, steps: [{check: lamp, role: desk}, {check: screen, role: caller, shows: a}]}\n"
    roles = {role.name: role.can for role in plan_of(looking).cases[0].roles}
    assert roles == {"caller": {"dial", "hangup", "screen"}, "desk": {"answer", "lamp"}}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{dial: caller}", "unknown verb 'dial'"),
        ("{expct: call.up}", "unknown verb 'expct'; did you mean 'expect'?"),
        ("{expect: call.uup}", "unknown event 'call.uup'; did you mean 'call.up'?"),
        ("{expect: call.up, were: {}}", "step expect has no 'were'; did you mean 'where'?"),
        ("{expect: call.up, where: {devise: 1}}", "call.up has no 'devise'; did you mean 'device'?"),
        ("{expect: call.up, within: soon}", "within: 'soon' is no length of time, like 3s or 200ms"),
        ("{expect: call.up, count: many}", "count is a whole number up to 1000, not 'many'"),
        ("{expect: call.up, from: dialled}", "no step before this one is named 'dialled'"),
        ("{expect: call.up, where: 3}", "conditions of call.up are a mapping, not 3"),
        ("{expect_all: []}", "expect_all names an event"),
        ("{expect_all: [{call.ended: {couse: 1}}]}", "call.ended has no 'couse'; did you mean 'cause'?"),
        ("{expect: call.up, where: {role: dask}}", "there is no role 'dask'; did you mean 'desk'?"),
        ("{do: caller.dail, to: x}", "caller has no action 'dail'; did you mean 'dial'?"),
        ("{do: callor.hangup}", "there is no role 'callor'; did you mean 'caller'?"),
        ("{do: hangup}", "do names who and what, like caller.dial, not 'hangup'"),
        ("{do: caller.dial}", "dial needs `to`"),
        ("{do: caller.press}", "press needs `keys`"),
        ("{do: pbx.restrat}", "pbx has no action 'restrat'; did you mean 'restart'?"),
        ("{do: pbx.dnd, extension: x}", "pbx.dnd needs state"),
        ("{do: caller.dial, to: $dask.extension}", "$dask is neither a role nor a variable; did you mean 'desk'?"),
        ("{do: caller.dial, to: $desk.extention}", "a device has no 'extention'; did you mean 'extension'?"),
        ("{measure: sound, role: desk}", "measure knows no 'sound': it knows audio, delay, digits, hears, rtp"),
        ("{measure: digits, role: desk}", "measure digits says what it `reads`"),
        ("{measure: audio, between: [caller]}", "measure audio is between two roles, like [caller, desk]"),
        ("{measure: audio, between: [desk, desk]}", "measure audio is between two roles, like [caller, desk]"),
        ("{measure: hears, role: desk}", "measure hears names its role and sound"),
        ("{measure: rtp}", "measure rtp names its role"),
        ("{measure: rtp, role: desk, fail: {moss: 1}}", "media has no 'moss'; did you mean 'mos'?"),
        ("{check: crd}", "check knows no 'crd'; did you mean 'cdr'?"),
        ("{check: why, role: desk, shows: x}", "check why needs `to`"),
        ("{check: voicemail, new: 1}", "check voicemail needs `box`"),
        ("{use: anwered}", "there is no fragment 'anwered'"),
        ("{use: f, with: {oops: 1}}", "with: there is no variable 'oops'"),
        ("{use: f, with: 3}", "with is a mapping of variables, not 3"),
        ("{wait: a while}", "wait: 'a while' is no length of time, like 3s or 200ms"),
        ("{repeat: lots, steps: [{note: x}]}", "repeat is a whole number up to 1000, not 'lots'"),
        ("{repeat: 2, steps: []}", "steps are a list with at least one step"),
        ("{human: press it}", "human needs `done_when` (an event that proves it) or `ask` (a question)"),
        ("a word", "a step is a mapping that begins with its verb, not 'a word'"),
    ],
)
def test_a_mistake_in_a_step_is_told_with_its_line_and_the_nearest_name(text, problem):
    line = 9 if "mapping that begins" in problem else 11
    assert f"p.yaml:{line}: {problem}" in step(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a\n- b\n", "p.yaml:1: a plan is a mapping that begins with `plan: 1`"),
        ("", "p.yaml:1: a plan is a mapping that begins with `plan: 1`"),
        (f"{HEAD}cases: []\n", "p.yaml:1: a plan has cases"),
        (f"{HEAD}cases: 3\n", "p.yaml:1: cases is a list"),
        (f"{HEAD}casses:\n{TALK}", "p.yaml:1: a plan has no 'casses'; did you mean 'cases'?"),
        (HEAD.replace("plan: 1", "plan: 2") + f"cases:\n{TALK}", "p.yaml:1: this reader knows `plan: 1`"),
        (HEAD.replace("2s", "later") + f"cases:\n{TALK}",
         "p.yaml:1: defaults within: 'later' is no length of time, like 3s or 200ms"),
        (HEAD.replace("within", "withn") + f"cases:\n{TALK}",
         "p.yaml:7: defaults has no 'withn'; did you mean 'within'?"),
        (HEAD.replace("can: [answer]", "kan: [answer]") + f"cases:\n{TALK}",
         "p.yaml:6: role desk has no 'kan'; did you mean 'can'?"),
        (HEAD.replace("[answer]", "[anwser]") + f"cases:\n{TALK}",
         "p.yaml:6: role desk: nothing can 'anwser'; did you mean 'answer'?"),
        (HEAD.replace("{can: [answer]}", "somebody") + f"cases:\n{TALK}",
         "p.yaml:1: role desk is a mapping like {can: [dial]}"),
        (HEAD.replace("{can: [answer]}", "{same_box: callr}") + f"cases:\n{TALK}",
         "p.yaml:9: role desk leans on role 'callr'; did you mean 'caller'?"),
        (HEAD.replace("{can: [answer]}", "{bind: each-devise}") + f"cases:\n{TALK}",
         "p.yaml:6: role desk: bind is once, each-device, each-model, not 'each-devise'; did you mean 'each-device'?"),
        (f"{HEAD}cases:\n  - {{steps: [{{note: x}}]}}\n", "p.yaml:9: a case is a mapping with an id"),
        (f"{HEAD}cases:\n{TALK}{TALK}", "p.yaml:20: case C01 stands twice"),
        (f"{HEAD}cases:\n  - {{id: C01}}\n", "p.yaml:9: steps are a list with at least one step"),
        (f"{HEAD}cases:\n  - {{id: C01, severity: fatal, steps: [{{note: x}}]}}\n",
         "p.yaml:9: severity 'fatal' is none of blocker, major, minor"),
        (f"{HEAD}cases:\n  - {{id: C01, on_fail: go on, steps: [{{note: x}}]}}\n",
         "p.yaml:9: on_fail is stop or continue, not 'go on'"),
        (f"{HEAD}cases:\n  - {{id: C01, timeout: 1 day, steps: [{{note: x}}]}}\n",
         "p.yaml:9: timeout: '1 day' is no length of time, like 3s or 200ms"),
        (f"{HEAD}cases:\n  - {{id: C01, retry: often, steps: [{{note: x}}]}}\n",
         "p.yaml:9: retry is a whole number up to 1000, not 'often'"),
        (f"{HEAD}fragments:\n  f: [{{use: f}}]\ncases:\n{TALK}", ""),
        (f"{HEAD}fragments:\n  f: [{{use: f}}]\ncases:\n  - {{id: C01, steps: [{{use: f}}]}}\n",
         "p.yaml:9: fragment 'f' uses itself"),
        ("plan: 1\n  id: [\n", "p.yaml:2: not YAML: mapping values are not allowed in this context"),
        ("plan: 1\nid: a\nid: b\n", "p.yaml:3: not YAML: 'id' stands twice here"),
        ("a: &x [1]\nb: *x\n", "p.yaml:2: not YAML: aliases are not allowed; use a fragment"),
        ("[" * 60 + "]" * 60, "p.yaml:1: not YAML: deeper than 40 levels"),
        ("[" * 100_000, "p.yaml:1: not YAML: exceeded maximum nesting depth"),
        ("a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "p.yaml:2: not YAML: aliases are not allowed; use a fragment"),
        ("? [a]\n: b\n", "p.yaml:1: not YAML: a name is a word"),
        ("a: b\n\x07", "p.yaml:2: not YAML: control characters are not allowed"),
        ("a: !!python/object:os.system x\n", "p.yaml:1: not YAML: could not determine a constructor for the tag "
         "'tag:yaml.org,2002:python/object:os.system'"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_plan_is_told_with_its_line(text, problem):
    if not problem:
        assert read_plan(text, "p.yaml", VERBS)
        return
    assert problem in problems(text)


def test_all_mistakes_are_told_at_once_each_once():
    text = f"{HEAD}cases:\n{ONE}{{expct: x}}\n      - {{do: caller.dail}}\n      - {{expect: call.upp}}\n"
    assert [line.split(":")[1] for line in problems(text)] == ["11", "12", "13"]


def test_the_error_has_four_parts(tmp_path):
    with pytest.raises(BadPlan) as found:
        load_plan(tmp_path / "none.yaml", VERBS)
    error = found.value
    assert error.happened == f"plan {tmp_path / 'none.yaml'} was not read: 1 problem"
    assert "No such file" in error.why
    assert error.remedy
    assert error.reference


@pytest.mark.parametrize(("raw", "why"), [(b"plan: \xff", "byte 6 is not UTF-8"), (b" " * 2_000_001, "larger than")])
def test_a_file_that_is_no_text_or_far_too_long_is_refused(tmp_path, raw, why):
    path = tmp_path / "plan.yaml"
    path.write_bytes(raw)
    with pytest.raises(BadPlan, match=why):
        load_plan(path, VERBS)


def test_on_and_off_are_words_and_true_is_true():
    plan = plan_of("  - {id: C01, serial: true, steps: [{do: pbx.dnd, extension: x, state: off}]}\n")
    assert plan.cases[0].steps[0].arguments["state"] == "off"
    assert plan.cases[0].serial


def test_all_mistakes_are_told_in_the_order_of_the_file():
    text = f"{HEAD}cases:\n  - {{id: C01, steps: [{{do: caller.dial, to: $dask.id}}]}}\n  - {{id: C01, stps: []}}\n"
    assert [problem.split(":")[1] for problem in problems(text)] == ["9", "10", "10", "10"]


def test_nested_mistakes_are_found_in_branches_repetitions_teardown_and_fragments():
    text = f"""{HEAD}fragments:
  f:
    - {{expect: call.upp}}
cases:
  - id: C01
    steps:
      - repeat: 2
        steps:
          - {{expect: call.uppp}}
      - parallel:
          - [{{expect: call.upppp}}]
      - {{use: f}}
    teardown:
      - {{do: pbx.rule, extension: x}}
"""
    assert [line.split(":")[1] for line in problems(text)] == ["10", "16", "18", "21"]


@pytest.mark.parametrize(
    ("text", "value"), [("3s", 3.0), ("200ms", 0.2), ("1m", 60.0), ("1.5h", 5400.0), (4, 4.0), (0.5, 0.5)]
)
def test_lengths_of_time(text, value):
    assert seconds(text) == pytest.approx(value)


def complaints(text: str) -> list[str]:
    try:
        read_plan(text, "p.yaml", VERBS)
    except BadPlan as bad:
        return bad.problems
    return []


@given(st.text(max_size=60))
def test_any_text_is_a_plan_or_a_complaint_with_a_line(text):
    assert all(problem.startswith("p.yaml:") for problem in complaints(text))


WORDS = [*VERBS, "where", "within", "count", "role", "between", "steps", "from", "to", "as"]
leaf = st.one_of(st.text(max_size=8), st.integers(-3, 3), st.none(), st.booleans(), st.lists(st.integers(), max_size=2))


@given(st.dictionaries(st.sampled_from(WORDS), leaf, max_size=4))
def test_a_step_of_anything_is_read_or_complained_of(item):
    body = yaml.safe_dump([{"id": "C01", "steps": [item]}])
    text = f"{HEAD}cases:\n" + "".join(f"  {line}\n" for line in body.splitlines())
    assert all(problem.startswith("p.yaml:") for problem in complaints(text))


def whole(text: str) -> list[str]:
    with pytest.raises(BadPlan) as bad:
        read_plan(text, "p.yaml", VERBS)
    return bad.value.problems


def test_a_case_of_another_plan_is_taken_with_its_own_variables_some_of_them_said_otherwise():
    text = """\
plan: 1
id: mine
include: {office: {attendant: "410"}}
cases:
  - {of: office/G01-open, id: G01, severity: blocker, tags: [first], holds: [the attendant]}
  - {of: "office/G02-*", without: [G02-sales]}
"""
    plan = read_plan(text, "p.yaml", VERBS)
    case = plan.cases[0]
    assert (case.id, case.number, case.severity, case.holds) == ("G01", "G01", "blocker", ("the attendant",))
    assert case.home is not None
    assert (case.home.variables["attendant"], case.home.variables["voicemail"]) == ("410", "5001")
    assert {other.id for other in plan.cases[1:]} == {
        "G02-user", "G02-mailbox", "G02-queue", "G02-urgent", "G02-submenu",
    }  # fmt: skip
    assert {other.number for other in plan.cases[1:]} == {"G02"}


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        ("include: {ofice: {}}", "p.yaml:1: there is no plan 'ofice' to include; did you mean 'office'?"),
        ("include: {../../etc/passwd: {}}", "p.yaml:1: include '../../etc/passwd': no name"),
        (
            "include: {office: {attendent: 1}}",
            "p.yaml:2: office has no variable 'attendent'; did you mean 'attendant'?",
        ),
    ],
)
def test_what_cannot_be_included_is_told(head, problem):
    assert problem in whole(f"plan: 1\n{head}\ncases:\n  - {{of: office/C01}}\n")


def test_a_case_that_another_plan_does_not_have_is_told_with_the_nearest():
    problems = whole("plan: 1\ninclude: {office: {}}\ncases:\n  - {of: office/C001}\n  - {of: ofice/C01}\n")
    assert problems == [
        "p.yaml:4: plan office has no case 'C001'; did you mean 'C01'?",
        "p.yaml:5: of: no plan 'ofice' is included; did you mean 'office'?",
    ]
