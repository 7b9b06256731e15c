"""What a user's answering rules make of a call (domain-features 1.5): forward it, or ring, and what then.

Order: block list, do not disturb, always, on active, offline, ring; then busy and no answer. The first rule whose
time frame covers the moment is in force.
"""

from __future__ import annotations

from dataclasses import dataclass

from pbx.callflow.decisions import Notes
from pbx.clock import Moment
from pbx.domain.answering import AnsweringRule
from pbx.domain.destinations import Cause, Destination, HangUp, ToExternal, ToMailbox
from pbx.domain.dialplan import normal_number
from pbx.domain.directory import Directory
from pbx.domain.tenancy import User


@dataclass(frozen=True, slots=True)
class Presence:
    """What routing may see of the live state."""

    registered: frozenset[str] = frozenset()
    """Device ids."""
    busy: frozenset[str] = frozenset()
    """Extensions in a call."""
    do_not_disturb: frozenset[str] = frozenset()
    """Extensions, set by feature."""


@dataclass(frozen=True, slots=True)
class RingLeg:
    """Ring a device, or an outside number, after a delay."""

    device: str
    number: str
    delay_s: float


@dataclass(frozen=True, slots=True)
class RingPlan:
    """Who rings, how long, and where the call goes otherwise."""

    extension: str
    legs: tuple[RingLeg, ...]
    ring_s: float
    on_busy: Destination
    on_no_answer: Destination


_DEFAULT = AnsweringRule()


def apply_rules(
    directory: Directory, user: User, caller_number: str, presence: Presence, at: Moment, notes: Notes
) -> Destination | RingPlan:
    """Return where the call for `user` goes now, writing down each rule tried."""
    rule, where = _in_force(directory, user, at, notes)
    unanswered = _otherwise(user)
    if caller_number and caller_number in {normal_number(number) or number for number in rule.block}:
        notes.yes("block list", f"{caller_number} is blocked", where)
        return HangUp(cause=Cause.BUSY)
    if rule.do_not_disturb or user.do_not_disturb or user.extension in presence.do_not_disturb:
        notes.yes("do not disturb", "on", where)
        return unanswered
    notes.no("do not disturb", "off", where)
    if rule.forward_always is not None:
        notes.yes("forward always", rule.forward_always.label, where)
        return rule.forward_always
    notes.no("forward always", "not set", where)
    if rule.forward_on_active is not None:
        if user.extension in presence.busy:
            notes.yes("forward on active", f"in a call, so {rule.forward_on_active.label}", where)
            return rule.forward_on_active
        notes.no("forward on active", "in no call", where)
    legs = _legs(directory, user, rule, presence)
    own = [device.id for device in directory.devices_by_extension.get(user.extension, ())]
    if not legs:
        offline = rule.forward_offline or unanswered
        notes.yes("offline", f"no registered device of {', '.join(own) or 'none'}, so {offline.label}", where)
        return offline
    notes.no("offline", f"registered: {', '.join(leg.device or leg.number for leg in legs)}", where)
    plan = RingPlan(
        user.extension,
        legs,
        user.ring_s,
        _busy(directory, user, rule, unanswered),
        rule.forward_no_answer or unanswered,
    )
    rung = ", ".join((leg.device or leg.number) + (f" after {leg.delay_s:g} s" if leg.delay_s else "") for leg in legs)
    notes.yes("ring", f"{rung} for {user.ring_s} s", where)
    notes.skipped("when busy", plan.on_busy.label, where)
    notes.skipped("no answer", plan.on_no_answer.label, where)
    return plan


def _in_force(directory: Directory, user: User, at: Moment, notes: Notes) -> tuple[AnsweringRule, str]:
    zone = zone_of(directory, user)
    for number, rule in enumerate(user.rules):
        where = f"users/{user.extension}/rules/{number}"
        if not rule.enabled:
            notes.no("answering rule", f"{rule.time_frame}: switched off", where)
            continue
        if rule.time_frame == "*" or directory.frames_by_name[rule.time_frame].covers(at.wall, zone):
            notes.yes("answering rule", f"{rule.time_frame}: in force", where)
            return rule, where
        notes.no("answering rule", f"{rule.time_frame}: not now", where)
    where = f"users/{user.extension}"
    notes.yes("answering rule", "default: just ring the user's phones", where)
    return _DEFAULT, where


def zone_of(directory: Directory, user: User) -> str:
    site = directory.sites_by_name.get(user.site)
    return user.time_zone or (site.time_zone if site else "") or directory.domain.time_zone


def _otherwise(user: User) -> Destination:
    if user.voicemail:
        return ToMailbox(extension=user.extension)
    return HangUp(cause=Cause.NO_ANSWER)


def _busy(directory: Directory, user: User, rule: AnsweringRule, unanswered: Destination) -> Destination:
    if rule.forward_on_busy is not None and directory.domain.busy_forwarding == "platform":
        return rule.forward_on_busy
    return unanswered if user.voicemail else HangUp(cause=Cause.BUSY)


def _legs(directory: Directory, user: User, rule: AnsweringRule, presence: Presence) -> tuple[RingLeg, ...]:
    if not rule.simultaneous_ring:
        return tuple(
            RingLeg(device.id, "", 0.0)
            for device in directory.devices_by_extension.get(user.extension, ())
            if device.id in presence.registered
        )
    legs: list[RingLeg] = []
    for target in rule.simultaneous_ring:
        word, _, rest = target.target.partition(" ")
        if word == "own":
            own = directory.devices_by_extension.get(user.extension, ())
            legs += [RingLeg(d.id, "", target.delay_s) for d in own if d.id in presence.registered]
        elif word == "device":
            legs += [RingLeg(rest, "", target.delay_s)] if rest in presence.registered else []
        else:
            legs.append(RingLeg("", ToExternal(number=rest).number, target.delay_s))
    return tuple(legs)
