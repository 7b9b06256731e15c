"""What a request becomes: an answer, or a refusal that says which field, what it was, the rule and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    body: Any = None
    """JSON, or the octets of a file when `kind` is not JSON; None for nothing."""
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str = "application/json"


ACCEPTED = Answer(202, {"code": 202, "message": "Accepted"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with what was sent."""

    field: str
    value: object
    rule: str
    remedy: str

    def told(self) -> dict[str, object]:
        return {"field": self.field, "value": _short(self.value), "rule": self.rule, "remedy": self.remedy}


class Refused(Exception):
    """The request is not carried out, and nothing of it was."""

    def __init__(self, status: int, message: str, faults: tuple[Fault, ...] = (), **more: object) -> None:
        """`more` is told beside code and message."""
        super().__init__(message)
        self.status, self.message, self.faults, self.more = status, message, faults, more

    def answer(self) -> Answer:
        body: dict[str, object] = {"code": self.status, "message": self.message, **self.more}
        if self.faults:
            body["errors"] = [fault.told() for fault in self.faults]
        headers = {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}
        return Answer(self.status, body, headers)


def wrong(name: str, value: object, rule: str, remedy: str) -> Refused:
    """Return the refusal of one field."""
    return Refused(400, f"{name}: {rule}", (Fault(name, value, rule, remedy),))


def nothing(kind: str, name: str) -> Refused:
    return Refused(404, f"there is no {kind} {name!r}")


def _short(value: object) -> object:
    text = value if isinstance(value, str) else None
    return f"{text[:79]}…" if text is not None and len(text) > 80 else value
