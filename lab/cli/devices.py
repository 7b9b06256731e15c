"""`devices` and `orders`: the boxes of a running switchroom, who has them, and what is bought."""

from __future__ import annotations

import json
from collections.abc import Sequence
from getpass import getuser
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lab.cli import remote
from lab.cli.tables import octets_of, problem_lines
from lab.errors import USAGE, UserError
from provisioning_server.card import Card, CardLine, text_of


def listed(against: Path | None, words: str, standing: str, *, as_json: bool) -> str:
    told = remote.get(against, "/api/v1/devices", q=words, standing=standing, limit="10000")
    if as_json:
        return json.dumps(told["rows"], ensure_ascii=False, indent=1)
    return "\n".join(_line(row) for row in told["rows"]) or "no box fits"


def done(against: Path | None, mac: str, deed: str, body: dict[str, Any], *, as_json: bool) -> str:
    told = remote.post(against, f"/api/v1/devices/{quote(mac, safe='')}/{deed}", body)
    if as_json:
        return json.dumps(told, ensure_ascii=False, indent=1)
    return f"✓ {mac} {deed}: " + ", ".join(f"{name} {_shown(value)}" for name, value in told.items() if value)


def imported(against: Path | None, table: Path, *, dry: bool, as_json: bool) -> tuple[str, bool]:
    """Send a table; return what came of it, and whether every row was good."""
    told = remote.post(
        against,
        "/api/v1/devices/import",
        data=octets_of(table, "switchroom devices import --help"),
        dry="1" if dry else "",
    )
    problems = told["problems"]
    if as_json:
        return json.dumps(told, ensure_ascii=False, indent=1), not problems
    verb = "would be" if dry else "were"
    lines = [f"{told['assigned']} boxes {verb} assigned, {told['stocked']} taken into stock, {len(problems)} problems"]
    return "\n".join([*lines, *problem_lines(table, problems)]), not problems


def card(against: Path | None, mac: str, *, secrets: bool) -> str:
    told = remote.get(against, f"/api/v1/devices/{quote(mac, safe='')}/card", **asking(secrets, "secrets"))
    lines = tuple(
        CardLine(line["port"], line["extension"], tuple((name, value) for name, value in line["facts"]))
        for line in told["lines"]
    )
    return text_of(Card(told["mac"], told["title"], told["model"], told["url"], told["tftp"], lines))


def asking(wanted: bool, what: str) -> dict[str, str]:
    """The query that asks for secrets: whoever asks is written down there."""
    return {what: "1", "by": getuser()} if wanted else {}


def code(against: Path | None, extension: str) -> str:
    told = remote.post(against, "/api/v1/activations", {"extension": extension})
    return f"{told['code']}   type #{told['code']} into a phone nobody knows: it becomes {extension}'s; good for a week"


def orders(against: Path | None, *, as_json: bool) -> str:
    return _orders(remote.get(against, "/api/v1/orders"), as_json=as_json)


def order(against: Path | None, number: str, supplier: str, lines: Sequence[str]) -> str:
    """Each line is MODEL=QUANTITY."""
    wanted = []
    for line in lines:
        model, _, quantity = line.rpartition("=")
        if not model or not (quantity.isascii() and quantity.isdigit()):
            raise UserError(
                f"the line {line!r} is not understood", "it is no MODEL=QUANTITY", "write it like T46S=10",
                "switchroom orders add --help", USAGE,
            )  # fmt: skip
        wanted.append({"model": model, "quantity": int(quantity)})
    body = {"number": number, "supplier": supplier, "lines": wanted}
    return _orders(remote.post(against, "/api/v1/orders", body), as_json=False)


def ship(against: Path | None, order: str, number: str, carrier: str, boxes: Sequence[str]) -> str:
    """Each box is MAC, or MAC=MODEL where the order has several."""
    told = [{"mac": mac, "model": model} for mac, _, model in (box.partition("=") for box in boxes)]
    body = {"number": number, "carrier": carrier, "boxes": told}
    return _orders(remote.post(against, f"/api/v1/orders/{quote(order, safe='')}/shipments", body), as_json=False)


def arrived(against: Path | None, number: str) -> str:
    return _orders(remote.post(against, f"/api/v1/shipments/{quote(number, safe='')}/arrived"), as_json=False)


def _orders(rows: Sequence[dict[str, Any]], *, as_json: bool) -> str:
    if as_json:
        return json.dumps(rows, ensure_ascii=False, indent=1)
    return "\n".join(
        f"{row['number']:<16} {row['ordered_on']}  {row['ordered']:>5} ordered {row['on_the_way']:>5} on the way "
        f"{row['arrived']:>5} arrived {row['open']:>5} open   {row['supplier']} {', '.join(row['shipments'])}".rstrip()
        for row in rows
    ) or "nothing was ordered"  # fmt: skip


def _line(row: dict[str, Any]) -> str:
    lines = " ".join(f"{one['device']}{'●' if one['registered'] else '○'}" for one in row["lines"])
    behind = f"  behind: {', '.join(row['behind'])}" if row["behind"] else ""
    asked = f"asked {row['asked']} times from {row['address']}" if row["asked"] else ""
    text = (
        f"{row['mac'] or '–':<13} {row['standing']:<15} {row['family']:<18} {row['model']:<10} {lines}{asked}{behind}"
    )
    return text.rstrip()


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
