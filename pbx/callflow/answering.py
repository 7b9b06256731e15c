"""What a user's answering rules make of a call (domain-features 1.5): send it on, or ring, and what then.

The first enabled rule whose time frame covers the moment is in force, `*` last. In it: block list, allow
list, do not disturb, always, on active, no registered phone, ring; busy and no answer come true only during the call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pbx.callflow.decisions import Trail
from pbx.callflow.identity import calling_user
from pbx.callflow.question import Asked, Forward, Presence, Ringing, RingPlan
from pbx.clock import Moment
from pbx.domain.answering import AnsweringRule
from pbx.domain.destinations import Cause, Destination, HangUp, ToDevice, ToExternal, ToMailbox, parse_destination
from pbx.domain.dialplan import normal_number
from pbx.domain.directory import Directory
from pbx.domain.own_settings import Kind, OwnSettings
from pbx.domain.tenancy import User

_JUST_RING = AnsweringRule()


@dataclass(frozen=True, slots=True)
class _Called:
    """The called user with the rule in force, while it is applied."""

    directory: Directory
    user: User
    rule: AnsweringRule
    link: str
    settings: OwnSettings
    """Set at the telephone."""
    trail: Trail

    @property
    def devices(self) -> tuple[str, ...]:
        return tuple(device.id for device in self.directory.devices_by_extension.get(self.user.extension, ()))

    def otherwise(self, cause: Cause) -> Destination:
        """Where the call goes when no rule says more: voicemail, or hang up with `cause`."""
        return ToMailbox(extension=self.user.extension) if self.user.voicemail else HangUp(cause=cause)

    def by_code(self, kind: Kind) -> Destination | None:
        """Return a forward set at the telephone that is on."""
        to = self.settings.forward(kind)
        return self.permitted(parse_destination(to), f"forward {kind} by code") if to else None

    def permitted(self, destination: Destination | None, name: str) -> Destination | None:
        """Return a forward of the rule, but none to the outside by a user who is barred from calling there."""
        barred = self.directory.why_barred(self.user, destination.number) if isinstance(destination, ToExternal) else ""
        if destination is not None and barred:
            because = f"{barred}, so neither may the forward"
            self.trail.failed("rule", name, destination.label, because, self.link)
            return None
        return destination


def apply_rules(
    directory: Directory, extension: str, asked: Asked, presence: Presence, at: Moment, trail: Trail
) -> Forward | RingPlan:
    """Return where the call for `extension` goes now, writing every rule tried into `trail`."""
    user = directory.users_by_extension.get(extension)
    if user is None:
        trail.failed("user", extension, "", "there is no such user", "users")
        return Forward(HangUp(cause=Cause.NOT_FOUND), "no such user")
    trail.applied("user", f"{extension} {user.name}", "", "the answering rules apply", f"users/{extension}")
    rule, link = _in_force(directory, user, at, trail)
    settings = presence.settings.get(extension) or OwnSettings(extension)
    called = _Called(directory, user, rule, link, settings, trail)
    return _sent_on(called, asked, presence) or _ring_plan(called, asked, presence)


def rule_in_force(directory: Directory, user: User, at: Moment) -> AnsweringRule | None:
    """Return the rule that holds for a user's calls now; None while just the phones ring."""
    rule, _ = _in_force(directory, user, at, Trail())
    return None if rule is _JUST_RING else rule


def _in_force(directory: Directory, user: User, at: Moment, trail: Trail) -> tuple[AnsweringRule, str]:
    zone = directory.zone_of_user(user)
    order = sorted(range(len(user.rules)), key=lambda place: user.rules[place].time_frame == "*")
    found: tuple[AnsweringRule, str] | None = None
    for place in order:
        rule, link = user.rules[place], f"users/{user.extension}/rules/{place}"
        frame = directory.frame_of(user, rule.time_frame)
        saw = frame.text_in(zone) if frame else "always"
        if found is not None:
            trail.open("answering rule", rule.time_frame, saw, f"not reached; {_gist(rule)}", link)
        elif not rule.enabled:
            trail.failed("answering rule", rule.time_frame, saw, "switched off", link)
        elif frame is None or frame.covers(at.wall, zone):
            trail.applied("answering rule", rule.time_frame, saw, "in force", link)
            found = rule, link
        else:
            trail.failed("answering rule", rule.time_frame, saw, f"does not cover this moment; {_gist(rule)}", link)
    if found is None:
        link = f"users/{user.extension}"
        trail.applied("answering rule", "default", "no rule in force", "just ring the user's phones", link)
        return _JUST_RING, link
    return found


