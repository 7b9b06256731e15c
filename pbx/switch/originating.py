"""Calls the house makes itself: somebody is rung, and whoever answers is the caller from then on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pbx.callflow.question import Asked
from pbx.callflow.studio import ring_and_record
from pbx.events import CallInvited
from pbx.switch.calls import Call
from pbx.switch.legs import Leg

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

_SHOWN = "Recording"


def call_for_prompt(switch: Switch, extension: str, owner: str, name: str) -> str:
    """Ring an extension to record a prompt; return the call, empty when none of its phones is registered."""
    if not switch.reachable(extension):
        return ""
    number = switch.next_call_id()
    nobody = Leg(f"{number}.0", "", "", "", switch.engine, switch.negotiation(""))
    call = Call(switch, number, nobody, Asked(f"record {name}", caller_name=_SHOWN))
    switch.begin_alone(call)
    call.publish(CallInvited(number, nobody.name, "", _SHOWN, "", f"record {name}", ""))
    switch.guarded(call, partial(call.run, ring_and_record(call, extension, owner, name)))
    return number
