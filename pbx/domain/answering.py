"""Answering rules: what happens to a call for a user, per time frame (domain-features 1.5)."""

from __future__ import annotations

from pydantic import Field

from pbx.domain.base import Model
from pbx.domain.destinations import Destination


class RingTarget(Model):
    """One target of simultaneous ring: own devices (`own`), a device, or an outside number, after a delay."""

    target: str = "own"
    """`own`, `device 101a` or `external 1NPANXXXXXX`."""
    delay_s: float = Field(default=0.0, ge=0, le=120)


class AnsweringRule(Model):
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
    """Caller numbers refused with busy."""
