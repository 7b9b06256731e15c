"""What a person sees of a phone: its screen, soft keys and lamps, as the card the console shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from lab.console.views import BootPart, Lamp, PhoneCard
from lab.phones.boot import Part
from lab.phones.registration import Standing, Waiting
from pbx.clock import Moment

SOFT_KEYS = {
    "idle": ("History", "Dir", "DND", "Menu"),
    "ringing": ("Answer", "Reject", "Silence"),
    "calling": ("End call",),
    "in-call": ("Transfer", "Hold", "End call"),
    "held": ("Resume", "End call"),
}
_NO_ANSWER = {403: "Forbidden", 404: "Not found", 408: "No answer", 480: "Unavailable", 486: "Busy", 487: "Cancelled",
              488: "Not acceptable", 503: "Service unavailable", 603: "Declined"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """The state of one line as far as a screen needs it; every kind of phone can say it."""

    device: str
    extension: str
    name: str
    site: str
    model: str
    mac: str
    label: str
    """What the configuration calls the line; empty until it is read."""
    powered: bool
    error: str
    boot: tuple[Part, ...]
    standing: Standing
    call: str = ""
    """`calling`, `ringing` (incoming), `in-call`, `held` or empty."""
    other: str = ""
    """The other party of the call, as shown."""
    talking_since: float | None = None
    last_status: int = 0
    waiting: Waiting = field(default_factory=Waiting)
    do_not_disturb: bool = False
    has_screen: bool = True
    port: int = 1


def state_of(shown: Shown) -> str:
    """Return the key of `lab.console.views.STATES`."""
    if not shown.powered:
        return "off"
    if shown.error and not shown.label:
        return "fault"
    if not shown.label:
        return "booting"
    if shown.call:
        return shown.call
    if shown.standing in (Standing.REFUSED, Standing.SILENCE):
        return "fault"
    return "idle" if shown.standing is Standing.GRANTED else "booting"


def card(shown: Shown, now: Moment) -> PhoneCard:
    state = state_of(shown)
    keys = SOFT_KEYS.get(state, ()) if shown.has_screen else ()
    return PhoneCard(
        device=shown.device,
        extension=shown.extension,
        name=shown.name,
        site=shown.site,
        model=shown.model,
        mac=shown.mac,
        state=state,
        note=_note(shown, state, now),
        talking_s=now.mono - shown.talking_since if shown.talking_since is not None else None,
        has_screen=shown.has_screen,
        screen=_screen(shown, state, now),
        soft_keys=keys,
        lamps=(Lamp(shown.label, _LAMPS.get(state, "idle")),) if shown.label else (),
        waiting=shown.waiting.new,
        message_lamp=shown.waiting.lit,
        do_not_disturb=shown.do_not_disturb,
        boot=tuple(BootPart(part.name, part.result, part.seconds, part.note) for part in shown.boot),
    )


_LAMPS = {"ringing": "ringing", "calling": "busy", "in-call": "busy", "held": "busy"}


def _note(shown: Shown, state: str, now: Moment) -> str:
    if state == "fault":
        return shown.error or next((part.note for part in shown.boot if part.result == "fail"), "")
    if shown.talking_since is not None and state in ("in-call", "held"):
        return _clock(now.mono - shown.talking_since)
    if state == "booting":
        return next((part.name for part in shown.boot if part.result == "now"), "")
    return ""


def _screen(shown: Shown, state: str, now: Moment) -> tuple[str, str, str]:
    if not shown.powered:
        return ("", "", "")
    top = f"{now.wall:%a %H:%M}" if shown.has_screen else f"FXS {shown.port}"
    if state == "booting" and not shown.label:
        part = next((part for part in shown.boot if part.result == "now"), None)
        return ("", "Starting…", f"{part.name} {part.note}".strip() if part else "")
    if not shown.label:
        return ("", shown.error, next((part.note for part in shown.boot if part.result == "fail"), ""))
    return (top, shown.label, _second_line(shown, state))


def _second_line(shown: Shown, state: str) -> str:
    match state:
        case "calling":
            return f"Calling {shown.other}"
        case "ringing":
            return f"{shown.other} calls"
        case "in-call":
            return shown.other
        case "held":
            return f"{shown.other} on hold"
        case "fault":
            return "No service"
        case "booting":
            return "Registering…"
    if shown.do_not_disturb:
        return "Do not disturb"
    if shown.waiting.new:
        return f"{shown.waiting.new} new message{'s' if shown.waiting.new > 1 else ''}"
    return _NO_ANSWER.get(shown.last_status, "")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:02d}:{rest:02d}"
