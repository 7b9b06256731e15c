"""Every SIP message as an event, secrets masked, with the device it belongs to."""

from __future__ import annotations

import re

from pbx.events import Event, SipRequest, SipResponse
from pbx.sip.masking import masked

_START = re.compile(rb"(?:SIP/2\.0 (\d{3})|([A-Za-z]+) )")
_CALL_ID = re.compile(rb"(?im)^(?:call-id|i)[ \t]*:[ \t]*([^\r\n]*)")
_CSEQ = re.compile(rb"(?im)^cseq[ \t]*:[ \t]*\d+[ \t]+([A-Za-z]+)")


def message_event(direction: str, address: str, data: bytes, device: str) -> Event | None:
    """Return the event of one message, None when it is too broken to be named."""
    start = _START.match(data.lstrip(b"\r\n"))
    if start is None:
        return None
    call_id = _CALL_ID.search(data)
    sip_id = call_id[1].strip().decode("utf-8", "replace") if call_id else ""
    if start[1] is None:
        return SipRequest(direction, start[2].decode(), address, sip_id, device, masked(data))
    cseq = _CSEQ.search(data)
    method = cseq[1].decode() if cseq else ""
    return SipResponse(direction, method, int(start[1]), address, sip_id, device, masked(data))
