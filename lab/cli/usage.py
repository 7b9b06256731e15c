"""What the command-line parser refuses, said in four parts and with the nearest name."""

from __future__ import annotations

from typer.exceptions import TyperException

from lab.errors import USAGE, UserError


def usage_error(error: TyperException) -> UserError:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "switchroom"
    why = " ".join(error.format_message().split())
    return UserError(
        f"`{command}` was not understood", why, f"see what it takes: {command} --help", "README, exit codes", USAGE
    )
