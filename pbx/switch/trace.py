"""Every SIP message as an event, with the device it belongs to."""

from __future__ import annotations

import re
from collections.abc import Collection

from pbx.events import Event, SipRequest, SipResponse
from pbx.sip.message import Malformed, Request, Response
from pbx.sip.uri import BadUri, parse_uri

_START = re.compile(rb"(?:SIP/2\.0 (\d{3})|([A-Za-z]+) )")
_CALL_ID = re.compile(rb"(?im)^(?:Call-ID|i)[ \t]*:[ \t]*([^\r\n]*)")


def message_event(
    direction: str, address: str, message: Request | Response, data: bytes, devices: Collection[str]
) -> Event:
    """Return the event of one message and its bytes; `devices` are at its address."""
    try:
        call_id, method = message.call_id, message.cseq.method
    except Malformed:  # a request that is refused for it
        call_id, method = (message.get("Call-ID") or "").strip(), ""
    device = _one_of(devices, direction, message) if devices else ""
    if isinstance(message, Request):
        return SipRequest(direction, message.method, address, call_id, device, data)
    return SipResponse(direction, method, message.status, address, call_id, device, data)


def broken_event(direction: str, address: str, data: bytes, devices: Collection[str]) -> Event | None:
    """Return the event of what could not be read as a message, None when it is too broken to be named."""
    start = _START.match(data.lstrip(b"\r\n"))
    if start is None:
        return None
    found = _CALL_ID.search(data)
    call_id = found[1].strip().decode("utf-8", "replace") if found is not None else ""
    device = next(iter(devices), "")
    if start[1] is None:
        return SipRequest(direction, start[2].decode(), address, call_id, device, data)
    return SipResponse(direction, "", int(start[1]), address, call_id, device, data)


def _one_of(devices: Collection[str], direction: str, message: Request | Response) -> str:
    """Two ports of an adapter share an address: the message itself tells them apart."""
    if len(devices) == 1:
        return next(iter(devices))
    user = ""
    try:
        # It asks (From) in a request that comes in and in the response that goes out to it; else it is asked.
        if (direction == "in") is isinstance(message, Request):
            user = message.from_.user
        elif not isinstance(message, Request) or (user := parse_uri(message.uri).user) not in devices:
            user = message.to.user
    except (Malformed, BadUri):
        pass  # then nothing in it tells them apart
    return user if user in devices else next(iter(devices))
