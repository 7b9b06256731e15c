"""A call: its legs, its script, its facts. The commands of `callflow.vocabulary.Control` become SIP and audio here."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING, Literal

from pbx.callflow import routing
from pbx.callflow.itinerary import travel
from pbx.callflow.question import Asked, Route
from pbx.callflow.script import Running, Script
from pbx.callflow.vocabulary import CALLER, KeyPressed, LegGone, Parked
from pbx.clock import FOREVER
from pbx.domain.conferences import Conference
from pbx.domain.destinations import (
    Cause,
    Destination,
    ToAttendant,
    ToDevice,
    ToEmergency,
    ToExternal,
    ToService,
    ToSupport,
)
from pbx.domain.support import ENTRY
from pbx.events import (
    AgentFinished,
    CallEnded,
    CallRecordWritten,
    CallUp,
    LegEnded,
    PromptPlayed,
    ServerFault,
)
from pbx.media.engine import NoMediaPort, Sound, Tone
from pbx.media.sdp import BadSdp
from pbx.switch import dialling, direct, fetching, recording, t38, transfer
from pbx.switch.call_fax import FaxSide
from pbx.switch.call_mailbox import MailboxSide
from pbx.switch.call_queueing import QueueSide
from pbx.switch.call_routing import RoutingSide
from pbx.switch.emergency import dial_emergency
from pbx.switch.hold import overdue
from pbx.switch.keys import hand_on
from pbx.switch.legs import Leg

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

NON_SELECTED = 26
"""Q.850: another one has the call."""
FAULT_STATUS, FAULT_CAUSE = 500, 41
"""What a caller is told of a fault of ours (Q.850: temporary failure)."""

_ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'
"""What phones know it by, and count no missed call then (RFC 3326)."""


class Call(RoutingSide, QueueSide, MailboxSide, FaxSide):
    """Owned by the switch. Whatever ends a call comes through `end`."""

    def __init__(self, switch: Switch, call: str, caller: Leg, asked: Asked) -> None:
        super().__init__(switch, call, caller, asked)
        self._script: Running[None] | None = None

    # --- the switch's side ----------------------------------------------------------------------------

    def start(self, route: Route) -> None:
        """Set out for the first destination."""
        if not isinstance(route.destination, ToExternal | ToService | ToSupport | ToEmergency):
            self.shown = route.caller_id
        self.routed(route.destination.label, route.record.to_json(), first=True)
        self.run(travel(self, route.destination))

    def run(self, script: Script[None]) -> None:
        """Begin what the call is for."""
        self._switch.save(self._facts.record())
        self._script = Running(script, keeps=self._is_typed_ahead)
        self._script.start(self.now)
        self._settle()

    def feed(self, event: object) -> None:
        if self._script is not None and not self.over:
            self._script.feed(event, self.now)
            self._settle()

    def fired(self, name: str, now: float) -> None:
        """Time has come for the script, for keys to be handed on, for who holds too long, or for another path."""
        match name:
            case "script":
                self._switch.guarded(self, self._tick)
            case "keys":
                self._switch.guarded(self, partial(hand_on, self))
            case "hold":
                self._switch.guarded(self, partial(overdue, self._switch, self))
            case "fax":
                for leg in list(self.legs.values()):
                    self._switch.guarded(self, partial(t38.offer, self._switch, self, leg))
            case "trunk":
                self._switch.guarded(self, partial(self._switch.trunks.look, self))
            case "path":
                for leg in list(self.legs.values()):
                    self.review(leg)

    def typed(self, leg: Leg) -> None:
        """A party has pressed keys in a conversation, which may be a code by now."""
        if not self._switch.directory.domain.platform.codes_in_calls:
            return
        if leg.typed.endswith((recording.ON, recording.OFF)):
            self._switch.call_recordings.pressed(self, leg, leg.typed[-3:])
        elif (target := transfer.typed_target(leg)) is not None:
            leg.typed = ""
            transfer.transfer_by_keys(self._switch, self, leg, target)

    def is_recorded(self, leg: Leg) -> bool:
        return self._switch.call_recordings.is_recorded(leg)

    def hand_keys_on_at(self, at: float) -> None:
        self._switch.timers.arm(self, "keys", at)

    @property
    def dialled(self) -> str:
        """What the call was made to."""
        return self._dialled

    def name_of(self, leg: Leg) -> str:
        """What a script calls a leg."""
        return CALLER if leg is self.caller else leg.name

    def leg_over(self, leg: Leg, cause: int, by: str) -> None:
        """A leg has ended at the far end."""
        if leg.gone:
            return
        if leg is self.caller or leg.joined == self.caller.name:
            self._cause = cause
        self._gone(leg, cause, by)
        if leg is not self.caller:
            self.feed(LegGone(leg.name, cause))
            return
        if self._alone:
            self.caller = self._nobody()
            self.feed(LegGone(CALLER, cause))
            return
        if self._script is not None:
            self._script.feed(LegGone(CALLER, cause), self.now)
        self.end()

    def leg_failed(self, leg: Leg) -> None:
        """A called leg never came up; its `LegFailed` has been told."""
        self._gone(leg, 0, "", tell=False)

    def refuse(self, cause: Cause) -> None:
        """End the call from our side, whatever it is doing: the switch is going down."""
        self._cause = cause.q850
        self.end(cause.status)

    def fail(self) -> None:
        """End the call after a fault of ours, which may have been in ending it: then only its legs go."""
        self._cause = FAULT_CAUSE
        if self.over:
            self._release_all(FAULT_STATUS)
        self.end(FAULT_STATUS)

    def end(self, status: int = Cause.NORMAL.status) -> None:
        """Hang up whatever is left and write the record; once."""
        if self.over:
            return
        self.over = True
        try:
            if self._script is not None:
                self._script.close()
        finally:
            self._script = None  # it knows the call: what is over is gone without the collector of cycles
            self._release_all(status)
            self._conclude()

    # --- what a script may command --------------------------------------------------------------------

    def progress(self) -> None:
        if self.caller.answered:
            self.play(Tone("ringback"))
        elif self.caller.session is not None:
            self.caller.session.ring(self.now)

    def answer(self) -> None:
        self.answer_like(None)

    def answer_like(self, called: Leg | None) -> None:
        """Answer the caller, by the codec of the leg it is to talk with."""
        caller = self.caller
        if caller.answered or caller.gone or caller.session is None:
            return
        try:
            sdp = self._caller_sdp(called)
        except (BadSdp, NoMediaPort) as error:
            if isinstance(error, NoMediaPort):
                self.without_media(str(error))
            self._refuse_caller(488 if isinstance(error, BadSdp) else 503)
            return
        caller.session.answer(sdp, self.now)
        caller.answered = True
        caller.engine.listen(caller.name)
        number = self.asked.caller_number
        self.publish(CallUp(self.id, caller.name, caller.device, caller.extension, number, "caller"))
        self._switch.save(self._facts.record())

    def dial_device(self, device: str) -> str | None:
        return dialling.dial_device(self._switch, self, device)

    def dial_hands_free(self, device: str) -> str | None:
        return dialling.dial_hands_free(self._switch, self, device)

    def dial_page(self, device: str) -> str | None:
        return dialling.dial_page(self._switch, self, device)

    def speak_to(self, leg: str) -> None:
        called, room = self.legs[leg], f"page-{self.id}"
        if self.caller.room != room:
            self.into_room(room)
        called.room = room
        called.engine.join(called.name, room)
        self.play_to(called, Tone("beep"))
        called.engine.listen(called.name)

    def idle_phones(self, extension: str) -> tuple[str, ...]:
        return self._switch.idle_phones(extension)

    def carry(self, header: str) -> None:
        name, colon, value = header.partition(": ")
        self.carried = [(name, value)] if colon else []

    def dial_number(self, number: str, way: str = "") -> str | None:
        return dialling.dial_number(self._switch, self, number, way)

    def dial_emergency(self, code: str) -> str | None:
        return dial_emergency(self._switch, self, code)

    def dial_service(self, code: str) -> str | None:
        return dialling.dial_service(self._switch, self, code)

    def switch_frame(self, name: str, state: Literal["on", "off"]) -> None:
        self._switch.switch_frame(self.id, name, state)

    def enter_support(self) -> Destination:
        self._abroad = True
        self._switch.support.called(self)
        return ToAttendant(extension=ENTRY)

    def come_home(self) -> None:
        """Leave the support domain: somebody of the own domain decides where the call goes."""
        self._abroad = False

    def early(self, leg: str) -> None:
        caller, called = self.caller, self.legs.get(leg)
        if caller.answered or caller.gone or called is None or called.gone or caller.session is None:
            return
        try:
            sdp = self._caller_sdp(called)
        except (BadSdp, NoMediaPort):
            return  # the refusal waits for the answer, which the caller may never get
        caller.session.ring(self.now, sdp)
        self.join(caller, called)

    def connect(self, leg: str) -> None:
        called = self.legs.get(leg)
        if called is None or called.gone:
            return
        self.answer_like(called)
        if self.caller.gone:
            return
        self.stop()
        if called.sound is not None:
            called.engine.stop(called.name)
        self.join(self.caller, called)
        called.engine.listen(called.name)

    def diverted(self, extension: str, why: str) -> None:
        self.diversions.append((extension, why))

    def hand_over(self, leg: str, target: str) -> None:
        leaving = self.caller if leg == CALLER else self.legs[leg]
        transfer.hand_over(self._switch, self, leaving, target)

    def goes_on_alone(self) -> None:
        self._alone = True

    def let_caller_go(self) -> None:
        leaving = self.caller
        self.caller = self._nobody()
        self.release(leaving, Cause.NORMAL.status, Cause.NORMAL.q850)

    def seat(self, leg: str) -> None:
        self._alone = False
        self.caller = it = self.legs[leg]
        it.engine.listen(it.name)
        self.asked = Asked("", it.extension or it.number, it.device, it.extension)
        self.shown = routing.caller_id_for(self.directory, self.asked, ToDevice(device=it.device))

    def _nobody(self) -> Leg:
        """A caller that is not there: nobody to answer, to tell anything, or to release."""
        return Leg(f"{self.id}.nobody", "", "", "", self._switch.engine, self._switch.negotiation(""))

    def drop(self, leg: str, cause: Cause = Cause.NORMAL) -> None:
        found = self.legs.get(leg)
        if found is not None:
            self.release(found, cause.status, cause.q850)

    def answered_elsewhere(self, leg: str) -> None:
        found = self.legs.get(leg)
        if found is not None:
            self.release(found, Cause.NORMAL.status, NON_SELECTED)

    def without_media(self, reason: str) -> None:
        """A leg had no port: a caller who is not answered is owed 503, whatever the script makes of it."""
        if not self._congested:
            self._congested = True
            self._switch.publish(ServerFault("media", self.id, f"a leg was not called: {reason}"))

    def hang_up(self, cause: Cause) -> None:
        if self._congested and not self.caller.answered:
            cause = Cause.CONGESTION
        self._cause = cause.q850
        if self.caller.session is not None:
            self.release(self.caller, cause.status, cause.q850)

    def play(self, sound: Sound) -> str:
        self._played += 1
        token = f"play-{self._played}"
        self.play_to(self.caller, sound, token)
        return token

    def tell(self, leg: str, sound: Sound) -> None:
        told = self.legs[leg]
        told.engine.listen(told.name)
        self.play_to(told, sound)

    def play_to(self, leg: Leg, sound: Sound, token: str = "") -> None:
        """Play to any leg; what it hears of the other side pauses."""
        if leg.gone:
            return
        leg.sound = (sound, token)
        leg.engine.play(leg.name, sound, token)
        self.review(leg)
        self.publish(PromptPlayed(self.id, leg.name, leg.party, sound.label))

    def stop(self) -> None:
        self.caller.sound = None
        self.caller.engine.stop(self.caller.name)
        self.review(self.caller)

    def resound(self, old: Leg, new: Leg) -> None:
        """Let the new caller hear what the old one heard: ringing, a conference, or what was being played."""
        if not old.answered:
            self.play_to(new, Tone("ringback"))
        elif old.room:
            new.room = old.room
            new.engine.join(new.name, new.room)
        elif old.sound is not None:
            self.play_to(new, *old.sound)

    # --- conferences ----------------------------------------------------------------------------------

    def join_conference(
        self, conference: Conference, *, leader: bool, name: str
    ) -> Literal["full", "waiting", "begun"]:
        return self._switch.conferences.join(self, conference, leader=leader, name=name)

    def enter_conference(self, conference: str) -> None:
        self._switch.conferences.enter(self, conference)

    def leave_conference(self, conference: str) -> None:
        self._switch.conferences.leave(self, conference)

    def into_room(self, room: str) -> None:
        """Let the caller and whoever is in a room of the media engine hear each other."""
        self.stop()
        self.caller.room = room
        self.caller.engine.join(self.caller.name, room)

    def out_of_room(self) -> None:
        if self.caller.room:
            self.caller.room = ""
            self.caller.engine.leave(self.caller.name)

    # --- into another call ----------------------------------------------------------------------------

    def record_own(self, on: bool) -> bool:
        return fetching.record_own(self._switch, self, on)

    def phones_of_transferor(self) -> tuple[str, ...]:
        device, self.transferor = self.directory.devices_by_id.get(self.transferor), ""
        own = self.directory.devices_by_extension.get(device.extension, ()) if device is not None else ()
        return tuple(device.id for device in own)

    def park(self, slot: str) -> Parked | None:
        return self._switch.parking.take(self, slot, self.now)

    def leave_slot(self, slot: str, outcome: str, by: str = "") -> None:
        self._switch.parking.leave(self, slot, outcome, by, self.now)

    def fetch(self, slot: str) -> bool:
        return fetching.fetch(self._switch, self, slot)

    def fetch_waiting(self, queue: str) -> bool:
        return fetching.fetch_waiting(self._switch, self, queue)

    def pick_up(self, extensions: Collection[str]) -> bool:
        return fetching.pick_up(self._switch, self, extensions)

    def pull(self) -> bool:
        return fetching.pull(self._switch, self)

    # --- parts ----------------------------------------------------------------------------------------

    def new_leg(self, device: str, extension: str, number: str) -> Leg:
        self._made += 1
        switch = self._switch
        leg = Leg(
            f"{self.id}.{self._made}", device, extension, number, switch.engine, switch.negotiation(device),
            nat=switch.nat_of(device),
        )  # fmt: skip
        self.legs[leg.name] = leg
        return leg

    def _tick(self) -> None:
        if self._script is not None and not self.over:
            self._script.tick(self.now)
            self._settle()

    def _settle(self) -> None:
        """After every step of the script: is it over, and if not, when does it want to go on?"""
        if self._script is None or self.over:
            return
        if self._script.done:
            self.end()
        elif self._script.deadline < FOREVER:
            self._switch.timers.arm(self, "script", self._script.deadline)
        else:
            self._switch.timers.cancel(self, "script")

    def _is_typed_ahead(self, event: object) -> bool:
        """Keys of a caller who is not talking to anybody: those pressed in a conversation are for the other party."""
        return isinstance(event, KeyPressed) and event.leg == CALLER and not self.caller.joined

    def _caller_sdp(self, called: Leg | None) -> bytes:
        """Return our description for the caller: the answer of a 183 is the answer of the 200 (RFC 3264 §6)."""
        session = self.caller.session
        assert session is not None
        if session.local_sdp is not None:
            return session.local_sdp
        return self.caller.answer(session.remote_sdp, called) if session.remote_sdp else self.caller.offer(called)

    def _refuse_caller(self, status: int) -> None:
        """No media with this caller: refused, and the call ends once the script has come to its next pause."""
        self._cause = Cause.CONGESTION.q850 if status == 503 else 88  # incompatible destination
        if self.caller.session is not None:
            self.caller.session.reject(status, "", self.now)
        self._gone(self.caller, self._cause, "error")
        self._switch.later(self, self.end)

    def join(self, a: Leg, b: Leg) -> None:
        a.joined, b.joined = b.name, a.name
        a.sound = b.sound = None
        a.conversation = b.conversation = None
        a.bearer.begin()
        b.bearer.begin()
        a.engine.bridge(a.name, b.name)
        self._switch.joined(self, a)
        self._switch.call_recordings.joined(self, a)
        self.review(a)

    def part(self, leg: Leg) -> None:
        """Undo the bridge a leg is in."""
        self._switch.call_recordings.parted(leg)
        other = self.legs.get(leg.joined)
        leg.joined = ""
        if other is not None:
            other.joined = ""
            leg.engine.unbridge(leg.name, other.name)
            self.review(leg)
            self.review(other)

    def review(self, leg: Leg) -> None:
        """Something has changed that may bear on the path a leg's media takes."""
        if self._switch.settings.direct_media:
            self._switch.later(self, partial(direct.review, self._switch, self, leg))

    def _release_all(self, status: int) -> None:
        for leg in list(self.legs.values()):
            self.release(leg, status, self._cause)

    def release(self, leg: Leg, status: int, cause: int) -> None:
        """End our side of a leg in the way its state asks for."""
        if leg.gone:
            return
        session = leg.session
        if session is not None and not session.over:
            reason = _ELSEWHERE if cause == NON_SELECTED else f"Q.850;cause={cause}"
            if session.role == "uas" and not leg.answered:
                session.reject(status, "", self.now, [("Reason", reason)])
            else:
                session.end(self.now, reason)
        self._gone(leg, cause, "switch")

    def _gone(self, leg: Leg, cause: int, by: str, *, tell: bool = True) -> None:
        self.part(leg)
        leg.gone = True
        leg.close()
        self._switch.parties.gone(leg)
        if tell:
            self.publish(LegEnded(self.id, leg.name, leg.device, leg.extension, cause, by))
        if (serving := self.agents.pop(leg.name, None)) is not None:
            queue, agent = serving
            known = self.directory.queues_by_extension.get(queue)
            wrap_up_s = self._switch.queues.talked(known, agent, self.now)
            self.publish(AgentFinished(self.id, queue, agent, wrap_up_s))

    def _conclude(self) -> None:
        """Every leg is gone: say so, and write the record."""
        origin, by = self._origin, self._facts.answered_by
        talk_s = self._facts.talk_s(self._switch.now)
        extension = by if by in self.directory.users_by_extension else ""
        number = origin.extension or origin.number
        self.publish(CallEnded(self.id, origin.device, extension, number, self._dialled, self._cause, talk_s))
        record = self._facts.record()
        written = CallRecordWritten(
            self.id, record.caller_number, record.dialled, record.device, record.answered_by,
            record.disposition, record.talk_s, record.cause, record.direction,
        )  # fmt: skip
        self._switch.durability.then(self._switch.save(record), lambda: self._switch.publish(written))
        self._switch.call_over(self)
