"""Every SIP message as an event, secrets masked, with the device it belongs to."""

from __future__ import annotations

import re
from collections.abc import Collection

from pbx.events import Event, SipRequest, SipResponse
from pbx.sip.masking import masked

_START = re.compile(rb"(?:SIP/2\.0 (\d{3})|([A-Za-z]+) )")
_CALL_ID = re.compile(rb"(?im)^(?:call-id|i)[ \t]*:[ \t]*([^\r\n]*)")
_CSEQ = re.compile(rb"(?im)^cseq[ \t]*:[ \t]*\d+[ \t]+([A-Za-z]+)")


_FROM = re.compile(rb"(?im)^(?:from|f)[ \t]*:[^\r\n]*?sips?:([^@;>\s]+)@")
_TO = re.compile(rb"(?im)^(?:to|t)[ \t]*:[^\r\n]*?sips?:([^@;>\s]+)@")
_TARGET = re.compile(rb"[A-Za-z]+ sips?:([^@;>\s]+)@")


def message_event(direction: str, address: str, data: bytes, devices: Collection[str]) -> Event | None:
    """Return the event of one message, None when it is too broken to be named; `devices` are at its address."""
    start = _START.match(data.lstrip(b"\r\n"))
    if start is None:
        return None
    call_id = _CALL_ID.search(data)
    sip_id = call_id[1].strip().decode("utf-8", "replace") if call_id else ""
    device = _one_of(devices, direction, data, is_request=start[1] is None)
    if start[1] is None:
        return SipRequest(direction, start[2].decode(), address, sip_id, device, masked(data))
    cseq = _CSEQ.search(data)
    method = cseq[1].decode() if cseq else ""
    return SipResponse(direction, method, int(start[1]), address, sip_id, device, masked(data))


def _one_of(devices: Collection[str], direction: str, data: bytes, *, is_request: bool) -> str:
    """Two ports of an adapter share an address: the message itself tells them apart."""
    if len(devices) > 1:
        # The far end asks (From) in a request that comes in and in the response that goes out to it.
        theirs = (_FROM,) if (direction == "in") is is_request else (_TARGET, _TO)
        for pattern in theirs:
            found = pattern.search(data)
            if found is not None and (named := found[1].decode("utf-8", "replace")) in devices:
                return named
    return next(iter(devices), "")
