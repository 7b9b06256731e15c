"""Rendering: strict, sandboxed, safe for the format, and the same bytes for the same input."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from traceback import walk_tb
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from provisioning_server import convert
from provisioning_server.clocks import clock
from provisioning_server.escapes import field, in_json, kv, of_one_line, quoted
from provisioning_server.rows import texts, used
from provisioning_server.sheet import CannotRender, Sheet


def render(sheet: Sheet) -> bytes:
    """Write the file; CannotRender says what is missing or does not fit the format."""
    family, rule = sheet.family, sheet.rule
    try:
        text = _tabled(sheet) if rule.template in family.tables else _templated(sheet)
    except (TemplateError, RecursionError, ValueError, KeyError, TypeError, ArithmeticError, OSError) as error:
        raise CannotRender(f"{family.id} {rule.template}{_line(error)}: {type(error).__name__}: {error}") from None
    body = text.encode("utf-8")
    return hashlib.md5(body, usedforsecurity=False).hexdigest().encode() + b"\n" if rule.is_digest else body


def settings_used(sheet: Sheet) -> set[str]:
    """Render, and return the full names of the settings that decide what is written. CannotRender."""
    render(sheet)
    return sheet.asked | used(sheet) if sheet.rule.template in sheet.family.tables else sheet.asked


def _line(error: BaseException) -> str:
    """Return `:12`, the line of the table whose formula failed; empty for what is no table's."""
    lines = [at for frame, at in walk_tb(error.__traceback__) if frame.f_code.co_filename.endswith(".table")]
    return f":{lines[-1]}" if lines else ""


def _tabled(sheet: Sheet) -> str:
    syntax = sheet.family.syntax
    places = sheet.places
    lines = [_placed(syntax.head, places)] if syntax.head else []
    lines += texts(sheet)
    if syntax.foot:
        lines.append(_placed(syntax.foot, places))
    return "\n".join(lines) + "\n"


def _placed(text: str, places: dict[str, str]) -> str:
    for name, value in places.items():
        text = text.replace(f"{{{name}}}", value)
    return text.rstrip("\n")


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
            people=sheet.people,
            at=sheet.at,
            convert=convert,
            clock=clock(zone, sheet.year),
        )
    )


class _Sandbox(ImmutableSandboxedEnvironment):
    """Reads nothing but templates of its folders, and ends: there is nothing endless to go through, or to multiply."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> Any:
        raise SecurityError(f"templates do not multiply ({operator})")


@lru_cache(maxsize=128)
def _environment(folders: tuple[Path, ...], xml: bool) -> Environment:
    environment = _Sandbox(
        loader=FileSystemLoader(folders),
        undefined=StrictUndefined,
        autoescape=xml,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=of_one_line if xml else None,
    )
    environment.globals.clear()  # range and its like
    environment.filters |= {"kv": kv, "json": in_json, "field": field, "quoted": quoted}
    return environment
