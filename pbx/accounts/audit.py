"""What was changed, by whom and as whom, before and after: one entry a write."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, SecretStr

from pbx.access import Actor, Thing
from pbx.domain.accounts import AuditEntry

LONGEST = 4000
"""Characters of a side: what is longer is cut, and says so."""


def entry(
    number: str, at: float, actor: Actor, origin: str, thing: Thing, action: str, before: object, after: object
) -> AuditEntry:
    """Return the entry of a write; `before` and `after` are models, plain values, or None for nothing there."""
    old, new = difference(before, after)
    return AuditEntry(
        id=number,
        at=at,
        actor=actor.by or actor.name,
        scope=actor.scope,
        as_whom=actor.name if actor.by else "",
        origin=origin,
        domain=thing.domain,
        kind=thing.kind,
        name=thing.name,
        action=action,
        before=old,
        after=new,
    )


def difference(before: object, after: object) -> tuple[str, str]:
    """Return both sides as JSON, of two models the fields that differ alone. A secret is told as `***`, once a side."""
    if not (isinstance(before, BaseModel) and isinstance(after, BaseModel) and type(before) is type(after)):
        return _written(_plain(before)), _written(_plain(after))
    names = [name for name in type(before).model_fields if getattr(before, name) != getattr(after, name)]
    return (
        _written({name: _plain(getattr(before, name)) for name in names}),
        _written({name: _plain(getattr(after, name)) for name in names}),
    )


def _plain(value: object) -> Any:
    match value:
        case BaseModel():
            return value.model_dump(mode="json", exclude_defaults=True)
        case SecretStr():
            return "***" if value.get_secret_value() else ""
        case tuple() | list() | frozenset():
            return [_plain(part) for part in value]
        case dict():
            return {str(key): _plain(part) for key, part in value.items()}
        case str() | int() | float() | bool() | None:
            return value
        case _:
            return str(value)


def _written(value: object) -> str:
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
