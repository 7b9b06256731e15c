"""A call as lines for a terminal: what crossed the wire, or in plain words what happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pbx import events as e
from pbx.events import Event, SipRequest, SipResponse, Stamped
from test_plans.report import ladder
from test_plans.report.ladder import SWITCH


def wire_line(stamped: Stamped, start_s: float) -> str:
    """Return the ladder's row of a SIP message or of a sound, empty for any other event; seconds since `start_s`."""
    return ladder.text(ladder.rows([stamped], start_s=start_s))


def plain_line(stamped: Stamped, start_s: float) -> str:
    """Return what happened in a sentence, empty for what a person need not know."""
    told = sentence(stamped.event)
    if told is None:
        return ""
    who, words = told
    return f"{stamped.at.mono - start_s:8.3f}  {who:>16}  {words}"


def lines(events: Iterable[Stamped], *, plain: bool) -> Iterator[str]:
    """Return the lines of one call's events, times since its first."""
    shown = plain_line if plain else wire_line
    start_s: float | None = None
    for stamped in events:
        start_s = stamped.at.mono if start_s is None else start_s
        if line := shown(stamped, start_s):
            yield line


def sentence(event: Event) -> tuple[str, str] | None:
    """Return who it is about and what happened; None for signalling and figures. Pressed keys are not told."""
    match event:
        case SipRequest() | SipResponse():
            return None
        case e.CallInvited():
            return event.device or event.caller_number, f"dials {event.dialled}"
        case e.CallRouted():
            return SWITCH, f"{event.dialled} leads to {event.destination}"
        case e.LegInvited():
            return event.device or event.number, f"is offered the call of {event.caller_number}"
        case e.CallRinging():
            return event.device, "rings"
        case e.CallUp(role="called"):
            return event.device, "answers"
        case e.CallUp():
            return event.device or event.caller_number, "is connected"
        case e.LegFailed():
            return event.device or event.leg, f"does not take the call: {event.status} {event.reason}"
        case e.CallHeld():
            return event.device, "puts the call on hold"
        case e.CallResumed():
            return event.device, "takes the call back"
        case e.CallTransferred():
            return event.device, f"transfers the call to {event.target} ({event.transfer})"
        case e.EmergencyCalled():
            return event.device, f"reaches the emergency desk by {event.code}; location {event.location}"
        case e.PromptPlayed():
            return event.device or event.leg, f"is played {event.source}"
        case e.MediaHeard():
            return event.device or event.leg, f"is heard: {event.sound}"
        case e.MediaPath():
            return event.device, f"has a {event.path} path to {event.other}: {event.why}"
        case e.MediaTone():
            return event.device or event.leg, f"sends a network tone: {event.tone}"
        case e.DigitReceived():
            return event.device or event.leg, f"presses a key ({event.method})"
        case e.MenuEntered():
            return f"attendant {event.attendant}", f"offers menu {event.menu}"
        case e.MenuChosen():
            return f"attendant {event.attendant}", f"goes on to {event.destination}"
        case e.QueueJoined():
            return f"queue {event.queue}", f"has the caller in place {event.position}"
        case e.AgentOffered():
            return f"queue {event.queue}", f"offers agent {event.agent}"
        case e.QueueLeft():
            return f"queue {event.queue}", f"lets the caller go after {event.waited_s:.1f} s: {event.outcome}"
        case e.ConferenceJoined():
            role = "a leader" if event.leader else "a participant"
            return f"conference {event.conference}", f"admits the caller as {role}, {event.participants} there"
        case e.ConferenceBegan():
            return f"conference {event.conference}", "begins"
        case e.ConferenceLeft():
            return f"conference {event.conference}", f"lets the caller go after {event.stayed_s:.1f} s"
        case e.ConferenceEnded():
            return f"conference {event.conference}", f"is over after {event.lasted_s:.1f} s"
        case e.ConferenceRefused():
            return f"conference {event.conference}", f"refuses the caller: {event.reason}"
        case e.VoicemailGreeted():
            return f"mailbox {event.box}", "greets"
        case e.VoicemailLeft():
            return f"mailbox {event.box}", f"keeps a message of {event.seconds:.1f} s"
        case e.VoicemailOpened():
            return f"mailbox {event.box}", "is opened"
        case e.VoicemailRefused():
            return f"mailbox {event.box}", f"refuses the PIN, attempt {event.attempt}"
        case e.LegEnded():
            return event.device or event.leg, f"leaves (cause {event.cause}, by {event.by})"
        case e.CallEnded():
            return SWITCH, f"the call is over, {event.talk_s:.1f} s of talk"
        case e.ServerFault():
            return SWITCH, f"fault of ours: {event.message}"
        case _:
            return None
