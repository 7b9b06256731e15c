"""How firmwares read their files: each syntax into the values by their own names. Nothing here knows a template."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from lab.phones.family import BootFailed, decoded

_INDEXES = ("idx", "index", "button")


def text_lines(body: bytes, name: str, separator: str) -> dict[str, str]:
    """`name<separator>value` a line; quotes around a value are not part of it, a later line wins."""
    values = {}
    for line in decoded(body, name).splitlines():
        key, found, value = line.partition(separator)
        if found and not line.startswith("#"):
            value = value.strip()
            quoted = len(value) > 1 and value[0] == value[-1] == '"'
            values[key.strip().lstrip("!^")] = value[1:-1] if quoted else value
    return values


def flat_elements(body: bytes, name: str) -> dict[str, str]:
    """Every element that has no children, by its tag: `<Proxy_1_>`, `<P47>`."""
    return {element.tag: _text(element) for element in document(body, name).iter() if not len(element)}


def nested_elements(body: bytes, name: str) -> dict[str, str]:
    """Every element that has no children, by its path; an index in brackets: `sip/line[1]/PhoneNumber`."""
    found: dict[str, str] = {}
    for element in document(body, name):
        _gather(element, "", found)
    return found


def named_values(body: bytes, name: str) -> dict[str, str]:
    """`<param name="…" value="…"/>` and `<item name="…">…</item>`, wherever they stand."""
    found = {}
    for element in document(body, name).iter():
        if element.tag in ("param", "item"):
            found[element.get("name", "")] = element.get("value", _text(element))
    return found


def objects(body: bytes, name: str) -> dict[str, str]:
    """TR-104: the name of the object and of its parameter, joined."""
    found = {}
    for item in document(body, name).iter("Object"):
        prefix = (item.findtext("Name") or "").strip()
        for one in item.iter("ParameterValueStruct"):
            found[prefix + (one.findtext("Name") or "").strip()] = (one.findtext("Value") or "").strip()
    return found


def document(body: bytes, name: str) -> Element:
    try:
        root: Element = fromstring(body)
    except (ParseError, DefusedXmlException) as fault:
        raise BootFailed("Config bad", f"{name} is not XML: {fault}") from fault
    return root


def _gather(element: Element, above: str, found: dict[str, str]) -> None:
    index = next((element.get(name) for name in _INDEXES if name in element.attrib), "")
    path = f"{above}{element.tag}[{index}]" if index else f"{above}{element.tag}"
    if not len(element):
        found[path] = _text(element)
    for inner in element:
        _gather(inner, f"{path}/", found)


def _text(element: Element) -> str:
    return (element.text or "").strip()
