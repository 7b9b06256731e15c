"""`run`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from lab.cli.inputs import SEEDS, switch_settings, the_seed
from lab.cli.outputs import look_at
from lab.cli.plans import plan_file, the_earlier, the_plan
from lab.errors import INTERRUPTED, NO_START, OUR_FAULT, USAGE, UserError
from lab.evidence.archive import brought
from lab.journal_file import JournalFile
from lab.terms import BY_HAND, Terms
from pbx.settings import Settings
from pbx.standing import what_stands_stays
from test_plans.model import Case, Plan
from test_plans.report import documents
from test_plans.report.console import case_line, summary
from test_plans.report.document import Document, exit_code, is_passed
from test_plans.report.journal import opening, over, recalled
from test_plans.selection import Selection
from test_plans.verdicts import CaseResult


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where the documents of a run go; None for those not asked for."""

    results: Path | None = None
    junit: Path | None = None
    html: Path | None = None
    markdown: Path | None = None
    journal: Path | None = None
    """Lines, while the run goes on."""

    def paths(self) -> tuple[Path | None, ...]:
        return self.results, self.junit, self.html, self.markdown, self.journal

    def forms(self) -> dict[str, Path]:
        named = {
            "results.json": self.results, "junit.xml": self.junit, documents.REPORT: self.html,
            "summary.md": self.markdown,
        }  # fmt: skip
        return {name: path for name, path in named.items() if path is not None}


def run_there_or_virtually(
    named: Path,
    settings: Settings,
    virtual: bool,
    against: Path | None,
    select: Callable[[Plan], Selection],
    wanted: Wanted,
    terms: Terms,
    *,
    dry: bool = False,
    resume: Path | None = None,
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
    earlier = the_earlier(resume, plan) if resume is not None else None
    if earlier is not None:
        selection = replace(selection, done=over(earlier))
    if selection.cases == frozenset():
        print("result   PASSED before: there is nothing to run again")
        return 0
    if dry:
        return _previewed(plan, named, settings, against, selection)
    look_at(wanted.paths())
    lines: list[str] = []
    file = JournalFile(wanted.journal) if wanted.journal is not None else None

    def say(line: str) -> None:
        for one in [line] if lines else opening(line, earlier):
            lines.append(one)
            if file is not None:
                file.say(one)

    fault = ""
    try:
        beside = wanted.html.parent if wanted.html is not None else None
        if against is None:
            _virtually(plan, settings, selection, terms, say, beside)
        else:
            from lab.cli.remote import run_there

            fault = run_there(against, plan_file(named), selection, terms, say, beside)
    finally:
        if file is not None:
            file.close()
            if file.problem:
                print(f"⚠ {wanted.journal} could not be kept: {file.problem}", file=sys.stderr)
        code = tell(recalled(lines), wanted, resume) if lines else OUR_FAULT
    if fault and code != INTERRUPTED:
        raise UserError("the run ended by a fault", fault, "see the log of `up`", "README, runs", OUR_FAULT)
    return code


def tell(it: Document, wanted: Wanted, of: Path | None = None) -> int:
    """Say what came of a run, and write what was asked for; return the exit code.

    `of` is the file it was read from, wholly or in part, which has its evidence beside.
    """
    print(summary(it))
    if wanted.html is not None:
        brought(it, wanted.html.parent, (of or wanted.html).parent)
    problem = documents.write(it, wanted.forms())
    print(f"result   {'PASSED' if is_passed(it) else 'INTERRUPTED' if it['interrupted'] else 'NOT PASSED'}")
    if problem:
        raise UserError(
            "a document of the run could not be written", problem, "make room, and run it again with --resume",
            "README, exit codes", NO_START,
        )  # fmt: skip
    return INTERRUPTED if it["interrupted"] == BY_HAND else exit_code(it)


def print_case(result: CaseResult, what: str) -> None:
    if what == "done":
        print(case_line(result), flush=True)


def _previewed(plan: Plan, named: Path, settings: Settings, against: Path | None, selection: Selection) -> int:
    if against is not None:
        from lab.cli.remote import preview_there

        return preview_there(against, plan_file(named), selection)
    from lab.rehearsal import booted_world, previewed

    number, sip = settings.lab.number, switch_settings(settings)
    world = booted_world(the_seed(_seed_of(plan, settings)), number, sip=sip)
    for line in previewed(world, selection.arrange(plan), number=number, only=selection.takes):
        print(line)
    return 0


def _virtually(
    plan: Plan,
    settings: Settings,
    selection: Selection,
    terms: Terms,
    say: Callable[[str], None],
    beside: Path | None,
) -> None:
    """Run here; evidence goes into a folder `beside` the page, nowhere without one."""
    from lab.chronicle import Chronicle, Kept
    from lab.evidence.bundle import Bundle
    from lab.evidence.keeper import Keeper, Sources
    from lab.rehearsal import booted_world, office_of, run_plan
    from lab.shell import RealClock
    from lab.world import SWITCH

    number = settings.lab.number
    what_stands_stays()
    world = booted_world(the_seed(_seed_of(plan, settings)), number, sip=switch_settings(settings))

    def keep(bundle: Bundle, kept: Kept) -> None:
        assert beside is not None, "there is a keeper only with a folder"
        kept(*bundle.write(beside))

    keeper = Keeper(world, Sources(lambda transport: SWITCH, office_of(world))) if beside is not None else None
    chronicle = Chronicle(world, say, RealClock().now, terms, keeper=keeper, keep=keep)

    def progress(result: CaseResult, what: str) -> None:
        chronicle.told(result, what)
        print_case(result, what)

    def decide(case: Case) -> str:
        from lab.cli.stepping import asked_of

        return asked_of(f"{case.id} {case.title}")

    with interruptible() as stopped:
        result = run_plan(
            world, selection.arrange(plan), number=number, only=selection.takes, progress=progress,
            begun=chronicle.begin, stopped=stopped, decide=decide if terms.one_by_one else None,
        )  # fmt: skip
    chronicle.end(result)


def _seed_of(plan: Plan, settings: Settings) -> Path | None:
    return settings.lab.seed or (SEEDS / f"{plan.seed}.yaml" if plan.seed else None)


@contextmanager
def interruptible() -> Iterator[Callable[[], str]]:
    """Let the first Ctrl-C or SIGTERM be asked for: why the run is to end, empty until then. The second ends all."""
    asked = ""

    def noted(number: int, frame: object) -> None:
        nonlocal asked
        asked = BY_HAND
        for one in numbers:
            signal.signal(one, signal.default_int_handler)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, noted) for number in numbers]
    try:
        yield lambda: asked
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
