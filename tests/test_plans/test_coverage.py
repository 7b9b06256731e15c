"""What the plans show of the domain: every case of groups C to L, every feature code, every value of every option.

What no plan shows stands in a list with the reason, and with the test that shows it instead where there is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from lab.seeds.load import OFFICE, load_seed
from pbx.callflow.feature_codes import FEATURES
from pbx.domain.destinations import TREATMENTS
from pbx.domain.directory import Directory
from test_plans.plan import load_plan
from test_plans.runner import VERBS

HOUSE = Path(__file__).parents[2]
NAMES = ("office", "features", "voice")
PLANS = [load_plan(HOUSE / "test_plans" / "plans" / f"{name}.yaml", VERBS) for name in NAMES]
TEXT = {name: (HOUSE / "test_plans" / "plans" / f"{name}.yaml").read_text("utf-8") for name in NAMES}
DIRECTORIES = [load_seed(OFFICE.with_name(f"{name}.yaml")).directory for name in NAMES]

GROUPS = {"C": 12, "D": 9, "E": 10, "F": 12, "G": 10, "H": 14, "I": 11, "J": 10, "K": 10, "L": 6}
"""Cases of each group (domain-features 4)."""
ELSEWHERE = {
    "C09": "sip/test_races.py::test_offers_that_cross_are_refused_on_both_sides_and_one_after_the_other_is_taken",
    "D04": "lab/cli/test_command_line.py::test_map_finds_the_ten_faults_planted_in_the_flawed_office_and_nothing_else",
    "G08": "callflow/test_flow_map.py::test_a_planted_fault_is_found_and_nothing_else",
    "G10": "domain/test_consistency.py::test_a_contradiction_is_named",
    "H14": "lab/test_office_weeks.py::test_a_working_day_leaves_nothing_over_and_is_counted_right",
    "I09": "switch/test_packages.py::test_a_busy_lamp_follows_a_call_in_order",
    "I10": "switch/test_packages.py::test_a_refresh_is_no_news",
    "I11": "switch/test_watched.py",
    "J02": "domain/test_timeframes_zones.py::test_around_a_change_of_clocks_the_wall_clock_decides",
    "J03": "domain/test_timeframes.py::test_an_interval_over_midnight_belongs_to_the_day_it_begins",
    "K09": "switch/test_switch_emergency.py::test_whoever_moves_is_found_at_the_new_place_with_the_next_call",
}
"""Case → the test that shows it: what no telephone of a plan can do, or no button leads to."""
NOT_HERE = {
    "E09": "the lab has one trunk",
    "E10": "nothing signs calls (STIR): the case asks for it only where it is enabled",
    **dict.fromkeys(("L02", "L03", "L04", "L05", "L06"), "fax has tests of its own"),
}


def test_every_case_of_groups_c_to_l_is_shown_by_a_plan_or_by_the_test_named():
    wanted = {f"{group}{number:02d}" for group, count in GROUPS.items() for number in range(1, count + 1)}
    shown = {name for plan in PLANS for case in plan.cases for name in (case.id.partition("-")[0], *case.covers)}
    assert sorted(wanted - shown - ELSEWHERE.keys() - NOT_HERE.keys()) == []
    assert sorted(shown & ELSEWHERE.keys()) == [], "a plan shows it: it needs no test elsewhere"


@pytest.mark.parametrize("case", ELSEWHERE)
def test_the_test_that_shows_a_case_instead_is_there(case):
    file, _, name = ELSEWHERE[case].partition("::")
    assert f"def {name or 'test_'}" in (HOUSE / "tests" / file).read_text("utf-8")


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
    "User.scope": PORTAL,
    "User.status": PORTAL,
    "Device.srtp": "interop/test_encrypted_media.py, with telephones that can",
    "Device.transport": "TLS: lab/test_service_secure.py; virtual wires carry no certificates",
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
