"""`report` and `runs diff`."""

from __future__ import annotations

from pathlib import Path

from lab.cli.outputs import look_at
from lab.cli.run import Wanted, tell
from lab.errors import BAD_INPUT, FAILED, UserError
from test_plans.comparison import Cases, cases_of, changes
from test_plans.report.journal import read_any


def report(of: Path, wanted: Wanted) -> int:
    """Say what came of a run, from its report or its journal, and write what is asked for; return its exit code."""
    try:
        it = read_any(of.read_text("utf-8", "replace"))
    except (OSError, ValueError) as error:
        raise _refused(of, (isinstance(error, OSError) and error.strerror) or str(error)) from None
    look_at(wanted.paths())
    return tell(it, wanted, of)


def compare(before: Path, after: Path) -> int:
    """Print what changed from one report to the other; return 1 when something became worse."""
    found = changes(_cases(before), _cases(after))
    for change in found:
        print(change.text())
    worse = sum(change.worse for change in found)
    print(
        f"{len(found)} change{'s'[: len(found) != 1]}, {worse} for the worse" if found else "the same verdicts in both"
    )
    return FAILED if worse else 0


def _cases(path: Path) -> Cases:
    try:
        return cases_of(path.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise _refused(path, f"byte {error.start} is not UTF-8") from None
    except (OSError, ValueError) as error:
        raise _refused(path, (isinstance(error, OSError) and error.strerror) or str(error)) from None


def _refused(path: Path, why: str) -> UserError:
    return UserError(
        f"{path} is no report", why, "name files that `switchroom run --json` or `--jsonl` wrote",
        "switchroom runs --help", BAD_INPUT,
    )  # fmt: skip
