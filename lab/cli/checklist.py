"""`plan import`."""

from __future__ import annotations

from pathlib import Path

from lab.cli.outputs import look_at, write_all
from lab.errors import BAD_INPUT, UserError
from test_plans.checklist import BadChecklist, plan_of, read_checklist

_MOST_SHOWN = 20


def import_checklist(table: Path, out: Path | None) -> None:
    """Turn a CSV checklist into a guided plan; print it, or write it to `out`."""
    try:
        rows = read_checklist(table.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise _refused(table, [f"byte {error.start} is not UTF-8"]) from None
    except OSError as error:
        raise _refused(table, [error.strerror or str(error)]) from None
    except BadChecklist as error:
        raise _refused(table, error.problems) from None
    plan = plan_of(rows, table.stem, table.stem.replace("-", " ").replace("_", " ").capitalize())
    if out is None:
        print(plan, end="")
        return
    look_at([out])
    write_all({out: plan})
    print(f"✓ {out}: {len(rows)} cases, each done and answered by a person; check it: switchroom plan check {out}")


def _refused(table: Path, problems: list[str]) -> UserError:
    shown = "\n           ".join(problems[:_MOST_SHOWN])
    if len(problems) > _MOST_SHOWN:
        shown += f"\n           and {len(problems) - _MOST_SHOWN} more"
    return UserError(
        f"{table} is no checklist", shown, "save it as CSV in UTF-8 with columns number, item, expected",
        "switchroom plan import --help", BAD_INPUT,
    )  # fmt: skip
