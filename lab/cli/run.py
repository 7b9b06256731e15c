"""`run`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.cli.inputs import SEEDS, switch_settings, the_seed
from lab.cli.outputs import look_at, write_all
from lab.cli.plans import plan_file, the_plan
from lab.collector import what_stands_stays
from lab.errors import USAGE, UserError
from pbx.settings import Settings
from test_plans.model import Plan
from test_plans.report.console import case_line, summary
from test_plans.report.html import html
from test_plans.report.junit import junit
from test_plans.report.markdown import markdown
from test_plans.report.results import results
from test_plans.selection import Selection
from test_plans.verdicts import CaseResult, RunResult


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where the documents of a run go; None for those not asked for."""

    results: Path | None = None
    junit: Path | None = None
    html: Path | None = None
    markdown: Path | None = None

    def paths(self) -> tuple[Path | None, ...]:
        return self.results, self.junit, self.html, self.markdown


def run_there_or_virtually(
    named: Path,
    settings: Settings,
    virtual: bool,
    against: Path | None,
    select: Callable[[Plan], Selection],
    wanted: Wanted,
    *,
    dry: bool = False,
) -> int:
    """Run a plan, or with `dry` only say what would be done; return the exit code."""
    plan = the_plan(named)
    selection = select(plan)
    if virtual == (against is not None):
        raise UserError(
            "a plan needs one place to run",
            "both --virtual and --against were given" if virtual else "neither --virtual nor --against was given",
            "say --virtual, or start `switchroom up --ready-file F` and say --against F",
            "switchroom run --help",
            USAGE,
        )
    if selection.cases == frozenset():
        print("result   PASSED before: there is nothing to run again")
        return 0
    look_at(wanted.paths())
    if against is not None:
        from lab.cli.remote import preview_there, run_there

        if dry:
            return preview_there(against, plan_file(named), selection)
        return run_there(against, plan_file(named), selection, wanted)
    from lab.rehearsal import booted_world, previewed, rehearse

    chosen = settings.lab.seed or (SEEDS / f"{plan.seed}.yaml" if plan.seed else None)
    seed, sip, number = the_seed(chosen), switch_settings(settings), settings.lab.number
    plan, only = selection.arrange(plan), selection.takes
    if dry:
        for line in previewed(booted_world(seed, number, sip=sip), plan, number=number, only=only):
            print(line)
        return 0
    what_stands_stays()
    result = rehearse(plan, seed, number=number, only=only, progress=print_case, sip=sip)
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
        (wanted.markdown, lambda: markdown(result)),
    ]
    write_all({path: text() for path, text in documents if path is not None})
