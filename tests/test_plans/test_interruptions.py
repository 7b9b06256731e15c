"""Runs that are ended before their time, by hand, by a crash, or taken one by one: what they prove, and going on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.journal_file import JournalFile
from pbx.events import DeviceUnregistered, OverloadBegan, OverloadEnded
from test_plans.remaining import Remaining, in_words
from test_plans.report.document import document, exit_code, is_passed
from test_plans.report.documents import write
from test_plans.report.html import html
from test_plans.report.journal import Journal, opening, over, read_any, recalled
from test_plans.report.junit import junit
from test_plans.report.markdown import markdown
from test_plans.runner import GO, LEAVE_OUT, STOP, Runner
from test_plans.selection import Selection
from tests.test_plans.toy_office import TALK, ToyBench, plan_of, run

THREE = "".join(TALK.replace("C01", f"C0{at}") for at in (1, 2, 3))


class Held:
    """A runner on a toy office, moved by hand."""

    def __init__(self, cases: str, *, one_by_one: bool = False, only=lambda case: True) -> None:
        self.bench, self.lines, self.news = ToyBench(), [], []
        journal = Journal(self.lines.append)
        self.runner = Runner(
            self.bench, plan_of(cases), side_by_side=1, one_by_one=one_by_one, progress=journal.told, only=only
        )
        journal.begin(self.runner.result)
        self.bench.bus.subscribe(self.news.append)
        self.runner.start()
        self.journal = journal

    def until(self, holds) -> None:
        while not holds():
            assert self.bench.mono < 600, "it hangs"
            while self.news:
                self.runner.feed(self.news.pop(0))
            self.runner.tick()
            if not self.news and not self.runner.done and self.runner.waiting is None:
                self.bench.pass_until(self.runner.deadline)

    def in_the_second_case(self) -> None:
        self.until(lambda: sum('"line": "started"' in line for line in self.lines) == 2 and self.bench.left["calls"])

    @property
    def verdicts(self) -> list[str]:
        return [case.verdict for case in self.runner.result.cases]


def test_a_run_that_is_stopped_breaks_off_what_goes_on_and_clears_it_up():
    held = Held(THREE)
    held.in_the_second_case()
    held.runner.stop("by hand")
    held.until(lambda: held.runner.done)
    assert held.verdicts == ["passed", "blocked", "skipped"]
    assert [case.reason for case in held.runner.result.cases[1:]] == ["broken off: by hand", "not begun: by hand"]
    assert held.bench.left == {"calls": 0}
    assert (held.runner.result.passed, held.runner.result.exit_code) == (False, 5)


def test_a_run_that_is_aborted_is_whole_at_once_and_passes_nothing_that_was_not_over():
    held = Held(THREE)
    held.in_the_second_case()
    held.runner.abort("the process was ended")
    assert held.runner.done
    assert held.verdicts == ["passed", "blocked", "skipped"]
    it = document(held.runner.result)
    assert (it["state"], is_passed(it), exit_code(it)) == ("interrupted", False, 5)


def test_teardown_is_taken_when_a_run_is_stopped():
    taken = THREE.replace("      - {check: cdr", "      - {wait: 5s, because: it is long}\n      - {check: cdr", 3)
    held = Held(taken.replace("    steps:", "    teardown: [{do: pbx.restart}]\n    steps:"))
    held.in_the_second_case()
    held.runner.stop("by hand")
    held.until(lambda: held.runner.done)
    assert [what for what, _ in held.bench.operations] == ["restart", "restart"]


# --- the journal --------------------------------------------------------------------------------------


def whole(held: Held) -> list[str]:
    held.until(lambda: held.runner.done)
    held.journal.end(held.runner.result)
    return held.lines


def test_the_journal_of_a_whole_run_is_its_document():
    held = Held(THREE)
    assert recalled(whole(held)) == json.loads(json.dumps(document(held.runner.result)))


def test_a_journal_without_its_end_is_a_partial_report_that_passes_nothing_it_did_not_see():
    held = Held(THREE)
    held.in_the_second_case()
    it = recalled([*held.lines, '{"line": "case", "case": {"id": "C02", "verd'])
    assert [case["verdict"] for case in it["cases"]] == ["passed", "error", "skipped"]
    assert "killed" in it["cases"][1]["reason"]
    assert (it["state"], is_passed(it), over(it)) == ("interrupted", False, {"C01"})
    assert "Interrupted" in html(it)
    assert "**Interrupted**" in markdown(it)
    assert 'errors="1"' in junit(it)


def test_a_run_that_is_resumed_runs_the_rest_and_is_one_report():
    first = Held(THREE)
    first.in_the_second_case()
    earlier = recalled(first.lines)
    rest = Held(THREE, only=Selection(done=over(earlier)).takes)
    lines = whole(rest)
    it = recalled([*opening(lines[0], earlier), *lines[1:]])
    assert [(case["id"], case["verdict"]) for case in it["cases"]] == [(f"C0{at}", "passed") for at in (1, 2, 3)]
    assert is_passed(it)
    assert it["seconds"] == pytest.approx(earlier["seconds"] + rest.runner.result.seconds)


@pytest.mark.parametrize("text", ["", "{}", "[1]", "nonsense", '{"line": "case"}', '{"line": "run", "version": 1}'])
def test_what_is_no_report_is_refused(text):
    with pytest.raises(ValueError, match=r"\w"):
        read_any(text)


def test_reports_and_journals_are_read_alike():
    lines = whole(Held(TALK))
    assert read_any("\n".join(lines)) == read_any(json.dumps(recalled(lines)))


# --- one by one ---------------------------------------------------------------------------------------


def test_each_case_waits_until_somebody_says_what_becomes_of_it():
    held = Held(THREE, one_by_one=True)
    asked = []
    for answer in (GO, LEAVE_OUT, STOP):
        held.until(lambda: held.runner.waiting is not None)
        asked.append(held.runner.waiting.id)
        held.runner.decide(answer)
    held.until(lambda: held.runner.done)
    assert asked == ["C01", "C02", "C03"]
    assert held.verdicts == ["passed", "skipped", "skipped"]
    assert held.runner.result.cases[1].over is False


# --- what the product is not to blame for -------------------------------------------------------------


def test_a_phone_that_leaves_in_the_middle_of_a_case_blocks_it_and_the_next_starts_clean():
    bench = ToyBench("rings nobody")
    plan = plan_of(TALK)
    bench.after(0.05, lambda: bench.publish(DeviceUnregistered("12", "12", "sip:12@10.0.0.1")))
    (case,) = run(plan, bench).cases
    assert case.verdict == "blocked"
    assert case.reason.startswith("12 <desk> lost its registration in the middle of it: no call.ringing")


ANSWERED = """  - id: C01
    title: It is answered
    steps:
      - {do: caller.dial, to: $desk.extension}
      - {expect: call.ringing, where: {role: desk}}
      - STEP
    teardown:
      - {do: pbx.empty_mailbox, box: $desk.extension}
  - {id: C02, title: The next, steps: [{do: caller.dial, to: $desk.extension}, {expect: call.ringing}]}
