"""What is wrong with a rendered file, by its family's own rules (provisioning 3.5). Empty means nothing is."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from provisioning_server.families import Family, FileRule

_LEFTOVER = re.compile(r"\{\{|\{%|\$\{|\{\$|%\}")
_LPCONFIG = "{http://www.linphone.org/xsds/lpconfig.xsd}"
_INCLUDE = re.compile(r'include:config "[^"]+"')


class Unreadable(Exception):
    """The file is not of its format at all."""


def problems(family: Family, rule: FileRule, body: bytes) -> list[str]:
    """Return what is wrong: format, leftovers of templates, unknown names, names that stand twice."""
    try:
        text = body.decode("utf-8")
        names = list(_READERS[family.lint.names](text, family))
    except UnicodeDecodeError as fault:
        return [f"not UTF-8 at byte {fault.start}"]
    except Unreadable as fault:
        return [str(fault)]
    known = [re.compile(parameter) for parameter in family.parameters]
    found = [f"template text left: {match[0]}" for match in _LEFTOVER.finditer(text)]
    found += [f"unknown parameter {name}" for name in dict.fromkeys(names) if not any(k.fullmatch(name) for k in known)]
    return found + [
        f"{name} stands {count} times"
        for name, count in Counter(names).items()
        if count > 1 and name not in family.lint.allowed_duplicates
    ]


def _keys(text: str, family: Family) -> Iterator[str]:
    lines = text.splitlines()
    if not lines or lines[0] != family.lint.first_line:
        raise Unreadable(f"the first line is not {family.lint.first_line}")
    for line in lines[1:]:
        if _INCLUDE.fullmatch(line):
            continue
        name, equals, _ = line.partition(" = ")
        if not equals:
            raise Unreadable(f"no `key = value`: {line[:60]!r}")
        yield name


def _attributes(text: str, family: Family) -> Iterator[str]:
    for element in _xml(text).iter():
        yield from map(str, element.attrib)


def _elements(text: str, family: Family) -> Iterator[str]:
    root = _xml(text)
    config = root.find("config")
    if root.tag != "gs_provision" or config is None:
        raise Unreadable("not a <gs_provision> with a <config>")
    yield from (str(element.tag) for element in config)


def _entries(text: str, family: Family) -> Iterator[str]:
    root = _xml(text)
    if root.tag != f"{_LPCONFIG}config":
        raise Unreadable("not an lpconfig <config>")
    for section in root.findall(f"{_LPCONFIG}section"):
        for entry in section.findall(f"{_LPCONFIG}entry"):
            yield f"{section.get('name')}/{entry.get('name')}"


def _leaves(text: str, family: Family) -> Iterator[str]:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise Unreadable(f"a name stands twice among {[name for name, _ in pairs]}")
        return dict(pairs)

    try:
        whole = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as fault:
        raise Unreadable(f"not JSON: {fault}") from None
    yield from dict.fromkeys(_paths(whole, ""))


def _paths(value: object, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _paths(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and all(isinstance(item, dict) for item in value):
        for item in value:
            yield from _paths(item, path)
    else:
        yield path


def _words(text: str, family: Family) -> Iterator[str]:
    """baresip: config lines `name<tab>value`; account lines are an address and `;name=value`."""
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith('"'):
            _, bracket, parameters = line.partition(">;")
            if not bracket:
                raise Unreadable(f"no account: {line[:40]!r}")
            yield from (item.partition("=")[0] for item in _outside_quotes(parameters))
            continue
        name, tab, _ = line.partition("\t")
        if not tab:
            raise Unreadable(f"no name and value: {line[:60]!r}")
        yield name


def _outside_quotes(parameters: str) -> list[str]:
    return re.sub(r'"[^"]*"', '""', parameters).split(";")


def _xml(text: str):  # type: ignore[no-untyped-def]  # defusedxml returns the standard Element, untyped
    try:
        return fromstring(text.encode("utf-8"))
    except (ParseError, DefusedXmlException) as fault:
        raise Unreadable(f"not XML: {fault}") from None


_READERS: dict[str, Callable[[str, Family], Iterator[str]]] = {
    "keys": _keys,
    "attributes": _attributes,
    "elements": _elements,
    "entries": _entries,
    "leaves": _leaves,
    "words": _words,
}
