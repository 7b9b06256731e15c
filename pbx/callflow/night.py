"""The night switch: a time frame switched by hand, from a number that does so or by `*74` and `*75`."""

from __future__ import annotations

from typing import Literal

from pbx.callflow.features import Used
from pbx.callflow.script import Script
from pbx.callflow.speech import say
from pbx.callflow.vocabulary import Control
from pbx.domain.destinations import Cause, Destination, HangUp


def switch_frame(call: Control, name: str) -> Script[Destination | None]:
    """Switch the frame to what it is not and say which that is."""
    frame = call.directory.frames_by_name.get(name)
    if frame is None:  # gone since the call began
        return HangUp(cause=Cause.NOT_FOUND)
    covers = frame.covers(call.hour, call.directory.domain.time_zone)
    call.answer()
    yield from _switch(call, name, "off" if covers else "on")
    yield from say(call, "goodbye")
    return HangUp(cause=Cause.NORMAL)


def switch_night(call: Control, state: Literal["on", "off"]) -> Script[Used]:
    """Switch the domain's night frame; a domain without one is told so."""
    name = call.directory.domain.night_frame
    call.answer()
    if name not in call.directory.frames_by_name:
        yield from say(call, "night-switch-none")
        return Used(False)
    yield from _switch(call, name, state)
    return Used(True)


def _switch(call: Control, name: str, state: Literal["on", "off"]) -> Script[None]:
    call.switch_frame(name, state)
    yield from say(call, f"night-switch-{state}")
