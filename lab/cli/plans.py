"""Reading the plan the user named, and what of it is wanted: without anything of the lab, so that it is quick."""

from __future__ import annotations

from pathlib import Path

from lab.errors import BAD_INPUT, FAILED, USAGE, UserError
from lab.terms import EVIDENCE, Terms
from test_plans.lint import lint
from test_plans.plan import SHIPPED, BadPlan, Plan, load_plan
from test_plans.playing import VERBS
from test_plans.report.document import Document
from test_plans.report.journal import read_any
from test_plans.selection import MOST_REPEATS, Selection, not_passed

_MOST_SHOWN = 20


def check(named: Path) -> int:
    """Say what is wrong with a plan; return the exit code."""
    plan = the_plan(named)
    found = lint(plan)
    for finding in found:
        print(finding.text(str(plan_file(named))))
    glyph, worse = ("✗", f", {len(found)} findings") if found else ("✓", "")
    print(f"{glyph} {named}: {len(plan.cases)} cases, {len(plan.later)} sub-cases left for later{worse}")
    return FAILED if found else 0


def plan_file(named: Path) -> Path:
    """Return the file meant: what was named, or one of the plans that come with the house."""
    ours = SHIPPED / f"{named}.yaml"
    return ours if not named.exists() and len(named.parts) == 1 and ours.exists() else named


def the_plan(named: Path) -> Plan:
    path = plan_file(named)
    try:
        return load_plan(path, VERBS)
    except BadPlan as error:
        shown = "\n           ".join(error.problems[:_MOST_SHOWN])
        if len(error.problems) > _MOST_SHOWN:
            shown += f"\n           and {len(error.problems) - _MOST_SHOWN} more"
        remedy = "mend the lines named and run `switchroom plan check`"
        if not path.is_file():
            ours = ", ".join(sorted(plan.stem for plan in SHIPPED.glob("*.yaml")))
            remedy = f"name a plan file, or one that comes with the house: {ours}"
        raise UserError(f"the plan {named} cannot be run", shown, remedy, "README, plans", BAD_INPUT) from None


def the_terms(tester: str, step: bool, evidence: str) -> Terms:
    if evidence not in EVIDENCE:
        raise UserError(
            f"--evidence {evidence!r} is not understood", "evidence is kept of all cases, failed ones or none",
            f"one of {', '.join(EVIDENCE)}", "switchroom run --help", USAGE,
        )  # fmt: skip
    return Terms(tester[:80], step, evidence)


def the_earlier(named: Path, plan: Plan) -> Document:
    """Return the run that is to be resumed; refuses what is none, and one of another plan."""
    try:
        it = read_any(named.read_text("utf-8", "replace"))
    except (OSError, ValueError) as error:
        why = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise _cannot_resume(named, why) from None
    if it["plan"] != plan.id:
        raise _cannot_resume(named, f"it is of plan {it['plan']!r}, not of {plan.id!r}")
    if it["plan_sha256"] != plan.sha256:
        raise _cannot_resume(named, f"plan {plan.id} has changed since: half of the cases would be of another plan")
    return it


def _cannot_resume(named: Path, why: str) -> UserError:
    return UserError(
        f"{named} cannot be resumed", why, "name what `switchroom run --jsonl` or `--json` wrote of the same plan",
        "switchroom run --help", BAD_INPUT,
    )  # fmt: skip


def the_selection(
    plan: Plan, containing: str, tag: str, without: str, shuffle: int | None, repeat: int, rerun: Path | None
) -> Selection:
    """Return which cases are run; refuses what picks none of the plan's."""
    if not 1 <= repeat <= MOST_REPEATS:
        raise UserError(
            f"--repeat {repeat} is not possible", f"a plan is run 1 to {MOST_REPEATS} times", "name such a number",
            "switchroom run --help", USAGE,
        )  # fmt: skip
    if containing and not any(containing in case.id for case in plan.cases):
        raise UserError(
            f"there is no case to run for -k {containing!r}", f"no id of a case of {plan.id} contains it",
            f"one of {', '.join(case.id for case in plan.cases[:6])} …", "switchroom run --help", USAGE,
        )  # fmt: skip
    tags = sorted({tag for case in plan.cases for tag in case.tags})
    for option, wanted in (("--tag", tag), ("--without", without)):
        if wanted and wanted not in tags:
            raise UserError(
                f"there is no case for {option} {wanted!r}", f"no case of {plan.id} has it",
                f"one of {', '.join(tags) or 'none: this plan has no tags'}", "switchroom run --help", USAGE,
            )  # fmt: skip
    return Selection(containing, tag, _not_passed(rerun), shuffle=shuffle, repeat=repeat, without=without)


def _not_passed(results: Path | None) -> frozenset[str] | None:
    if results is None:
        return None
    try:
        return not_passed(results.read_text("utf-8"))
    except (OSError, ValueError) as error:
        why = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise UserError(
            f"{results} is no report to run again", why, "name a file that `switchroom run --json` wrote",
            "switchroom run --help", BAD_INPUT,
        ) from None  # fmt: skip
