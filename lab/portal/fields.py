"""The fields of forms: what is shown of a value, and what is read of what somebody wrote."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from pbx.access import Kind
from pbx.domain.base import RULES
from pbx.domain.directory import Directory
from pbx.domain.problems import Inconsistent

Shape = Literal["text", "number", "check", "choice", "lines"]
LONGEST = 10_000
"""Characters of one field."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a model, under its own name."""

    name: str
    label: str
    shape: Shape = "text"
    help: str = ""
    choices: Callable[[Directory], Sequence[str]] = lambda directory: ()
    shown: Callable[[Directory, Any], object] | None = None
    """What is in force where the model leaves it empty; None: the value itself."""
    empty: object = ""
    """What an empty field means."""
    kind: Kind | None = None
    """What who changes it edits, where that is not the thing itself."""
    parse: Callable[[Any, str], Mapping[str, object]] | None = None
    """Reads a text that spells several values: the item with what the fields before say, and text → values by name;
    ValueError."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A field with what stands in it, and what is wrong with that."""

    field: Field
    text: str
    choices: tuple[str, ...]
    wrong: str = ""
    locked: bool = False
    """Shown, and not this reader's to change."""


def value_of(directory: Directory, item: BaseModel, field: Field) -> object:
    return field.shown(directory, item) if field.shown is not None else getattr(item, field.name)


def text_of(field: Field, value: object) -> str:
    """Return a value as its field shows it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else ""
        case tuple() | list():
            return ("\n" if field.shape == "lines" else ", ").join(map(str, value))
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def tag_of(fields: Sequence[Field], directory: Directory, item: BaseModel) -> str:
    """Return the entity tag of what a form shows: two who see the same have the same."""
    shown = {field.name: text_of(field, value_of(directory, item, field)) for field in fields}
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:20]


def written(
    fields: Sequence[Field], directory: Directory, item: BaseModel, form: Mapping[str, object]
) -> dict[str, str]:
    """Return the text of each field that somebody changed."""
    changed = {}
    shown = str(form.get("shown", "")).split(
        ","
    )  # a box that is not ticked sends nothing: here stands that it was there
    for field in fields:
        if field.name not in (shown if field.shape == "check" else form):
            continue
        text = str(form.get(field.name, "")).replace("\r\n", "\n").strip()
        if text != text_of(field, value_of(directory, item, field)).strip():
            changed[field.name] = text
    return changed


def read(
    fields: Sequence[Field], item: BaseModel, texts: Mapping[str, str]
) -> tuple[dict[str, object], dict[str, str]]:
    """Return the values of what was written, and what is wrong by field."""
    values: dict[str, object] = {}
    wrong: dict[str, str] = {}
    by_name = {field.name: field for field in fields}
    for name, text in texts.items():
        field = by_name[name]
        if len(text) > LONGEST:
            wrong[name] = f"{len(text)} characters: {LONGEST} fit here"
        elif field.parse is not None:
            try:
                values.update(field.parse(item.model_copy(update=values), text))
            except ValidationError as error:
                wrong[name] = "; ".join(reasons(error).values())
            except ValueError as error:
                wrong[name] = str(error)
        elif field.shape == "check":
            values[name] = bool(text)
        elif not text:
            values[name] = field.empty
        elif field.shape == "lines":
            values[name] = tuple(part.strip() for part in text.replace(",", "\n").split("\n") if part.strip())
        elif field.shape == "number":
            try:
                values[name] = float(text) if "." in text else int(text)
            except ValueError:
                wrong[name] = f"{text[:40]!r} is no number"
        else:
            values[name] = text
    return values, wrong


def changed_item(item: BaseModel, values: Mapping[str, object]) -> tuple[BaseModel | None, dict[str, str]]:
    """Return the item with other values, or what is wrong by field."""
    fields = {name: getattr(item, name) for name in type(item).model_fields}
    try:
        return type(item).model_validate({**fields, **values}), {}
    except ValidationError as error:
        return None, reasons(error)


def reasons(error: ValidationError | Inconsistent) -> dict[str, str]:
    """Return what is wrong by field; under an empty name what is wrong with the whole."""
    if isinstance(error, Inconsistent):
        return {"": str(error)}
    found: dict[str, str] = {}
    for one in error.errors():
        name = str(one["loc"][0]) if one["loc"] else ""
        rule = RULES.get(str(one.get("ctx", {}).get("pattern", "")))
        found.setdefault(name, rule or str(one["msg"]).removeprefix("Value error, "))
    return found
