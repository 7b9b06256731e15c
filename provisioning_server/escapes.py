"""What a value may hold where it stands: what would begin another line, element or field is refused, or escaped."""

from __future__ import annotations

import json
import re

from markupsafe import Markup

from provisioning_server.manifest import Syntax
from provisioning_server.sheet import CannotRender

_LINE_BREAKS = "\r\n\0\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_NOT_IN_A_LINE = re.compile(f"[{_LINE_BREAKS}]")
_NOT_IN_XML = re.compile(f"[{_LINE_BREAKS}\x00-\x08\x0e-\x1f\ufffe\uffff]")
_QUOTES = str.maketrans('\\"<>', "/'()")
_MARKS = re.compile("[&<>\"']")
_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


def frame(syntax: Syntax, name: str) -> tuple[str, str]:
    """Return what stands before and behind the value of a parameter."""
    before, _, after = syntax.each.format(name=name, value="\0", tag=name.partition(" ")[0]).partition("\0")
    return before, after


def escaped(syntax: Syntax, name: str, value: str, *, secret: bool = False) -> str:
    """Return a value as the family writes it; CannotRender for one that cannot stand there.

    A name may be shown with an apostrophe for a quotation mark, a secret may not.
    """
    found = ESCAPES[syntax.escape](value)
    if secret and syntax.escape == "quoted" and found != value:
        raise CannotRender(f"{name}: a password with a quotation mark cannot be written in this format")
    return found


def kv(value: object) -> str:
    """A value of a `key = value` line: what would begin another line, or end the file, is refused."""
    text = str(value)
    if not text.isprintable() and _NOT_IN_A_LINE.search(text):
        raise CannotRender(f"{text[:40]!r} holds a line break and cannot stand in one line")
    return text


def of_one_line(value: object) -> object:
    """XML forbids most control characters, and no setting of a phone spans lines: refused, as in a text file."""
    if isinstance(value, str) and not isinstance(value, Markup):  # Markup is the template's own text
        _printable(value)
    return value


def field(value: object) -> str:
    """A parameter of a baresip account: what ends it (a blank does, too), or the address before it, is refused."""
    text = kv(value)
    if any(character in ';,<>"' or character.isspace() for character in text):
        raise CannotRender(f"{text[:40]!r} holds a character that ends a field of an account")
    return text


def quoted(value: object) -> str:
    """A value between quotes, for readers that look for the first quote or `<` whatever stands before it."""
    return kv(value).translate(_QUOTES)


def _in_quotes(text: str) -> str:
    return kv(text).replace('"', "'")


def in_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _printable(text: str) -> str:
    if not text.isprintable() and _NOT_IN_XML.search(text):
        raise CannotRender(f"{text[:40]!r} holds a control character and cannot stand in XML")
    return text


def _xml(text: str) -> str:
    _printable(text)
    return text.translate(_XML) if _MARKS.search(text) else text


ESCAPES = {"line": kv, "quoted": _in_quotes, "xml": _xml}
