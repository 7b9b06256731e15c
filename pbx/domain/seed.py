"""A seed document → the directory it describes. Pure: reading YAML, files and lines is the edge's business."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pbx.domain.base import RULES
from pbx.domain.directory import Directory
from pbx.domain.problems import Inconsistent, Path, Problem

ModelT = TypeVar("ModelT", bound=BaseModel)

_PLAIN = {
    "missing": "is missing",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "dict_type": "must be a mapping",
    "tuple_type": "must be a list",
}

_LIMITS = {
    "greater_than_equal": "{ge} or more",
    "greater_than": "more than {gt}",
    "less_than_equal": "{le} or less",
    "string_too_long": "of at most {max_length} characters",
    "string_too_short": "of at least {min_length} characters",
}
_SHOWN = 40


class BadSeed(ValueError):
    """A document describes no directory; `problems` says what is wrong and where."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.sentence for problem in problems))


def read_directory(document: object) -> Directory:
    """Return the directory of a seed document (nested dicts, lists, scalars); BadSeed names every problem."""
    return read_model(Directory, document)


def read_model(model: type[ModelT], document: object) -> ModelT:
    """Return `document` as a `model`; BadSeed names every problem."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise BadSeed([problem for detail in error.errors() for problem in _problems(model, detail)]) from error


def _problems(model: type[BaseModel], detail: ErrorDetails) -> Sequence[Problem]:
    cause = (detail.get("ctx") or {}).get("error")
    if isinstance(cause, Inconsistent):
        return cause.problems
    path = tuple(detail["loc"])
    return [Problem(path, f"{_in_words(path)} {_reason(model, detail, path)}")]


def _in_words(path: Path) -> str:
    """`users 3, ring_s`: list items counted from 1, as people count."""
    words: list[str] = []
    for part in path:
        if isinstance(part, int) and words:
            words[-1] += f" {part + 1}"
        else:
            words.append(str(part))
    return ", ".join(words) or "the document"


def _reason(model: type[BaseModel], detail: ErrorDetails, path: Path) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        near = get_close_matches(str(path[-1]), _field_names(model), n=1)
        return "is no field here" + (f"; did you mean {near[0]}?" if near else "")
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind == "string_pattern_mismatch":
        pattern = str((detail.get("ctx") or {})["pattern"])
        return f"is {_shown(detail['input'])}: {RULES.get(pattern, f'it must be of the form {pattern}')}"
    if kind in _LIMITS:
        return f"is {_shown(detail['input'])}: it must be {_LIMITS[kind].format(**(detail.get('ctx') or {}))}"
    if kind == "literal_error":
        return f"is {_shown(detail['input'])}: it must be one of {(detail.get('ctx') or {})['expected']}"
    message = detail["msg"].removeprefix("Value error, ")
    return f"is wrong: {message[:1].lower()}{message[1:]}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _field_names(model: type[BaseModel]) -> list[str]:
    """Every field name of a model and the models in it."""
    found: dict[str, None] = {}
    pending: list[Any] = [model]
    known: set[Any] = set()
    while pending:
        item = pending.pop()
        if item in known:
            continue
        known.add(item)
        if isinstance(item, type) and issubclass(item, BaseModel):
            found.update(dict.fromkeys(item.model_fields))
            pending += [field.annotation for field in item.model_fields.values()]
        else:
            pending += getattr(item, "__args__", ())
    return list(found)
