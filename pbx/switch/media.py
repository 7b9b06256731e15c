"""What the media engine says, as call events."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pbx.callflow.vocabulary import Played, Recorded
from pbx.events import (
    FaxHeard,
    InputIgnored,
    MediaFlow,
    MediaHeard,
    MediaOneWay,
    MediaQuality,
    MediaReport,
    MediaStarted,
    MediaTone,
    MediaTwoWay,
    PromptMissing,
    ServerFault,
    ServerRecovered,
)
from pbx.media.engine import (
    Closed,
    DigitPressed,
    FarEndReported,
    Faulted,
    FaxFinished,
    FaxSensed,
    FlowChanged,
    Heard,
    MediaEvent,
    PlayFinished,
    RecordingFinished,
    SoundMissing,
    SourceLatched,
    StrangerIgnored,
    ToneRecognised,
    WorkerBack,
    WorkerLost,
)
from pbx.switch import t38
from pbx.switch.calls import Call
from pbx.switch.keys import pressed
from pbx.switch.legs import Leg

if TYPE_CHECKING:
    from pbx.switch.switch import Switch


def media_event(switch: Switch, event: MediaEvent) -> None:
    if isinstance(event, WorkerLost):
        _worker_lost(switch, event)
        return
    if isinstance(event, Faulted):
        switch.publish(ServerFault("media", "", event.reason))
        return
    if isinstance(event, WorkerBack):
        switch.publish(ServerRecovered("media", f"another worker took over after {event.seconds:.1f} s"))
        return
    if isinstance(event, RecordingFinished):
        if switch.call_recordings.owns(event.recording):
            switch.guarded(None, partial(switch.call_recordings.recorded, event))
            return
        switch.guarded(None, partial(switch.mailboxes.recorded, event))
    if isinstance(event, FaxFinished):
        switch.guarded(None, partial(switch.faxes.finished, event))
        return
    found = switch.parties.named(getattr(event, "leg", ""))
    if found is not None:
        switch.guarded(found[0], partial(_leg_event, switch, *found, event))


def _leg_event(switch: Switch, call: Call, leg: Leg, event: MediaEvent) -> None:
    match event:
        case PlayFinished(token=token):
            if leg.sound is not None and leg.sound[1] == token:
                leg.sound = None
                call.review(leg)
            call.feed(Played(call.name_of(leg), token))
        case DigitPressed(digit=digit, method=method):
            pressed(call, leg, digit, method)
        case RecordingFinished(reason=reason) if reason != "hangup":
            call.feed(Recorded(call.name_of(leg), event.seconds, reason, event.recording, event.problem))
        case SourceLatched(host=host, port=port, codec=codec):
            switch.publish(MediaStarted(call.id, leg.name, leg.party, codec, f"{host}:{port}"))
        case SoundMissing(recording=recording, reason=reason):
            switch.publish(PromptMissing(call.id, leg.name, leg.party, recording, reason))
        case Heard(sound=sound):
            switch.publish(MediaHeard(call.id, leg.name, leg.party, sound))
        case FaxSensed(signal=signal):
            switch.publish(FaxHeard(call.id, leg.name, leg.party, signal))
            t38.offer(switch, call, leg)
        case ToneRecognised(tone=tone):
            switch.publish(MediaTone(call.id, leg.name, leg.party, tone))
        case Closed(statistics=it):
            switch.parties.reported(leg)
            switch.publish(
                MediaReport(
                    call.id, leg.name, leg.party, it.codec, it.received, it.sent, it.lost, it.jitter_ms, it.mos,
                    round(it.seconds, 3), it.round_trip_ms, it.far_lost, it.strangers, it.misfits,
                    it.encrypted, it.dscp,
                )
            )  # fmt: skip
        case FlowChanged(flow=flow, detail=detail):
            leg.flow, leg.flow_detail = flow, detail
            switch.publish(MediaFlow(call.id, leg.name, leg.party, flow, detail))
            conversation(switch, call, leg)
        case StrangerIgnored(host=host, port=port):
            reason = f"not the far end of {leg.party} in call {call.id}: neither heard nor sent anything"
            switch.publish(InputIgnored("rtp", f"{host}:{port}", reason, 0))
        case FarEndReported(lost=lost, jitter_ms=jitter_ms, round_trip_ms=trip_ms, mos=mos):
            switch.publish(MediaQuality(call.id, leg.name, leg.party, lost, jitter_ms, trip_ms, mos))
        case _:
            pass


def conversation(switch: Switch, call: Call, leg: Leg) -> None:
    """Say of two parties that talk whether both are heard; told again when that changes."""
    other = call.legs.get(leg.joined)
    if other is None or not (leg.flow and other.flow) or leg.held or other.held:
        return
    heard = [one for one in (leg, other) if one.flow in ("flowing", "silence")]
    told = tuple(one.name for one in heard)
    if leg.conversation == other.conversation == told or not heard:
        return
    leg.conversation = other.conversation = told
    if len(heard) == 2:
        switch.publish(MediaTwoWay(call.id, leg.party, other.party))
    else:
        missing = other if heard[0] is leg else leg
        switch.publish(MediaOneWay(call.id, missing.party, heard[0].party, missing.flow, missing.flow_detail))


def _worker_lost(switch: Switch, event: WorkerLost) -> None:
    """Every leg is silent for good: the calls end, the next ones find a new worker or are refused."""
    switch.publish(ServerFault("media", "", event.reason))
    switch.mailboxes.lost()
    switch.call_recordings.lost()
    switch.faxes.lost()
    switch.fail_all()
