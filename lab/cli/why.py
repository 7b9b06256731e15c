"""`why`: answered from a seed, without a running switchroom."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

from lab.cli.inputs import must_be_device, the_moment, the_seed
from lab.errors import UserError
from lab.shell import RealClock
from pbx.callflow import routing
from pbx.callflow.decisions import explain
from pbx.callflow.question import Asked, Presence
from pbx.clock import Moment


def explain_call(seed: Path | None, number: str, caller: str, at: str, without: str, *, as_json: bool) -> str:
    """Return the decision record of a call that is not placed, every other device taken as registered."""
    directory = the_seed(seed).directory
    if not number.strip():
        raise UserError("there is no number to explain", "it is empty", "name what is dialled", "switchroom why --help")
    now = RealClock().now()
    if at:
        now = Moment(now.mono, the_moment(at, directory.domain.time_zone).astimezone(UTC))
    device = directory.devices_by_id.get(caller)
    asked = Asked(number, device.extension, device.id, device.extension) if device else Asked(number, caller)
    away = {name.strip() for name in without.split(",") if name.strip()}
    for name in away:
        must_be_device(name, "--without", directory.devices_by_id)
    presence = Presence(frozenset(directory.devices_by_id) - away)
    record = routing.route(directory, asked, presence, now).record
    return record.to_json() if as_json else explain(record)
