"""A caller in a conference room: PIN, name, waiting for the others, talking (domain-features 1.8)."""

from __future__ import annotations

from pbx.callflow.keys import ask
from pbx.callflow.question import ConferenceRoute
from pbx.callflow.recording import recorded
from pbx.callflow.script import Script, until
from pbx.callflow.speech import beep, say
from pbx.callflow.vocabulary import CALLER, ConferenceClosed, ConferenceOpened, Control, Played
from pbx.domain.conferences import PIN_LENGTHS, Conference
from pbx.domain.destinations import Cause, Destination, HangUp
from pbx.domain.sounds import Prompts
from pbx.events import ConferenceRefused

PIN_TRIES = 3
FIRST_KEY_S, NEXT_KEY_S = 8.0, 3.0
NAME_S, NAME_SILENCE_S = 5.0, 2.0


def confer(call: Control, route: ConferenceRoute) -> Script[Destination | None]:
    """Admit the caller, and let it talk once the conference has begun; return where the call goes after it."""
    conference = route.conference
    extension = conference.extension
    call.answer()
    role = "leader" if route.leader else (yield from _role(call, conference))
    if not role:
        yield from say(call, "goodbye")
        return HangUp(cause=Cause.NORMAL)
    name = (yield from _name(call)) if conference.ask_name and call.can_record else ""
    entry = call.join_conference(conference, leader=role == "leader", name=name)
    if entry == "full":
        yield from say(call, "conference-full")
        return HangUp(cause=Cause.NORMAL)
    try:
        if entry == "begun" or (yield from _begun(call, conference)):
            call.enter_conference(extension)
            yield until(ConferenceClosed)
    finally:
        call.leave_conference(extension)
    yield from say(call, "conference-ended")
    return HangUp(cause=Cause.NORMAL)


def _role(call: Control, conference: Conference) -> Script[str]:
    """Ask for the PIN as often as it may be wrong; return `leader`, `participant`, or nothing for who has none."""
    if not conference.has_pins:
        return "participant"
    for _ in range(PIN_TRIES):
        pin = yield from ask(call, "conference-pin", PIN_LENGTHS[-1], first_s=FIRST_KEY_S, next_s=NEXT_KEY_S)
        role = conference.role_of(pin)
        if role:
            return role
        call.publish(ConferenceRefused(call.id, conference.extension, "wrong PIN"))
        yield from say(call, "conference-wrong-pin")
    return ""


def _name(call: Control) -> Script[str]:
    """Return the recording of the caller's name, empty when it said nothing."""
    yield from say(call, "conference-name")
    yield from beep(call)
    call.record_draft(max_s=NAME_S, silence_s=NAME_SILENCE_S)
    ended = yield from recorded(NAME_S)
    return ended.recording if ended is not None and ended.seconds > 0 else ""


def _begun(call: Control, conference: Conference) -> Script[bool]:
    """Wait for the conference to begin, on music; False when it is closed instead."""
    token = call.play(Prompts(("conference-waiting",)))
    while True:
        news = yield until(ConferenceOpened, ConferenceClosed, Played)
        match news:
            case Played(leg=leg, token=played) if (leg, played) == (CALLER, token):
                call.play(call.music(conference.extension))
            case Played():
                pass
            case _:
                return isinstance(news, ConferenceOpened)
