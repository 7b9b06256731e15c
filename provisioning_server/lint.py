"""What is wrong with a rendered file, by its family's own rules (provisioning 3.5). Empty means nothing is."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from provisioning_server.manifest import Family, FileRule, Lint

_LEFTOVER = re.compile(r"\{\{|\{%|\$\{|\{\$|%\}")
_LPCONFIG = "{http://www.linphone.org/xsds/lpconfig.xsd}"
_LABELS = ("idx", "index", "button", "id")
_INCLUDE = re.compile(r'include:config "[^"]+"')


class Unreadable(Exception):
    """The file is not of its format at all."""


def problems(family: Family, rule: FileRule, body: bytes) -> list[str]:
    """Return what is wrong: format, leftovers of templates, unknown names, names that stand twice."""
    lint = rule.lint or family.lint
    try:
        names = names_in(family, rule, body)
    except Unreadable as fault:
        return [str(fault)]
    text = body.decode("utf-8")
    found = [f"template text left: {match[0]}" for match in _LEFTOVER.finditer(text)]
    found += [f"unknown parameter {name}" for name in dict.fromkeys(names) if not family.knows.fullmatch(name)]
    return found + [
        f"{name} stands {count} times"
        for name, count in Counter(names).items()
        if count > 1 and name not in lint.allowed_duplicates
    ]


def names_in(family: Family, rule: FileRule, body: bytes) -> list[str]:
    """Return the names of the file's parameters, in its order; Unreadable when it is not of its format."""
    lint = rule.lint or family.lint
    try:
        return list(_READERS[lint.names](body.decode("utf-8"), lint))
    except UnicodeDecodeError as fault:
        raise Unreadable(f"not UTF-8 at byte {fault.start}") from None


def _keys(text: str, lint: Lint) -> Iterator[str]:
    lines = text.splitlines()
    if not lines or not lines[0].startswith(lint.first_line):
        raise Unreadable(f"the first line is not {lint.first_line}")
    for line in lines[1:] if lint.first_line else lines:
        if _INCLUDE.fullmatch(line) or line.startswith("#") or not line.strip():
            continue
        name, found, _ = line.partition(lint.separator)
        if not found:
            raise Unreadable(f"no `name{lint.separator}value`: {line[:60]!r}")
        yield name.strip().lstrip("!^")


def _attributes(text: str, lint: Lint) -> Iterator[str]:
    for element in _xml(text).iter():
        yield from map(str, element.attrib)


def _under_root(text: str, lint: Lint) -> Iterator[Element]:
    """The elements under the path that the family's files have."""
    whole, (first, *path) = _xml(text), lint.root.split("/")
    found = [whole] if _plain(whole.tag) == first else []
    for tag in path:
        found = [inner for element in found for inner in element if _plain(inner.tag) == tag]
    if not found:
        raise Unreadable(f"not a <{'> with a <'.join([first, *path])}>")
    for element in found:
        yield from element


def _elements(text: str, lint: Lint) -> Iterator[str]:
    for element in _under_root(text, lint):
        yield _labelled(element)


def _named(text: str, lint: Lint) -> Iterator[str]:
    for element in _under_root(text, lint):
        name = element.get("name")
        if name is None:
            raise Unreadable(f"a <{element.tag}> without a name")
        yield name


def _objects(text: str, lint: Lint) -> Iterator[str]:
    """TR-104: each <Object> has a <Name> ending in a dot, and parameters with a <Name> each."""
    for element in _under_root(text, lint):
        name = element.findtext("Name") or ""
        for parameter in element.findall("ParameterValueStruct"):
            yield name + (parameter.findtext("Name") or "")


def _paths(text: str, lint: Lint) -> Iterator[str]:
    for element in _under_root(text, lint):
        yield from _below(element, "")


def _below(element: Element, path: str) -> Iterator[str]:
    path = f"{path}/{_labelled(element)}" if path else _labelled(element)
    if not len(element):
        yield path
    for inner in element:
        yield from _below(inner, path)


def _labelled(element: Element) -> str:
    """An element's name with the attribute by which its like are told apart."""
    label = next((element.get(name) for name in _LABELS if element.get(name) is not None), None)
    return _plain(element.tag) if label is None else f"{_plain(element.tag)}[{label}]"


def _plain(tag: str) -> str:
    return tag.rpartition("}")[2]


def _anything(text: str, lint: Lint) -> Iterator[str]:
    """A list of files, or a directory: well-formed where it is XML, and nothing to look up."""
    if text.startswith("<?xml"):
        _xml(text)
    yield from ()


def _entries(text: str, lint: Lint) -> Iterator[str]:
    root = _xml(text)
    if root.tag != f"{_LPCONFIG}config":
        raise Unreadable("not an lpconfig <config>")
    for section in root.findall(f"{_LPCONFIG}section"):
        for entry in section.findall(f"{_LPCONFIG}entry"):
            yield f"{section.get('name')}/{entry.get('name')}"


def _leaves(text: str, lint: Lint) -> Iterator[str]:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise Unreadable(f"a name stands twice among {[name for name, _ in pairs]}")
        return dict(pairs)

    try:
        whole = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as fault:
        raise Unreadable(f"not JSON: {fault}") from None
    yield from dict.fromkeys(_inner(whole, ""))


def _inner(value: object, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _inner(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and all(isinstance(item, dict) for item in value):
        for item in value:
            yield from _inner(item, path)
    else:
        yield path


def _words(text: str, lint: Lint) -> Iterator[str]:
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


def _xml(text: str) -> Element:
    try:
        whole: Element = fromstring(text.encode("utf-8"))
    except (ParseError, DefusedXmlException) as fault:
        raise Unreadable(f"not XML: {fault}") from None
    return whole


_READERS: dict[str, Callable[[str, Lint], Iterator[str]]] = {
    "keys": _keys,
    "attributes": _attributes,
    "elements": _elements,
    "named": _named,
    "objects": _objects,
    "paths": _paths,
    "anything": _anything,
    "entries": _entries,
    "leaves": _leaves,
    "words": _words,
}
