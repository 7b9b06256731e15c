"""Reading what the user named: a seed, a plan, a moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from lab.errors import BAD_INPUT, UserError
from lab.seeds.load import OFFICE, Seed, SeedError, load_seed
from pbx.settings import BadSettings, Settings, load_settings
from test_plans.plan import BadPlan, Plan, load_plan
from test_plans.runner import VERBS


def the_settings(flags: Mapping[str, Any]) -> Settings:
    """Return the settings of this folder and environment; a flag that is None was not given."""
    try:
        return load_settings(Path.cwd(), flags=flags)[0]
    except BadSettings as error:
        raise UserError(
            "a setting is not understood", str(error), "mend or remove it", "switchroom config show", BAD_INPUT
        ) from None


def the_seed(path: Path | None) -> Seed:
    try:
        return load_seed(path or OFFICE)
    except SeedError as error:
        raise UserError(error.happened, error.why, error.remedy, error.reference, BAD_INPUT) from None


def the_plan(path: Path) -> Plan:
    try:
        return load_plan(path, VERBS)
    except BadPlan as error:
        shown = "\n           ".join(error.problems[:20])
        raise UserError(
            f"the plan {path} cannot be run", shown, "mend the lines named and run `switchroom plan check`",
            "README, plans", BAD_INPUT,
        ) from None  # fmt: skip


def the_moment(text: str, zone: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    except ValueError as error:
        raise UserError(
            f"{text!r} is no moment", str(error), 'write it like "2026-12-25 10:15"', "switchroom why --help", BAD_INPUT
        ) from None