def _gist(rule: AnsweringRule) -> str:
    """What the rule would do at another time, in short."""
    if rule.do_not_disturb:
        chosen = rule.forward_on_dnd.label if rule.forward_on_dnd else "voicemail"
        return f"then do not disturb, {chosen}"
    if rule.forward_always is not None:
        return f"then {rule.forward_always.label}"
    together = ", ".join(target.target for target in rule.simultaneous_ring)
    return f"then rings {together or 'own phones'}"


def _sent_on(called: _Called, asked: Asked, presence: Presence) -> Forward | None:
    """Apply what needs nobody to ring; None when the phones are to ring."""
    user, rule, trail, link = called.user, called.rule, called.trail, called.link
    if rule.block:
        if is_listed(called.directory, rule.block, asked):
            trail.applied("rule", "block list", "the caller is listed", "refused with busy", link)
            return Forward(HangUp(cause=Cause.BUSY), "blocked")
        trail.failed("rule", "block list", f"entries: {len(rule.block)}", "the caller is not listed", link)
    allowed = is_listed(called.directory, rule.allow, asked)
    if allowed:
        trail.applied("rule", "allow list", "the caller is listed", "neither disturbs nor is screened", link)
    elif rule.allow:
        trail.failed("rule", "allow list", f"entries: {len(rule.allow)}", "the caller is not listed", link)
    if not allowed and (spam := called.permitted(rule.forward_on_spam, "forward on spam")):
        if is_listed(called.directory, called.directory.domain.spam_callers, asked):
            trail.applied("rule", "spam", "the caller is on the domain's list", spam.label, link)
            return Forward(spam, "spam")
        trail.failed("rule", "spam", "the caller is not on the domain's list", spam.label, link)
    if called.settings.rejects_anonymous and not allowed:
        if not _shows_no_number(called, asked):
            trail.failed("rule", "reject anonymous", "on", "the caller shows a number", link)
        else:
            trail.applied("rule", "reject anonymous", "on", "the caller shows no number", link)
            return Forward(HangUp(cause=Cause.ANONYMOUS), "anonymous")
    if not (rule.do_not_disturb or user.do_not_disturb or user.extension in presence.do_not_disturb):
        trail.failed("rule", "do not disturb", "off", "the call goes on", link)
    elif allowed:
        trail.failed("rule", "do not disturb", "on", "the caller is allowed all the same", link)
    else:
        chosen = called.permitted(rule.forward_on_dnd, "forward on do not disturb")
        destination = chosen or called.otherwise(Cause.BUSY)
        trail.applied("rule", "do not disturb", "on", destination.label, link)
        return Forward(destination, "do not disturb")
    if always := called.by_code("always"):
        trail.applied("rule", "forward always", "set by code", always.label, link)
        return Forward(always, "always")
    if always := called.permitted(rule.forward_always, "forward always"):
        trail.applied("rule", "forward always", "set", always.label, link)
        return Forward(always, "always")
    if active := called.permitted(rule.forward_on_active, "forward on active"):
        if user.extension in presence.busy:
            trail.applied("rule", "forward on active", "in a call", active.label, link)
            return Forward(active, "on active")
        trail.failed("rule", "forward on active", "in no call", active.label, link)
    return _when_offline(called, presence)


def _shows_no_number(called: _Called, asked: Asked) -> bool:
    """Tell whether the callee is shown nobody: a number withheld, or never given."""
    caller = calling_user(called.directory, asked)
    if asked.private or (caller is not None and caller.caller_id_hidden):
        return True
    return asked.outside and normal_number(asked.caller_number).lower() in ("", "anonymous", "unknown")


def is_listed(directory: Directory, entries: tuple[str, ...], asked: Asked) -> bool:
    """Tell whether the caller is among numbers, extensions, `anonymous` and `unknown`."""
    listed = {normal_number(entry).lower() for entry in entries}
    caller = calling_user(directory, asked)
    if caller is not None:
        return caller.extension in listed or caller.extension in entries
    number = normal_number(asked.caller_number).lower()
    return number in listed or (number in ("", "anonymous", "unknown") and bool(listed & {"anonymous", "unknown"}))


def _when_offline(called: _Called, presence: Presence) -> Forward | None:
    own = called.devices
    online = [device for device in own if device in presence.registered]
    saw = f"{len(online)} of {len(own)} phones registered"
    if online:
        called.trail.failed("rule", "offline", saw, "somebody can ring", called.link)
        return None
    chosen = called.permitted(called.rule.forward_offline, "forward offline")
    if chosen is None and any(_reachable(called, presence)):
        called.trail.failed("rule", "offline", saw, "simultaneous ring reaches others", called.link)
        return None
    destination = chosen or called.otherwise(Cause.UNAVAILABLE)
    called.trail.applied("rule", "offline", saw, destination.label, called.link)
    return Forward(destination, "offline")