"""


def leaves(bench: ToyBench) -> None:
    bench.after(0.5, lambda: bench.publish(DeviceUnregistered("12", "12", "sip:12@10.0.0.1")))


def refuses(bench: ToyBench) -> None:
    bench.faults.add("refuses control")
    bench.device("12").patience_s = 10.0


def walks_away(bench: ToyBench) -> None:
    bench.person = lambda bench, request: None


@pytest.mark.parametrize(
    ("wrong", "step", "reason"),
    [
        (leaves, "{expect: call.up, within: 2s}", "12 <desk> lost its registration in the middle of it"),
        (refuses, "{do: desk.answer}", "desk.answer: 12 does not let us control it (403)"),
        (walks_away, "{human: Answer it, done_when: call.up, timeout: 20s}", "nobody did or answered it within 20 s"),
    ],
)
def test_what_a_phone_or_a_person_spoils_is_blocked_its_teardown_is_taken_and_the_next_starts_clean(
    wrong, step, reason
):
    bench = ToyBench()
    wrong(bench)
    first, second = run(plan_of(ANSWERED.replace("STEP", step)), bench).cases
    assert first.verdict == "blocked"
    assert reason in first.reason
    assert bench.operations == [("empty_mailbox", {"box": "12"})]
    assert second.verdict == "passed"
    assert not bench.left["calls"]


def test_what_the_switch_turned_away_for_want_of_time_is_tried_again_once_it_has_time():
    bench = ToyBench("rings nobody")
    bench.virtual = False
    bench.after(0.1, lambda: bench.publish(OverloadBegan(301)))
    bench.after(9.0, lambda: bench.faults.clear())
    bench.after(10.0, lambda: bench.publish(OverloadEnded(7)))
    (case,) = run(plan_of(TALK), bench).cases
    assert (case.verdict, case.attempts) == ("passed", 1), "no flaw of the product"
    (why,) = case.earlier
    assert why.startswith("this machine had too much to do, the switch was 301 ms late: no call.ringing")
    assert case.started is not None
    assert case.started.mono >= 10.0, "nothing begins meanwhile"


def test_a_machine_that_never_has_time_blocks():
    bench = ToyBench("rings nobody")
    bench.virtual = False
    for at in range(60):
        bench.after(at + 0.1, lambda: bench.publish(OverloadBegan(301)))
        bench.after(at + 0.2, lambda: bench.publish(OverloadEnded(7)))
    (case,) = run(plan_of(TALK), bench).cases
    assert (case.verdict, len(case.earlier)) == ("blocked", 2)


def test_attempts_before_the_last_are_told_with_why_they_failed():
    bench = ToyBench("rings nobody")
    bench.after(1.5, bench.faults.clear)
    (case,) = run(plan_of(TALK.replace("    steps:", "    retry: 2\n    steps:")), bench).cases
    assert case.verdict == "flaky"
    assert [why.partition(" within")[0] for why in case.earlier] == ["no call.ringing"] * (case.attempts - 1)
    assert case.attempts > 1


# --- how long it may still take -----------------------------------------------------------------------


def test_what_is_left_follows_from_the_run_before_and_the_pace_of_this_one():
    left = Remaining(["A", "B", "C"], {"A": 10.0, "B": 20.0, "C": 30.0})
    assert left.left_s(0.0) == 60.0
    left.over("A", 5.0)
    assert left.left_s(5.0) == 25.0  # twice as fast as before
    assert (left.cases, in_words(25.0), in_words(700.0)) == (2, "about 25 s left", "about 12 min left")


# --- a disk that is full ------------------------------------------------------------------------------


def test_a_full_disk_ends_the_journal_and_not_the_run_and_leaves_the_old_report(tmp_path):
    file = JournalFile(Path("/dev/full"))
    file.say("first")
    file.say("second")
    file.close()
    assert file.problem == "No space left on device"
    it = recalled(whole(Held(TALK)))
    (tmp_path / "report.html").write_text("the one before")
    (tmp_path / ".report.html.part").symlink_to("/dev/full")
    problem = write(it, {"report.html": tmp_path / "report.html", "summary.md": tmp_path / "summary.md"})
    assert problem == f"{tmp_path / 'report.html'}: No space left on device"
    assert (tmp_path / "report.html").read_text() == "the one before"
    assert "passed" in (tmp_path / "summary.md").read_text()
