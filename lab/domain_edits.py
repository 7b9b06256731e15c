"""One object of a domain changed, added or removed, as an administrator would: validated, refused with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from pbx.domain.directory import Directory
from pbx.domain.problems import Inconsistent

_KEYS = {
    "sites": "name", "users": "extension", "devices": "id", "numbers": "number", "time_frames": "name",
    "attendants": "extension", "queues": "extension", "conferences": "extension", "page_groups": "extension",
    "addresses": "key",
}  # fmt: skip


class Refused(Exception):
    """The domain does not take it; the text says why."""


def changed(directory: Directory, name: str, path: str, value: Any) -> Directory:
    """Return the directory with one value set: `users/101`, `rules.0.enabled`, False. Refused when it cannot be."""
    section, at = _place(directory, name)
    try:
        if section == "domain":
            return directory.replaced(domain=_with(directory.domain, path.split("."), value))
        if section == "settings":
            own = {key: item for key, item in directory.settings.get(at, {}).items() if key != path}
            layer = own if value is None else {**own, path: value}
            return directory.replaced(settings={**directory.settings, at: layer})
        items = getattr(directory, section)
        place = _index(directory, section, at)
        new = _with(items[place], path.split("."), value)
        if section == "users":
            return directory.with_user(new)
        return directory.replaced(**{section: (*items[:place], new, *items[place + 1 :])})
    except (ValidationError, Inconsistent, ValueError) as error:
        raise Refused(f"{name} {path}: {_why(error)}") from None
    except (AttributeError, KeyError, IndexError, TypeError):
        raise Refused(f"{name} has no {path}") from None


def added(directory: Directory, section: str, value: Any) -> Directory:
    """Return the directory with one object more; Refused when the domain does not take it."""
    if section not in _KEYS:
        raise Refused(f"a domain has no {section}")
    field = Directory.model_fields[section].annotation
    kind: type[BaseModel] = field.__args__[0]  # type: ignore[union-attr]
    try:
        return directory.replaced(**{section: (*getattr(directory, section), kind.model_validate(value))})
    except (ValidationError, Inconsistent, ValueError) as error:
        raise Refused(f"{section}: {_why(error)}") from None


def removed(directory: Directory, name: str) -> Directory:
    section, at = _place(directory, name)
    place = _index(directory, section, at)
    items = getattr(directory, section)
    try:
        return directory.replaced(**{section: (*items[:place], *items[place + 1 :])})
    except (ValidationError, Inconsistent) as error:
        raise Refused(f"{name}: {_why(error)}") from None


def with_object_of(directory: Directory, earlier: Directory, name: str) -> Directory:
    """Return the directory with one object as it was in an earlier one."""
    section, at = _place(directory, name)
    if section == "domain":
        return directory.replaced(domain=earlier.domain)
    if section == "settings":
        return directory.replaced(settings={**directory.settings, at: earlier.settings.get(at, {})})
    items, place = getattr(directory, section), _index(directory, section, at)
    old = getattr(earlier, section)[_index(earlier, section, at)]
    return directory.replaced(**{section: (*items[:place], old, *items[place + 1 :])})


def _place(directory: Directory, name: str) -> tuple[str, str]:
    section, _, at = name.partition("/")
    if section not in _KEYS and section not in ("domain", "settings"):
        raise Refused(f"a domain has no {section}; it has {', '.join(_KEYS)}, domain, settings")
    return section, at


def _index(directory: Directory, section: str, at: str) -> int:
    for place, item in enumerate(getattr(directory, section)):
        if getattr(item, _KEYS[section]) == at:
            return place
    raise Refused(f"there is no {section}/{at}")


def _with(it: Any, path: Sequence[str], value: Any) -> Any:
    name, *rest = path
    if isinstance(it, BaseModel):
        fields = {field: getattr(it, field) for field in type(it).model_fields}
        fields[name] = _with(fields[name], rest, value) if rest else value
        return type(it).model_validate(fields)
    if isinstance(it, dict):
        return {**it, name: _with(it[name], rest, value) if rest else value}
    place = int(name)
    return (*it[:place], _with(it[place], rest, value) if rest else value, *it[place + 1 :])


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(str(one["msg"]).removeprefix("Value error, ") for one in error.errors())
    return str(error)
