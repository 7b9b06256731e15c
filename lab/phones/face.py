"""The faces of a simulated box: one card a line."""

from __future__ import annotations

from lab.console.views import PhoneCard
from lab.phones.calls import CallSeen, CallState
from lab.phones.chassis import Extension
from lab.phones.line import Line
from lab.phones.phone import Phone
from lab.phones.pyvoip_line import PyvoipLine
from lab.phones.pyvoip_phone import PyvoipPhone
from lab.phones.registration import Standing, Waiting
from lab.phones.screen import Shown, card
from pbx.clock import Moment

_CALLS = {CallState.CALLING: "calling", CallState.RINGING: "calling", CallState.INCOMING: "ringing"}


def cards(phone: Phone | PyvoipPhone, now: Moment) -> list[PhoneCard]:
    """`now.wall` in the zone the screen shows."""
    return [card(shown(phone, extension), now) for extension in phone.extensions]


def shown(phone: Phone | PyvoipPhone, extension: Extension) -> Shown:
    line = phone.line(extension.port)
    call = line.call if line is not None else None
    return Shown(
        device=extension.device,
        extension=extension.extension,
        name=extension.name,
        site=extension.site,
        model=phone.box.model,
        mac=phone.box.mac,
        label=line.account.label if line is not None else "",
        powered=phone.powered,
        error=phone.error,
        boot=phone.strip.parts,
        standing=line.standing if line is not None else Standing.NONE,
        call=_call_word(call),
        other=_other(call),
        talking_since=call.up_at if call is not None else None,
        last_status=_last_status(line),
        waiting=line.waiting if line is not None else Waiting(),
        do_not_disturb=line.do_not_disturb if line is not None else False,
        has_screen=phone.family.fxs_ports == 0,
        port=extension.port,
    )


def _call_word(call: CallSeen | None) -> str:
    if call is None:
        return ""
    if call.state is CallState.UP:
        return "held" if call.on_hold or call.held_by_peer else "in-call"
    return _CALLS[call.state]


def _other(call: CallSeen | None) -> str:
    if call is None:
        return ""
    return f"{call.name} {call.number}".strip()


def _last_status(line: Line | PyvoipLine | None) -> int:
    last = line.calls[-1] if line is not None and line.calls else None
    return last.status if last is not None and last.over else 0
