"""A JSON Schema of plans, for editors: made from the very tables the reader goes by (`switchroom plan schema`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from pbx.events import event_kinds
from test_plans.bench import ACTIONS, CAPABILITIES, OPERATIONS, VIAS
from test_plans.model import BINDS, CONTINUE, FIGURES, SEVERITIES, STOP, Verb

_DURATION = {"type": ["string", "number"], "pattern": r"^\d+(\.\d+)?\s*(ms|s|m|h)?$"}
_TEXTS = {"type": "array", "items": {"type": "string"}}
_COUNT = {"type": "integer", "minimum": 0, "maximum": 1000}
_DURATIONS = ("within", "for", "timeout", "longest")
_COUNTS = ("count", "rows", "repeat")


def schema(verbs: Mapping[str, Verb]) -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12); what only the whole tells (roles, references) is `plan check`'s."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Switchroom test plan",
        "type": "object",
        "required": ["plan", "cases"],
        "additionalProperties": False,
        "properties": {
            "plan": {"const": 1},
            "id": {"type": "string"},
            "title": {"type": "string"},
            "tags": _TEXTS,
            "covers": _TEXTS,
            "seed": {"type": "string", "description": "The house's domain it is written for."},
            "include": {"type": "object", "description": "Plan → variables said otherwise."},
            "vars": {"type": "object"},
            "roles": {"type": "object", "additionalProperties": {"$ref": "#/$defs/role"}},
            "defaults": {"type": "object", "additionalProperties": False, "properties": {"within": _DURATION}},
            "fragments": {"type": "object", "additionalProperties": {"$ref": "#/$defs/steps"}},
            "cases": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/case"}},
            "later": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "$defs": {
            "role": _role(),
            "case": _case(),
            "steps": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/step"}},
            "step": {"oneOf": [_step(name, verb) for name, verb in sorted(verbs.items())]},
            "event": _event(),
            "where": {"type": "object", "properties": {name: {} for name in _field_names()}},
        },
    }


def _role() -> dict[str, Any]:
    texts = ("family", "model", "site", "same_box", "note")
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "can": {"type": "array", "items": {"enum": sorted(CAPABILITIES)}},
            "traits": _TEXTS,
            "without": _TEXTS,
            "outside": {"type": "boolean"},
            "bind": {"enum": list(BINDS)},
            **{name: {"type": "string"} for name in texts},
        },
    }


def _case() -> dict[str, Any]:
    return {
        "type": "object",
        "anyOf": [{"required": ["id", "steps"]}, {"required": ["of"]}],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "string"},
            "of": {"type": "string", "pattern": "^[^/]+/.+$", "description": "A case of an included plan: office/A08."},
            "without": _TEXTS,
            "title": {"type": "string"},
            "tags": _TEXTS,
            "covers": _TEXTS,
            "holds": _TEXTS,
            "severity": {"enum": list(SEVERITIES)},
            "roles": {"type": "object", "additionalProperties": {"$ref": "#/$defs/role"}},
            "steps": {"$ref": "#/$defs/steps"},
            "teardown": {"$ref": "#/$defs/steps"},
            "serial": {"type": "boolean"},
            "timeout": _DURATION,
            "retry": {"type": ["integer", "object"]},
            "on_fail": {"enum": [STOP, CONTINUE]},
        },
    }


def _step(name: str, verb: Verb) -> dict[str, Any]:
    properties: dict[str, Any] = {argument: _argument(argument) for argument in sorted(verb.arguments)}
    properties[name] = _subject(name, verb)
    return {"type": "object", "required": [name], "additionalProperties": False, "properties": properties}


def _subject(name: str, verb: Verb) -> dict[str, Any]:
    """What stands after the verb itself."""
    match name:
        case "do":
            pressed = "|".join(sorted(ACTIONS))
            ours = "|".join(sorted(OPERATIONS))
            return {"type": "string", "pattern": rf"^(pbx\.({ours})|[A-Za-z_]\w*\.({pressed}))$"}
        case "expect":
            return {"enum": sorted(event_kinds())}
        case "expect_all" | "expect_none" | "expect_order":
            return {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/event"}}
        case "parallel":
            return {"type": "array"}
        case "wait":
            return _DURATION
        case "repeat":
            return _COUNT
    return {"enum": sorted(verb.kinds)} if verb.kinds else {"type": "string"}


def _argument(name: str) -> dict[str, Any]:
    if name in _DURATIONS:
        return _DURATION
    if name in _COUNTS:
        return _COUNT
    if name in ("fail", "warn"):
        return {"type": "object", "propertyNames": {"enum": sorted({*FIGURES, "least", "median", "p95", "most"})}}
    if name == "via":
        return {"enum": list(VIAS)}
    if name == "steps":
        return {"$ref": "#/$defs/steps"}
    return {"$ref": "#/$defs/where"} if name == "where" else {}


def _event() -> dict[str, Any]:
    kinds = sorted(event_kinds())
    one = {"type": "object", "minProperties": 1, "maxProperties": 1, "propertyNames": {"enum": kinds}}
    return {"oneOf": [{"enum": kinds}, one]}


def _field_names() -> Iterable[str]:
    names = {name for kind in event_kinds().values() for name in (f.name for f in fields(kind))}
    return sorted({*names, *FIGURES, "role", "status", "text"})
