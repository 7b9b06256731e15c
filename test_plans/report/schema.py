"""The published shape of a run's JSON report and of the lines of its journal (`switchroom runs schema`)."""

from __future__ import annotations

from typing import Any

from test_plans.model import SEVERITIES
from test_plans.report.document import COMPLETE, INTERRUPTED, VERSION
from test_plans.report.words import VERDICTS

_TEXT: dict[str, Any] = {"type": "string"}
_NUMBER: dict[str, Any] = {"type": "number"}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_FLAG: dict[str, Any] = {"type": "boolean"}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}


def schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12) of the document; `$defs` has that of a line.

    Names that end in `_wall` depend on the machine's clock; all else is the same for equal seeds in virtual time.
    """
    head, end, case = _head(), _end(), _case()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Switchroom run, version {VERSION}",
        **_object({**head, **end, "cases": _list({"$ref": "#/$defs/case"})}),
        "$defs": {
            "case": case,
            "line": {
                "oneOf": [
                    _line("run", {**head, "cases": _list(_object(_known(case)))}, resumed=_resumed()),
                    _line("started", {"id": _TEXT, "attempt": _COUNT}),
                    _line("case", {"case": {"$ref": "#/$defs/case"}, "left_s": {"type": ["number", "null"]}}),
                    _line("end", end),
                ]
            },
        },
    }


def _head() -> dict[str, Any]:
    texts = ("product", "plan", "title", "plan_sha256", "domain", "tester", "started_lab", "began_wall")
    return {
        "version": {"const": VERSION},
        **dict.fromkeys(texts, _TEXT),
        "world": {"enum": ["virtual", "real"]},
        "seed": {"type": "integer"},
        "later": {**_TEXTS, "description": "Sub-cases left out, and why."},
    }


def _end() -> dict[str, Any]:
    device = _object(dict.fromkeys(("label", "family", "model", "mac", "agent"), _TEXT))
    return {
        "state": {"enum": [COMPLETE, INTERRUPTED]},
        "interrupted": {**_TEXT, "description": "Who or what ended it before its time."},
        "seconds": _NUMBER,
        "ended_wall": _TEXT,
        "leaks": {"type": "object", "additionalProperties": _COUNT},
        "devices": {"type": "object", "additionalProperties": device},
    }


def _resumed() -> dict[str, Any]:
    """Of a run that goes on where an earlier one was interrupted: what it had by then."""
    known = {**_head(), **_end()}
    return _object({name: known[name] for name in ("seconds", "began_wall", "started_lab", "devices")})


def _case() -> dict[str, Any]:
    texts = ("id", "title", "reason", "started_lab")
    return _object(
        {
            **dict.fromkeys(texts, _TEXT),
            "severity": {"enum": list(SEVERITIES)},
            "verdict": {"enum": list(VERDICTS)},
            "over": {
                **_FLAG,
                "description": "It came to a verdict of its own; else it is run when the run is resumed.",
            },
            "attested": {**_FLAG, "description": "A person said part of it; the rest was observed."},
            "binding": {**_TEXTS, "description": "Role → device."},
            "families": _TEXTS,
            "seconds": _NUMBER,
            "attempts": _COUNT,
            "earlier": {**_list(_TEXT), "description": "Why each attempt before the last failed."},
            "records": _list(_object({"call": _TEXT, "record": {"type": "object"}, "equal": _FLAG})),
            "steps": _list(_step()),
            "ladder": _list(_row(_NUMBER, _TEXT, _TEXT, _TEXT, _TEXT, _COUNT, _TEXT)),
            "sound": _list(_sound()),
            "quality": _list(_row(_NUMBER, _TEXT, _NUMBER, _NUMBER, {"type": ["number", "null"]})),
            "evidence": _list(_exhibit()),
            "problems": {**_list(_TEXT), "description": "What of the evidence could not be kept, and why."},
        }
    )


def _step() -> dict[str, Any]:
    return _object(
        {
            "text": _TEXT,
            "verdict": {"enum": list(VERDICTS)},
            "line": _COUNT,
            "seconds": _NUMBER,
            "detail": _TEXT,
            "seen": _list(_TEXT),
            "witness": {"enum": ["observed", "attested", "action"]},
            "events": _list(_row(_NUMBER, _TEXT)),
        }
    )


def _sound() -> dict[str, Any]:
    maybe = {"type": ["number", "null"]}
    return _object(
        {
            "device": _TEXT, "codec": _TEXT, "received": _COUNT, "sent": _COUNT, "lost": _COUNT, "jitter_ms": _NUMBER,
            "mos": maybe, "seconds": _NUMBER, "round_trip_ms": maybe, "far_lost": maybe, "encrypted": _FLAG,
            "dscp": {"type": ["integer", "null"]},
        }
    )  # fmt: skip


def _exhibit() -> dict[str, Any]:
    kinds = ["capture", "ladder", "sound", "series", "config", "mail", "screen"]
    return _object(
        {
            "path": {**_TEXT, "description": "Relative to the report."}, "kind": {"enum": kinds}, "title": _TEXT,
            "octets": _COUNT, "seconds": _NUMBER, "peaks": _list(_COUNT),
        }
    )  # fmt: skip


def _line(kind: str, properties: dict[str, Any], **optional: Any) -> dict[str, Any]:
    made = _object({"line": {"const": kind}, **properties})
    return {**made, "properties": {**made["properties"], **optional}}


def _known(case: dict[str, Any]) -> dict[str, Any]:
    return {name: case["properties"][name] for name in ("id", "title", "severity")}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object", "properties": properties, "required": sorted(properties), "additionalProperties": False,
    }  # fmt: skip


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _row(*columns: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "prefixItems": list(columns), "minItems": len(columns), "maxItems": len(columns)}
