"""`config show`: every setting with its origin."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from lab.errors import BAD_INPUT, UserError
from pbx.settings import BadSettings, load_settings


def show(*, as_json: bool) -> str:
    try:
        _, settings = load_settings(Path.cwd())
    except BadSettings as error:
        raise UserError(
            "a setting is not understood", str(error), "mend or remove it", "README, settings", BAD_INPUT
        ) from None
    if as_json:
        return json.dumps([asdict(setting) for setting in settings], indent=1)
    return "\n".join(f"{setting.name} = {setting.value}   from {setting.origin}" for setting in settings)
