"""Answering rules: what happens to a call for a user, per time frame (domain-features 1.5)."""

from __future__ import annotations

from pydantic import Field

from pbx.domain.base import Model
from pbx.domain.destinations import Destination


class RingTarget(Model):
    """One target of simultaneous ring: own devices (`own`), a device, or an outside number, after a delay."""

    target: str = Field(default="own", pattern=r"^(own|device [0-9]{3,5}[a-z]{0,2}|external 1[0-9]{10})$")
    """`own`, `device 101a` or `external 1NPANXXXXXX`."""
    delay_s: float = Field(default=0.0, ge=0, le=120)


class AnsweringRule(Model):
    """Evaluated in this order: block, do not disturb, always, on active, offline, ring, busy, no answer."""

    time_frame: str = "*"
    """Name of a time frame, or `*` for always."""
    enabled: bool = True
    do_not_disturb: bool = False
    forward_always: Destination | None = None
    forward_on_active: Destination | None = None
    forward_on_busy: Destination | None = None
    forward_no_answer: Destination | None = None
    forward_offline: Destination | None = None
    simultaneous_ring: tuple[RingTarget, ...] = ()
    """Empty: just ring the user's own devices."""
    block: tuple[str, ...] = ()
    """Caller numbers or extensions refused with busy; `anonymous` for callers without a number."""
