"""`onboard`: a customer's packet, from forms to live, in virtual time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lab.cli.options import AsJson, Number


def onboard(
    packet: Annotated[Path, typer.Argument(help="Packet of forms; `northside` is one that comes with the house.")],
    begins: Annotated[str, typer.Option(help="`2026-11-02 09:00` on the customer's clock; else by the bill.")] = "",
    mails: Annotated[bool, typer.Option("--mails", help="Also print every letter that was sent.")] = False,
    number: Number = None,
    as_json: AsJson = False,
) -> None:
    """Live through an onboarding in virtual time; exit code 1 where something stands in the way of going live."""
    from lab.cli.onboarding import told

    text, live = told(packet, begins, number or 1, mails=mails, as_json=as_json)
    print(text)
    if not live:
        raise typer.Exit(1)
