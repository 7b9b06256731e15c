"""`completion`: the script by which a shell asks `switchroom` itself what may come next."""

from __future__ import annotations

from enum import StrEnum

import typer
from typer.completion import shell_complete


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def print_script(app: typer.Typer, shell: Shell) -> None:
    shell_complete(typer.main.get_command(app), {}, "switchroom", "_SWITCHROOM_COMPLETE", f"source_{shell}")
