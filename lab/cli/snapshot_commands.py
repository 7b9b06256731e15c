"""`switchroom snapshot …` and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

snapshot_app = typer.Typer(help="What a data folder holds, as one file.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="The snapshot, a file: copy it where it is needed.")]
Data = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--data", help="The data folder of `up`. Setting store.folder."),
]


@snapshot_app.command("save")
def snapshot_save(file: File, data: Data = None) -> None:
    """Save what a data folder holds at this moment; a running switchroom goes on."""
    from lab.cli.snapshots import save_snapshot

    print(save_snapshot(file, data))


@snapshot_app.command("restore")
def snapshot_restore(file: File, data: Data = None) -> None:
    """Go back to a snapshot, while no switchroom runs there; what was there is kept in a folder beside."""
    from lab.cli.snapshots import restore_snapshot

    print(restore_snapshot(file, data))


@snapshot_app.command("show")
def snapshot_show(file: File) -> None:
    """Say when a snapshot was taken, by what, and how large it is."""
    from lab.cli.snapshots import show_snapshot

    print(show_snapshot(file))
