"""`why` and `phone ls`: answered from a seed, without a running switchroom."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path

from lab.cli.inputs import the_moment, the_seed
from lab.shell import RealClock
from pbx.callflow import routing
from pbx.callflow.decisions import explain
from pbx.callflow.question import Asked, Presence
from pbx.clock import Moment


def explain_call(seed: Path | None, number: str, caller: str, at: str, without: str, *, as_json: bool) -> str:
    """Return the decision record of a call that is not placed, every other device taken as registered."""
    directory = the_seed(seed).directory
    now = RealClock().now()
    if at:
        now = Moment(now.mono, the_moment(at, directory.domain.time_zone).astimezone(UTC))
    device = directory.devices_by_id.get(caller)
    asked = Asked(number, device.extension, device.id, device.extension) if device else Asked(number, caller)
    away = {name.strip() for name in without.split(",") if name.strip()}
    presence = Presence(frozenset(directory.devices_by_id) - away)
    record = routing.route(directory, asked, presence, now).record
    return record.to_json() if as_json else explain(record)


def phones(seed: Path | None, *, as_json: bool) -> str:
    directory = the_seed(seed).directory
    rows = [
        {
            "device": device.id,
            "extension": device.extension,
            "name": directory.users_by_extension[device.extension].name,
            "family": device.family,
            "model": device.model,
            "mac": device.mac,
            "port": device.port,
        }
        for device in directory.devices
    ]
    if as_json:
        return json.dumps(rows, ensure_ascii=False, indent=1)
    return "\n".join(
        f"{row['device']:<6} {row['name']:<20} {row['family']:<18} {row['model']:<10} {row['mac']} port {row['port']}"
        for row in rows
    )
