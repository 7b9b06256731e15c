"""Answering rules: what happens to a call for a user, per time frame (domain-features 1.5)."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field, model_validator

from pbx.domain.base import DEVICE_ID, EXTENSION_FORM, OUTSIDE_FORM, Model
from pbx.domain.destinations import Destination

_PLATFORM_TARGETS = (
    (re.compile(r"<OwnDevices>"), "own"),
    (re.compile(r"(?:external )?\+?1?([2-9][0-9]{9})"), r"external 1\1"),
    (re.compile(r"(?:external )?(?:011|\+)([2-9][0-9]{6,14})"), r"external +\1"),
    (re.compile(r"((?:[1-9][0-9]{2,4}|[2-9][0-9]{9})[a-z]{1,2})"), r"device \1"),
    (re.compile(r"([1-9][0-9]{2,4})"), r"user \1"),
)


class RingTarget(Model):
    """One target of simultaneous ring: own devices, another user's, one device, or an outside number, after a delay.

    As the platform writes it for short: `<OwnDevices>`, `1234wp`, `3456;delay=15`, `confirm_18005551234;delay=20`.
    """

    target: str = Field(
        default="own",
        pattern=rf"^(own|user (?:{EXTENSION_FORM})|device {DEVICE_ID[1:-1]}|external (?:{OUTSIDE_FORM}))$",
    )
    """`own`, `user 102` (the phones, not the rules), `device 101a` or `external 1NPANXXXXXX`."""
    delay_s: float = Field(default=0.0, ge=0, le=120)
    confirm: bool = False
    """Answer confirmation: whoever answers has to press 1, else the call rings on (net2phone: SmartAnswer)."""

    @model_validator(mode="before")
    @classmethod
    def _read_short(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        target, *options = value.split(";")
        bare = target.strip().removeprefix("confirm_")
        fields: dict[str, Any] = {"target": _as_written_here(bare), "confirm": bare != target.strip()}
        for option in options:
            name, _, given = option.strip().partition("=")
            if name != "delay":
                raise ValueError(f"{value!r}: {option.strip()!r} is no option of a target; delay=SECONDS is one")
            fields["delay_s"] = given
        return fields


def _as_written_here(target: str) -> str:
    for pattern, written in _PLATFORM_TARGETS:
        if pattern.fullmatch(target):
            return pattern.sub(written, target)
    return target


class AnsweringRule(Model):
    """Evaluated in this order: block, allow, spam, do not disturb, always, on active, offline, ring (screened where
    that is set), busy, no answer."""

    time_frame: str = "*"
    """Name of a time frame, or `*` for always."""
    enabled: bool = True
    do_not_disturb: bool = False
    forward_on_dnd: Destination | None = None
    """None: voicemail."""
    forward_always: Destination | None = None
    forward_on_active: Destination | None = None
    forward_on_busy: Destination | None = None
    forward_no_answer: Destination | None = None
    forward_offline: Destination | None = None
    forward_on_spam: Destination | None = None
    """Callers of the domain's list of spam; None: they are callers like others."""
    call_screening: bool = False
    """The caller says a name, whoever answers hears it and takes the call with 1 or refuses it with 2."""
    simultaneous_ring: tuple[RingTarget, ...] = ()
    """Empty: just ring the user's own devices."""
    allow: tuple[str, ...] = ()
    """Caller numbers or extensions that ring in spite of spam list, do not disturb and screening; written as in
    `block`, which goes first."""
    block: tuple[str, ...] = ()
    """Caller numbers or extensions refused with busy; `anonymous` for callers without a number."""
