"""The commands of `devices` and `orders`, and their options; what they do stands in `devices`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from lab.cli.options import Against, AsJson

devices_app = typer.Typer(help="The boxes of a running switchroom.", no_args_is_help=True)
orders_app = typer.Typer(help="Orders of hardware.", no_args_is_help=True)

BoxMac = Annotated[str, typer.Argument(help="MAC in any spelling.")]
BoxModel = Annotated[str, typer.Option(help="As on the label, T46S; docs/families.md lists them.")]
BoxFamily = Annotated[str, typer.Option(help="Family, where two have such a model.")]


@devices_app.command("ls")
def devices_ls(
    words: Annotated[str, typer.Argument(help="MAC, extension, name, model, serial, … ; every box without it.")] = "",
    standing: Annotated[
        str, typer.Option(help="assigned, in stock, on its way, retired, quarantined, or waits for a box.")
    ] = "",
    against: Against = None,
    as_json: AsJson = False,
) -> None:
    """List the boxes: who has which, which are behind, and the strangers that have asked."""
    from lab.cli.devices import listed

    print(listed(against, words, standing, as_json=as_json))


@devices_app.command("assign")
def devices_assign(
    mac: BoxMac,
    extension: Annotated[str, typer.Argument(help="Whose phone it is.")],
    model: BoxModel = "",
    family: BoxFamily = "",
    line: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Line of the phone or port of the adapter; the first that is free."),
    ] = None,
    transport: Annotated[Optional[str], typer.Option(help="udp, tcp or tls.")] = None,  # noqa: UP045
    label: Annotated[Optional[str], typer.Option(help="What the screen shows.")] = None,  # noqa: UP045
    across_sites: Annotated[
        bool, typer.Option("--across-sites", help="A box of another site's people is meant.")
    ] = False,
    against: Against = None,
    as_json: AsJson = False,
) -> None:
    """Give a box to a user; of a stranger the model need not be said."""
    from lab.cli.devices import done

    body: dict[str, object] = {"extension": extension, "model": model, "family": family}
    body |= {"line": line, "transport": transport, "label": label, "across_sites": across_sites}
    print(done(against, mac, "assign", body, as_json=as_json))


@devices_app.command("release")
def devices_release(mac: BoxMac, against: Against = None, as_json: AsJson = False) -> None:
    """Take a box from its user; the settings wait for the next box."""
    from lab.cli.devices import done

    print(done(against, mac, "release", {}, as_json=as_json))


@devices_app.command("swap")
def devices_swap(
    mac: BoxMac,
    new: Annotated[str, typer.Argument(help="MAC of the box that takes its place.")],
    model: BoxModel = "",
    family: BoxFamily = "",
    against: Against = None,
    as_json: AsJson = False,
) -> None:
    """Put another box in the place of one: lines and settings stay, passwords are new."""
    from lab.cli.devices import done

    print(done(against, mac, "swap", {"with": new, "model": model, "family": family}, as_json=as_json))


@devices_app.command("stock")
def devices_stock(
    mac: BoxMac,
    model: BoxModel = "",
    family: BoxFamily = "",
    serial: Annotated[str, typer.Option(help="Serial number.")] = "",
    shipment: Annotated[str, typer.Option(help="Number of the shipment it came with.")] = "",
    against: Against = None,
    as_json: AsJson = False,
) -> None:
    """Take a box into stock."""
    from lab.cli.devices import done

    body = {"model": model, "family": family, "serial": serial, "shipment": shipment}
    print(done(against, mac, "stock", body, as_json=as_json))


@devices_app.command("retire")
def devices_retire(mac: BoxMac, against: Against = None, as_json: AsJson = False) -> None:
    """A box is gone for good."""
    from lab.cli.devices import done

    print(done(against, mac, "retire", {}, as_json=as_json))


@devices_app.command("forget")
def devices_forget(mac: BoxMac, against: Against = None, as_json: AsJson = False) -> None:
    """Strike a stranger off the list."""
    from lab.cli.devices import done

    print(done(against, mac, "forget", {}, as_json=as_json))


@devices_app.command("import")
def devices_import(
    table: Annotated[Path, typer.Argument(help="CSV file or spreadsheet; docs/inventory.md shows its columns.")],
    dry: Annotated[bool, typer.Option("--dry-run", help="Only say what would come of it.")] = False,
    against: Against = None,
    as_json: AsJson = False,
) -> None:
    """Take in a table of boxes: the good rows count, the others are named; exit code 1 when there are such."""
    from lab.cli.devices import imported

    text, well = imported(against, table, dry=dry, as_json=as_json)
    print(text)
    if not well:
        raise typer.Exit(1)


@devices_app.command("card")
def devices_card(
    mac: BoxMac,
    secrets: Annotated[bool, typer.Option("--secrets", help="With passwords and the one-time URL.")] = False,
    against: Against = None,
) -> None:
    """Print what to type into a phone that nothing tells where its server is."""
    from lab.cli.devices import card

    print(card(against, mac, secrets=secrets), end="")


@devices_app.command("code")
def devices_code(
    extension: Annotated[str, typer.Argument(help="Whose the phone becomes.")], against: Against = None
) -> None:
    """Make an activation code to type into a phone nobody knows."""
    from lab.cli.devices import code

    print(code(against, extension))


@orders_app.command("ls")
def orders_ls(against: Against = None, as_json: AsJson = False) -> None:
    """List the orders of hardware, and how much of each is here."""
    from lab.cli.devices import orders

    print(orders(against, as_json=as_json))


@orders_app.command("add")
def orders_add(
    number: Annotated[str, typer.Argument(help="Number of the order.")],
    lines: Annotated[list[str], typer.Option("--line", metavar="MODEL=QUANTITY", help="What, as often as needed.")],
    supplier: Annotated[str, typer.Option(help="From whom.")] = "",
    against: Against = None,
) -> None:
    """Write an order down."""
    from lab.cli.devices import order

    print(order(against, number, supplier, lines))


@orders_app.command("ship")
def orders_ship(
    order: Annotated[str, typer.Argument(help="Number of the order.")],
    number: Annotated[str, typer.Argument(help="Number of the shipment.")],
    carrier: Annotated[str, typer.Option(help="Who brings it.")] = "",
    boxes: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--box", metavar="MAC[=MODEL]", help="What is in it, as often as needed."),
    ] = None,
    against: Against = None,
) -> None:
    """Write down what was sent of an order."""
    from lab.cli.devices import ship

    print(ship(against, order, number, carrier, boxes or ()))


@orders_app.command("arrived")
def orders_arrived(
    number: Annotated[str, typer.Argument(help="Number of the shipment.")], against: Against = None
) -> None:
    """A shipment is here; its boxes lie in stock."""
    from lab.cli.devices import arrived

    print(arrived(against, number))
