"""Rendering: strict, sandboxed, safe for the format, and the same bytes for the same input."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from provisioning_server import convert
from provisioning_server.manifest import Syntax
from provisioning_server.rows import Literal, Written, written
from provisioning_server.sheet import CannotRender, Sheet

_LINE_BREAKS = "\r\n\0\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_NOT_IN_A_LINE = re.compile(f"[{_LINE_BREAKS}]")
_NOT_IN_XML = re.compile(f"[{_LINE_BREAKS}\x00-\x08\x0e-\x1f\ufffe\uffff]")
_QUOTES = str.maketrans('\\"<>', "/'()")
_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


def render(sheet: Sheet) -> bytes:
    """Write the file; CannotRender says what is missing or does not fit the format."""
    family, rule = sheet.family, sheet.rule
    try:
        if rule.template in family.tables:
            return _tabled(sheet).encode("utf-8")
        return _templated(sheet).encode("utf-8")
    except (TemplateError, ValueError, KeyError, TypeError, ArithmeticError, OSError) as error:
        raise CannotRender(f"{family.id} {rule.template}: {type(error).__name__}: {error}") from None


def _tabled(sheet: Sheet) -> str:
    syntax = sheet.family.syntax
    places = sheet.places
    lines = [_placed(syntax.head, places)] if syntax.head else []
    lines += [one.text if isinstance(one, Literal) else _parameter(syntax, one) for one in written(sheet)]
    if syntax.foot:
        lines.append(_placed(syntax.foot, places))
    return "\n".join([line.rstrip("\n") for line in lines]) + "\n"


def _parameter(syntax: Syntax, one: Written) -> str:
    value = _ESCAPES[syntax.escape](one.value)
    return syntax.each.format(name=one.name, value=value, tag=one.name.partition(" ")[0])


def _placed(text: str, places: dict[str, str]) -> str:
    for name, value in places.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _templated(sheet: Sheet) -> str:
    family, rule = sheet.family, sheet.rule
    zone = str(sheet.settings("time.zone"))
    return (
        _environment(family.folders, rule.format == "xml")
        .get_template(rule.template)
        .render(
            get=sheet.settings,
            lines=sheet.lines,
            mac=sheet.mac,
            model=sheet.model,
            model_id=sheet.model_id,
            capabilities=family.capabilities,
            steady_url=sheet.steady_url,
            at=sheet.at,
            convert=convert,
            clock=convert.clock(zone, sheet.year),
        )
    )


@lru_cache(maxsize=128)
def _environment(folders: tuple[Path, ...], xml: bool) -> Environment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folders),
        undefined=StrictUndefined,
        autoescape=xml,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_of_one_line if xml else None,
    )
    environment.filters |= {"kv": _kv, "json": _json, "field": _field, "quoted": _quoted}
    return environment


def _kv(value: object) -> str:
    """A value of a `key = value` line: what would begin another line, or end the file, is refused."""
    text = str(value)
    if _NOT_IN_A_LINE.search(text):
        raise CannotRender(f"{text[:40]!r} holds a line break and cannot stand in one line")
    return text


def _of_one_line(value: object) -> object:
    """XML forbids most control characters, and no setting of a phone spans lines: refused, as in a text file."""
    if isinstance(value, str) and not isinstance(value, Markup):  # Markup is the template's own text
        _printable(value)
    return value


def _printable(text: str) -> str:
    if _NOT_IN_XML.search(text):
        raise CannotRender(f"{text[:40]!r} holds a control character and cannot stand in XML")
    return text


def _xml(text: str) -> str:
    return _printable(text).translate(_XML)


def _field(value: object) -> str:
    """A parameter of a baresip account: what ends it (a blank does, too), or the address before it, is refused."""
    text = _kv(value)
    if any(character in ';,<>"' or character.isspace() for character in text):
        raise CannotRender(f"{text[:40]!r} holds a character that ends a field of an account")
    return text


def _quoted(value: object) -> str:
    """A value between quotes, for readers that look for the first quote or `<` whatever stands before it."""
    return _kv(value).translate(_QUOTES)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


_ESCAPES = {"line": _kv, "quoted": _quoted, "xml": _xml}
