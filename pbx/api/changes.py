"""What an edit has made of a domain, object by object, as the audit tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pbx.access import Kind
from pbx.domain.directory import Directory

SECTIONS: dict[str, tuple[Kind, str]] = {
    "sites": ("site", "name"), "users": ("user", "extension"), "devices": ("device", "id"),
    "numbers": ("number", "number"), "time_frames": ("time frame", "name"), "attendants": ("attendant", "extension"),
    "queues": ("queue", "extension"), "conferences": ("conference", "extension"),
    "addresses": ("emergency address", "key"), "contacts": ("contact", "name"), "hardware": ("hardware", "mac"),
    "fax_accounts": ("fax account", "name"),
}  # fmt: skip
"""Section → what its objects are to the permission table, and what names one."""
Change = tuple[Kind, str, Any, Any]
"""(kind, name, before, after); None for what was not there, or is not any more."""


def changes(before: Directory, after: Directory) -> Iterator[Change]:
    """Return what differs. Objects that were taken over are not looked into."""
    if before.domain is not after.domain:
        yield "domain", after.domain.name, before.domain, after.domain
    for section, (kind, key) in SECTIONS.items():
        old, new = getattr(before, section), getattr(after, section)
        if old is not new:
            yield from _of_section(kind, key, old, new)
    if before.kept is not after.kept:
        for of in before.kept.keys() | after.kept.keys():
            was, now = before.kept.get(of), after.kept.get(of)
            if was != now:
                yield "account", of, was, now


def _of_section(kind: Kind, key: str, old: tuple[Any, ...], new: tuple[Any, ...]) -> Iterator[Change]:
    there, here = {id(item) for item in old}, {id(item) for item in new}
    gone = {getattr(item, key): item for item in old if id(item) not in here}
    for item in new:
        if id(item) not in there:
            was = gone.pop(getattr(item, key), None)
            if was != item:
                yield kind, getattr(item, key), was, item
    for name, item in gone.items():
        yield kind, name, item, None
