"""Settings: flags > environment > `switchroom.toml` > defaults; each value knows where it comes from."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE = "switchroom.toml"
PREFIX = "SWITCHROOM_"


class Listen(BaseModel):
    model_config = ConfigDict(extra="forbid")
    address: str = "127.0.0.1"
    port_base: int = Field(default=8600, ge=0, le=65000)


class Lab(BaseModel):
    model_config = ConfigDict(extra="forbid")
    seed: int = 20261124


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    listen: Listen = Listen()
    lab: Lab = Lab()


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    value: Any
    origin: str


class BadSettings(ValueError):
    """A setting that is not understood; names it and where it stands."""


def load_settings(
    folder: Path, environment: Mapping[str, str] = os.environ, flags: Mapping[str, Any] | None = None
) -> tuple[Settings, list[Setting]]:
    """Return the settings and, for each, value and origin; BadSettings names what is wrong and where."""
    layers: list[tuple[str, dict[str, Any]]] = []
    path = folder / FILE
    if path.exists():
        try:
            layers.append((f"file {FILE}", _flat(tomllib.loads(path.read_text("utf-8")))))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadSettings(f"{path}: {error}") from None
    named = {
        key.removeprefix(PREFIX).lower().replace("__", "."): value
        for key, value in environment.items()
        if key.startswith(PREFIX) and "__" in key
    }
    layers.append(("environment", named))
    layers.append(("flag", {key: value for key, value in (flags or {}).items() if value is not None}))
    known = _flat(Settings().model_dump())
    merged = {name: Setting(name, value, "default") for name, value in known.items()}
    for origin, values in layers:
        for name, value in values.items():
            if name not in known:
                raise BadSettings(f"{origin}: there is no setting {name!r}")
            where = f"environment {PREFIX}{name.upper().replace('.', '__')}" if origin == "environment" else origin
            merged[name] = Setting(name, value, where)
    nested: dict[str, dict[str, Any]] = {}
    for setting in merged.values():
        group, _, key = setting.name.partition(".")
        nested.setdefault(group, {})[key] = setting.value
    try:
        settings = Settings.model_validate(nested)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise BadSettings(f"{merged[name].origin}: {name} = {first['input']!r}: {first['msg']}") from None
    return settings, sorted(merged.values(), key=lambda setting: setting.name)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found.update(_flat(value, f"{name}."))
        else:
            found[name] = value
    return found
