"""SIP messages as they pass, and input that was ignored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pbx.events.base import Event


@dataclass(frozen=True, slots=True)
class SipRequest(Event):
    kind: ClassVar[str] = "sip.request"
    direction: str
    """`in` or `out`, seen from the switch."""
    method: str
    address: str
    sip_call_id: str
    device: str
    text: str
    """The message with credentials masked."""


@dataclass(frozen=True, slots=True)
class SipResponse(Event):
    kind: ClassVar[str] = "sip.response"
    direction: str
    method: str
    status: int
    address: str
    sip_call_id: str
    device: str
    text: str


@dataclass(frozen=True, slots=True)
class InputIgnored(Event):
    """Someone else's bytes were wrong; what was done with them."""

    kind: ClassVar[str] = "server.ignored"
    protocol: str
    address: str
    reason: str
    status: int
    """The status answered, or 0 for silence."""
