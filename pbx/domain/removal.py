"""Taking something out of a domain: refused while others refer to it, or they are left dangling as on the platform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from pbx.domain.consistency import problems
from pbx.domain.directory import Directory

Kind = Literal[
    "user", "device", "number", "attendant", "queue", "conference", "page group", "site", "time frame", "address",
    "fax account", "order", "shipment", "hardware",
]  # fmt: skip


class Referenced(ValueError):
    """Something cannot go: `references` name who still needs it, one sentence each."""

    def __init__(self, what: str, references: tuple[str, ...]) -> None:
        self.references = references
        needed = "; ".join(references)
        super().__init__(f"{what} is still referred to: {needed}. Change these first, then delete it")


def without(directory: Directory, kind: Kind, name: str) -> Directory:
    """Return the directory without one object; `name` is its extension, id, digits, name or key.

    A user takes devices, private time frames, contacts and settings along. ValueError when there is none of that name,
    Referenced when others still refer to it, unless the platform keeps such rows.
    """
    sections = _SECTIONS[kind](directory, name)
    if all(len(kept) == len(getattr(directory, section)) for section, kept in sections.items()):
        raise ValueError(f"there is no {kind} {name}")
    left = Directory.model_construct(**{**dict(directory), **sections})
    found = problems(left)
    kept_here = directory.domain.platform.missing_references == "kept"
    before = {problem.sentence for problem in problems(directory)}
    needed = tuple(
        problem.sentence for problem in found if problem.sentence not in before and not (kept_here and problem.dangling)
    )
    if needed:
        raise Referenced(f"{kind} {name}", needed)
    return directory.replaced(**sections)


def _user(directory: Directory, extension: str) -> dict[str, tuple[object, ...]]:
    """A user and what is nobody else's."""
    own = f"user:{extension}"
    return {
        "users": tuple(user for user in directory.users if user.extension != extension),
        "devices": tuple(device for device in directory.devices if device.extension != extension),
        "time_frames": tuple(frame for frame in directory.time_frames if frame.owner != extension),
        "contacts": tuple(contact for contact in directory.contacts if contact.owner != extension),
        "kept": {of: fields for of, fields in directory.kept.items() if of != own},  # type: ignore[dict-item]
        "settings": {owner: values for owner, values in directory.settings.items() if owner != own},  # type: ignore[dict-item]
    }


def _one(section: str, key: str) -> Callable[[Directory, str], dict[str, tuple[object, ...]]]:
    def left(directory: Directory, name: str) -> dict[str, tuple[object, ...]]:
        return {section: tuple(item for item in getattr(directory, section) if getattr(item, key) != name)}

    return left


def _time_frame(directory: Directory, name: str) -> dict[str, tuple[object, ...]]:
    """A shared one: private frames go with their owner."""
    return {"time_frames": tuple(frame for frame in directory.time_frames if frame.owner or frame.name != name)}


_SECTIONS: dict[Kind, Callable[[Directory, str], dict[str, tuple[object, ...]]]] = {
    "user": _user,
    "device": _one("devices", "id"),
    "number": _one("numbers", "number"),
    "attendant": _one("attendants", "extension"),
    "queue": _one("queues", "extension"),
    "fax account": _one("fax_accounts", "name"),
    "conference": _one("conferences", "extension"),
    "page group": _one("page_groups", "extension"),
    "order": _one("orders", "number"),
    "shipment": _one("shipments", "number"),
    "hardware": _one("hardware", "mac"),
    "site": _one("sites", "name"),
    "time frame": _time_frame,
    "address": _one("addresses", "key"),
}
