"""`run` and `plan check`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.cli.inputs import chosen_cases, plan_file, switch_settings, the_plan, the_seed
from lab.cli.outputs import look_at, write_all
from lab.errors import FAILED, USAGE, UserError
from pbx.settings import Settings
from test_plans.lint import lint
from test_plans.report.console import case_line, summary
from test_plans.report.html import html
from test_plans.report.junit import junit
from test_plans.report.results import results
from test_plans.verdicts import CaseResult, RunResult


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where the documents of a run go; None for those not asked for."""

    results: Path | None = None
    junit: Path | None = None
    html: Path | None = None

    def paths(self) -> tuple[Path | None, ...]:
        return self.results, self.junit, self.html


def run_there_or_virtually(
    named: Path, settings: Settings, virtual: bool, against: Path | None, only: str, wanted: Wanted
) -> int:
    plan = the_plan(named)
    cases = chosen_cases(plan, only)
    if virtual == (against is not None):
        raise UserError(
            "a plan needs one place to run",
            "both --virtual and --against were given" if virtual else "neither --virtual nor --against was given",
            "say --virtual, or start `switchroom up --ready-file F` and say --against F",
            "switchroom run --help",
            USAGE,
        )
    look_at(wanted.paths())
    if against is not None:
        from lab.cli.remote import run_there

        return run_there(against, plan_file(named), only, wanted)
    from lab.rehearsal import rehearse

    seed, sip = the_seed(settings.lab.seed), switch_settings(settings)
    result = rehearse(plan, seed, number=settings.lab.number, only=cases, progress=print_case, sip=sip)
    write(result, wanted)
    print(summary(result))
    print("result   PASSED" if result.passed else "result   NOT PASSED")
    return result.exit_code


def print_case(result: CaseResult, what: str) -> None:
    if what == "done":
        print(case_line(result), flush=True)


def write(result: RunResult, wanted: Wanted, other: RunResult | None = None) -> None:
    documents: list[tuple[Path | None, Callable[[], str]]] = [
        (wanted.results, lambda: results(result)),
        (wanted.junit, lambda: junit(result)),
        (wanted.html, lambda: html(result, other)),
    ]
    write_all({path: text() for path, text in documents if path is not None})


def check(named: Path) -> int:
    plan = the_plan(named)
    found = lint(plan)
    for finding in found:
        print(finding.text(str(plan_file(named))))
    glyph, worse = ("✗", f", {len(found)} findings") if found else ("✓", "")
    print(f"{glyph} {named}: {len(plan.cases)} cases, {len(plan.later)} sub-cases left for later{worse}")
    return FAILED if found else 0
