"""How a value is written on the platform's side and on ours, both directions; and what its schema says.

`read` takes what a client sent, NotSo says the rule that was broken. `tell` takes ours; None leaves the field out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pbx.api.answers import wrong
from pbx.numerals import natural

Schema = Mapping[str, Any]


class NotSo(ValueError):
    """A value is not what its form asks; wherever nothing nearer names the field, it answers 400 with the rule."""


@dataclass(frozen=True, slots=True)
class Form:
    schema: Schema
    read: Callable[[Any], Any]
    tell: Callable[[Any], Any] = lambda ours: ours
    remedy: str = ""
    """What to send instead of what was refused."""

    def of(self, name: str, value: Any) -> Any:
        """Read the field `name` outside a shape; Refused names it."""
        try:
            return self.read(value)
        except NotSo as error:
            raise wrong(name, value, str(error), self.remedy) from None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise NotSo("it is a text")
    return str(value).strip()


def _yes_no(value: Any) -> bool:
    match value:
        case bool():
            return value
        case str() if value.strip().lower() in ("yes", "no"):
            return value.strip().lower() == "yes"
        case 0 | 1 | "0" | "1":
            return str(value) == "1"
    raise NotSo("it is yes or no")


def _whole(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise NotSo("it is a whole number")
    number = int(value) if isinstance(value, int | float) else natural(str(value).strip())
    if number is None or abs(number) > 2**53:
        raise NotSo("it is a whole number")
    return number


def _digits(value: Any) -> str | None:
    """A North American number in any usual writing; the platform's `[*]`, and nothing, are no number of its own."""
    text = _text(value)
    if text in ("", "[*]", "0"):
        return None
    if text.startswith("+") and not text.startswith("+1"):
        return text
    digits = "".join(c for c in text if c.isascii() and c.isdigit())
    if any(c.isalpha() for c in text) or not digits:
        raise NotSo("it is a number of 10 or 11 digits, or [*]")
    return f"1{digits}" if len(digits) == 10 else digits


TEXT = Form({"type": "string"}, _text, remedy="send a text")
NUMERAL = Form({"type": "string"}, _text, remedy="send its digits")
YES_NO = Form({"type": "string", "enum": ["yes", "no"]}, _yes_no, lambda on: "yes" if on else "no", "send yes or no")
NO_YES = Form(YES_NO.schema, lambda v: not _yes_no(v), lambda on: "no" if on else "yes", "send yes or no")
"""Ours says the opposite of what theirs asks."""
NUMBER = Form({"type": "string"}, _digits, lambda number: number or "[*]", "send 11 digits, as 16135550100, or [*]")
ANYTHING = Form({}, lambda value: value)
STRINGS = Form({"type": "array", "items": {"type": "string"}}, lambda v: _list(v), list)


def _list(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if not isinstance(value, list | tuple):
        raise NotSo("it is a list")
    return tuple(_text(item) for item in value)


CSV = Form({"type": "string"}, _list, lambda items: ",".join(items), "separate them by commas")


def whole(least: int | None = None, most: int | None = None) -> Form:
    schema: dict[str, Any] = {"type": "integer"}
    schema |= {"minimum": least} if least is not None else {}
    schema |= {"maximum": most} if most is not None else {}

    def read(value: Any) -> int:
        number = _whole(value)
        if (least is not None and number < least) or (most is not None and number > most):
            raise NotSo(f"it is {'' if least is None else least} to {'' if most is None else most}")
        return number

    return Form(schema, read, lambda ours: None if ours is None else int(ours), "send a whole number")


COUNT = whole(0)
_AREA = whole(100, 999)
AREA = Form(
    _AREA.schema, lambda v: str(_AREA.read(v)), lambda code: int(code) if code else None, "send three digits, as 613"
)


def scaled(factor: float, least: int = 0, most: int | None = None) -> Form:
    """Theirs times `factor` is ours: minutes of theirs are `scaled(60)` seconds of ours."""
    form = whole(least, most)
    return Form(form.schema, lambda v: form.read(v) * factor, lambda ours: round(ours / factor), form.remedy)


def choice(words: Mapping[str, Any] | tuple[str, ...], *, otherwise: str = "") -> Form:
    """Theirs is one of `words`, in any case; each stands for a value of ours. `otherwise` tells a value of no word."""
    table = dict(words) if isinstance(words, Mapping) else {word: word for word in words}
    folded = {word.casefold(): ours for word, ours in table.items()}
    back: dict[Any, str] = {}
    for word, ours in table.items():
        back.setdefault(ours, word)

    def read(value: Any) -> Any:
        found = folded.get(_text(value).casefold(), folded)
        if found is folded:
            raise NotSo(f"it is one of {', '.join(table)}")
        return found

    return Form(
        {"type": "string", "enum": list(table)},
        read,
        lambda ours: back.get(ours, otherwise or None),
        "send one of them",
    )
