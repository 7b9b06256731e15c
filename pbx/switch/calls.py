"""A call: its legs, its script, its record. The commands of `callflow.vocabulary.Control` become SIP and audio here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pbx.callflow import routing
from pbx.callflow.itinerary import travel
from pbx.callflow.ports import CallRecord, Message, MessageRemoved, MessageSaved, RecordSaved
from pbx.callflow.question import Asked, AttendantRoute, QueueRoute, Route, UserRoute
from pbx.callflow.script import Running
from pbx.callflow.vocabulary import CALLER, KeyPressed, LegGone
from pbx.clock import Moment
from pbx.domain.destinations import Cause, ToExternal
from pbx.domain.directory import Directory
from pbx.events import (
    AgentOffered,
    CallEnded,
    CallRecordWritten,
    CallRouted,
    CallTransferred,
    CallUp,
    EmergencyCalled,
    Event,
    LegEnded,
    LegInvited,
    PromptPlayed,
    QueueJoined,
    QueueLeft,
)
from pbx.media.engine import NoMediaPort, Prompts, Silence, Sound, Tone
from pbx.media.sdp import BadSdp
from pbx.sip.address import Peer
from pbx.sip.uri import NameAddr
from pbx.switch.legs import Leg, Role

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

BUSY_STATUS = frozenset({486, 600, 603})


class Call:
    """Owned by the switch. Everything that ends a call comes through `end`."""

    def __init__(self, switch: Switch, call: str, caller: Leg, asked: Asked, sip_name: str) -> None:
        self.id = call
        self.asked = asked
        self.caller = caller
        self.origin = caller
        """The leg that began the call; `caller` is another one after a transfer."""
        self.legs: dict[str, Leg] = {caller.name: caller}
        self._switch = switch
        self._caller_name = sip_name
        self.dialled = asked.dialled
        self._prefix = ""
        self._made = 0
        self._script: Running[None] | None = None
        self._first_route: Route | None = None
        self._queued: tuple[str, str] = ("", "")
        self._path: list[str] = []
        self._answered_by = ""
        self._disposition = ""
        self._cause = 16
        self._started = switch.now
        self._answered_at = 0.0
        self._talk_from = 0.0
        self.over = False
        self.recordings = 0

    # --- the switch's side ----------------------------------------------------------------------------

    def start(self, route: Route) -> None:
        self._first_route = route
        self._routed(route.destination.label, route.record.to_json(), first=True)
        self._prefix = ""
        self._save(ended=False)
        self._script = Running(travel(self, route.destination), keeps=lambda event: isinstance(event, KeyPressed))
        self._script.start(self._switch.now.mono)
        self._settle()

    def feed(self, event: object) -> None:
        if self._script is None or self.over:
            return
        self._script.feed(event, self._switch.now.mono)
        self._settle()

    def tick(self) -> None:
        if self._script is not None and not self.over:
            self._script.tick(self._switch.now.mono)
            self._settle()

    @property
    def deadline(self) -> float:
        return self._script.deadline if self._script is not None and not self.over else float("inf")

    def name_of(self, leg: Leg) -> str:
        """What a script calls a leg."""
        return CALLER if leg is self.caller else leg.name

    def leg_over(self, leg: Leg, cause: int, by: str) -> None:
        """A leg has ended at the far end."""
        if leg.gone:
            return
        self._gone(leg, cause, by)
        if leg is self.caller:
            self._cause = cause if leg.answered else 16
            if not self._disposition and not self._answered_by:
                self._disposition = "CANCELLED"
            consumed = self._script is not None and self._script.feed(LegGone(CALLER, cause), self._switch.now.mono)
            if not consumed and self._script is not None:
                self._script.close()
            self.end()
        else:
            self.feed(LegGone(leg.name, cause))

    def refused(self, leg: Leg) -> None:
        """A called leg never came up."""
        self._gone(leg, 0, "", tell=False)

    def end(self, cause: Cause | None = None) -> None:
        """Hang up whatever is left and write the record; once."""
        if self.over:
            return
        self.over = True
        if self._script is not None:
            self._script.close()
        for leg in list(self.legs.values()):
            self._release(leg, cause or Cause.NORMAL)
        talk = self._switch.now.mono - self._talk_from if self._talk_from else 0.0
        extension = self._answered_by if self._answered_by in self.directory.users_by_extension else ""
        self.publish(
            CallEnded(
                self.id,
                self.origin.device,
                extension,
                self.origin.extension or self.origin.number,
                self.dialled,
                self._cause,
                round(talk, 3),
            )
        )  # fmt: skip
        self._save(ended=True, talk=talk)
        self._switch.call_over(self)

    def _settle(self) -> None:
        if self._script is not None and self._script.done and not self.over:
            self.end()

    # --- what a script may know -----------------------------------------------------------------------

    @property
    def directory(self) -> Directory:
        return self._switch.directory

    @property
    def now(self) -> float:
        return self._switch.now.mono

    @property
    def caller_extension(self) -> str:
        return self.asked.caller_extension

    @property
    def caller_number(self) -> str:
        return self.asked.caller_number

    @property
    def answered(self) -> bool:
        return self.caller.answered

    def extension_of(self, leg: str) -> str:
        found = self.legs.get(leg)
        return found.extension if found else ""

    def route_user(self, extension: str) -> UserRoute:
        found = routing.resolve_user(
            self.directory, extension, self.asked, self._switch.presence(self), self._switch.now
        )
        self._routed(f"user:{extension}", found.record.to_json())
        return found

    def route_attendant(self, extension: str, menu: str) -> AttendantRoute | None:
        found = routing.resolve_attendant(self.directory, extension, menu, self._switch.now)
        if found is not None:
            self._routed(f"attendant:{extension}/{found.menu.name}", found.record.to_json())
        return found

    def route_queue(self, extension: str) -> QueueRoute | None:
        found = routing.resolve_queue(self.directory, extension, self._switch.presence(self))
        if found is not None:
            self._routed(f"queue:{extension}", found.record.to_json())
        return found

    def _routed(self, label: str, record: str, *, first: bool = False) -> None:
        if not self._path or self._path[-1] != label:
            self._path.append(label)
        self.publish(CallRouted(self.id, self.dialled, label, record, first))

    # --- what a script may command --------------------------------------------------------------------

    def progress(self) -> None:
        if self.caller.answered:
            self.play(Tone("ringback"))
        elif self.caller.session is not None:
            self.caller.session.ring(self.now)

    def answer(self) -> None:
        caller = self.caller
        if caller.answered or caller.session is None:
            return
        try:
            sdp = self._caller_sdp()
        except (BadSdp, NoMediaPort) as error:
            self._refuse_caller(488 if isinstance(error, BadSdp) else 503, str(error))
            return
        caller.session.answer(sdp, self.now)
        caller.answered, caller.answered_at = True, self.now
        self._answered_at = self._switch.now.wall.timestamp()
        caller.engine.listen(caller.name)
        self.publish(CallUp(self.id, caller.name, caller.device, caller.extension, self.caller_number, "caller"))

    def dial_device(self, device: str) -> str | None:
        binding = self._switch.binding(device)
        if binding is None:
            return None
        extension = binding.extension
        display = self._prefix + (self._caller_name or self.asked.caller_number)
        shown = NameAddr(f"sip:{self._shown_number()}@{self.directory.domain.name}", display)
        leg = self._new_leg(device, extension, "")
        to = NameAddr(f"sip:{device}@{self.directory.domain.name}")
        return self._invite(leg, binding.contact, binding.peer, shown, to)

    def dial_number(self, number: str) -> str | None:
        shown = routing.caller_id_for(self.directory, self.asked, ToExternal(number=number))
        return self._dial_trunk(f"+{number}", number, shown.number, shown.name)

    def dial_emergency(self, code: str) -> str | None:
        found = routing.emergency_location(self.directory, self.origin.device)
        self.publish(
            EmergencyCalled(self.id, code, self.origin.device, self.caller_extension, found.callback, found.line)
        )
        headers = [("X-Switchroom-Location", found.line)]
        return self._dial_trunk(f"emergency-{code}", f"emergency-{code}", found.callback, found.caller_name, headers)

    def dial_support(self) -> str | None:
        return self._dial_trunk("support", "support", self.asked.caller_number, self._caller_name)

    def early(self, leg: str) -> None:
        caller, called = self.caller, self.legs.get(leg)
        if caller.answered or called is None or caller.session is None:
            return
        try:
            sdp = self._caller_sdp()
        except (BadSdp, NoMediaPort):
            return
        caller.session.ring(self.now, sdp)
        self._join(caller, called)

    def connect(self, leg: str) -> None:
        called = self.legs.get(leg)
        if called is None:
            return
        if not self.caller.answered:
            self.answer()
        if self.over or self.caller.gone:
            return
        self.stop()
        self._join(self.caller, called)
        called.engine.listen(called.name)
        self._answered_by = called.extension or called.device or called.number
        self._disposition = "ANSWERED"
        self._talk_from = self._talk_from or self.now

    def swap(self, leg: str) -> None:
        other = self.legs.get(leg)
        if other is None:
            return
        self._part(self.caller, other)
        leaving, self.caller = self.caller, other
        leaving.transferring = True
        self.caller.engine.stop(self.caller.name)
        self._caller_name = ""
        self.asked = Asked("", self.caller.extension or self.caller.number, self.caller.device, self.caller.extension)

    def transferred(self, leg: str, *, done: bool) -> None:
        """Tell who asked for the transfer that it is under way, and end that leg (RFC 3515 §2.4.4)."""
        leaving = self.legs.get(leg) if leg else next((item for item in self.legs.values() if item.transferring), None)
        if leaving is None or leaving.session is None:
            return
        leaving.session.notify_refer("SIP/2.0 200 OK" if done else "SIP/2.0 503 Service Unavailable", True, self.now)
        self.publish(CallTransferred(self.id, leaving.name, leaving.device, self._switch.transfer_target, "blind"))
        self._part(self.caller, leaving)
        self._release(leaving, Cause.NORMAL)
        self.caller.engine.stop(self.caller.name)

    def drop(self, leg: str, cause: Cause = Cause.NORMAL) -> None:
        found = self.legs.get(leg)
        if found is not None and not found.gone:
            self._release(found, cause)

    def hang_up(self, cause: Cause) -> None:
        self._cause = cause.q850
        if not self._disposition:
            self._disposition = _DISPOSITIONS.get(cause, "FAILED")
        self._release(self.caller, cause)

    def play(self, sound: Sound, token: str = "") -> None:
        self.caller.engine.play(self.caller.name, sound, token)
        if not isinstance(sound, Silence):
            self.publish(PromptPlayed(self.id, self.caller.name, self.caller.party, sound.label))
        if isinstance(sound, Prompts) and self._script is not None and not self.caller.answered:
            self.answer()

    def stop(self) -> None:
        self.caller.engine.stop(self.caller.name)

    def play_to(self, leg: str, sound: Sound) -> None:
        found = self.legs.get(leg)
        if found is not None:
            found.engine.play(found.name, sound)
            self.publish(PromptPlayed(self.id, found.name, found.party, sound.label))

    def record_message(self, box: str, *, max_s: float, silence_s: float) -> None:
        self.recordings += 1
        recording = self._switch.message_expected(self, box)
        self._disposition, self._answered_by = "VOICEMAIL", box
        self._talk_from = self._talk_from or self.now
        self.caller.engine.record(self.caller.name, recording, max_s=max_s, silence_s=silence_s)

    def messages(self, box: str) -> Sequence[Message]:
        return self._switch.history.messages(box)

    def keep_message(self, message: Message, folder: str) -> None:
        self._switch.submit(MessageSaved(_moved(message, folder)))
        self._switch.lamps.box_changed(message.box, self._switch.now)

    def remove_message(self, message: Message) -> None:
        self._switch.submit(MessageRemoved(message.box, message.id))
        self._switch.lamps.box_changed(message.box, self._switch.now)

    def publish(self, event: Event) -> None:
        self._switch.publish(event)

    # --- queues ---------------------------------------------------------------------------------------

    def join_queue(self, queue: str) -> int:
        place = self._switch.queues.join(
            self.directory.queues_by_extension[queue], self.id, self._switch.reachable, self.now
        )
        if place:
            self._queued = (queue, "")
            self.publish(QueueJoined(self.id, queue, place))
        else:
            self.publish(QueueLeft(self.id, queue, "refused", "", 0.0))
        return place

    def leave_queue(self, queue: str, outcome: str, agent: str = "") -> None:
        known = self.directory.queues_by_extension.get(queue)
        waited = self._switch.queues.leave(known, self.id, self.now) if known is not None else None
        if waited is not None:
            self._queued = (queue, agent)
            self.publish(QueueLeft(self.id, queue, outcome, agent, round(waited, 3)))

    def missed(self, queue: str, agents: tuple[str, ...]) -> None:
        known = self.directory.queues_by_extension.get(queue)
        if known is not None:
            self._switch.queues.missed(known, self.id, agents)

    def offered(self, queue: str, agents: tuple[str, ...], round_: int) -> None:
        for agent in agents:
            self.publish(AgentOffered(self.id, queue, agent, round_))

    @property
    def served_by(self) -> tuple[str, str]:
        """(queue, agent) this call was answered through, empty strings when none."""
        return self._queued

    # --- parts ----------------------------------------------------------------------------------------

    def _caller_sdp(self) -> bytes:
        caller = self.caller
        assert caller.session is not None
        if caller.session.local_sdp is not None:
            return caller.session.local_sdp  # the answer of the 183 is the answer of the 200 (RFC 3264 §6)
        offered = caller.session.remote_sdp
        return caller.answer(offered) if offered else caller.offer()

    def _refuse_caller(self, status: int, reason: str) -> None:
        if self.caller.session is not None:
            self.caller.session.reject(status, reason[:60], self.now)
        self._gone(self.caller, 0, "error", tell=False)
        self._disposition = "FAILED"
        self._switch.later(self.end)

    def _new_leg(self, device: str, extension: str, number: str) -> Leg:
        self._made += 1
        leg = Leg(f"{self.id}.{self._made}", Role.CALLED, device, extension, number, self._switch.engine)
        self.legs[leg.name] = leg
        return leg

    def _dial_trunk(
        self, user: str, number: str, shown: str, name: str, headers: Sequence[tuple[str, str]] = ()
    ) -> str | None:
        carrier = self._switch.settings.carrier
        if carrier is None:
            return None
        leg = self._new_leg("", "", number)
        uri = f"sip:{user}@{carrier.host}:{carrier.port}"
        shown_user = f"+{shown}" if len(shown) == 11 else (shown or "anonymous")
        sender = NameAddr(f"sip:{shown_user}@{self.directory.domain.name}", name)
        return self._invite(leg, uri, carrier, sender, NameAddr(uri), headers)

    def _invite(
        self, leg: Leg, uri: str, peer: Peer, sender: NameAddr, to: NameAddr, headers: Sequence[tuple[str, str]] = ()
    ) -> str | None:
        try:
            sdp = leg.offer()
        except NoMediaPort:
            del self.legs[leg.name]
            return None
        session = self._switch.stack.invite(uri, peer, from_=sender, to=to, sdp=sdp, now=self.now, headers=headers)
        leg.session = session
        self._switch.own(session, self, leg)
        number = sender.user.lstrip("+")
        self.publish(
            LegInvited(
                self.id, leg.name, leg.device, leg.extension, leg.number, number, sender.display, session.call_id
            )
        )
        return leg.name

    def _shown_number(self) -> str:
        return self.asked.caller_extension or self.asked.caller_number or "anonymous"

    def _join(self, a: Leg, b: Leg) -> None:
        a.joined, b.joined = b.name, a.name
        a.engine.bridge(a.name, b.name)

    def _part(self, a: Leg, b: Leg) -> None:
        a.joined = b.joined = ""
        a.engine.unbridge(a.name, b.name)

    def _release(self, leg: Leg, cause: Cause) -> None:
        """End our side of a leg in the way its state asks for."""
        if leg.gone:
            return
        session = leg.session
        if session is not None and not session.over:
            reason = f"Q.850;cause={cause.q850}"
            if leg.role is Role.CALLER and not leg.answered:
                session.reject(cause.status, "", self.now, [("Reason", reason)])
            else:
                session.end(self.now, reason)
        self._gone(leg, cause.q850, "switch", tell=leg.answered)

    def _gone(self, leg: Leg, cause: int, by: str, *, tell: bool = True) -> None:
        leg.gone = True
        leg.close()
        if tell:
            self.publish(LegEnded(self.id, leg.name, leg.device, leg.extension, cause, by))

    def _save(self, *, ended: bool, talk: float = 0.0) -> None:
        direction = "inbound" if not self.origin.device else "internal"
        if self.origin.device and any(leg.number and not leg.device for leg in self.legs.values()):
            direction = "outbound"
        disposition = self._disposition or ("NO ANSWER" if ended else "")
        record = CallRecord(
            self.id,
            self.origin.extension or self.origin.number,
            self._caller_name,
            self.origin.device,
            self.dialled,
            self._answered_by,
            disposition,
            direction,
            self._started.wall.timestamp(),
            self._answered_at,
            self._switch.now.wall.timestamp() if ended else 0.0,
            round(talk, 3),
            self._cause if ended else 0,
            " > ".join(self._path),
        )
        ticket = self._switch.submit(RecordSaved(record))
        if ended:
            written = CallRecordWritten(
                self.id, record.caller_number, record.dialled, record.device, record.answered_by,
                record.disposition, record.talk_s, record.cause, record.direction,
            )  # fmt: skip
            self._switch.when_durable(ticket, lambda: self.publish(written))

    @property
    def started(self) -> Moment:
        return self._started


_DISPOSITIONS = {
    Cause.BUSY: "BUSY",
    Cause.NO_ANSWER: "NO ANSWER",
    Cause.NORMAL: "NO ANSWER",
    Cause.UNAVAILABLE: "NO ANSWER",
}


def _moved(message: Message, folder: str) -> Message:
    return replace(message, folder=folder)
