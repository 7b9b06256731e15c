"""Cisco enterprise and MPP phones: `POST /CGI/Execute` with a CiscoIPPhoneExecute object (Cisco Unified IP Phone
Services Application Development Notes, OL-20949-01, CiscoIPPhoneExecute, -Response, -Error).

The phone takes it only with credentials that its authentication URL accepts (SEP), or with `CISCO_XML_EXE_Enable`
(MPP).
"""

from __future__ import annotations

from urllib.parse import quote
from xml.etree.ElementTree import ParseError

from defusedxml import ElementTree

from lab.control.command import Command, Driving, Refused, usual

FAMILIES = ("cisco/sep", "cisco/mpp")
CAN = frozenset({"dial", "answer", "hangup", "press"})
DOUBTED = frozenset({"answer", "hangup"})
_NAME = "this Cisco"
_KEYS = {"*": "KeyPadStar", "#": "KeyPadPound"}
_ERRORS = {
    "1": "it cannot read the object",
    "2": "it could not frame its answer",
    "3": "an internal file error",
    "4": "its authentication URL does not accept our user and password",
}
_AT_ONCE = 3
"""ExecuteItems an object may have."""


def look() -> Driving:
    """That it serves pages at all: whoever may execute is known only by executing."""
    usual((yield Command("/DeviceInformationX")), _NAME)


def do(action: str, argument: str) -> Driving:
    match action:
        case "dial":
            yield from _executed([f"Dial:{argument}"])
        case "press":
            keys = [f"Key:{_KEYS.get(key, f'KeyPad{key}')}" for key in argument]
            for at in range(0, len(keys), _AT_ONCE):
                yield from _executed(keys[at : at + _AT_ONCE])
        case _:
            yield from _executed(["Key:Speaker"])


def _executed(urls: list[str]) -> Driving:
    items = "".join(f'<ExecuteItem Priority="0" URL="{_attribute(url)}"/>' for url in urls)
    body = f"XML={quote(f'<CiscoIPPhoneExecute>{items}</CiscoIPPhoneExecute>', safe='')}".encode()
    answer = yield Command("/CGI/Execute", "POST", body, "application/x-www-form-urlencoded")
    usual(answer, _NAME)
    try:
        document = ElementTree.fromstring(answer.body)
    except (ParseError, ValueError):
        raise Refused(f"{_NAME} answers what is no XML: {answer.text[:60]!r}") from None
    if document.tag == "CiscoIPPhoneError":
        number = document.get("Number", "")
        raise Refused(f"{_NAME} says error {number}: {_ERRORS.get(number, document.text or 'unknown')}")
    for item in document.iter("ResponseItem"):
        if item.get("Status", "0") != "0":
            raise Refused(f"{_NAME} does not do {item.get('URL')}: {item.get('Data')}")


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
