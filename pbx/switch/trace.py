"""Every SIP message as an event, secrets masked, with the device it belongs to."""

from __future__ import annotations

import re
from collections.abc import Collection

from pbx.events import Event, SipRequest, SipResponse
from pbx.sip.masking import masked

_START = re.compile(rb"(?:SIP/2\.0 (\d{3})|([A-Za-z]+) )")
_METHOD = re.compile(rb"\d+[ \t]+([A-Za-z]+)")
_USER = re.compile(rb"sips?:([^@;>\s]+)@")
_COMPACT = {b"Call-ID": b"i", b"From": b"f", b"To": b"t", b"CSeq": b"CSeq"}
_SLOWLY = {
    name: re.compile(rb"(?im)^(?:%s|%s)[ \t]*:[ \t]*([^\r\n]*)" % (name, short)) for name, short in _COMPACT.items()
}


def message_event(direction: str, address: str, data: bytes, devices: Collection[str]) -> Event | None:
    """Return the event of one message, None when it is too broken to be named; `devices` are at its address."""
    start = _START.match(data.lstrip(b"\r\n"))
    if start is None:
        return None
    sip_id = _value(data, b"Call-ID").strip().decode("utf-8", "replace")
    device = _one_of(devices, direction, data, is_request=start[1] is None)
    if start[1] is None:
        return SipRequest(direction, start[2].decode(), address, sip_id, device, masked(data))
    cseq = _METHOD.match(_value(data, b"CSeq"))
    method = cseq[1].decode() if cseq else ""
    return SipResponse(direction, method, int(start[1]), address, sip_id, device, masked(data))


def _one_of(devices: Collection[str], direction: str, data: bytes, *, is_request: bool) -> str:
    """Two ports of an adapter share an address: the message itself tells them apart."""
    if len(devices) > 1:
        # The far end asks (From) in a request that comes in and in the response that goes out to it; else it is asked.
        asks = (direction == "in") is is_request
        places = [_value(data, b"From")] if asks else [data.partition(b" SIP/")[0], _value(data, b"To")]
        for place in places:
            found = _USER.search(place)
            if found is not None and (named := found[1].decode("utf-8", "replace")) in devices:
                return named
    return next(iter(devices), "")


def _value(data: bytes, name: bytes) -> bytes:
    """Return a header's first value; its usual spelling is found ten times as fast as any that a peer may use."""
    at = data.find(b"\r\n" + name + b": ")
    if at >= 0:
        at += len(name) + 4
        return data[at : data.find(b"\r\n", at)]
    found = _SLOWLY[name].search(data)
    return found[1] if found is not None else b""
