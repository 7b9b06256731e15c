"""What may happen at a phone that it tells a server of: by action URLs and notifications its configuration names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote


class Happened(Enum):
    STARTED = "started"
    REGISTERED = "registered"
    UNREGISTERED = "unregistered"
    REGISTER_FAILED = "register failed"
    OFF_HOOK = "off hook"
    ON_HOOK = "on hook"
    INCOMING = "incoming call"
    OUTGOING = "outgoing call"
    ESTABLISHED = "call established"
    TERMINATED = "call terminated"
    HELD = "call held"
    """By this phone."""
    RESUMED = "call resumed"
    DND_ON = "do not disturb"
    DND_OFF = "do not disturb off"


@dataclass(frozen=True, slots=True)
class Occurrence:
    what: Happened
    line: int = 1
    user: str = ""
    """Of the line."""
    call: str = ""
    """Call-ID, as SIP has it; empty for what is of no call."""
    remote: str = ""
    """The other's number."""


def filled_in(url: str, occurrence: Occurrence, facts: Mapping[str, str], call_id: str) -> str:
    """Return an action URL with its variables; `call_id` is how the maker calls that of the call."""
    told = {**facts, call_id: occurrence.call, "$remote": occurrence.remote, "$local": occurrence.user}
    for variable in sorted(told, key=len, reverse=True):
        url = url.replace(variable, quote(told[variable], safe="@:"))
    return url
