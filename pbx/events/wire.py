"""SIP messages as they pass, and input that was ignored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from pbx.events.base import Event
from pbx.events.masking import masked


@dataclass(frozen=True, slots=True)
class SipRequest(Event):
    kind: ClassVar[str] = "sip.request"
    told_as: ClassVar[Mapping[str, str]] = {"data": "text"}
    direction: str
    """`in` or `out`, seen from the switch."""
    method: str
    address: str
    sip_call_id: str
    device: str
    data: bytes = field(repr=False)
    """As it crossed the wire; what may be shown of it is `text`."""

    @property
    def text(self) -> str:
        """The message with credentials masked, made when somebody reads it: few are ever read."""
        return masked(self.data)


@dataclass(frozen=True, slots=True)
class SipResponse(Event):
    kind: ClassVar[str] = "sip.response"
    told_as: ClassVar[Mapping[str, str]] = {"data": "text"}
    direction: str
    method: str
    status: int
    address: str
    sip_call_id: str
    device: str
    data: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return masked(self.data)


@dataclass(frozen=True, slots=True)
class InputIgnored(Event):
    """Someone else's bytes were wrong; what was done with them."""

    kind: ClassVar[str] = "server.ignored"
    protocol: str
    address: str
    reason: str
    status: int
    """The status answered, or 0 for silence."""
