"""What the plans show of the domain: every feature code and treatment of numbers, every option and each of its values.

What no plan shows stands in a list with the reason. That an option is observed where it is set is another test's for
those that are set by a case (`test_house_plans`). The case numbers of the reference are `test_deployment_plan`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from lab.seeds.load import OFFICE, load_seed
from pbx.callflow.feature_codes import FEATURES
from pbx.domain.destinations import TREATMENTS
from pbx.domain.directory import Directory
from pbx.domain.platform import Platform, platform
from test_plans.plan import SHIPPED, load_plan
from test_plans.runner import VERBS

GENERIC = platform("generic")
HOUSE = Path(__file__).parents[2]
NAMES = ("office", "features", "voice", "deployment", "fax")
"""Plans that have a seed of that name."""
TEXT = {name: (HOUSE / "test_plans" / "plans" / f"{name}.yaml").read_text("utf-8") for name in (*NAMES, "options")}
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
    assert sorted(word for word in TREATMENTS if not re.search(rf"to: \"?{word} ", seeds)) == []


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
    **dict.fromkeys(("Domain.preset", "Platform.phone_redirects"), ONE_DOMAIN),
    "TimeFrame.switched": "switched by calls: D02-toggle",
    "Domain.kind": "the provider's domain is the house's own: K01",
    "Platform.roles": PORTAL,
    **dict.fromkeys(
        ("Device.nat", "Device.recording", "User.recording", "Site.recording", "Domain.recording"),
        "by one value each in options; the others: switch/test_nat.py, switch/test_recording.py",
    ),
    "User.scope": PORTAL,
    "User.status": PORTAL,
}
"""`Model.field` → why no plan shows all its values."""


def test_every_value_of_every_option_is_configured_where_a_plan_runs_or_stands_in_the_list():
    there = set(_options(Directory))
    shown = {option for directory in DIRECTORIES for option in _values(directory)}
    shown |= {f"{option}={value}" for name in TEXT for option, value in _changed(name) if isinstance(value, str)}
    missing = {option for option in there - shown if option.partition(".")[0] not in NOT_CONFIGURED}
    assert sorted(option for option in missing if option.partition("=")[0] not in NOT_SHOWN) == []
    assert NOT_SHOWN.keys() <= {option.partition("=")[0] for option in missing}, "it is shown now, or is no option"


DIALLED = "dialled, never set"
PAPER = "of boxes, orders and their papers: provisioning, and the plan zero-touch"
BOOK = "of phonebooks; whose name is shown: callflow/test_routing.py"
NOT_SET = {
    "Platform.pin_shortest": "callflow/test_mailbox_owner.py",
    "Platform.phone_redirects": "switch/test_redirects.py",
    "Platform.roles": PORTAL,
    "Device.former": "rotated by a case: B11",
    **dict.fromkeys(("Directory.orders", "Directory.shipments", "Directory.hardware"), PAPER),
    "Directory.kept": PAPER,
    "ToEmergency.code": DIALLED,
    "ToService.code": DIALLED,
    **dict.fromkeys(("ToFeature.code", "ToFeature.argument"), DIALLED),
    **dict.fromkeys(
        ("Domain.kind", "Reseller.name", "Reseller.description"), "the provider's domain is the house's own"
    ),
    "Reseller.support_numbers": "the one there is by default is called: K01-number",
    "Directory.reseller": "as above",
    "Domain.preset": "its settings are set one by one: options",
    **dict.fromkeys(("User.login", "User.status", "User.visual_directory"), PORTAL),
    "Mailbox.trash_days": "weeks pass: switch/test_mailboxes.py",
    "Mailbox.newest_first": "callflow/test_mailbox_owner.py",
    "Mailbox.silence_s": "callflow/test_voicemail.py",
    "Queue.max_expected_wait_s": "needs a history of waits: switch/test_switch_queues.py",
    "Queue.supervisors": PORTAL,
    "Domain.sites_enabled": PORTAL,
    "Device.label": "of the screen: provisioning",
    "Device.nat": "switch/test_nat.py",
    **dict.fromkeys(("Domain.shuffled_music", "Site.shuffled_music", "User.shuffled_music"), "switch/test_music.py"),
    "Domain.mail_sender": "lab/test_mail.py",
    "Device.unsolicited_mwi": "switch/test_mailboxes.py",
    "Device.ignored_for_presence": "switch/test_packages.py",
    **dict.fromkeys(("Contact.email", "Contact.owner"), BOOK),
    **dict.fromkeys(("FaxAccount.number", "FaxAccount.station"), "domain/test_faxes.py"),
    "FaxAccount.history_days": "a year passes: lab/faxes/test_fax_world.py",
}
"""`Model.field` → why it is said otherwise than by default nowhere in a plan or a seed of one."""
NO_CALLS = {"FormerCredentials": "rotated by a case: B11", **dict.fromkeys(
    ("HardwareOrder", "OrderLine", "Shipment", "Hardware"), PAPER)}  # fmt: skip
"""Models that no call depends on → why."""


MODELS = {
    "domain": "Domain", "sites": "Site", "users": "User", "devices": "Device", "time_frames": "TimeFrame",
    "queues": "Queue", "conferences": "Conference", "attendants": "Attendant",
}  # fmt: skip
"""What a case changes or adds → its model."""


def test_every_option_is_said_otherwise_than_by_default_where_a_plan_runs_or_stands_in_the_list():
    said = {option for directory in DIRECTORIES for option in _said(directory)}
    said |= {option for name in TEXT for option, _ in _changed(name)}
    options = {
        f"{model.__name__}.{name}"
        for model in _models(Directory, set())
        for name in model.model_fields
        if model.__name__ not in NO_CALLS and name not in ("to", "revision")
    }
    assert sorted(options - said - NOT_SET.keys()) == []
    assert sorted(NOT_SET.keys() & said) == [], "it is said now"


def _changed(plan: str) -> Iterator[tuple[str, Any]]:
    """The options that cases of a plan change, or give to what they add, with their values."""
    for case in load_plan(SHIPPED / f"{plan}.yaml", VERBS).cases:
        for step in case.steps:
            do, given = str(step.arguments.get("do", "")), step.arguments
            if do not in ("pbx.change", "pbx.add"):
                continue
            model = MODELS.get(str(given.get("object", given.get("section"))).partition("/")[0], "")
            path = str(given.get("field", "")).split(".")
            yield f"{'Platform' if path[0] == 'platform' else model}.{path[-1]}", given.get("value")
            yield from _named(given.get("value"), model)


def _named(value: Any, model: str) -> Iterator[tuple[str, Any]]:
    """Every key in a value that is given to an object, as an option of it or of what may lie in it."""
    inner = {"User": ("AnsweringRule",), "Queue": ("Agent",), "TimeFrame": ("Period", "Holidays")}.get(model, ())
    if isinstance(value, dict):
        for key, part in value.items():
            yield from ((f"{kind}.{key}", part) for kind in (model, *inner))
            yield from _named(part, model)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _named(part, model)


def _models(model: type[BaseModel], seen: set[type[BaseModel]]) -> set[type[BaseModel]]:
    """A model and every one in it."""
    if model not in seen:
        seen.add(model)
        for field in model.model_fields.values():
            for part in _parts(field.annotation):
                if isinstance(part, type) and issubclass(part, BaseModel):
                    _models(part, seen)
    return seen


def _said(it: BaseModel) -> Iterator[str]:
    """The options of a model, and of those in it, that are not as they would be if nothing were said."""
    for name, field in type(it).model_fields.items():
        value = getattr(it, name)
        default = getattr(GENERIC, name) if isinstance(it, Platform) else field.get_default(call_default_factory=True)
        if (field.is_required() and not isinstance(it, Platform)) or value != default:
            yield f"{type(it).__name__}.{name}"
        for part in _inside(value):
            if isinstance(part, BaseModel):
                yield from _said(part)


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
