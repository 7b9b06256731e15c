"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

# typer reads annotations itself and wants Optional: UP045 does not apply here.
Seed = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--seed", help="Domain to load; the office of the lab without it. Setting lab.seed."),
]
Against = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--against", help="Ready file of a running switchroom, or the URL of its console."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Assignments = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--set", metavar="NAME=VALUE", help="Any setting, as often as needed: `switchroom config show`."),
]
Number = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--number", help="Seed of chance in virtual time. Setting lab.number."),
]
