"""`run` and `plan check`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lab.cli.inputs import the_plan, the_seed
from lab.errors import FAILED, USAGE, UserError
from test_plans.lint import lint
from test_plans.report.console import case_line, summary
from test_plans.report.html import html
from test_plans.report.junit import junit
from test_plans.report.results import results
from test_plans.verdicts import CaseResult, RunResult


def run_command(
    plan_file: Path,
    seed: Path | None,
    virtual: bool,
    against: Path | None,
    only: str,
    number: int,
    json_file: Path | None,
    junit_file: Path | None,
    html_file: Path | None,
) -> int:
    plan = the_plan(plan_file)
    if against is not None:
        from lab.cli.remote import run_there

        return run_there(against, plan_file, only, json_file, junit_file, html_file)
    if not virtual:
        raise UserError(
            "a plan needs a place to run",
            "neither --virtual nor --against was given",
            "add --virtual, or start `switchroom up --ready-file F` and add --against F",
            "switchroom run --help",
            USAGE,
        )
    from lab.rehearsal import rehearse

    result = rehearse(plan, the_seed(seed), number=number, only=lambda case: only in case.id, progress=print_case)
    write(result, json_file, junit_file, html_file)
    print(summary(result))
    print("result   PASSED" if result.passed else "result   NOT PASSED")
    return result.exit_code


def print_case(result: CaseResult, what: str) -> None:
    if what == "done":
        print(case_line(result), flush=True)


def write(
    result: RunResult,
    json_file: Path | None,
    junit_file: Path | None,
    html_file: Path | None,
    other: RunResult | None = None,
) -> None:
    documents: list[tuple[Path | None, Callable[[], str]]] = [
        (json_file, lambda: results(result)),
        (junit_file, lambda: junit(result)),
        (html_file, lambda: html(result, other)),
    ]
    for path, text in documents:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text(), "utf-8")


def check(plan_file: Path) -> int:
    plan = the_plan(plan_file)
    found = lint(plan)
    for finding in found:
        print(finding.text(str(plan_file)))
    glyph, worse = ("✗", f", {len(found)} findings") if found else ("✓", "")
    print(f"{glyph} {plan_file}: {len(plan.cases)} cases, {len(plan.later)} sub-cases left for later{worse}")
    return FAILED if found else 0