def _reachable(called: _Called, presence: Presence) -> Iterator[Ringing]:
    """The targets that can ring now: registered devices, and outside numbers for those who may call there."""
    for target in called.rule.simultaneous_ring:
        word, _, name = target.target.partition(" ")
        if word == "external":
            if not called.directory.why_barred(called.user, name):
                yield Ringing(ToExternal(number=name), target.delay_s, target.confirm)
            continue
        for device in _phones_of(called, word, name):
            if device in presence.registered:
                yield Ringing(ToDevice(device=device), target.delay_s, target.confirm)
    if not called.rule.simultaneous_ring:
        for device in called.devices:
            if device in presence.registered:
                yield Ringing(ToDevice(device=device))


def _phones_of(called: _Called, word: str, name: str) -> tuple[str, ...]:
    match word:
        case "own":
            return called.devices
        case "user":
            return tuple(device.id for device in called.directory.devices_by_extension.get(name, ()))
        case _:
            return (name,)


def _ring_plan(called: _Called, asked: Asked, presence: Presence) -> Forward | RingPlan:
    user, trail, link = called.user, called.trail, called.link
    if user.max_calls:
        when_full = _when_busy(called)
        if user.extension in presence.full:
            trail.applied("rule", "calls at once", f"all of {user.max_calls} in use", when_full.label, link)
            return Forward(when_full, "busy")
        trail.failed("rule", "calls at once", f"fewer than {user.max_calls}", when_full.label, link)
    if not (user.call_waiting and called.settings.call_waiting and user.extension not in presence.undisturbed):
        when_busy = _when_busy(called)
        if user.extension in presence.busy:
            trail.applied("rule", "call waiting", "off, in a call", when_busy.label, link)
            return Forward(when_busy, "busy")
        trail.failed("rule", "call waiting", "off, in no call", when_busy.label, link)
    targets: list[Ringing] = []
    for ringing in _reachable(called, presence):
        rule = ringing.target.label.replace(":", " ")
        if isinstance(ringing.target, ToDevice) and ringing.target.device == asked.caller_device:
            trail.failed("ring", rule, "", "it is the caller's own phone", link)
        elif any(ringing.target == other.target for other in targets):
            trail.failed("ring", rule, "", "it rings already", link)
        else:
            when = f"rings after {ringing.delay_s:g} s" if ringing.delay_s else "rings at once"
            when += ", has to confirm" if ringing.confirm else ""
            saw = "registered" if isinstance(ringing.target, ToDevice) else "through the carrier"
            trail.applied("ring", rule, saw, when, link)
            targets.append(ringing)
    on_busy, on_no_answer, on_offline = _when_busy(called), _when_unanswered(called), _when_unreachable(called)
    if not targets:
        trail.applied("ring", "nobody else", "", on_busy.label, link)
        return Forward(on_busy, "busy")
    ring_s = called.directory.ring_s_of(user)
    if ring_s == 0:
        trail.applied("ring", "ring time", "0 s", on_no_answer.label, link)
        return Forward(on_no_answer, "no answer")
    screening = called.rule.call_screening and not is_listed(called.directory, called.rule.allow, asked)
    if screening:
        trail.applied("rule", "call screening", "on", "the caller is asked for a name", link)
    elif called.rule.call_screening:
        trail.failed("rule", "call screening", "on", "the caller is allowed all the same", link)
    trail.open("then", "busy", "", on_busy.label, link)
    trail.open("then", "no answer", f"{ring_s} s", on_no_answer.label, link)
    return RingPlan(tuple(targets), ring_s, on_busy, on_no_answer, on_offline, screening)


def _when_busy(called: _Called) -> Destination:
    wanted = called.by_code("busy") or called.permitted(called.rule.forward_on_busy, "forward when busy")
    if wanted is None:
        return called.otherwise(Cause.BUSY)
    inert = ""
    if called.directory.domain.platform.busy_forwarding == "inert":
        inert = "inert for people in this domain"
    elif called.rule.simultaneous_ring:
        inert = "inert with simultaneous ring"
    if inert:
        called.trail.failed("rule", "forward when busy", wanted.label, inert, called.link)
        return called.otherwise(Cause.BUSY)
    return wanted


def _when_unanswered(called: _Called) -> Destination:
    wanted = called.by_code("no answer")
    wanted = wanted or called.permitted(called.rule.forward_no_answer, "forward when unanswered")
    return wanted or called.otherwise(Cause.NO_ANSWER)


def _when_unreachable(called: _Called) -> Destination:
    wanted = called.permitted(called.rule.forward_offline, "forward offline")
    return wanted or called.otherwise(Cause.UNAVAILABLE)
