"""`switchroom faults …`: the commands and their options."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from lab.cli.options import Against, AsJson

faults_app = typer.Typer(help="Bad lines, on purpose, of a running switchroom's own phones.", no_args_is_help=True)
Link = Annotated[str, typer.Argument(help="everybody, 'site NAME' or 'phone DEVICE'.")]


@faults_app.command("ls")
def faults_ls(against: Against = None, as_json: AsJson = False) -> None:
    """List what ails which link, with counters, and the presets there are."""
    from lab.cli.faults import listed

    print(listed(against, as_json=as_json))


@faults_app.command("set")
def faults_set(
    link: Link,
    figures: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="FIGURE=VALUE", help="loss=3 both ways, to.delay_ms=40 or from.jitter_ms=20 one way."),
    ] = None,
    preset: Annotated[str, typer.Option("--preset", help="A network by its name, instead of figures.")] = "",
    minutes: Annotated[Optional[int], typer.Option("--minutes", min=1, help="End it by itself.")] = None,  # noqa: UP045
    against: Against = None,
) -> None:
    """Let a link be bad from now on: delay_ms, jitter_ms, loss and duplication in percent, kbit_s."""
    from lab.cli.faults import put

    print(put(against, link, preset, figures or (), minutes))


@faults_app.command("drop")
def faults_drop(
    link: Link,
    count: Annotated[int, typer.Argument(min=1, max=1000)],
    method: Annotated[str, typer.Argument(help="INVITE, REGISTER, …; SIP/2.0 for answers; nothing for any.")] = "",
    inward: Annotated[bool, typer.Option("--from", help="Of what comes from the provider.")] = False,
    against: Against = None,
) -> None:
    """Lose the next few SIP messages of a link."""
    from lab.cli.faults import drop

    print(drop(against, link, count, method, inward=inward))


@faults_app.command("clear")
def faults_clear(
    link: Annotated[str, typer.Argument(help="Every link without it.")] = "", against: Against = None
) -> None:
    """End a fault, or all."""
    from lab.cli.faults import clear

    print(clear(against, link))
