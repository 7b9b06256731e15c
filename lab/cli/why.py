"""`why`: answered from a seed, without a running switchroom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

from lab.cli.inputs import must_be_device, the_moment, the_seed
from lab.errors import UserError
from lab.shell import RealClock
from pbx.callflow import routing
from pbx.callflow.changes import next_changes
from pbx.callflow.decisions import explain
from pbx.callflow.question import Asked, Presence
from pbx.clock import Moment
from pbx.domain.directory import Directory


def explain_call(seed: Path | None, number: str, caller: str, at: str, without: str, *, as_json: bool) -> str:
    """Return the decision record of a call that is not placed, every other device taken as registered."""
    directory = the_seed(seed).directory
    if not number.strip():
        raise UserError("there is no number to explain", "it is empty", "name what is dialled", "switchroom why --help")
    now = the_asked_moment(at, directory)
    device = directory.devices_by_id.get(caller)
    asked = Asked(number, device.extension, device.id, device.extension) if device else Asked(number, caller)
    away = {name.strip() for name in without.split(",") if name.strip()}
    for name in away:
        must_be_device(name, "--without", directory.devices_by_id)
    presence = Presence(frozenset(directory.devices_by_id) - away)
    record = routing.route(directory, asked, presence, now).record
    if as_json:
        return record.to_json()
    return "\n".join([explain(record), *_what_next(directory, asked, presence, now)])


def the_asked_moment(at: str, directory: Directory) -> Moment:
    """Return the moment written on the domain's clock, now when there is none."""
    now = RealClock().now()
    return Moment(now.mono, the_moment(at, directory.domain.time_zone).astimezone(UTC)) if at else now


def _what_next(directory: Directory, asked: Asked, presence: Presence, now: Moment) -> Iterator[str]:
    change = next_changes(directory, [asked], presence, now)[0]
    if change is not None:
        local = change[0].wall.astimezone(ZoneInfo(directory.domain.time_zone))
        yield f"next change   {local:%a %d %b %Y %H:%M} → {change[1].record.outcome}"
