"""The languages of the console. The pages say English; each other language is one file of what stands for it.

`texts/fr.yaml` holds a line for every text: the English, and the French. What the switch itself says (decision records,
findings, SIP, errors of the core) is data, the same for pages, API and terminal, and stays English: pages mark it so.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Protocol

import yaml
from aiohttp import web

LANGUAGES = {"en": "English", "fr": "Français"}
"""Code → its own name; the first is what is taken where nobody asks."""
HTML = {"en": "en-CA", "fr": "fr-CA"}
_TEXTS = Path(__file__).parent / "texts"
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Say(Protocol):
    """`say("{n} of {all} shown", n=1, all=12)` in one language; a text nobody has translated is said as it is."""

    def __call__(self, text: str, /, **values: object) -> str: ...


@cache
def texts(language: str) -> Mapping[str, str]:
    """Return the catalogue of a language, by the English; empty for English itself."""
    path = _TEXTS / f"{language}.yaml"
    found: dict[str, str] = yaml.load(path.read_bytes(), _LOADER) if path.exists() else {}
    return found


@cache
def saying(language: str) -> Say:
    catalogue = texts(language)

    def say(text: str, /, **values: object) -> str:
        told = catalogue.get(text, text)
        return told.format(**values) if values else told

    return say


def language_of(request: web.Request) -> str:
    """Return what the reader has chosen, else the first of what the browser prefers that there is."""
    chosen = request.cookies.get("language", "")
    if chosen in LANGUAGES:
        return chosen
    return next((tag for tag in _preferred(request.headers.get("Accept-Language", "")[:200])), "en")


def _preferred(header: str) -> list[str]:
    """The languages of an Accept-Language header (RFC 9110 §12.5.4) that there are, best first."""
    found = []
    for place, item in enumerate(header.split(",")):
        tag, *parameters = (part.strip().lower() for part in item.split(";"))
        code = tag.partition("-")[0]
        if code in LANGUAGES and (quality := _quality(parameters)) > 0:
            found.append((-quality, place, code))
    return [code for _, _, code in sorted(found)]


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
