"""The commands of `users`: the spreadsheet of a customer that is being onboarded, against a running switchroom."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from lab.cli.options import Against, AsJson

users_app = typer.Typer(help="The spreadsheet of users of a customer that is being onboarded.", no_args_is_help=True)
OfDomain = Annotated[str, typer.Argument(help="Domain that is being onboarded.")]


@users_app.command("sheet")
def users_sheet(
    domain: OfDomain,
    out: Annotated[Path, typer.Argument(help="File to write, by its name CSV or XLSX.")],
    against: Against = None,
) -> None:
    """Fetch the sheet, with whoever is on the form already."""
    from lab.cli.users import sheet

    print(sheet(against, domain, out))


@users_app.command("import")
def users_import(
    domain: OfDomain,
    table: Annotated[Path, typer.Argument(help="CSV file or spreadsheet; `switchroom users sheet` fetches one.")],
    dry: Annotated[bool, typer.Option("--dry-run", help="Only say what would come of it.")] = False,
    named: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--map", metavar="HEADING=COLUMN", help="What a column is, as often as needed; HEADING= is out."),
    ] = None,
    against: Against = None,
    as_json: AsJson = False,
) -> None:
    """Take in a filled sheet: the good rows count, the others are named; exit code 1 when there are such."""
    from lab.cli.users import imported

    text, well = imported(against, domain, table, named or [], dry=dry, as_json=as_json)
    print(text)
    if not well:
        raise typer.Exit(1)


@users_app.command("undo")
def users_undo(domain: OfDomain, against: Against = None) -> None:
    """Take the newest import back."""
    from lab.cli.users import undone

    print(undone(against, domain))
