"""What the media engine says, as call events."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pbx.callflow.vocabulary import Played, Recorded
from pbx.events import MediaHeard, MediaReport, MediaStarted, ServerFault
from pbx.media.engine import (
    Closed,
    DigitPressed,
    Heard,
    MediaEvent,
    PlayFinished,
    RecordingFinished,
    SourceLatched,
    WorkerLost,
)
from pbx.switch.calls import Call
from pbx.switch.legs import Leg
from pbx.switch.signalling import pressed

if TYPE_CHECKING:
    from pbx.switch.switch import Switch


def media_event(switch: Switch, event: MediaEvent) -> None:
    if isinstance(event, WorkerLost):
        _worker_lost(switch, event)
        return
    if isinstance(event, RecordingFinished):
        switch.guarded(None, partial(switch.mailboxes.recorded, event))
    found = switch.leg_named(getattr(event, "leg", ""))
    if found is not None:
        switch.guarded(found[0], partial(_leg_event, switch, *found, event))


def _leg_event(switch: Switch, call: Call, leg: Leg, event: MediaEvent) -> None:
    match event:
        case PlayFinished(token=token):
            if leg.sound is not None and leg.sound[1] == token:
                leg.sound = None
            call.feed(Played(call.name_of(leg), token))
        case DigitPressed(digit=digit):
            pressed(call, leg, digit, "rfc4733")
        case RecordingFinished(seconds=seconds, reason=reason) if reason != "hangup":
            call.feed(Recorded(call.name_of(leg), seconds, reason))
        case SourceLatched(host=host, port=port, codec=codec):
            switch.publish(MediaStarted(call.id, leg.name, leg.party, codec, f"{host}:{port}"))
        case Heard(sound=sound):
            switch.publish(MediaHeard(call.id, leg.name, leg.party, sound))
        case Closed(statistics=it):
            switch.media_closed(leg)
            switch.publish(
                MediaReport(
                    call.id, leg.name, leg.party, it.codec, it.received, it.sent, it.lost, it.jitter_ms, it.mos,
                    round(it.seconds, 3),
                )
            )  # fmt: skip
        case _:
            pass


def _worker_lost(switch: Switch, event: WorkerLost) -> None:
    """Every leg is silent for good: the calls end, the next ones find a new worker or are refused."""
    switch.publish(ServerFault("media", "", event.reason))
    switch.mailboxes.lost()
    switch.fail_all()
