"""`provision once`: values of a box of a running switchroom above all its layers, for one fetch or until a time."""

from __future__ import annotations

from collections.abc import Sequence
from getpass import getuser
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lab.cli import remote
from lab.errors import USAGE, UserError
from provisioning_server.device_import import setting_value
from provisioning_server.manifest import SettingsData


def once(
    against: Path | None,
    mac: str,
    settings: Sequence[str],
    by: str,
    *,
    until: str = "",
    for_min: int | None = None,
    lift: bool = False,
    resync: bool = False,
) -> str:
    """Say `settings` (`name=value`) for once, or lift what was said; return what is so now."""
    path, who = f"/api/v1/phones/{quote(mac, safe='')}/one-shot", by or getuser()
    if lift == bool(settings):
        raise UserError(
            "it is not clear what to do", "settings and --lift were both given" if lift else "no setting was given",
            "name settings, as lines.1.label=Test, or --lift", "switchroom provision once --help", USAGE,
        )  # fmt: skip
    if lift:
        return f"{remote.delete(against, path, by=who)['lifted']}: nothing is said for once any more"
    body: dict[str, Any] = {"settings": _read(settings), "by": who}
    body |= {"until": until} if until else {}
    body |= {"for_min": for_min} if for_min is not None else {}
    told = remote.post(against, path, body)
    held = f"until {told['until']}" if told["until"] else "for one fetch of each"
    said = f"{told['mac']}: {', '.join(told['settings'])} stand in {', '.join(told['files'])} {held}"
    return f"{said}\n{remote.resync(against, mac, reboot=False)}" if resync else said


def _read(settings: Sequence[str]) -> SettingsData:
    found: SettingsData = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UserError(
                f"{text!r} is no setting", "it is not NAME=VALUE", "write lines.1.label=Test",
                "switchroom provision once --help", USAGE,
            )  # fmt: skip
        found[name] = setting_value(value)
    return found
