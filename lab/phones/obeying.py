"""What a phone does because somebody tells it to by SIP: REFER outside a call, and the services of uaCSTA in INFO."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from lab.phones.line import Line
from pbx.sip.bodies import media_type
from pbx.sip.message import Request
from pbx.sip.uri import BadUri, parse_name_addr

CSTA = "application/csta+xml"


def referred(line: Line, request: Request, now: float) -> int:
    """Call whom a REFER names; return the status of the answer."""
    values = request.all("Refer-To")
    try:
        number = parse_name_addr(values[0]).user if len(values) == 1 else ""
    except BadUri:
        number = ""
    if not number:
        return 400
    return 202 if line.dial(number, now) is not None else 486


def served(line: Line, request: Request, now: float) -> int:
    """Do what a request of uaCSTA asks for; return the status of the answer."""
    if media_type(request.get("Content-Type")) != CSTA:
        return 415
    try:
        asked: Element = fromstring(request.body)
    except (ParseError, DefusedXmlException, ValueError):
        return 400
    name = _name(asked)
    if name == "MakeCall":
        number = next((part.text or "" for part in asked if _name(part) == "calledDirectoryNumber"), "")
        return 200 if number and line.dial(number, now) is not None else 486
    do: Callable[[float], bool] | None = {
        "AnswerCall": line.answer, "ClearConnection": line.hang_up, "HoldCall": line.hold, "RetrieveCall": line.resume,
    }.get(name)  # fmt: skip
    if do is None:
        return 501
    return 200 if do(now) else 486


def _name(part: Element) -> str:
    return str(part.tag).rpartition("}")[2]
