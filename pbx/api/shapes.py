"""A shape: the fields of an object on the platform's side, and where each lives on ours. One row a field.

A field is *ours* (`at` is its place in the model; `told` may say otherwise what is read there, as an inherited value),
*kept* (the house keeps what a client wrote and does nothing else with it) or *told* (made of what is there, read only).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pbx.api.answers import Fault, Refused
from pbx.api.forms import Form, Schema
from pbx.domain.base import Model
from pbx.domain.problems import Inconsistent, Path
from pbx.domain.seed import BadSeed, read_model

ModelT = TypeVar("ModelT", bound=Model)
Told = Callable[[Any, Any], Any]
"""(what is around, the object) → theirs."""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    form: Form
    at: str = ""
    default: Any = None
    """Of a kept field: what is told while nobody has written it; None leaves it out."""
    told: Told | None = None
    required: bool = False
    """Without it nothing is created."""
    aliases: tuple[str, ...] = ()
    """Other names clients know it by."""

    @property
    def read_only(self) -> bool:
        return self.told is not None and not self.at


def ours(name: str, form: Form, at: str, *aliases: str, required: bool = False, told: Told | None = None) -> Field:
    return Field(name, form, at, told=told, aliases=aliases, required=required)


def kept(name: str, form: Form, default: Any = None) -> Field:
    return Field(name, form, default=default)


def told(name: str, form: Form, told: Told) -> Field:
    return Field(name, form, told=told)


@dataclass(frozen=True)
class Shape:
    name: str
    fields: tuple[Field, ...]
    _tellers: tuple[tuple[str, Callable[[Any], Any] | None, Callable[[Any], Any], Told | None, Any], ...] = field(
        init=False, repr=False
    )
    _by_name: Mapping[str, Field] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        tellers = tuple(
            (it.name, attrgetter(it.at) if it.at else None, it.form.tell, it.told, it.default) for it in self.fields
        )
        names = {it.name: it for it in self.fields} | {a: it for it in self.fields for a in it.aliases}
        object.__setattr__(self, "_tellers", tellers)
        object.__setattr__(self, "_by_name", names)

    def tell(self, around: Any, item: Any, kept: Mapping[str, Any]) -> dict[str, Any]:
        """Return an object as the platform's clients read it."""
        body: dict[str, Any] = {}
        for name, at, form, told, default in self._tellers:
            if told is not None:
                value = told(around, item)
            elif at is not None:
                value = form(at(item))
            else:
                value = kept.get(name, default)
            if value is not None:
                body[name] = value
        return body

    def read(self, body: Mapping[str, Any], *, new: bool) -> Written:
        """Return what a client wants written; Refused names every field that is not understood or missing."""
        values: dict[str, Any] = {}
        kept: dict[str, Any] = {}
        faults: list[Fault] = []
        ignored: list[str] = []
        for name, value in body.items():
            it = self._by_name.get(name)
            if it is None or it.read_only:
                if it is None and name not in ("synchronous", "domain", "user"):
                    ignored.append(name)
                continue
            if it.name != name and it.name in body:
                continue
            try:
                read = it.form.read(value)
            except ValueError as error:
                faults.append(Fault(name, value, str(error), it.form.remedy or "send another value"))
                continue
            if it.at:
                values[it.at] = read
            else:
                kept[it.name] = it.form.tell(read)
        if new:
            missing = [it for it in self.fields if it.required and not _given(body, it)]
            faults += [Fault(it.name, None, "it is required", "send it") for it in missing]
        if faults:
            raise Refused(400, "; ".join(f"{fault.field}: {fault.rule}" for fault in faults), tuple(faults))
        return Written(values, kept, tuple(ignored))

    def name_of(self, path: Path) -> str:
        """Return the platform's name of a place in our model, the place itself where there is none."""
        words = [str(part) for part in path if not isinstance(part, int)]
        for length in range(len(words), 0, -1):
            at = ".".join(words[:length])
            found = next((it.name for it in self.fields if it.at == at), None)
            if found is not None:
                return found
        return ".".join(map(str, path))

    def schema(self, *, new: bool = False, change: bool = False) -> Schema:
        """Return its JSON schema: as it is told, or as it is sent to create (`new`) or `change` one."""
        sent = new or change
        shown = [it for it in self.fields if not (sent and it.read_only)]
        schema: dict[str, Any] = {"type": "object", "properties": {it.name: dict(it.form.schema) for it in shown}}
        if new and (required := [it.name for it in shown if it.required]):
            schema["required"] = required
        return schema


def _given(body: Mapping[str, Any], it: Field) -> bool:
    return any(body.get(name) not in (None, "") for name in (it.name, *it.aliases))


@dataclass(frozen=True, slots=True)
class Written:
    """What a client has sent, in our words."""

    values: Mapping[str, Any]
    """By place in the model."""
    kept: Mapping[str, Any]
    ignored: tuple[str, ...]
    """Names nobody here knows."""


def changed(item: ModelT, values: Mapping[str, Any], shape: Shape) -> ModelT:
    """Return a model with values at their places; Refused in the platform's words."""
    return made(type(item), {name: getattr(item, name) for name in type(item).model_fields}, values, shape)


def made(model: type[ModelT], fields: Mapping[str, Any], values: Mapping[str, Any], shape: Shape) -> ModelT:
    document: dict[str, Any] = dict(fields)
    for at, value in values.items():
        _put(document, at.split("."), value)
    try:
        return read_model(model, document)
    except BadSeed as bad:
        raise refused(bad.problems, shape, values) from None


def _put(document: dict[str, Any], at: list[str], value: Any) -> None:
    name, *rest = at
    if not rest:
        document[name] = value
        return
    inner = document.get(name)
    if isinstance(inner, BaseModel):
        inner = {key: getattr(inner, key) for key in type(inner).model_fields}
    inner = dict(inner) if isinstance(inner, Mapping) else {}
    _put(inner, rest, value)
    document[name] = inner


def refused(problems: Any, shape: Shape, values: Mapping[str, Any], of: Path = ()) -> Refused:
    """Return the refusal of what the domain does not take; `of` is where the object stands in it."""
    faults: list[Fault] = []
    for problem in problems:
        inside = problem.path[len(of) :] if problem.path[: len(of)] == of else problem.path
        name = shape.name_of(inside)
        if any(fault.field == name and fault.field for fault in faults):
            continue  # each branch of a union complains of the same value
        value = values.get(".".join(str(part) for part in inside if not isinstance(part, int)))
        remedy = problem.sentence.rpartition("; ")[2] if "; " in problem.sentence else "send another value"
        faults.append(Fault(name, value if isinstance(value, str | int | float) else None, problem.sentence, remedy))
    status = 409 if any("two" in fault.rule or "already" in fault.rule for fault in faults) else 400
    return Refused(status, "; ".join(fault.rule for fault in faults), tuple(faults))


def as_refusal(error: ValueError, shape: Shape, values: Mapping[str, Any], of: Path = ()) -> Refused:
    """Return the refusal of any of the ways a domain says no."""
    if isinstance(error, Inconsistent | BadSeed):
        return refused(error.problems, shape, values, of)
    if isinstance(error, ValidationError):
        for detail in error.errors():
            cause = (detail.get("ctx") or {}).get("error")
            if isinstance(cause, Inconsistent):
                return refused(cause.problems, shape, values, of)
        return Refused(400, "; ".join(str(d["msg"]).removeprefix("Value error, ") for d in error.errors()))
    return Refused(400, str(error))
