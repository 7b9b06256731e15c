"""What the plans show of the domain: every feature code, every treatment of numbers, every value of every option.

What no plan shows stands in a list with the reason. The case numbers of the reference are `test_deployment_plan`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from lab.seeds.load import OFFICE, load_seed
from pbx.callflow.feature_codes import FEATURES
from pbx.domain.destinations import TREATMENTS
from pbx.domain.directory import Directory

HOUSE = Path(__file__).parents[2]
NAMES = ("office", "features", "voice", "deployment", "fax")
TEXT = {name: (HOUSE / "test_plans" / "plans" / f"{name}.yaml").read_text("utf-8") for name in NAMES}
DIRECTORIES = [load_seed(OFFICE.with_name(f"{name}.yaml")).directory for name in NAMES]

CODES_ELSEWHERE = {"*98": "switch/test_recall.py", "*99": "switch/test_recall.py"}
"""Pressed in a conversation."""


def test_every_feature_code_is_used_in_a_plan_or_by_the_test_named():
    unused = {code for code in FEATURES if not any(f'"{code}' in text for text in TEXT.values())}
    assert sorted(unused - CODES_ELSEWHERE.keys()) == []
    for code in unused & CODES_ELSEWHERE.keys():
        assert code in (HOUSE / "tests" / CODES_ELSEWHERE[code]).read_text("utf-8")


def test_every_treatment_of_numbers_is_in_a_seed_that_a_plan_runs_on():
    seeds = "".join(OFFICE.with_name(f"{name}.yaml").read_text("utf-8") for name in NAMES)
    assert sorted(word for word in TREATMENTS if f"to: {word} " not in seeds) == []


NOT_CONFIGURED = {
    "ToEmergency": "dialled, never configured", "ToService": "dialled, never configured",
    "ToFeature": "dialled, never configured",
}  # fmt: skip
"""Destinations that no configuration holds."""
KINDS = "moments, compared with the calendar in domain/test_timeframe_kinds.py"
ONE_DOMAIN = "a domain has one: domain/test_platform.py, and where it counts"
PORTAL = "of portal and API: nothing of a call depends on it"
NOT_SHOWN = {
    **dict.fromkeys(("TimeFrame.kind", "Period.recurs", "Holidays.observed", "Holidays.workweek"), KINDS),
    **dict.fromkeys(("Domain.preset", "Platform.busy_forwarding", "Platform.emergency_flow"), ONE_DOMAIN),
    **dict.fromkeys(("Platform.missing_references", "Platform.phone_redirects"), ONE_DOMAIN),
    "Platform.forwarded_caller_id": "shown by users who want it so: E07-own",
    "TimeFrame.switched": "switched by calls: D02-toggle",
    "Domain.kind": "the provider's domain is the house's own: K01",
    "Platform.roles": PORTAL,
    "User.scope": PORTAL,
    "User.status": PORTAL,
}
"""`Model.field` → why no plan shows all its values."""


def test_every_value_of_every_option_is_configured_where_a_plan_runs_or_stands_in_the_list():
    there = set(_options(Directory))
    shown = {option for directory in DIRECTORIES for option in _values(directory)}
    missing = {option for option in there - shown if option.partition(".")[0] not in NOT_CONFIGURED}
    assert sorted(option for option in missing if option.partition("=")[0] not in NOT_SHOWN) == []
    assert NOT_SHOWN.keys() <= {option.partition("=")[0] for option in missing}, "it is shown now, or is no option"


def _options(model: type[BaseModel], seen: set[type[BaseModel]] | None = None) -> Iterator[str]:
    """Every value an option of a model, or of one in it, may have."""
    seen = set() if seen is None else seen
    if model in seen:
        return
    seen.add(model)
    for name, field in model.model_fields.items():
        for part in _parts(field.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _options(part, seen)
            elif isinstance(part, type) and issubclass(part, Enum):
                yield from (f"{model.__name__}.{name}={one.value}" for one in part)
            elif get_origin(part) is Literal:
                yield from (f"{model.__name__}.{name}={value}" for value in get_args(part) if value != "")


def _parts(annotation: Any) -> Iterator[Any]:
    """An annotation and all it is made of."""
    yield annotation
    if get_origin(annotation) is not Literal:
        for part in get_args(annotation):
            yield from _parts(part)


def _values(it: BaseModel) -> Iterator[str]:
    """Every text in a model, by the option it is in."""
    for name in type(it).model_fields:
        for part in _inside(getattr(it, name)):
            if isinstance(part, BaseModel):
                yield from _values(part)
            else:
                yield f"{type(it).__name__}.{name}={part}"


def _inside(value: object) -> Iterator[BaseModel | str]:
    if isinstance(value, BaseModel | str):
        yield value
    elif isinstance(value, dict):
        yield from _inside([*value, *value.values()])
    elif isinstance(value, tuple | list | frozenset):
        for part in value:
            yield from _inside(part)
