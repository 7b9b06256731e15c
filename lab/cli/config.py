"""`config show`: every setting with its origin."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from lab.cli.inputs import settings_with_origins


def show(assignments: Sequence[str], *, as_json: bool) -> str:
    settings = settings_with_origins(assignments)
    if as_json:
        return json.dumps([asdict(setting) for setting in settings], indent=1)
    wide = max(len(f"{s.name} = {_text(s.value)}") for s in settings)
    return "\n".join(
        f"{f'{s.name} = {_text(s.value)}':<{wide}}   from {s.origin}" + f" ({s.instead_of})" * bool(s.instead_of)
        for s in settings
    )


def _text(value: Any) -> str:
    """As it could be written in the environment."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case list():
            return ",".join(map(str, value))
    return str(value)
