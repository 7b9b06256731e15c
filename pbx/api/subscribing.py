"""Subscriptions: what a client is told when something happens, and how each telling fared. Pure; `webhooks` posts.

A subscription is a document of its domain (`*` for those of the house). What it is told is a list of objects shaped as
the API reads them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pbx.domain.accounts import SUBSCRIPTION
from pbx.events import (
    AgentStatusChanged,
    CallEnded,
    CallHeld,
    CallInvited,
    CallRecordWritten,
    CallResumed,
    CallRinging,
    CallTransferred,
    CallUp,
    DeviceRegistered,
    DeviceUnregistered,
    DirectoryChanged,
    Event,
    LegEnded,
    LegInvited,
    VoicemailDeleted,
    VoicemailLeft,
)

KIND = SUBSCRIPTION
EVERYWHERE = "*"
EVENTS: dict[str, tuple[type[Event], ...]] = {
    "call": (CallInvited, LegInvited, CallRinging, CallUp, CallHeld, CallResumed, CallTransferred, LegEnded, CallEnded),
    "call_origid": (CallInvited, CallUp, CallEnded),
    "cdr": (CallRecordWritten,),
    "agent": (AgentStatusChanged,),
    "voicemail": (VoicemailLeft, VoicemailDeleted),
    "presence": (DeviceRegistered, DeviceUnregistered, CallUp, CallEnded),
    "subscriber": (DirectoryChanged,),
    "auditlog": (DirectoryChanged,),
    "auditlog_lite": (DirectoryChanged,),
    "message": (),
    "messagesession": (),
}
"""Model → what it is told of. Nothing is told of messages: this house has none."""
TRIES = 5
BACK_OFF_S = (1.0, 4.0, 15.0, 60.0)
"""Between one try and the next."""
LAST_GOOD_STATUS = 302
KEPT = 200


@dataclass(slots=True)
class Delivery:
    """One thing that is to be told, and how that went."""

    id: str
    subscription: str
    url: str
    body: bytes
    made_at: float
    """POSIX seconds."""
    secret: bytes = b""
    tries: list[str] = field(default_factory=list)
    """`200`, `500`, `refused`: one a try."""
    done: bool = False

    def headers(self, at: float) -> dict[str, str]:
        """Return what a receiver verifies it by: HMAC-SHA256 over the timestamp, a dot and the body."""
        stamp = f"{at:.0f}"
        proof = hmac.new(self.secret, stamp.encode() + b"." + self.body, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json", "Switchroom-Delivery": self.id, "Switchroom-Timestamp": stamp,
            "Switchroom-Signature": f"sha256={proof}", "Switchroom-Try": f"{len(self.tries) + 1}",
        }  # fmt: skip


def good(status: int) -> bool:
    """As there: above 302 counts as an error."""
    return 200 <= status <= LAST_GOOD_STATUS


def concerns(row: Mapping[str, Any], people: frozenset[str]) -> bool:
    """Tell whether a subscription is about these extensions: it names one of them, or everybody."""
    return row.get("user", EVERYWHERE) in (EVERYWHERE, "", None) or row["user"] in people


Teller = Callable[[Event], tuple[list[dict[str, Any]], frozenset[str]]]
"""What to say of an event, and whom it is about; nothing to say is an empty list."""


def body_of(rows: list[dict[str, Any]]) -> bytes:
    return json.dumps(rows, ensure_ascii=False).encode("utf-8", "replace")
