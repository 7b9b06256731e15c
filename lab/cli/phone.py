"""`phone ls` and `phone show`: from a seed, or from a running switchroom."""

from __future__ import annotations

import json
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from lab.addresses import PROVISIONING, SIP
from lab.cli import remote
from lab.cli.inputs import the_seed, the_settings
from lab.errors import BAD_INPUT, UserError
from lab.explained import explained
from lab.inventory import device_rows
from lab.shell import RealClock
from provisioning_server.families import shipped_families
from provisioning_server.ledger import Ledger
from provisioning_server.overlay import ServedAt
from provisioning_server.respond import Office


def phones(seed: Path | None, *, as_json: bool) -> str:
    rows = device_rows(the_seed(seed).directory)
    if as_json:
        return json.dumps(rows, ensure_ascii=False, indent=1)
    return "\n".join(
        f"{row['device']:<6} {row['name']:<20} {row['family']:<18} {row['model']:<10} {row['mac']} port {row['port']}"
        for row in rows
    )


def phone(name: str, seed: Path | None, against: Path | None, *, as_json: bool) -> str:
    """Return every setting of a device with its origin: as served at `against`, else as `up` would serve the seed."""
    view = remote.phone(against, name) if against is not None else _of_seed(name, seed)
    return json.dumps(view, ensure_ascii=False, indent=1) if as_json else _text(view)


def _of_seed(name: str, seed: Path | None) -> dict[str, Any]:
    directory, listen = the_seed(seed).directory, the_settings({}).listen
    device = directory.devices_by_id.get(name)
    if device is None:
        near = ", ".join(get_close_matches(name, directory.devices_by_id, 3, 0.4))
        raise UserError(
            f"there is no device {name!r}", "the seed has none of that id" + (f"; near: {near}" if near else ""),
            "name one that `switchroom phone ls` lists", "switchroom phone show --help", BAD_INPUT,
        )  # fmt: skip
    at = ServedAt(
        listen.address, listen.port_base + SIP, f"http://{listen.address}:{listen.port_base + PROVISIONING}/p"
    )
    office = Office(shipped_families(), Ledger(b""), at)
    if device.family not in office.families.by_id:
        raise UserError(
            f"device {name!r} is not provisioned", f"no folder of device_templates is called {device.family!r}",
            f"name one of {', '.join(office.families.by_id)}", "device_templates/README.md", BAD_INPUT,
        )  # fmt: skip
    return asdict(explained(office, directory, device, RealClock().now()))


def _text(view: dict[str, Any]) -> str:
    lines = [f"{view['device']}  {view['family']}  {view['model']}  {view['mac']}  port {view['port']}"]
    lines += [f"file  {name}" for name in view["files"]]
    width = max((len(setting["name"]) for setting in view["settings"]), default=0)
    for setting in view["settings"]:
        idle = "" if setting["written"] or view["fault"] else "   (not in its files)"
        lines.append(f"{setting['name']:<{width}} = {_said(setting['value'])}   from {setting['origin']}{idle}")
        lines += [f"{'':<{width}}   over {_said(value)} of {layer}" for layer, value in setting["overrides"]]
    lines += [f"✗ {name} is set, but {view['family']} writes it nowhere: {why}" for name, why in view["unused"]]
    lines += [f"✗ its files cannot be written: {view['fault']}"] if view["fault"] else []
    return "\n".join(lines)


def _said(value: str | int | bool) -> str:
    """As YAML has it."""
    return json.dumps(value, ensure_ascii=False)
