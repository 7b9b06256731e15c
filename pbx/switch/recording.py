"""Conversations being recorded: always, for a queue, or by code; kept once they end (F12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from pbx.callflow.ports import CallRecordingRemoved, CallRecordingSaved
from pbx.domain.kept import CallRecording
from pbx.events import RecordingBegan, RecordingEnded, RecordingRefused, ServerFault
from pbx.media.engine import Capability, RecordingFinished, Tone
from pbx.switch.legs import Leg

if TYPE_CHECKING:
    from pbx.switch.calls import Call
    from pbx.switch.switch import Switch

ON, OFF = "*80", "*81"
"""Pressed in a conversation; the features of the same codes are for a phone beside it."""


class CallRecordings:
    """Owns what is being recorded."""

    def __init__(self, switch: Switch, token: Callable[[int], str]) -> None:
        self._switch = switch
        self._token = token
        self._by_leg: dict[str, CallRecording] = {}
        """Both legs of a conversation have its recording."""
        self._ending: dict[str, CallRecording] = {}
        """Until the engine has told how long each is."""

    def joined(self, call: Call, leg: Leg) -> None:
        """Two legs talk: record them when one of them always is."""
        other = call.legs.get(leg.joined)
        for one in (leg, other):
            why = self._always(call, one) if one is not None else ""
            if one is not None and why:
                self.begin(call, one, why)
                return

    def parted(self, leg: Leg) -> None:
        """A conversation is over, and with it its recording."""
        if leg.name in self._by_leg:
            self.end(leg)

    def pressed(self, call: Call, leg: Leg, code: str) -> None:
        """A party has pressed a code in its conversation."""
        if code == OFF:
            self.end(leg)
        elif not self.begin(call, leg, "code"):
            call.publish(RecordingRefused(call.id, leg.name, leg.device, leg.extension, self._why_not(leg)))

    def begin(self, call: Call, leg: Leg, why: str) -> bool:
        """Record a leg and whom it talks to; True also when that is so already."""
        switch, other = self._switch, call.legs.get(leg.joined)
        if leg.name in self._by_leg:
            return True
        if other is None or not (leg.answered and other.answered) or (why == "code" and self._why_not(leg)):
            return False
        at = switch.now.wall.timestamp()
        name = f"call-{call.id}-{int(at * 1000)}-{self._token(8)}"
        kept = CallRecording(name, call.id, leg.extension, leg.party, other.party, why, at, 0.0)
        self._by_leg[leg.name] = self._by_leg[other.name] = kept
        switch.submit(CallRecordingSaved(kept))
        leg.engine.record_both(leg.name, other.name, name)
        call.publish(RecordingBegan(call.id, leg.name, leg.device, leg.extension, name, why))
        if switch.directory.domain.platform.recording_beep:
            call.play_to(leg, Tone("beep"))
            call.play_to(other, Tone("beep"))
        call.review(leg)
        return True

    def end(self, leg: Leg) -> bool:
        """Stop the recording of a leg; False when there is none."""
        kept = self._by_leg.get(leg.name)
        if kept is None:
            return False
        self._by_leg = {name: it for name, it in self._by_leg.items() if it is not kept}
        self._ending[kept.recording] = kept
        leg.engine.stop_record(leg.name)
        return True

    def owns(self, recording: str) -> bool:
        """Tell whether a recording is one of ours, so that no script takes it for its own."""
        return recording in self._ending or any(it.recording == recording for it in self._by_leg.values())

    def is_recorded(self, leg: Leg) -> bool:
        return leg.name in self._by_leg

    def recorded(self, event: RecordingFinished) -> None:
        """The engine has finished one, also one nobody stopped: a leg is gone, or there can be no such file."""
        kept = self._ending.pop(event.recording, None)
        if kept is None:
            kept = next((it for it in self._by_leg.values() if it.recording == event.recording), None)
            self._by_leg = {name: it for name, it in self._by_leg.items() if it is not kept}
        if kept is None:
            return
        switch = self._switch
        if event.problem:
            switch.submit(CallRecordingRemoved(kept.recording))
            switch.publish(ServerFault("recording", kept.call, f"{kept.recording} was not kept: {event.problem}"))
            return
        whole = replace(kept, seconds=event.seconds)
        ended = RecordingEnded(kept.call, kept.extension, kept.recording, event.seconds)
        switch.durability.then(switch.submit(CallRecordingSaved(whole)), lambda: switch.publish(ended))

    def lost(self) -> None:
        """The media process has died; what it had written is mended at the next start."""
        self._by_leg.clear()
        self._ending.clear()

    def live(self) -> int:
        return len({it.recording for it in self._by_leg.values()}) + len(self._ending)

    def _always(self, call: Call, leg: Leg) -> str:
        """Why the conversations of a leg are recorded without being asked for, empty when they are not."""
        user = self._switch.directory.users_by_extension.get(leg.extension)
        if user is not None and self._switch.directory.recording_of(user, leg.device) == "always":
            return "always"
        queue, _ = call.agents.get(leg.name, ("", ""))
        known = self._switch.directory.queues_by_extension.get(queue)
        return f"queue {queue}" if known is not None and known.recording else ""

    def _why_not(self, leg: Leg) -> str:
        """Why a leg's user may not record, empty when it may."""
        user = self._switch.directory.users_by_extension.get(leg.extension)
        if user is None:
            return "only a user of the domain records"
        if self._switch.directory.recording_of(user, leg.device) == "no":
            return f"user {user.extension} may not record"
        if Capability.RECORDING not in self._switch.engine.capabilities:
            return "the media engine keeps no recordings"
        return "" if self._switch.history.writes else "nothing can be kept now"
